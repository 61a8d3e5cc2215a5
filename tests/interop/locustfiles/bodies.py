# SPDX-License-Identifier: MIT
import io

from locust import HttpUser, task


class Bodies(HttpUser):
    @task
    def all(self):
        post = self.client.post
        post("/echo", json={"a": [1, 2.5, None, True], "b": "\u00e4"})
        post("/echo", json=[])
        post("/echo", data={"a": "1 2", "b": ["x", "y"]})
        post("/echo", data=[("k", "v"), ("k", "w&")])
        post("/echo", data="plain text")
        post("/echo", data=b"\x00bytes")
        post("/echo", data=io.BytesIO(b"from a file"))
        post("/echo", data={}, json={"json": "wins"})
        post("/echo", "data by position")
        post("/echo", data=(part for part in (b"of unknown", b" length")))
        post("/echo", data=map(bytes, [b"chunk"]), headers={"Content-Type": "text/x"})
        post("/moved/302/echo", data=iter([b"left behind"]))
        post("/echo", data=bytearray(b"of known length"))
        post("/echo", data=0)
        self.client.put("/echo", json={"put": 1})
        self.client.patch("/echo", data="patched", headers={"Content-Type": "text/x"})
        self.client.delete("/echo", json={"why": "gone"})
        post("/echo", files={"f": ("name.txt", "content", "text/plain")}, data={"field": "value"})
        post("/echo", files={"f": io.BytesIO(b"binary")})
        self.client.get("/echo", params={"a": 1, "b": ["x", "y"], "none": None})
        self.client.get("/echo?z=0", params=[("q", "a b")])
        self.client.get("/echo", params="raw=1")
        post("/echo", data={"a": [1, None], "b": None})
        for asked in (post("/echo", json={"a": 1}), post("/echo", data={"a": 1}), post("/echo", "b"),
                      post("/echo"), self.client.get("/echo")):
            print(asked.request.method, asked.request.path_url, asked.request.body)
        for wrong in (lambda: post(), lambda: self.client.get("/", 1, 2), lambda: post("/", bad=1),
                      lambda: post("/", data=["a"])):
            try:
                wrong()
            except (TypeError, ValueError) as e:
                print(e)
        self.environment.runner.quit()
