# SPDX-License-Identifier: MIT
from locust import FastHttpUser, task
from locust.exception import LocustError


class Fast(FastHttpUser):
    @task
    def all(self):
        r = self.client.get("/echo?a=1", headers={"X-Test": "1"})
        print(r.status_code, r.json()["method"], r.text[:5], r.headers["content-type"])
        self.client.post("/echo", data="text")
        self.client.post("/echo", json={"a": 1})
        self.client.post("/echo", data={"a": "1 2", "b": "\u00fc"})
        self.client.post("/echo", data={"a": 1}, json={"b": 2})
        self.client.put("/echo", data=b"put")
        self.client.delete("/echo")
        self.client.patch("/echo", data="p")
        self.client.head("/echo")
        self.client.options("/echo")
        self.client.get("/echo", name="named")
        print(len(self.client.get("/gzip").content))
        r = self.client.get("/lines", stream=True, name="stream")
        print(bytes(r.stream.read()), r.status)
        try:
            self.client.get("/status/204").success()
        except LocustError as e:
            print(e)
        self.client.get("/set?a=1")
        self.client.get("/echo")
        self.client.get("/hop/2")
        self.client.get("/hop/2", allow_redirects=False)
        with self.client.get("/status/404", catch_response=True) as r:
            r.success()
        with self.client.get("/", catch_response=True) as r:
            r.failure("by hand")
        self.client.get("/echo", headers={"accept": "text/x", "accept-encoding": "br"})
        with open(__file__, "rb") as file:
            self.client.post("/echo", data=file)
        for wrong in self.client.post, self.client.get, self.client.request:
            try:
                wrong()
            except TypeError as e:
                print(e)
        self.environment.runner.quit()
