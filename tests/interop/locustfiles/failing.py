# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Failing(HttpUser):
    @task
    def all(self):
        self.client.get("/status/400")
        self.environment.runner.quit()
