# SPDX-License-Identifier: MIT
import time
import urllib.request

from locust import User, events, task
from locust.exception import CatchResponseError


class Client:
    def __init__(self, host, event):
        self.host, self.event = host, event

    def call(self, name, error=None):
        began = time.perf_counter()
        length = len(urllib.request.urlopen(self.host + "/" + name, timeout=60).read())
        self.event.fire(request_type="RPC", name=name, response_length=length,
                        response_time=(time.perf_counter() - began) * 1000, exception=error,
                        context={})


class OwnProtocol(User):
    def __init__(self, environment):
        super().__init__(environment)
        self.client = Client(self.host, environment.events.request)

    @task
    def all(self):
        self.client.call("one")
        self.client.call("two", ValueError("no"))
        self.client.call("two", CatchResponseError("neither"))
        events.request.fire(request_type="X", name="no time", response_time=None,
                            response_length=0, exception=None, context={})
        self.environment.runner.quit()
