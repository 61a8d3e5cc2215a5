# SPDX-License-Identifier: MIT
"""FastHttpUser: the same engine, with the habits of Locust's second client."""
import time

import _cicada

from locust.clients import (BaseSession, LocustResponse, ResponseContextManager, json_text,
                            without_secret)
from locust.exception import LocustError
from locust.user.users import NO_HOST, RestCalls, User

_VALID = frozenset([*range(200, 209), 226, *range(301, 305), 307, 308])


class LocustBadStatusCode(Exception):
    def __init__(self, url, code):
        super().__init__(url, code)
        self.url, self.code = url, code

    def __repr__(self):
        return f"LocustBadStatusCode(code={self.code})"


class FastResponse(LocustResponse):
    def raise_for_status(self):
        error = self.error_of_status()
        if error:
            raise error

    def error_of_status(self):
        if self.error:
            return self.error
        return None if self.status_code in _VALID else LocustBadStatusCode(self.url,
                                                                          self.status_code)

    @property
    def ok(self):
        return self.error_of_status() is None


class FastResponseContextManager(ResponseContextManager, FastResponse):
    raise_for_status = FastResponse.raise_for_status
    ok = FastResponse.ok

    def _error_of_status(self):
        return self.error_of_status()


class FastHttpSession(BaseSession):
    def __init__(self, environment, base_url, user, insecure=True, network_timeout=60,
                 default_headers=None, **kwargs):
        super().__init__(base_url, environment.events.request, user, {
            "User-Agent": f"cicada/{_cicada.version}", **(default_headers or {})})
        self.environment = environment
        self.insecure = insecure
        self.network_timeout = network_timeout

    def request(self, method, url, name=None, data=None, catch_response=False, stream=False,
                headers=None, auth=None, json=None, allow_redirects=True, context={}, params=None,
                cookies=None, files=None, timeout=None, **kwargs):
        name = name or self.request_name or without_secret(url)
        if json is not None:
            headers = {"Accept": "application/json", "Content-Type": "application/json",
                       **(headers or {})}
            data = json_text(json)
        elif isinstance(data, (str, bytes)):
            kind = "text/plain; charset=utf-8" if isinstance(data, str) else \
                "application/octet-stream"
            headers = {"Content-Type": kind, **(headers or {})}
        start_time = time.time()
        target = self._target(url, params)
        response = self._send(method, target, data, headers, cookies, files, auth,
                              timeout or self.network_timeout, allow_redirects, self.insecure, None,
                              FastResponseContextManager if catch_response else FastResponse)
        asked_as = (method, name, start_time, target, len(response._content or b""), context)
        if catch_response:
            response._session, response._asked_as = self, asked_as
            return response
        self._count(response, response.error_of_status(), *asked_as)
        return response

    def iter_lines(self, url, method="GET", **kwargs):
        yield from self.request(method, url, **kwargs).iter_lines(decode_unicode=True)


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
        self.client = FastHttpSession(environment, base_url=self.host, user=self,
                                      insecure=self.insecure,
                                      network_timeout=self.network_timeout,
                                      default_headers=self.default_headers)


# Their names in Locust.
ResponseContextManager = RestResponseContextManager = FastResponseContextManager
ErrorResponse = FastResponse
