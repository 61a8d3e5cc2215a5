# SPDX-License-Identifier: MIT
"""What a FastHttpUser sees of answers, of none, and of its cookies."""
import time

from locust import FastHttpUser, events, task

times = {}


class Answers(FastHttpUser):
    @task
    def all(self):
        with self.client.get("/lines", stream=True) as r:
            print(r.status_code)
        self.client.get("/lines")
        began = time.perf_counter()
        print(bytes(self.client.get("/late", stream=True).stream.read()))
        print(time.perf_counter() - began - times["/late"] > 0.5)
        r = self.client.get("http://127.0.0.1:1/refused")
        print(r.status_code, r.text, r.content)
        print(isinstance(r.error, ConnectionRefusedError))
        for judge in (lambda r: r.failure("no"), lambda r: r.failure(), lambda r: r.success()):
            try:
                judge(self.client.get("/not-caught"))
            except Exception as e:
                print(type(e).__name__, e)
        self.client.post("/echo", data={"a": [1, "x y"], "b": None, "c": "\u00fc"})
        r = self.client.get("/status/204")
        print(r.status_code, bytes(r.content))
        self.client.get("/set?a=1&b=2")
        print(sorted((cookie.name, cookie.value) for cookie in self.client.cookiejar))
        self.client.cookiejar.clear()
        print(self.client.get("/echo").json()["headers"])
        self.environment.runner.quit()


@events.request.add_listener
def on_request(request_type, name, response_length, exception, response_time, **kwargs):
    times[name] = response_time / 1000
    print(request_type, name, response_length, exception is None)
