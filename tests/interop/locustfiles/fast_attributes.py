# SPDX-License-Identifier: MIT
from locust import FastHttpUser, task


class Attributes(FastHttpUser):
    connection_timeout = 2.5
    network_timeout = 3.5
    max_retries = 1
    concurrency = 4
    insecure = True

    @task
    def all(self):
        print(type(self.client).__name__, self.client.base_url == self.host)
        self.client.get("/echo")
        with self.client.get("/status/404", catch_response=True) as r:
            print(r.status_code)
            r.success()
        r = self.client.post("/echo", json={"a": 1})
        print(r.json()["body"], r.headers["content-type"])
        r = self.client.get("/text")
        print(r.text, len(r.content), r.encoding)
        self.client.request("PATCH", "/echo", data="text")
        self.environment.runner.quit()
