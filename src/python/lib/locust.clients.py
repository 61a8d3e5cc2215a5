# SPDX-License-Identifier: MIT
"""client of HttpUser: Python's requests as far as locustfiles go, over cicada's engine.

What is sent and received, cookies, redirects, compressed bodies and connections are the engine's;
here arguments become a request and an answer becomes an object like that of requests."""
import base64
import builtins
import datetime
import functools
import http.client
import importlib.util
import io
import json as json_module
import logging
import os
import re
import socket
import sys
import time
import uuid
from collections.abc import MutableMapping
from contextlib import contextmanager
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import _cicada
import locust_cookies
from gevent.lock import BoundedSemaphore

from locust.event import RequestHook, count_request
from locust.exception import CatchResponseError, LocustError, ResponseError

logger = logging.getLogger(__name__)

FOREVER = float("inf")
_NO_TIMEOUT = FOREVER, 0
_scan_json = json_module.JSONDecoder().scan_once
# How many URLs, and how many sets of headers, are known as what they are when they are sent.
TARGETS, HEADER_TEXTS = 1024, 256
_is_absolute = re.compile(r"https?://", re.I).match
_is_http = re.compile(r"http://", re.I).match
_has_no_escapes = re.compile(r"[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]*\Z").match
_parts = re.compile(r"(?P<scheme>[^:/?#]*://)(?P<host>[^/?#]*)(?P<path>[^?#]*)"
                    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?\Z", re.S).match
_user_of = re.compile(r"((?:[^:/?#]*:)?//)[^/?#]*@").match
_escape = re.compile(r"%([0-9A-Fa-f]{2})")
_SAFE = "!$&'()*+,/:;=@"  # in a path; what quote() never escapes is not among them


class RequestException(OSError):
    """What requests would raise; repr() is what stands in the statistics."""

    def __init__(self, *args, response=None):
        super().__init__(*args)
        self.response = response


class HTTPError(RequestException):
    pass


class ConnectionError(RequestException):
    """No answer came: the engine's words for it, which are Python's."""

    @property
    def original(self):
        """Of geventhttpclient's errors: Python's own."""
        return TimeoutError(str(self)) if "Timeout" in type(self).__name__ else self

    def __repr__(self):
        return str(self)


def _of_requests(cls):
    """The class of that name in requests, where the locustfile has imported it: it may catch it."""
    requests = sys.modules.get("requests")
    return getattr(requests.exceptions, cls.__name__, cls) if requests else cls


@functools.lru_cache
def _network_error(word, requests):
    """The class of an error with that first word: it is also Python's, and that of requests where
    that is imported, so that `except` and isinstance() find it."""
    bases = [ConnectionError]
    if requests:
        name = "SSLError" if word.startswith("SSL") else word
        bases.append(getattr(requests.exceptions, name, requests.exceptions.ConnectionError))
    for module in (builtins, socket, http.client):
        of_python = getattr(module, word, None)
        if isinstance(of_python, type) and issubclass(of_python, OSError):
            bases.append(of_python)
            break
    return type(word, tuple(bases), {})


def _invalid(error, url):
    """What requests raises for a URL that cannot be asked."""
    requests = sys.modules.get("requests")
    if not requests:
        return ValueError(str(error))
    name = "InvalidSchema" if "://" in url else "MissingSchema"
    if _is_absolute(url):
        name = "InvalidHeader" if "eader" in str(error) else "InvalidURL"
    return getattr(requests.exceptions, name)(str(error))


class Headers(MutableMapping):
    """Any case finds a header; it keeps the case in which it was set."""

    def __init__(self, items=(), **named):
        self._items = {}
        self.update(items or (), **named)

    def __setitem__(self, name, value):
        self._items[name.lower()] = (name, value)

    def __getitem__(self, name):
        return self._items[name.lower()][1]

    def __delitem__(self, name):
        del self._items[name.lower()]

    def __iter__(self):
        return (name for name, _ in self._items.values())

    def __len__(self):
        return len(self._items)

    def __contains__(self, name):
        return name.lower() in self._items

    def __repr__(self):
        return repr(dict(self.items()))

    def copy(self):
        return Headers(self)


class SessionHeaders(Headers):
    """Those of every request; what they are as text is put together once."""
    is_checked = True

    def __init__(self, items):
        self._text = None
        super().__init__(items)

    def __setitem__(self, name, value):
        self._text = None
        super().__setitem__(name, value)

    def __delitem__(self, name):
        self._text = None
        super().__delitem__(name)

    def text(self):
        if self._text is None:
            if self.is_checked:
                _check_headers(self)
            self._text = sys.intern(_header_text(self))
        return self._text


def _text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class BadHeader(Exception):
    pass


_HEADER_PARTS = (("name", re.compile(r"[^:\s][^:\r\n]*\Z")),
                 ("value", re.compile(r"(\S[^\r\n]*)?\Z")))


def _check_headers(headers):
    """What requests does not send, it has no answer for."""
    for name, value in headers.items():
        if value is None:
            continue
        for part, (kind, pattern) in zip((name, value), _HEADER_PARTS):
            if not isinstance(part, (str, bytes)):
                raise BadHeader(f"Header part ({part!r}) from {{{name!r}: {value!r}}} must be of type "
                                f"str or bytes, not {type(part)}")
            if not pattern.match(_text(part)):
                raise BadHeader("Invalid leading whitespace, reserved character(s), or return "
                                f"character(s) in header {kind}: {part!r}")


def _header_text(headers):
    # What would begin a line of its own is refused by the engine as the control character it becomes.
    return "".join([f"{_text(name)}: {_text(value)}".replace("\n", "\r") + "\n"
                    for name, value in headers.items() if value is not None])


def _fields_of(head):
    """Name and value of each line. str.splitlines() would see ends of lines within text that is not
    ASCII."""
    for line in head.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip()


def _parse_head(head):
    """The lines of an answer; of several with one name the values are joined."""
    headers = Headers()
    for name, value in _fields_of(head):
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class NeedsRequests(AttributeError):
    """The request has to be made by Python's requests."""


class PreparedRequest:
    """What was asked, for hooks, callables of `auth`, and response.request."""

    def __init__(self, method, url, headers, body):
        self.method, self.url, self.headers, self.body = method, url, headers, body

    @property
    def path_url(self):
        return _path_of(self.url)

    def __getattr__(self, name):
        """What is not here is there where requests makes the request."""
        raise NeedsRequests(name)


def without_secret(url):
    """User and password must not come into names and errors."""
    found = "@" in url and _user_of(url)
    return found[1] + url[found.end():] if found else url


def _path_of(url):
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@functools.lru_cache(TARGETS)
def _target_of(url, is_fast=False):
    """(URL as it is sent, the name of its row, the URL as it may be shown)"""
    try:
        url = _quoted(url, is_fast)
        return url, _path_of(url), without_secret(url)
    except ValueError as e:  # as of http://[::1
        raise _invalid(e, url) from None


def _redirected(method, status):
    """With which method a redirect is followed."""
    is_get = status in (302, 303) or status == 301 and method == "POST"
    return "GET" if is_get and method != "HEAD" else method


def _asked_next(asked, status, url):
    """What a redirect made of a request, as the engine and requests have it."""
    method, _, headers, body, is_json, _ = asked
    method = _redirected(method, status)
    if status not in (307, 308):
        body, is_json = None, False
        headers = "\n".join(line for line in headers.split("\n")
                            if line[:13].lower() != "content-type:")
    return method, url, headers, body, is_json, without_secret(url)


def _success(self):
    raise LocustError("If you want to change the state of the request, you must pass "
                      "catch_response=True. See http://docs.locust.io/en/stable/"
                      "writing-a-locustfile.html#validating-responses")


# A reason is one argument too many, as under Locust: what the exceptions show has its words.
def _failure(self):
    _success(self)


class Unjudged:
    """Of an answer whose status has judged it."""
    success, failure = _success, _failure


class LocustResponse(Unjudged):
    """An answer, or none (status_code 0, content None, error)."""
    connection = None

    @property
    def __class__(self):
        """As that of HttpSession."""
        response = getattr(sys.modules.get("requests"), "Response", None)
        return _as_of_requests(type(self), response) if response else type(self)

    def __init__(self, answer, asked):
        (self.status_code, error, self.reason, self._head, self._content, self._seconds, url,
         hops) = answer
        self._asked = asked
        self.url = without_secret(url) if url else asked[5]
        self.error = _network_error(error.partition("(")[0], sys.modules.get("requests"))(
            error, response=self) if error else None
        self.history = self._history(hops) if hops else []

    def _history(self, hops):
        history = []
        for status, reason, head, target, seconds in hops:
            answer = (status, None, reason, head, b"", seconds, None, None)
            history.append(LocustResponse(answer, self._asked))
            self._asked = _asked_next(self._asked, status, target)
        return history

    @property
    def request(self):
        """The last one, where redirects were followed."""
        method, url, headers, body, is_json, _ = self._asked
        lines = (headers or "").encode("latin-1", "replace")
        return PreparedRequest(method, url, _parse_head(lines),
                               body.encode() if is_json else body or None)

    @property
    def content(self):
        return self._content

    @property
    def headers(self):
        headers = self.__dict__.get("_headers")
        if headers is None:
            headers = self._headers = _parse_head(self._head or b"")
        return headers

    @property
    def cookies(self):
        return locust_cookies.of_head([value for name, value in _fields_of(self._head or b"")
                                       if name.lower() == "set-cookie"], self.url)

    @property
    def elapsed(self):
        return datetime.timedelta(seconds=self._seconds)

    @property
    def ok(self):
        """As requests has it: no answer is not one that is not ok, and raises."""
        if self.error:
            raise self.error
        return self.status_code < 400

    def __bool__(self):
        return self.ok

    @property
    def is_redirect(self):
        return "location" in self.headers and self.status_code in (301, 302, 303, 307, 308)

    @property
    def is_permanent_redirect(self):
        return "location" in self.headers and self.status_code in (301, 308)

    @property
    def next(self):
        """The request that would follow a redirect, which has not been followed."""
        if self.history or not self.is_redirect:
            return None
        method = _redirected(self._asked[0], self.status_code)
        return PreparedRequest(method, urljoin(self.url, self.headers["location"]),
                               self.request.headers, None)

    @property
    def links(self):
        """Of its Link header, by their rel or, without one, their address."""
        found = {}
        for url, rest in re.findall(r"<([^>]*)>([^<]*)", self.headers.get("link", "")):
            link = {"url": url, **{name: value.strip("'\" ") for name, value in
                                   re.findall(r";\s*([\w-]+)\s*=\s*(\"[^\"]*\"|[^;,\s]+)", rest)}}
            found[link.get("rel", url)] = link
        return found

    @property
    def apparent_encoding(self):
        """That in which the body can be read."""
        for name in ("ascii", "utf-8"):
            try:
                (self._content or b"").decode(name)
                return name
            except UnicodeDecodeError:
                pass
        return "ISO-8859-1"

    @property
    def encoding(self):
        """As the headers say; None when they do not. May be set."""
        if "_encoding" in self.__dict__:
            return self._encoding
        kind = self.headers.get("content-type", "")
        found = re.search(r"charset=[\"']?([\w-]+)", kind, re.I)
        if found:
            return found.group(1)
        return ("ISO-8859-1" if kind.startswith("text/") else
                "utf-8" if kind.startswith("application/json") else None)

    @encoding.setter
    def encoding(self, name):
        self._encoding = name

    @property
    def text(self):
        if not self._content:
            return ""
        try:
            return self._content.decode(self.encoding or "utf-8", "replace")
        except LookupError:
            return self._content.decode("utf-8", "replace")

    def json(self, **kwargs):
        content = self._content
        if not kwargs and content and content[0] in b"{[" and content[1:2] != b"\0":
            # In UTF-8; of any other text json.loads knows what it is, or what is wrong.
            try:
                text = content.decode()
                value, end = _scan_json(text, 0)
                if end == len(text) or not text[end:].strip(" \t\n\r"):
                    return value
            except (StopIteration, ValueError):
                pass
        try:
            try:
                return json_module.loads(content or b"", **kwargs)
            except UnicodeDecodeError:
                return json_module.loads(self.text, **kwargs)
        except json_module.JSONDecodeError as e:
            raise _of_requests(json_module.JSONDecodeError)(e.msg, e.doc, e.pos) from None

    def iter_content(self, chunk_size=1, decode_unicode=False):
        content = self.text if decode_unicode else self._content or b""
        for at in range(0, len(content), chunk_size or len(content) or 1):
            yield content[at:at + (chunk_size or len(content))]

    def iter_lines(self, chunk_size=512, decode_unicode=False, delimiter=None):
        content = self.text if decode_unicode else self._content or b""
        yield from content.split(delimiter) if delimiter else content.splitlines()

    def __iter__(self):
        return self.iter_content(128)

    @property
    def raw(self):
        return io.BytesIO(self._content or b"")

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

    def raise_for_status(self):
        if self.error:
            raise self.error
        if self.status_code >= 400:
            side = "Client" if self.status_code < 500 else "Server"
            raise _of_requests(HTTPError)(
                f"{self.status_code} {side} Error: {self.reason} for url: {self.url}",
                response=self)

    def __repr__(self):
        return f"<Response [{self.status_code}]>"


class Judged:
    """Of catch_response=True: counted at the end of the with-block, as the block says."""
    _result = _meta = None
    _entered = False

    def __enter__(self):
        self._entered = True
        return self

    def __exit__(self, kind, value, trace):
        if self._result is not None:
            self._report(None if self._result is True else self._result)
            return kind is None
        if kind is None:
            self._report(self._error_of_status())
        elif isinstance(value, ResponseError):
            self._report(value)
        else:
            return False
        return True

    def _error_of_status(self):
        try:
            self.raise_for_status()
        except (RequestException, _of_requests(RequestException)) as e:
            return e
        return None

    @property
    def request_meta(self):
        """What will go with the event; may be changed."""
        if self._meta is None:
            self._meta = self._session._meta(self, None, self._asked_as)
        return self._meta

    def _report(self, exception):
        if self._meta is None:
            self._session._count(self, exception, self._asked_as)
        else:
            self._meta["exception"] = exception
            self._session.request_event.fire(**self._meta)

    def _check_entered(self):
        if not self._entered:
            raise LocustError(
                "Tried to set status on a request that has not yet been made. Make sure you use a "
                "with-block, like this:\n\nwith self.client.request(..., catch_response=True) as "
                "response:\n    response.success()")

    def success(self):
        self._check_entered()
        self._result = True

    def failure(self, exc):
        self._check_entered()
        self._result = exc if isinstance(exc, Exception) else CatchResponseError(exc)


class ResponseContextManager(Judged, LocustResponse):
    pass


# ---- what is sent ----

def _fields_of_part(kind=None, others=None):
    """Of a file: its content type, and headers of its own."""
    fields = {"Content-Type": kind, **(others or {})}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)


def _body_of_files(files, data):
    """multipart/form-data, and its content type."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in data.items() if isinstance(data, dict) else data or ():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if item is not None:
                parts.append((f'name="{name}"', "", item))
    for name, value in files.items() if isinstance(files, dict) else files:
        filename, content, fields = name, value, ""
        if isinstance(value, (tuple, list)):
            filename, content = value[:2]
            fields = _fields_of_part(*value[2:])
        else:
            path = getattr(value, "name", None)
            filename = path.rpartition("/")[2] if isinstance(path, str) else name
        at = f'name="{name}"' + (f'; filename="{filename}"' if filename else "")
        parts.append((at, fields, content))
    body = b""
    for at, fields, content in parts:
        content = content.read() if hasattr(content, "read") else content
        content = content if isinstance(content, bytes) else str(content).encode()
        head = f"--{boundary}\r\nContent-Disposition: form-data; {at}\r\n{fields}\r\n"
        body += head.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def json_text(value, allow_nan=True):
    """json.dumps, which is asked for what is not plain."""
    return _cicada.json_text(value, allow_nan) or json_module.dumps(value, allow_nan=allow_nan)


def _form(pairs):
    """As a query has them; what is None is not there."""
    given = []
    for name, value in pairs.items() if hasattr(pairs, "items") else pairs:
        if isinstance(value, (list, tuple, set)):
            given += [(name, item) for item in value if item is not None]
        elif value is not None:
            given.append((name, value))
    return urlencode(given, doseq=True)


def _body_of_data(data):
    """(body, content type or None)"""
    if hasattr(data, "read"):
        data = data.read()
    if isinstance(data, str):
        return data, None
    if isinstance(data, (bytes, bytearray)):
        return bytes(data), None
    if isinstance(data, (dict, list, tuple)):
        return _form(data), "application/x-www-form-urlencoded"
    return b"".join(part if isinstance(part, bytes) else part.encode() for part in data), None


def _unescaped(match):
    """What need not be escaped is not (RFC 3986 2.3)."""
    char = chr(int(match[1], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else match[0]


def _escaped(part, safe):
    """A `%` stays one where all of them begin an escape."""
    part, escapes = _escape.subn(lambda match: match[0].upper(), part)
    part = quote(part, safe=safe + "%" if escapes == part.count("%") else safe)
    return _escape.sub(_unescaped, part) if "%" in part else part


def _without_steps(path):
    """/a/./b/../c is /a/c (RFC 3986 5.2.4)."""
    steps = []
    for step in path.split("/"):
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(step)
    if path.startswith("/") and (not steps or steps[0]):
        steps.insert(0, "")
    if path.endswith(("/.", "/..")):
        steps.append("")
    return "/".join(steps)


def _quoted(url, is_fast):
    """As requests sends it; FastHttpUser takes no steps and leaves brackets as they are."""
    is_plain = _has_no_escapes(url) and "/." not in url and url[-1:] != "?"
    parts = None if is_plain else _parts(url)
    if not parts:
        return url
    host, path = parts["host"], parts["path"]
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise _invalid("URL has an invalid label.", url) from None
    safe = _SAFE + "[]" if is_fast else _SAFE
    path = _escaped(path if is_fast else _without_steps(path), safe)
    query, fragment = (_escaped(part or "", safe + "?") for part in parts.group("query", "fragment"))
    return (parts["scheme"] + host + path + (f"?{query}" if query else "") +
            (f"#{fragment}" if fragment else ""))


def _is_read_once(data, files=None):
    """What a first try has sent cannot be sent by another one."""
    return files or not (data is None or isinstance(data, (str, bytes, dict, list, tuple)))


def _is_of_unknown_length(body):
    """As of a generator: it is sent in chunks."""
    return hasattr(body, "__iter__") and not any(hasattr(body, name) for name in
                                                 ("__len__", "len", "fileno", "tell"))


def _with_params(url, params):
    if isinstance(params, (str, bytes)):
        query = _text(params)
    else:
        query = _form(params)
    if not query:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query,
                                     path=parts.path or "/"))


def basic_auth(user, password):
    pair = _text(user).encode("latin-1", "replace") + b":" + _text(password).encode("latin-1", "replace")
    return "Basic " + base64.b64encode(pair).decode()


def _seconds(timeout):
    """(of the answer, of the connect before it; 0: both have the same); None: _NO_TIMEOUT"""
    if isinstance(timeout, (tuple, list)):
        connect, read = timeout
        connect = FOREVER if connect is None else connect
        return FOREVER if read is None else read, connect if connect > 0 else -1
    return timeout, 0


def _are_http(proxies):
    """Proxies of a scheme by their http:// address, which need not be written; requests has others,
    too: of a host, by https:// or socks5://."""
    return all(name in ("http", "https", "all") and
               (not url or "://" not in url or _is_http(url)) for name, url in proxies.items())


INSECURE = 1  # the way of servers that are not verified


@functools.lru_cache(None)  # the engine knows the limit
def way_of(insecure, ca=None, cert=None, key=None, http_proxy=None, https_proxy=None,
           any_host=False):
    """The number by which the engine knows how a request gets to its server."""
    if not (ca or cert or http_proxy or https_proxy or any_host):
        return INSECURE if insecure else 0
    for what, path in (("CA certificate bundle", ca), ("certificate file", cert), ("key file", key)):
        if path and not os.path.exists(path):
            raise OSError(f"Could not find the TLS {what}, invalid path: {path}")
    return _cicada.way(insecure, None if insecure else ca, cert, key, http_proxy, https_proxy,
                       any_host)


def _detour():
    import locust_detour
    return locust_detour


@functools.lru_cache
def _has_requests():
    if importlib.util.find_spec("requests"):
        return True
    logger.warning("What needs Python's requests has no effect - stream, trust_env, client.mount(), chunked "
                   "bodies -: apt-get install python3-requests")
    return False


# Headers that were put together before, all of them text.
_header_texts = {}


class BaseSession:
    """What both clients share: arguments to bytes, and a request by the engine."""
    default_timeout = None
    is_fast = False
    max_redirects = 30

    def __init__(self, base_url, request_event, user, headers):
        self.base_url = base_url
        self.request_event = request_event
        self.user = user
        self.request_name = None
        self.headers = SessionHeaders(headers)
        self.auth = None
        self.params = {}
        self._engine = _cicada.Client()

    @property
    def headers(self):
        return self._headers

    @headers.setter
    def headers(self, values):
        self._headers = SessionHeaders(values or {})

    @property
    def cookies(self):
        return locust_cookies.SessionCookies(self._engine, self.base_url)

    @cookies.setter
    def cookies(self, values):
        values = dict(values) if not hasattr(values, "set_cookie") else values.copy()
        self._engine.clear_cookies()
        self.cookies.update(values)

    def _build_url(self, path):
        if path[:1] != "/" and _is_absolute(path):
            return path
        return f"{self.base_url or ''}{path}"

    def _target(self, url, params):
        url = self._build_url(url)
        if params or self.params:
            url = _with_params(url, {**self.params, **dict(params or {})}
                               if self.params else params)
        return _target_of(url, self.is_fast)

    # Of the others the length of a body is said, although there is none.
    _bodiless = frozenset(["GET", "HEAD", "DELETE", "OPTIONS"])

    @contextmanager
    def rename_request(self, name):
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def _lines(self, headers, content_type):
        """All headers as text: those of the session, those of the request above them."""
        text = self._headers.text()
        if headers:
            key = (text, content_type, *headers, *headers.values())
        elif content_type:
            key = (text, content_type)
        else:
            return text
        try:
            return _header_texts[key]
        except (KeyError, TypeError):
            pass  # not known, or not hashable
        if headers and not self.is_fast:
            _check_headers(headers)
        merged = Headers(self._headers)
        if content_type and (self.is_fast or "content-type" not in merged):
            merged["Content-Type"] = content_type
        merged.update(headers or ())
        text = _header_text(merged)
        # Of other types several are equal that are not the same text; no boundary comes again.
        if all(type(part) is str for part in key[2:]) and \
                not (content_type or "").startswith("multipart/"):
            if len(_header_texts) == HEADER_TEXTS:
                _header_texts.clear()
            _header_texts[key] = text
        return text

    def _cookie_header(self, url, cookies):
        pairs = [f"{name}={value}" for name, value in dict(cookies).items()]
        return "; ".join(filter(None, [self._engine.cookies(url), *pairs]))

    def _authorized(self, auth, method, url, headers, body):
        """Headers to add; a callable changes a request as it does in requests."""
        if isinstance(auth, (tuple, list)):
            return {"Authorization": basic_auth(*auth)}
        username = getattr(auth, "username", None)
        if not callable(auth) or (username is not None and type(auth).__name__ == "HTTPBasicAuth"):
            return {"Authorization": basic_auth(username, auth.password)}
        request = PreparedRequest(method, url, Headers(headers or {}), body)
        request = auth(request) or request
        return dict(request.headers)

    def _send(self, method, target, data, headers, cookies, files, auth, timeouts, allow_redirects,
              way, json, answer_type):
        content_type = body = None
        is_json = False
        method = method.upper()
        url = target[0]
        if headers is not None and type(headers) is not dict:
            headers = dict(headers)
        if files:
            body, content_type = _body_of_files(files, data)
        elif data:
            body, content_type = _body_of_data(data)
        elif json is not None:
            try:
                body, content_type = json_text(json, False), "application/json"
            except ValueError as e:
                error = f"InvalidJSONError({e!r})"
                return answer_type((0, error, None, None, None, 0.0, None, None),
                                   (method, url, None, None, False, target[2]))
            is_json = True
        elif method not in self._bodiless:
            body = b""
        auth = auth or self.auth
        if auth or cookies:
            more = self._authorized(auth, method, url, headers, body) if auth else {}
            if cookies:
                more = {"Cookie": self._cookie_header(url, cookies), **more}
            headers = {**(headers or {}), **more}
        try:
            lines = self._lines(headers, content_type)
        except BadHeader as e:
            return answer_type((0, f"InvalidHeader({str(e)!r})", None, None, None, 0.0, None, None),
                               (method, url, None, body, is_json, target[2]))
        asked = (method, url, lines, body, is_json, target[2])
        if not lines.isascii():
            lines = lines.encode("latin-1", "replace")
        try:
            answer = self._engine.request(method, url, lines, body, timeouts[0], timeouts[1],
                                          self.max_redirects if allow_redirects else -1, way)
        except _cicada.Invalid as e:
            raise _invalid(e, url) from None
        return answer_type(answer, asked)

    def _meta(self, response, exception, asked_as):
        """What goes with the event."""
        method, name, start_time, target, length, context = asked_as
        return {
            "request_type": method,
            "response_time": response._seconds * 1000,
            "name": name,
            "context": {**self.user.context(), **context} if self.user else context,
            "response": response,
            "exception": exception,
            "start_time": start_time,
            "url": target[0],
            "response_length": length,
        }

    def _count(self, response, exception, asked_as):
        """Without listeners there is nobody to make an event for."""
        event = self.request_event
        if type(event) is RequestHook and not event.has_listeners():
            count_request(asked_as[0], asked_as[1], response._seconds * 1000, asked_as[4], exception,
                          response.status_code)
        else:
            event.fire(**self._meta(response, exception, asked_as))

    def close(self):
        self._engine.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


# What requests takes as it is.
_OF_REQUESTS = ("params", "data", "headers", "cookies", "files", "auth", "timeout", "json",
                "allow_redirects", "proxies", "hooks", "stream", "verify", "cert")


@functools.lru_cache
def _as_of_requests(cls, session):
    return type(cls.__name__, (cls, session), {})


class _Queued:
    """A client of a pool that has no more connections than it is said to have: who finds them all busy
    waits, which takes time as under Locust."""

    def __init__(self, client, slots):
        self._client, self._slots = client, slots

    def request(self, *asked):
        began = time.perf_counter()
        with self._slots:
            waited = time.perf_counter() - began
            answer = self._client.request(*asked)
        return *answer[:5], answer[5] + waited, *answer[6:]

    def __getattr__(self, name):
        return getattr(self._client, name)


def _client_of(pool):
    """Of urllib3's PoolManager it takes how many connections are kept for all its users, and whether
    there may be more."""
    if "_cicada" not in vars(pool):
        size = pool.connection_pool_kw.get("maxsize", 1)
        is_limit = pool.connection_pool_kw.get("block", False)
        pool._cicada = _cicada.Client(None, size), BoundedSemaphore(size) if is_limit else None
    connections, slots = pool._cicada
    client = _cicada.Client(connections)
    return _Queued(client, slots) if slots else client


class HttpSession(BaseSession):
    """Like requests.Session. What the engine cannot do is done by requests (locust_detour.py)."""

    @property
    def __class__(self):
        """For isinstance(): libraries of requests ask whether they were given a session."""
        requests = sys.modules.get("requests")
        return _as_of_requests(type(self), requests.Session) if requests else type(self)

    def __init__(self, base_url, request_event, user, *args, pool_manager=None, **kwargs):
        super().__init__(base_url, request_event, user, {
            "User-Agent": f"cicada/{_cicada.version}", "Accept": "*/*",
            "Connection": "keep-alive"})
        if pool_manager is not None:
            self._engine = _client_of(pool_manager)
        self.verify, self.cert, self.trust_env, self.stream = True, None, False, False
        # Adapters by their prefix: those that make all requests, those that only try again.
        self.adapters, self.retries = {}, {}
        self.proxies, self.hooks = {}, {"response": []}
        parts = urlsplit(base_url or "")
        if parts.username and parts.password:
            self.auth = (parts.username, parts.password)
            self.base_url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    def _way(self, proxies, verify, cert):
        proxies = {**(self.proxies or {}), **(proxies or {})}
        cert, key = cert if isinstance(cert, (tuple, list)) else (cert, None)
        ca = os.fspath(verify) if verify and verify is not True else None
        if not _are_http(proxies) or ca and os.path.isdir(ca):
            raise NeedsRequests("proxies other than http:// ones, and a folder of certificates, need "
                                "Python's requests: apt-get install python3-requests")
        try:
            return way_of(not verify, ca, cert, key, *(proxies.get(scheme) or proxies.get("all")
                                                       for scheme in ("http", "https")))
        except ValueError as e:
            raise NeedsRequests(str(e)) from None

    _bodiless = frozenset(["GET", "HEAD"])

    @BaseSession.headers.setter
    def headers(self, values):
        """Where the file puts its own in place of requests', nobody says that bodies may be coded."""
        self._headers = values if type(values) is SessionHeaders else \
            SessionHeaders({"Accept-Encoding": "identity", **(values or {})})

    def mount(self, prefix, adapter):
        self.adapters.pop(prefix, None)
        self.retries.pop(prefix, None)
        if not _has_requests() or not _detour().only_retries(adapter):
            self.adapters[prefix] = adapter
        elif not _detour().is_plain(adapter):
            self.retries[prefix] = adapter

    def send(self, request, **kwargs):
        """Of a request that has been prepared. As under Locust it is not counted."""
        with _detour().session_like(self) as session:
            return session.send(request, **kwargs)

    def prepare_request(self, request):
        with _detour().session_like(self) as session:
            return session.prepare_request(request)

    def request(self, method, url, name=None, catch_response=False, context={}, params=None,
                data=None, headers=None, cookies=None, files=None, auth=None, timeout=None,
                allow_redirects=True, proxies=None, hooks=None, stream=None, verify=None,
                cert=None, json=None):
        name = name or self.request_name
        if (stream or self.stream or self.adapters or self.trust_env or
                self.retries and _is_read_once(data, files) or
                data and _is_read_once(data) and _is_of_unknown_length(data)) and _has_requests():
            return self._take_detour(locals())
        start_time = time.time()
        target = self._target(url, params)
        try:
            way = 0
            if self.verify is not True or not (verify is None or verify is True) or cert or \
                    proxies or self.cert or self.proxies:
                way = self._way(proxies, self.verify if verify is None else verify,
                                cert or self.cert)
            response = self._send(method, target, data, headers, cookies, files, auth,
                                  _NO_TIMEOUT if timeout is None else _seconds(timeout),
                                  allow_redirects, way, json,
                                  ResponseContextManager if catch_response else LocustResponse)
        except NeedsRequests:
            if not _has_requests():
                raise
            return self._take_detour(locals())
        if self.retries:
            tries = _detour().next_tries(self, method, target[0], response)
            if tries:
                return self._take_detour(locals(), tries, time.time() - start_time)
        if hooks or self.hooks.get("response"):
            for hook in self._hooks(hooks):
                response = hook(response, timeout=timeout, verify=verify, proxies=proxies,
                                stream=stream, cert=cert) or response
        if response.error and (params or self.params):
            # What got no answer has no params: Locust makes it a request of its own.
            target = _target_of(self._build_url(url))
            response._asked = (response._asked[0], target[0], *response._asked[2:5], target[2])
        if response.error:
            response.url = None
        asked_as = (method, name or target[1], start_time, target, len(response._content or b""),
                    context)
        return self._conclude(response, catch_response, name, asked_as)

    def get(self, url, **kwargs):
        # To pass on what is not there has its price.
        return self.request("GET", url, **kwargs) if kwargs else self.request("GET", url)

    def options(self, url, **kwargs):
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url, **kwargs):
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(self, url, data=None, json=None, **kwargs):
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url, data=None, **kwargs):
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url, data=None, **kwargs):
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url, **kwargs):
        return self.request("DELETE", url, **kwargs)

    def _hooks(self, hooks):
        """Of a request, in place of those of the session."""
        listeners = (hooks or {}).get("response") or self.hooks.get("response") or ()
        return [listeners] if callable(listeners) else listeners

    def _conclude(self, response, is_caught, name, asked_as):
        """Counts it, or leaves that to the block of a catch_response."""
        if is_caught:
            response._session, response._asked_as = self, asked_as
            return response
        exception = None
        if response.error or response.status_code >= 400:
            exception = self._judge(response, name or asked_as[1])
        self._count(response, exception, asked_as)
        return response

    def _take_detour(self, given, adapters=None, spent_s=0):
        """given: the arguments of request(), by name; spent_s: by a first try of it."""
        method, name, is_caught = given["method"], given["name"], given["catch_response"]
        url = self._build_url(given["url"])
        start_time, began = time.time() - spent_s, time.perf_counter()
        response = _detour().ask(self, method, url, is_caught, adapters,
                                 **{key: given[key] for key in _OF_REQUESTS})
        response._seconds = spent_s + time.perf_counter() - began
        first = (response.history and response.history[0] or response).request
        if given["stream"]:
            length = int(response.headers.get("content-length") or 0)
        else:
            length = len(response.content or b"")
        target = (first.url, first.path_url, first.url)
        asked_as = (method, name or first.path_url, start_time, target, length, given["context"])
        return self._conclude(response, is_caught, name, asked_as)

    @staticmethod
    def _judge(response, name):
        """The error of an answer; it names the row, so that one row has one such error."""
        url, response.url = response.url, name
        try:
            response.raise_for_status()
        except (RequestException, _of_requests(RequestException)) as e:
            return e if isinstance(response, LocustResponse) else _detour().cause_of(e)
        finally:
            response.url = url
        return None


# A TypeError of theirs names them as Locust's does.
for _verb in (HttpSession.get, HttpSession.options, HttpSession.head, HttpSession.post, HttpSession.put,
              HttpSession.patch, HttpSession.delete, HttpSession.request):
    _verb.__qualname__ = f"Session.{_verb.__name__}"
