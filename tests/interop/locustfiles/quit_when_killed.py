# SPDX-License-Identifier: MIT
# args: -u 1 -t 2s
"""A user that takes its own end for a fault of the test, and asks for the end of that: it is over at
once, with all that was counted."""
import time

from locust import HttpUser, task


class Visitor(HttpUser):
    @task
    def ask(self):
        try:
            self.client.get("/page")
            time.sleep(60)
        except:  # noqa: E722, as many have it
            print("ends it")
            self.environment.runner.quit()
