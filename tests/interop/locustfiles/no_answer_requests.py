# SPDX-License-Identifier: MIT
"""Where no answer comes: its row has no params, and `ok` raises as it does in requests."""
import requests

from locust import HttpUser, task


class NoAnswer(HttpUser):
    @task
    def all(self):
        self.client.params = {"all": "1"}
        r = self.client.get("/drop?own=2", params={"a": 3})
        print(r.status_code, r.text == "", r.request.path_url)
        for judge in (lambda: r.ok, lambda: bool(r), r.raise_for_status):
            try:
                judge()
            except requests.exceptions.ConnectionError as e:
                print(isinstance(e, requests.exceptions.RequestException))
        with self.client.get("/drop", catch_response=True, name="caught") as r:
            r.failure(f"no answer: {r.status_code}")
        self.client.get("/echo", params={"a": 3})
        self.environment.runner.quit()
