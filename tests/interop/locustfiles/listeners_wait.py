# SPDX-License-Identifier: MIT
"""Each listener is over before what comes after it, however long it takes."""
import gevent

from locust import HttpUser, constant, events, task


class Listened(HttpUser):
    wait_time = constant(100)

    def on_stop(self):
        print("on_stop")

    @task
    def all(self):
        self.client.get("/")
        gevent.spawn(self.environment.runner.quit)


def listen(name, event):
    @event.add_listener
    def wait(**kwargs):
        print(name)
        gevent.sleep(0.3)
        print(name, "is over")


for name in ("test_start", "test_stopping", "test_stop", "quitting"):
    listen(name, getattr(events, name))
