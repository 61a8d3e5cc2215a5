# SPDX-License-Identifier: MIT
"""Requests of an HttpUser that only Python's requests can make: a body that is read bit by bit, adapters
of a locustfile's own, proxies that are not http:// ones, answers to a server's challenge. They cost
what they cost under Locust, and are timed as there."""
from contextlib import contextmanager

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException
from requests.utils import DEFAULT_ACCEPT_ENCODING

from locust.clients import Judged, Unjudged

# Not an outcome of a request, but a mistake in the locustfile.
_MISTAKES = (MissingSchema, InvalidSchema, InvalidURL)


class Response(Unjudged, requests.Response):
    error = None

    def raise_for_status(self):
        if self.error:
            raise self.error
        requests.Response.raise_for_status(self)


class ResponseContextManager(Judged, Response):
    pass


def is_plain(adapter):
    """It does what the engine does: reuses connections, and as many as are needed."""
    return type(adapter) is HTTPAdapter and not adapter.max_retries.total


@contextmanager
def session_like(client):
    """A requests.Session with what the client has; cookies that it gets are the client's."""
    session = client.__dict__.setdefault("_detour", None)
    if session is None:
        session = client._detour = requests.Session()
    session.headers.clear()
    session.headers.update({"Accept-Encoding": DEFAULT_ACCEPT_ENCODING, **client.headers})
    for name in ("auth", "params", "verify", "cert", "proxies", "trust_env", "max_redirects", "stream",
                 "hooks"):
        setattr(session, name, getattr(client, name))
    for prefix, adapter in client.adapters.items():
        session.mount(prefix, adapter)
    session.cookies = requests.cookies.RequestsCookieJar()
    session.cookies.update(client.cookies)
    before = _values(session.cookies)
    try:
        yield session
    finally:
        _give_back(client.cookies, before, session.cookies)


def _values(jar):
    return {(cookie.domain, cookie.path, cookie.name): cookie.value for cookie in jar}


def _give_back(cookies, before, jar):
    after = _values(jar)
    for key in before.keys() - after.keys():
        cookies.clear(*key)
    for cookie in jar:
        if before.get((cookie.domain, cookie.path, cookie.name)) != cookie.value:
            cookies.set_cookie(cookie)


def ask(client, method, url, is_caught, **kwargs):
    """The answer, or one with status 0 and the error."""
    kind = ResponseContextManager if is_caught else Response
    try:
        with session_like(client) as session:
            response = session.request(method, url, **kwargs)
            response.__class__ = kind
    except _MISTAKES:
        raise
    except RequestException as e:
        response = kind()
        response.status_code, response.error = 0, e
        response.request = requests.Request(method, url).prepare()
    return response


def cause_of(error):
    """Of an error of the network what lies below it, which is the same for all addresses."""
    below = requests.packages.urllib3.exceptions
    wrappers = (requests.exceptions.ConnectionError, below.ProtocolError, below.MaxRetryError,
                below.NewConnectionError)
    while isinstance(error, wrappers) and error.__context__:
        error = error.__context__
    return error
