# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Verbs(HttpUser):
    @task
    def all(self):
        for verb in ("get", "post", "put", "patch", "delete", "head", "options"):
            r = getattr(self.client, verb)(f"/echo?{verb}")
            print(verb, r.status_code, r.ok, bool(r), r.reason, len(r.content))
        r = self.client.request("GET", "/items/7?x=1", name="/items/[id]")
        print(r.url, r.json(), r.headers["x-reply"], r.headers.get("X-REPLY"), r.request.method)
        self.client.get(self.host + "/absolute?a=b#fragment")
        self.client.get("/odd path/%41?q=a b&c=\u00fc")
        self.environment.runner.quit()
