# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Names(HttpUser):
    @task
    def all(self):
        self.client.get("/a?b=c")
        self.client.get("/a", params={"p": 1})
        self.client.get("")
        with self.client.rename_request("grouped"):
            self.client.get("/x/1")
            self.client.get("/x/2")
            self.client.get("/x/3", name="above it")
        self.client.request_name = "kept"
        self.client.get("/y/1")
        self.client.get("/status/404")
        self.client.request_name = None
        self.client.get("/z")
        self.environment.runner.quit()
