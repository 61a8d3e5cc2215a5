# SPDX-License-Identifier: MIT
"""environment.web_ui: the web interface is in C; what has no path there is asked of a Flask app that
a locustfile may have added to. It exists where there is a web interface."""
import os
from urllib.parse import quote


def _flask():
    try:
        import flask
    except ImportError:
        raise ImportError("environment.web_ui.app needs Flask for Debian's Python: "
                          "apt-get install python3-flask") from None
    return flask


def _utf8(text):
    return text.decode("utf-8", "replace")


class WebUI:
    def __init__(self, environment):
        self.environment = environment
        self.template_args = {}
        self.auth_args = {}
        self._app = None

    @property
    def app(self):
        """Made when it is asked for first."""
        if self._app is None:
            self._app = _flask().Flask("locust", root_path=os.getcwd())
        return self._app

    def auth_required_if_enabled(self, view):
        """Whoever comes here has been let in (--web-token, --web-login)."""
        return view

    @property
    def login_manager(self):
        raise NotImplementedError("web_ui.login_manager: the web interface has no logins of a "
                                  "locustfile's own; see --web-login")

    def update_template_args(self):
        runner = self.environment.runner
        self.template_args.update({
            "locustfile": self.environment.locustfile, "state": runner.state,
            "host": self.environment.host, "user_count": runner.user_count,
            "num_users": runner.target_user_count, "is_distributed": hasattr(runner, "clients"),
            "worker_count": getattr(runner, "worker_count", 0)})

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
        # It takes what begins with two slashes for a host, and %XX for what is still to be decoded.
        builder = EnvironBuilder(path="/" + quote(path.lstrip("/")), method=method,
                                 query_string=MultiDict(query), headers=headers,
                                 data=said[1:] or None)
        try:
            parts, status, headers = run_wsgi_app(self._app.wsgi_app, builder.get_environ())
            return int(status.split()[0]), list(headers), b"".join(parts)
        finally:
            builder.close()
