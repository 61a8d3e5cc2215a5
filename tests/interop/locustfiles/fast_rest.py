# SPDX-License-Identifier: MIT
from locust import events, task
from locust.contrib.fasthttp import FastHttpUser


class Rest(FastHttpUser):
    @task
    def all(self):
        with self.client.get("/", catch_response=True) as r:
            print(r.js if hasattr(r, "js") else None)
        with self.client.post("/echo", json={"q": 1}, catch_response=True) as r:
            print(r.json()["body"])
        self.environment.runner.quit()


@events.request.add_listener
def on_request(request_type, name, response_length, exception, **kwargs):
    print(request_type, name, response_length, exception)
