# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Headers(HttpUser):
    def on_start(self):
        self.client.headers.update({"X-Session": "every"})

    @task
    def all(self):
        self.client.get("/echo", headers={"X-Test": "one"})
        self.client.get("/echo", headers={"X-Test": "one"}, cookies={"a": "1"})
        self.client.headers["X-Session"] = "new"
        self.client.get("/echo", headers={"X-Test": "one"})
        self.client.get("/echo", headers={"X-Test": "two"})
        self.client.post("/echo", json=1, headers={"X-Test": "one"})
        self.client.post("/echo", json=1, headers={"content-type": "text/x"})
        self.client.get("/echo", headers={"x-session": "above"})
        self.client.get("/echo", headers={"X-Session": None})
        self.client.headers["Authorization"] = "Bearer token"
        self.client.get("/echo")
        del self.client.headers["authorization"]
        self.client.get("/echo")
        self.client.get("/echo", auth=("user", "p\u00e4ss"))
        self.client.auth = ("always", "here")
        self.client.get("/echo")
        print(ascii(self.client.get("/words").headers["X-Words"]))
        for bad in 1, True, ["a"], " leading", "two\nlines":
            print(self.client.get("/bad", headers={"X-Test": bad}, name=str(bad)[:4]).status_code)
        print(self.client.get("/bad", headers={" X-Test": "a"}).status_code)
        self.client.headers["X-Number"] = 5
        with self.client.get("/bad", catch_response=True) as response:
            print(response.status_code)
        del self.client.headers["X-Number"]
        self.client.get("/echo", headers={"X-Test": b"bytes", "X-Empty": ""})
        print("X-Session" in self.client.headers, self.client.headers["x-session"])
        self.client.auth = None
        self.client.headers = {"x-session": "in their place"}
        self.client.get("/echo")
        self.client.get("/echo", headers={"X-Test": "one", "X-Session": None})
        self.client.headers["Content-Type"] = "text/of-session"
        self.client.post("/echo", json=1, headers={"X-Test": "one"})
        self.client.post("/echo", data={"a": 1}, headers={"X-Test": "two"})
        del self.client.headers["Content-Type"]
        self.client.headers["X-Test"] = "later"
        self.client.post("/echo", json=1)
        self.client.headers = {"X-Test": "assigned"}
        self.client.headers["X-Session"] = "added"
        self.client.get("/echo", headers={"x-test": "above"})
        self.client.get("/echo")
        self.environment.runner.quit()
