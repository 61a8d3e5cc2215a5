# SPDX-License-Identifier: MIT
from locust import HttpUser, events, task
from locust.clients import HttpSession
from locust.event import EventHook


class Eventful(HttpUser):
    def context(self):
        return {"user": "u"}

    @task
    def all(self):
        self.client.get("/a?b", context={"more": 1})
        self.client.get("/status/404", name="four")
        self.client.post("/echo", data="xyz")
        with self.client.get("/", catch_response=True) as r:
            r.failure("bad")
        self.client.get("/lines", stream=True)
        # What tells a hook of the file's own is not counted.
        hook = EventHook()
        hook.add_listener(lambda **meta: print("own hook", meta["name"]))
        own = HttpSession(base_url=self.host, request_event=hook, user=self)
        own.get("/own")
        with own.get("/own", catch_response=True, name="caught"):
            pass
        self.environment.runner.quit()


@events.request.add_listener
def on_request(request_type, name, response_time, response_length, response, context, exception,
               start_time, url, **kwargs):
    print(request_type, name, response_time >= 0, response_length, response.status_code, context,
          type(exception).__name__, start_time > 0, url, sorted(kwargs))
