# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Redirects(HttpUser):
    @task
    def all(self):
        r = self.client.get("/hop/3")
        print(r.url, [(h.status_code, h.url, h.headers["location"]) for h in r.history])
        r = self.client.get("/hop/2", allow_redirects=False)
        print(r.status_code, r.headers["Location"], r.is_redirect, r.history)
        self.client.post("/hop/1", data="becomes a GET", name="posted")
        self.client.get("/hop/1", headers={"Content-Type": "application/json", "X-Test": "stays"})
        self.client.post("/moved/301/echo", json={"a": "body"})
        self.client.put("/moved/301/echo", json={"a": "body"})
        r = self.client.put("/moved/308/echo", json={"a": "body"})
        print(r.request.method, r.request.path_url, r.request.body)
        r = self.client.post("/hop/1", data="a body", headers={"X-Test": "here"})
        print(r.request.method, r.request.path_url, r.request.body, r.request.headers["X-Test"])
        print(r.history[0].request.method, r.history[0].request.path_url, r.history[0].request.body)
        r = self.client.head("/hop/1")
        print(r.status_code)
        self.client.get("/hop/40")
        self.environment.runner.quit()
