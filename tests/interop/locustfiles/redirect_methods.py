# SPDX-License-Identifier: MIT
"""With which method and body redirects are followed, what is known of the last request, and of which
class the exceptions of requests are that failed."""
from locust import FastHttpUser, HttpUser, events, task


class Redirects(HttpUser):
    @task
    def all(self):
        for method, body in ("HEAD", None), ("GET", None), ("POST", "b"), ("PUT", "b"), ("DELETE", "b"):
            for status in (301, 302, 303, 307, 308):
                r = self.client.request(method, f"/moved/{status}/new", data=body)
                print(r.status_code, r.request.method, r.request.path_url, r.request.body,
                      [hop.status_code for hop in r.history])
        print(self.client.head("/moved/301/new").status_code)
        self.client.get("/hop/40", name="endless")
        self.client.get("/slow", timeout=0.2)
        r = self.client.get("/drop")
        print(r.url, r.history, r.headers, r.reason)
        self.client.get("http://127.0.0.1:1/refused")
        FastHttpUser.host = self.host
        fast = FastHttpUser(self.environment)
        print(fast.client.head("/moved/301/new", name="fast").status_code)
        self.environment.runner.quit()


@events.request.add_listener
def on_request(name, exception, **kwargs):
    if exception:
        print(name, type(exception).__name__, isinstance(exception, OSError))
