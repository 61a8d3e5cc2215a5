# SPDX-License-Identifier: MIT
"""Requests of an HttpUser that only Python's requests can make: a body that is read bit by bit, adapters
of a locustfile's own, another try of one that has failed, proxies that are not http:// ones, answers
to a server's challenge. They cost what they cost under Locust, and are timed as there."""
from contextlib import contextmanager

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema, RequestException
from requests.packages.urllib3 import HTTPResponse
from requests.packages.urllib3.exceptions import ConnectTimeoutError, HTTPError, ProtocolError
from requests.utils import DEFAULT_ACCEPT_ENCODING

from locust.clients import Judged, Unjudged

# Not an outcome of a request, but a mistake in the locustfile.
_MISTAKES = (MissingSchema, InvalidSchema, InvalidURL)
# Errors of the engine after which nothing has been sent.
_AT_CONNECT = ("ConnectTimeout", "ConnectionRefusedError", "gaierror", "OSError")


class Response(Unjudged, requests.Response):
    error = None

    def raise_for_status(self):
        if self.error:
            raise self.error
        requests.Response.raise_for_status(self)


class ResponseContextManager(Judged, Response):
    pass


def only_retries(adapter):
    """It reuses connections, as the engine does, and may try again what has failed, but no more."""
    return type(adapter) is HTTPAdapter


def is_plain(adapter):
    """It does what the engine does."""
    retry = adapter.max_retries
    limits = [retry.connect, retry.read, retry.status] if retry.total is None else [retry.total]
    return only_retries(adapter) and not any(limits)


def next_tries(client, method, url, response):
    """After the wait for it what requests goes on with, by the rules of the adapter that the file has
    for this URL: {prefix: adapter}. None: the answer is the last one."""
    prefixes = [prefix for prefix in client.retries if url.lower().startswith(prefix.lower())]
    if not prefixes:
        return None
    prefix = max(prefixes, key=len)
    retry, error, answer = client.retries[prefix].max_retries, None, None
    if response.error:
        error = ConnectTimeoutError() if str(response.error).startswith(_AT_CONNECT) else \
            ProtocolError(str(response.error))
    elif retry.is_retry(method, response.status_code, "retry-after" in response.headers):
        answer = HTTPResponse(status=response.status_code, headers=dict(response.headers))
    else:
        return None
    try:
        retry = retry.increment(method, url, answer, error)
    except HTTPError:
        return None
    retry.sleep(answer)
    return {prefix: HTTPAdapter(max_retries=retry)}


class _Session(requests.Session):
    """One that knows what it was made like, for the next request is made like it, too."""

    def __init__(self):
        super().__init__()
        self._own_adapters, self._adapters = dict(self.adapters), {}
        self._header_text = None

    def set_headers(self, headers):
        text = headers.text()
        if text != self._header_text:
            self.headers.clear()
            self.headers.update({"Accept-Encoding": DEFAULT_ACCEPT_ENCODING, **headers})
            self._header_text = text

    def set_adapters(self, adapters):
        if adapters != self._adapters:
            self.adapters.clear()
            for prefix, adapter in {**self._own_adapters, **adapters}.items():
                self.mount(prefix, adapter)
            self._adapters = adapters


@contextmanager
def session_like(client, adapters=None):
    """A requests.Session with what the client has; cookies that it gets are the client's. adapters:
    instead of those of the client."""
    session = client.__dict__.setdefault("_detour", None)
    if session is None:
        session = client._detour = _Session()
    session.set_headers(client.headers)
    session.set_adapters({**client.adapters, **client.retries, **(adapters or {})})
    for name in ("auth", "params", "verify", "cert", "proxies", "trust_env", "max_redirects", "stream",
                 "hooks"):
        setattr(session, name, getattr(client, name))
    own = client.cookies
    before = _values(own)
    if before or len(session.cookies):
        session.cookies = requests.cookies.RequestsCookieJar()
        session.cookies.update(own)
    try:
        yield session
    finally:
        if before or len(session.cookies):
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


def ask(client, method, url, is_caught, adapters, **kwargs):
    """The answer, or one with status 0 and the error."""
    kind = ResponseContextManager if is_caught else Response
    try:
        with session_like(client, adapters) as session:
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
