# SPDX-License-Identifier: MIT
from locust import HttpUser, events, task


class Listened(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        self.environment.runner.quit()


@events.request.add_listener
def breaks(**kwargs):
    raise RuntimeError("in a listener")
