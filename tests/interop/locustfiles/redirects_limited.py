# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class Led(HttpUser):
    @task
    def all(self):
        self.client.max_redirects = 3
        print(self.client.get("/hop/3", name="three").status_code)
        r = self.client.get("/hop/4", name="four")
        print(r.status_code, r.content)
        self.client.max_redirects = 0
        print(self.client.get("/hop/1", name="none").status_code)
        print(self.client.get("/hop/0", name="straight").status_code)
        self.environment.runner.quit()
