# SPDX-License-Identifier: MIT
# args: -u 1
from locust import FastHttpUser, HttpUser, task


class Large(HttpUser):
    fixed_count = 1

    @task
    def all(self):
        body = "x" * 10_000_000
        r = self.client.post("/echo", data=body)
        print(len(r.content), len(r.text), len(r.json()["body"]))
        r = self.client.post("/echo", json={"a": [body[:100]] * 1000})
        print(r.status_code, r.json()["body"][:20])
        self.environment.runner.quit()
