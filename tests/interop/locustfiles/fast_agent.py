# SPDX-License-Identifier: MIT
from locust import FastHttpUser, task
from locust.contrib.fasthttp import LocustUserAgent

LocustUserAgent.redirect_response_codes = frozenset()
LocustUserAgent.redirect_resonse_codes = frozenset()
LocustUserAgent.valid_response_codes = LocustUserAgent.valid_response_codes | {404}


class Agent(FastHttpUser):
    max_retries = 2

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.client.client.retry_delay = 1
        print(self.client.client.max_retries)

    @task
    def all(self):
        print(self.client.get("/hop/1").status_code)
        self.client.client.clientpool.close()
        self.client.get("/set?a=1")
        self.client.get("/status/404")
        print([cookie.name for cookie in self.client.cookiejar])
        self.client.cookiejar.clear()
        self.client.get("/echo")
        self.environment.runner.quit()
