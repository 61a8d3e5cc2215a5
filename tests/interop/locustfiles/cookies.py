# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Cookies(HttpUser):
    @task
    def all(self):
        r = self.client.get("/set?a=1&b=2")
        print(dict(r.cookies), self.client.cookies.get("a"), self.client.cookies["b"])
        self.client.get("/echo")
        self.client.get("/echo", cookies={"c": "3"})
        self.client.cookies.set("d", "4")
        self.client.get("/echo")
        print(sorted(self.client.cookies.keys()), "d" in self.client.cookies)
        print(r.cookies)
        self.client.cookies.clear()
        print(self.client.cookies, repr(self.client.cookies))
        self.client.get("/echo")
        self.environment.runner.quit()
