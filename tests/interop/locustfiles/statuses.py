# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Statuses(HttpUser):
    @task
    def all(self):
        for status in (200, 201, 204, 304, 400, 404, 404, 500, 503):
            r = self.client.get(f"/status/{status}")
            print(r.status_code, r.ok, r.text)
        self.client.get("/status/404", name="named")
        try:
            self.client.get("/status/418").raise_for_status()
        except Exception as e:
            print(type(e).__name__, str(e).split(" for url")[0], e.response.status_code)
        self.environment.runner.quit()
