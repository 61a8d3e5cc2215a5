# SPDX-License-Identifier: MIT
import gevent

from locust import HttpUser, events, task


class Killed(HttpUser):
    def on_stop(self):
        print("on_stop", self.client.get("/on_stop").status_code)

    @task
    def wait_for_ever(self):
        self.client.get("/before")
        gevent.spawn_later(0.2, self.environment.runner.quit)
        try:
            self.client.get("/slow")
            print("not reached")
        finally:
            print("finally")


@events.test_stop.add_listener
def stopped(environment, **kwargs):
    print("test_stop")
