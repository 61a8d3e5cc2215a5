# SPDX-License-Identifier: MIT
"""A client of another protocol: Python's own, over the sockets that give way."""
import time
from xmlrpc.client import Fault, ServerProxy

from locust import User, task


class Client(ServerProxy):
    def __init__(self, host, request_event):
        super().__init__(host)
        self._request_event = request_event

    def __getattr__(self, name):
        function = ServerProxy.__getattr__(self, name)

        def ask(*args, **kwargs):
            meta = {"request_type": "xmlrpc", "name": name, "start_time": time.time(),
                    "response_length": 0, "response": None, "context": {}, "exception": None}
            began = time.perf_counter()
            try:
                meta["response"] = function(*args, **kwargs)
            except Fault as e:
                meta["exception"] = e
            meta["response_time"] = (time.perf_counter() - began) * 1000
            self._request_event.fire(**meta)
            return meta["response"]
        return ask


class XmlRpcUser(User):
    abstract = True

    def __init__(self, environment):
        super().__init__(environment)
        self.client = Client(self.host + "/rpc", request_event=environment.events.request)


class Caller(XmlRpcUser):
    @task
    def all(self):
        print(self.client.answer(1, "two"), self.client.fault())
        self.environment.runner.quit()
