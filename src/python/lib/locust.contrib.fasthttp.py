# SPDX-License-Identifier: MIT
"""FastHttpUser: the same engine, with the habits of Locust's second client."""
import io
import ssl
import time
from urllib.parse import urlencode

import _cicada
import locust_tls
from gevent.lock import BoundedSemaphore

from locust.clients import (FOREVER, BaseSession, LocustResponse, ResponseContextManager,
                            SessionHeaders, json_text, way_of, without_secret)
from locust.exception import LocustError
from locust.user.users import NO_HOST, RestCalls, User
from locust_absent import Renamed

_OF_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_VALID = frozenset([*range(200, 209), 226, *range(301, 305), 307, 308])


def insecure_ssl_context_factory():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class LocustBadStatusCode(Exception):
    def __init__(self, url, code):
        super().__init__(url, code)
        self.url, self.code = url, code

    def __repr__(self):
        return f"LocustBadStatusCode(code={self.code})"


# What a request may end with.
FAILURE_EXCEPTIONS = OSError, LocustBadStatusCode


class FastResponse(LocustResponse):
    __class__ = property(type)

    def success(self):
        super().success()

    def failure(self):
        super().failure()

    @property
    def text(self):
        return None if self._content is None else super().text

    def raise_for_status(self):
        error = self.error_of_status()
        if error:
            raise error

    def error_of_status(self):
        if self.error:
            return self.error
        is_valid = self.status_code in LocustUserAgent.valid_response_codes
        return None if is_valid else LocustBadStatusCode(self.url, self.status_code)

    @property
    def ok(self):
        return self.error_of_status() is None

    @property
    def status(self):
        return str(self.status_code)

    @property
    def stream(self):
        """The body as a file."""
        if "_stream" not in self.__dict__:
            self._stream = io.BytesIO(self._content or b"")
        return self._stream

    def read(self, n=None):
        return self.stream.read(n)

    def readline(self):
        return self.stream.readline()

    def release(self):
        pass


class FastResponseContextManager(ResponseContextManager, FastResponse):
    success, failure = ResponseContextManager.success, ResponseContextManager.failure
    raise_for_status = FastResponse.raise_for_status
    ok = FastResponse.ok

    def _error_of_status(self):
        return self.error_of_status()


def _of_session(name):
    return property(lambda self: getattr(self._session, name),
                    lambda self, value: setattr(self._session, name, value))


class LocustUserAgent:
    """client.client: of geventhttpclient's agent what locustfiles touch."""
    valid_response_codes = _VALID
    # Without any of them no redirect is followed. Its releases have both names.
    redirect_response_codes = redirect_resonse_codes = frozenset([301, 302, 303, 307, 308])
    retry_delay = 0
    default_headers = _of_session("headers")
    cookiejar = _of_session("cookies")
    max_redirects = _of_session("max_redirects")
    max_retries = _of_session("max_retries")

    def __init__(self, session):
        self._session = session

    @property
    def clientpool(self):
        """Its close() is for users that shall connect again."""
        return self

    def close(self):
        self._session.close()


# What another try may mend, as geventhttpclient sees it.
_PASSING = ("ConnectTimeout", "ReadTimeout", "TimeoutError", "BrokenPipeError")


# Of geventhttpclient's HTTPClientPool(), where they are not said.
_OF_POOL = {"network_timeout": 5.0, "connection_timeout": 5.0, "insecure": False, "concurrency": 1,
            "ssl_context_factory": None, "proxy_host": None, "proxy_port": None}


def _shared(pool):
    """What it was made with, who may ask at the same time, and its connections, for all its users."""
    if "_cicada" not in vars(pool):
        said = {**_OF_POOL, **pool.client_args}
        pool._cicada = said, BoundedSemaphore(said["concurrency"]), \
            _cicada.Client(None, said["concurrency"])
    return pool._cicada


class _Headers(SessionHeaders):
    is_checked = False


class FastHttpSession(BaseSession):
    is_fast = True

    def __init__(self, environment, base_url, user, insecure=True, network_timeout=60,
                 connection_timeout=60, max_redirects=30, max_retries=0, concurrency=10,
                 headers=None, proxy_host=None, proxy_port=None, client_pool=None,
                 ssl_context_factory=None, **kwargs):
        super().__init__(base_url, environment.events.request, user, {
            "User-Agent": f"cicada/{_cicada.version}", **(headers or {})})
        self.environment = environment
        follows = LocustUserAgent.redirect_response_codes and LocustUserAgent.redirect_resonse_codes
        self.max_redirects = max_redirects if follows else -1
        self.max_retries = max_retries
        # How a pool asks is said to the pool.
        said = {"network_timeout": network_timeout, "connection_timeout": connection_timeout,
                "insecure": insecure, "ssl_context_factory": ssl_context_factory,
                "proxy_host": proxy_host, "proxy_port": proxy_port}
        if client_pool is None:
            self._slots = BoundedSemaphore(concurrency)
        else:
            said, self._slots, connections = _shared(client_pool)
            self._engine = _cicada.Client(connections)
        timeout, host = said["network_timeout"], said["proxy_host"]
        self._timeouts = FOREVER if timeout is None else timeout, said["connection_timeout"] or 0
        proxy = f"http://{host}:{said['proxy_port'] or 80}" if host else None
        self._way = way_of(*locust_tls.described(said["ssl_context_factory"], bool(said["insecure"])),
                           http_proxy=proxy, https_proxy=proxy,
                           any_host=bool(said["ssl_context_factory"] and said["insecure"]))

    @BaseSession.headers.setter
    def headers(self, values):
        """Of the codings geventhttpclient offers two."""
        self._headers = _Headers({"Accept-Encoding": "gzip, deflate", **(values or {})})

    def request(self, method, url, name=None, data=None, catch_response=False, stream=False,
                headers=None, auth=None, json=None, allow_redirects=True, context={}, params=None,
                cookies=None, files=None, timeout=None, **kwargs):
        name = name or self.request_name or without_secret(url)
        if not data and json is not None:
            headers = {**_OF_JSON, **headers} if headers else _OF_JSON
            data = json_text(json)
        elif data and not files:
            headers = {"Content-Type": _type_of(data), **(headers or {})}
        if isinstance(data, dict) and not files:
            data = urlencode(data)  # a list is its text there
        start_time = time.time()
        target = self._target(url, params)
        asked = (method, target, data, headers, cookies, files, auth,
                 self._timeouts if timeout is None else (timeout, 0), allow_redirects, self._way, None,
                 FastResponseContextManager if catch_response else FastResponse)
        with self._slots:
            response = self._send(*asked)
            if response.error and self.max_retries:
                response = self._try_again(response, asked)
        length = len(response._content or b"")
        if stream and length:  # as under Locust, where its body is read after this
            length, response._seconds = 0, response._seconds - self._engine.body_seconds()
        asked_as = (method, name, start_time, target, length, context)
        if catch_response:
            response._session, response._asked_as = self, asked_as
            return response
        self._count(response, response.error_of_status(), asked_as)
        return response

    def _try_again(self, response, asked):
        """After what passes, max_retries times; the time is that of all."""
        for _ in range(self.max_retries):
            if not response.error or not str(response.error).startswith(_PASSING):
                break
            before = response._seconds
            response = self._send(*asked)
            response._seconds += before
        return response

    def get(self, url, **kwargs):
        return self.request("GET", url, **kwargs) if kwargs else self.request("GET", url)

    def options(self, url, **kwargs):
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url, **kwargs):
        return self.request("HEAD", url, **kwargs)

    def post(self, url, data=None, **kwargs):
        return self.request("POST", url, data=data, **kwargs)

    def put(self, url, data=None, **kwargs):
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url, data=None, **kwargs):
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url, **kwargs):
        return self.request("DELETE", url, **kwargs)

    @property
    def cookiejar(self):
        return self.cookies

    @property
    def client(self):
        return LocustUserAgent(self)

    def iter_lines(self, url, method="GET", **kwargs):
        response = self.request(method, url, **kwargs)
        response.raise_for_status()
        yield from response.iter_lines(decode_unicode=True)


def _type_of(data):
    if isinstance(data, dict):
        return "application/x-www-form-urlencoded; charset=utf-8"
    return "text/plain; charset=utf-8" if isinstance(data, str) else "application/octet-stream"


class FastHttpUser(RestCalls, User):
    abstract = True
    network_timeout = connection_timeout = 60.0
    max_redirects, max_retries = 30, 0
    insecure = True
    default_headers = None
    concurrency = 10
    client_pool = ssl_context_factory = proxy_host = proxy_port = None

    def __init__(self, environment):
        super().__init__(environment)
        if self.host is None:
            raise LocustError(NO_HOST)
        self.client = FastHttpSession(
            environment, base_url=self.host, user=self, insecure=self.insecure,
            network_timeout=self.network_timeout, connection_timeout=self.connection_timeout,
            max_redirects=self.max_redirects, max_retries=self.max_retries,
            concurrency=self.concurrency, headers=self.default_headers, proxy_host=self.proxy_host,
            proxy_port=self.proxy_port, client_pool=self.client_pool,
            ssl_context_factory=self.ssl_context_factory)


FastHttpLocust = Renamed("FastHttpLocust", (), {"now": "FastHttpUser"})

# Their names in Locust.
ResponseContextManager = RestResponseContextManager = FastResponseContextManager
ErrorResponse = FastResponse
