# SPDX-License-Identifier: MIT
"""environment.web_ui: the web interface is in C; what has no path there is asked of a Flask app
that a locustfile may have added to. It exists where there is a web interface.

With --web-login alone the locustfile says who is let in: its routes call flask_login.login_user().
That this has happened goes back with the answer as LOGIN_HEADER, and the browser has a session of
the web interface from then on."""
import functools
import html
import importlib
import json
import logging
import os
from urllib.parse import quote

import _cicada

import locust_page

logger = logging.getLogger(__name__)

LOGIN_HEADER = "Cicada-Login"
DEFAULT_CACHE_TIME = 2.0  # what files give to locust.util.cache.memoize()

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
{head}</head>
<body>
<h1>{title}</h1>
{parts}
</body>
</html>
"""


def _needed(module, package, what):
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(f"environment.web_ui.{what} needs {module} for Debian's Python: "
                          f"apt-get install {package}") from None


def _utf8(text):
    return text.decode("utf-8", "replace")


def _attributes(**values):
    return "".join(f' {name}="{html.escape(str(value))}"' for name, value in values.items()
                   if value not in (None, False))


def _input(item):
    """A line of a form, as auth_args["custom_form"]["inputs"] describes it."""
    name, value = item["name"], item.get("default_value")
    common = {"name": name, "required": "required" if item.get("is_required") else None}
    if item.get("choices"):
        options = "".join(
            f"<option{_attributes(value=c, selected='selected' if c == value else None)}>"
            f"{html.escape(str(c))}</option>" for c in item["choices"])
        multiple = "multiple" if item.get("is_multiple") else None
        field = f"<select{_attributes(**common, multiple=multiple)}>{options}</select>"
    elif isinstance(value, bool):
        checked = "checked" if value else None
        field = f"<input{_attributes(type='checkbox', **common, checked=checked)}>"
    else:
        kind = "password" if item.get("is_secret") else item.get("type", "text")
        field = f"<input{_attributes(type=kind, **common, value=value)}>"
    return f"<p><label>{html.escape(item.get('label') or name)}<br>{field}</label></p>\n"


def _form(target, inputs, button):
    return (f"<form{_attributes(method='post', action=target)}>\n{''.join(map(_input, inputs))}"
            f"<p><button>{html.escape(button)}</button></p>\n</form>\n")


_USER_AND_PASSWORD = ({"label": "Username", "name": "username", "is_required": True},
                      {"label": "Password", "name": "password", "is_secret": True,
                       "is_required": True})


def _login_page(args):
    parts = [f'<p role="status">{html.escape(str(args[kind]))}</p>\n' for kind in ("error", "info")
             if args.get(kind)]
    form = args.get("custom_form")
    if args.get("username_password_callback"):
        parts.append(_form(args["username_password_callback"], _USER_AND_PASSWORD, "Login"))
    if form:
        parts.append(_form(form["callback_url"], form.get("inputs", ()),
                           form.get("submit_button_text", "Login")))
    for provider in args.get("auth_providers") or ():
        icon = provider.get("icon_url")
        image = f"<img{_attributes(src=icon, alt='', height=20)}> " if icon else ""
        parts.append(f"<p><a{_attributes(href=provider['callback_url'])}>{image}"
                     f"{html.escape(provider['label'])}</a></p>\n")
    if not parts:
        parts.append("<p>The locustfile has not said how (auth_args).</p>")
    return _PAGE.format(title=html.escape(args.get("title") or "Log in"), head="",
                        parts="".join(parts))


# A browser that another site has sent does not say its session before it goes on by itself.
_WELCOME = _PAGE.format(title="You are logged in.",
                        head='<meta http-equiv="refresh" content="0; url=./">\n',
                        parts='<p><a href="./">To the tests</a></p>\n' +
                        _form("logout", (), "Log out"))


class WebUI:
    def __init__(self, environment):
        self.environment = environment
        self.template_args = {}
        self.auth_args = {}
        self.web_login = environment.parsed_options.web_login
        self._base = environment.parsed_options.web_base_path or None
        self._is_https = bool(environment.parsed_options.tls_cert)
        self._app = self._login_manager = None

    @property
    def app(self):
        """Made when it is asked for first."""
        if self._app is None:
            self._app = self._make_app()
        return self._app

    def _make_app(self):
        flask = _needed("flask", "python3-flask", "app")
        from jinja2 import ChoiceLoader, DictLoader
        app = flask.Flask("locust", root_path=os.getcwd())
        app.jinja_loader = ChoiceLoader([app.jinja_loader,
                                         DictLoader({"index.html": locust_page.INDEX})])
        # For url_for(); what is there is in C, but for the login that the locustfile makes.
        pages = flask.Blueprint("locust", __name__, root_path=os.getcwd(), url_prefix=self._base)
        pages.add_url_rule("/", "index", lambda: flask.redirect("./"))
        pages.add_url_rule("/login", "login", self._show_login)
        pages.add_url_rule("/logout", "logout", self._log_out, methods=["GET", "POST"])
        app.register_blueprint(pages)
        if self.web_login:
            # Its sessions are as good as ours: other sites do not use them, and they stay on https.
            for cookie in "SESSION", "REMEMBER":
                app.config[f"{cookie}_COOKIE_SAMESITE"] = "Lax"
                app.config[f"{cookie}_COOKIE_SECURE"] = self._is_https
            # Flask gives a folder ./static to everybody.
            app.view_functions["static"] = self.auth_required_if_enabled(
                app.view_functions["static"])
            app.after_request(self._note_login)
        return app

    @property
    def login_manager(self):
        """The same: of Flask-Login."""
        if self._login_manager is None:
            manager = _needed("flask_login", "python3-flask-login", "login_manager").LoginManager()
            manager.login_view = "locust.login"
            manager.init_app(self.app)
            self._login_manager = manager
        return self._login_manager

    def check_login(self):
        """After event init: whether anybody can log in."""
        if not self.web_login or (self.login_manager and self._has_loader() and
                                  self.app.secret_key):
            return
        logger.error("--web-login: nobody can log in. In an init listener the locustfile has to "
                     "set app.secret_key, login_manager.user_loader and auth_args of "
                     "environment.web_ui; or give --web-login USER:HASH")

    def _has_loader(self):
        manager = self._login_manager
        return bool(manager and (manager._user_callback or manager._request_callback))

    def _is_logged_in(self):
        return self._has_loader() and bool(
            importlib.import_module("flask_login").current_user.is_authenticated)

    def _note_login(self, response):
        response.headers[LOGIN_HEADER] = "in" if self._is_logged_in() else "out"
        return response

    def _show_login(self):
        from flask import redirect, session
        if not self.web_login:
            return redirect("./")
        if self._is_logged_in():
            return _WELCOME
        args = dict(self.auth_args)
        for kind in ("error", "info"):
            if f"auth_{kind}" in session:
                args[kind] = session.pop(f"auth_{kind}")
        return _login_page(args)

    def _log_out(self):
        from flask import redirect, url_for
        if self._login_manager is not None:
            importlib.import_module("flask_login").logout_user()
        return redirect(url_for("locust.login"))

    def auth_required_if_enabled(self, view):
        """With --web-token or --web-login USER:HASH whoever comes here has been let in."""
        if not self.web_login:
            return view

        @functools.wraps(view)
        def guarded(*args, **kwargs):
            from flask import redirect, url_for
            return view(*args, **kwargs) if self._is_logged_in() else redirect(
                url_for("locust.login"))
        return guarded

    # Of a program that has made it: it is there until that ends.
    def start(self):
        pass

    stop = start

    @property
    def greenlet(self):
        return self.environment.runner.greenlet

    def set_static_modern_ui(self):
        """There is one kind of page only."""

    def update_template_args(self):
        runner = self.environment.runner
        self.template_args.update({
            "version": _cicada.version,
            "locustfile": self.environment.locustfile, "state": runner.state,
            "host": self.environment.host, "user_count": runner.user_count,
            "num_users": runner.target_user_count, "is_distributed": hasattr(runner, "clients"),
            "worker_count": getattr(runner, "worker_count", 0)})

    def _extended_stats(self, headers):
        """What after_request functions of the locustfile would add to /stats/requests, for whom may see
        that."""
        with self._app.test_request_context("/stats/requests", headers=headers):
            if self.web_login and not self._is_logged_in():
                return 401, [("Content-Type", "application/json")], b'{"error": "log in at /login"}'
            reply = self._app.process_response(_needed("flask", "python3-flask", "app").jsonify({}))
            stats = reply.get_json().get("extended_stats", [])
        return 200, [("Content-Type", "application/json")], json.dumps(
            {"extended_stats": stats}).encode()

    def answer(self, method, path, said):
        """(status, headers, body); said: see python.h. None: there is no such path."""
        if self._app is None:
            return None
        from werkzeug.datastructures import MultiDict
        from werkzeug.test import EnvironBuilder, run_wsgi_app
        query, headers = [], []
        while said[:1] != b"b":
            name, value, rest = said[1:].split(b"\0", 2)
            if said[:1] == b"q":
                query.append((_utf8(name), _utf8(value)))
            elif name.lower() != b"content-length":
                headers.append((name.decode("latin-1"), value.decode("latin-1")))
            said = rest
        if path.removeprefix(self._base or "") == "/extended-stats":
            return self._extended_stats(headers)
        # It takes what begins with two slashes for a host, and %XX for what is still to be decoded.
        builder = EnvironBuilder(path="/" + quote(path.lstrip("/")), method=method,
                                 query_string=MultiDict(query), headers=headers,
                                 data=said[1:] or None)
        try:
            parts, status, headers = run_wsgi_app(self._app.wsgi_app, builder.get_environ())
            return int(status.split()[0]), list(headers), b"".join(parts)
        finally:
            builder.close()
