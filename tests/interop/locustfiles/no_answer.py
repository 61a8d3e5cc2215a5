# SPDX-License-Identifier: MIT
from locust import HttpUser, task


class NoAnswer(HttpUser):
    @task
    def all(self):
        r = self.client.get("http://127.0.0.1:1/refused")
        print(r.status_code, r.content, r.text)
        r = self.client.get("/slow", timeout=0.3, name="timeout")
        print(r.status_code)
        self.client.get("/")
        @self.environment.events.request.add_listener
        def refused(name, exception, **kwargs):
            print(name, isinstance(exception, ConnectionRefusedError))
        self.client.get("http://127.0.0.1:1/refused")
        self.environment.events.request.remove_listener(refused)
        with self.client.get("/slow", timeout=0.3, catch_response=True, name="caught") as r:
            if r.status_code == 0:
                r.success()
        r = self.client.get("/", headers={"X-Test": "a\nEvil: b"}, name="header")
        print(r.status_code)
        for url in ("no-scheme", "ftp://127.0.0.1/x"):
            try:
                self.client.base_url = ""
                self.client.get(url)
            except Exception as e:
                print(isinstance(e, ValueError))
        self.environment.runner.quit()
