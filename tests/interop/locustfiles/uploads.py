# SPDX-License-Identifier: MIT
import io

from locust import HttpUser, task


class Uploads(HttpUser):
    @task
    def all(self):
        def post(**what):
            print(self.client.post("/echo", **what).json()["body"])
        post(files={"file": ("test.txt", io.BytesIO(b"a test" * 3))})
        post(files={"a": ("1.txt", io.BytesIO(b"1")), "b": ("2.txt", "2", "text/x")}, data={"l": [1, 2]})
        post(files=[("images", ("1.png", b"x", "image/png", {"X-Extra": "1", "Expires": "0"})),
                    ("images", ("2.png", b"y", None, {"X-Extra": "2"}))])
        post(files={"f": b"only bytes"})
        with open(__file__, "rb") as file:
            print("uploads.py" in self.client.post("/echo", files={"f": file}).json()["body"])
        for status in (301, 302, 303, 307):
            for method in ("GET", "POST", "HEAD", "PUT"):
                r = self.client.request(method, f"/moved/{status}/new", allow_redirects=False)
                print(r.is_redirect, r.next.method, r.next.path_url)
        r = self.client.get("/hop/1")
        print(r.next, r.history[0].status_code)
        self.environment.runner.quit()
