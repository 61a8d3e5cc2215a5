# SPDX-License-Identifier: MIT
"""Cookies as Python's requests shows them: a jar of http.cookiejar with the manners of a dict. Those
of a session are the engine's; what is changed here is changed there."""
import http.cookiejar
import time
from collections.abc import MutableMapping
from urllib.parse import urlsplit


def _cookie(name, value, domain="", path="/", expires=None, secure=False, **other):
    return http.cookiejar.Cookie(
        version=0, name=name, value=value, port=None, port_specified=False, domain=domain,
        domain_specified=bool(domain), domain_initial_dot=domain.startswith("."), path=path,
        path_specified=bool(path), secure=secure, expires=expires, discard=expires is None,
        comment=None, comment_url=None, rest=other.get("rest", {"HttpOnly": None}))


def _host(url):
    """As http.cookiejar has it: with a dot, unless it is an address."""
    host = (urlsplit(url or "").hostname or "").lower()
    return host if "." in host or ":" in host or not host else f"{host}.local"


class CookieJar(http.cookiejar.CookieJar, MutableMapping):
    def __repr__(self):
        return f"<RequestsCookieJar[{', '.join(map(repr, self))}]>"

    def __str__(self):
        return f"<RequestsCookieJar[{', '.join(map(str, self))}]>"

    def _found(self, name=None, domain=None, path=None):
        return [cookie for cookie in self if (name is None or cookie.name == name) and
                (domain is None or cookie.domain == domain) and
                (path is None or cookie.path == path)]

    def get_dict(self, domain=None, path=None):
        return {cookie.name: cookie.value for cookie in self._found(None, domain, path)}

    def get(self, name, default=None, domain=None, path=None):
        found = self._found(name, domain, path)
        return found[0].value if found else default

    def set(self, name, value, **attributes):
        if value is None:
            for cookie in self._found(name, attributes.get("domain"), attributes.get("path")):
                self.clear(cookie.domain, cookie.path, cookie.name)
            return None
        # A morsel of http.cookies has a value, too.
        cookie = _cookie(name, getattr(value, "value", value), **attributes)
        self.set_cookie(cookie)
        return cookie

    def __getitem__(self, name):
        found = self._found(name)
        if not found:
            raise KeyError(f"name={name!r}, domain=None, path=None")
        return found[0].value

    def __setitem__(self, name, value):
        self.set(name, value)

    def __delitem__(self, name):
        self[name]
        self.set(name, None)

    def __contains__(self, name):
        return bool(self._found(name))

    def keys(self):
        return [cookie.name for cookie in self]

    def values(self):
        return [cookie.value for cookie in self]

    def items(self):
        return [(cookie.name, cookie.value) for cookie in self]

    def iterkeys(self):
        return iter(self.keys())

    def itervalues(self):
        return iter(self.values())

    def iteritems(self):
        return iter(self.items())

    def list_domains(self):
        return list(dict.fromkeys(cookie.domain for cookie in self))

    def list_paths(self):
        return list(dict.fromkeys(cookie.path for cookie in self))

    def multiple_domains(self):
        return len(self.list_domains()) > 1

    def update(self, other=(), **named):
        if isinstance(other, http.cookiejar.CookieJar):
            for cookie in other:
                self.set_cookie(cookie)
        else:
            super().update(other)
        super().update(named)

    def copy(self):
        jar = CookieJar()
        jar.update(self)
        return jar


class SessionCookies(CookieJar):
    def __init__(self, engine, base_url):
        super().__init__()
        self._engine, self._url = engine, base_url
        for name, value, domain, path, expires, is_host_only, is_secure in engine.cookie_list():
            domain = _host(f"//{domain}") if is_host_only else f".{domain}"
            super().set_cookie(_cookie(name, value, domain, path, expires, is_secure))

    def set_cookie(self, cookie):
        super().set_cookie(cookie)
        self._tell(cookie, "" if cookie.expires is None else
                   f"; Max-Age={int(cookie.expires - time.time())}")

    def _tell(self, cookie, life):
        domain = cookie.domain.removesuffix(".local")
        host = domain.lstrip(".")
        url = f"{'https' if cookie.secure else 'http'}://{host}/" if host else self._url
        if not url:
            return
        at = f"; Domain={host}" if domain.startswith(".") else ""
        secure = "; Secure" if cookie.secure else ""
        self._engine.set_cookie(
            url, f"{cookie.name}={cookie.value}{at}; Path={cookie.path or '/'}{secure}{life}")

    def clear(self, domain=None, path=None, name=None):
        if domain is None:
            self._engine.clear_cookies()
        else:
            for cookie in self._found(name, domain, path):
                self._tell(cookie, "; Max-Age=0")
        super().clear(domain, path, name)


def of_head(lines, url):
    """Those that an answer sets; lines: the values of its Set-Cookie headers."""
    jar, host = CookieJar(), _host(url)
    for (name, value), *attributes in http.cookiejar.parse_ns_headers(lines):
        given = dict(attributes)
        expires = given.get("expires")
        if given.get("max-age", "").lstrip("-").isdigit():
            expires = int(time.time()) + int(given["max-age"])
        domain = (given.get("domain") or "").lower()
        domain = f".{domain.lstrip('.')}" if domain else host
        if expires is None or expires > time.time():
            jar.set_cookie(_cookie(name, value, domain, given.get("path") or "/", expires,
                                   "secure" in given))
    return jar
