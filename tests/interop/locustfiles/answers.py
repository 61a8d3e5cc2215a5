# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Answers(HttpUser):
    @task
    def all(self):
        r = self.client.get("/gzip")
        print(len(r.content), r.text[:3])
        r = self.client.get("/text")
        print(r.text == "gr\u00fcn", r.content, r.encoding)
        r = self.client.get("/lines")
        print(list(r.iter_lines()), [len(c) for c in r.iter_content(5)], r.text.split())
        r = self.client.get("/lines", stream=True)
        print([line for line in r.iter_lines(decode_unicode=True)])
        r = self.client.get("/echo?x", headers={"X-Test": "t"})
        print(r.json()["headers"]["x-test"], r.elapsed.total_seconds() < 60, r.request.path_url)
        print(r.request.headers["X-Test"], r.request.body, r.request.url)
        try:
            self.client.get("/lines").json()
        except ValueError as e:
            print("no JSON", "Expecting value" in str(e))
        print(repr(r), r.headers["content-type"])
        self.environment.runner.quit()
