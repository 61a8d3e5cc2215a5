# SPDX-License-Identifier: MIT
"""Sessions made by hand, and what locustfiles set on a client."""
from locust import HttpUser, events, task
from locust.clients import HttpSession


class Token:
    def __call__(self, request):
        request.headers["Authorization"] = "Token t"
        return request


class Sessions(HttpUser):
    pool_manager = None

    def on_start(self):
        self.client.verify = False
        self.client.trust_env = False
        self.client.headers.update({"X-Session": "s"})
        self.client.headers["X-Test"] = "h"
        self.client.auth = ("me", "secret")

    @task
    def all(self):
        self.client.get("/echo")
        self.client.auth = Token()
        self.client.get("/echo")
        self.client.auth = None
        del self.client.headers["X-Test"]
        self.client.cookies.set("c", "1")
        self.client.get("/echo")
        other = HttpSession(self.host, self.environment.events.request, self)
        other.get("/other", name="other")
        third = HttpSession(base_url=self.host, request_event=events.request, user=None)
        print(third.get("/third").status_code, third.base_url == self.host)
        with third.get("/status/404", catch_response=True) as r:
            r.success()
        other.close()
        self.environment.runner.quit()
