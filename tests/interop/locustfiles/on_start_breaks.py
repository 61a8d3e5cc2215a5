# SPDX-License-Identifier: MIT
# args: -u 2 -r 100
# users
"""Exceptions in on_start, on_stop and __init__: the user is lost, the test goes on."""
import gevent

from locust import HttpUser, constant, events, task


class Bad(HttpUser):
    fixed_count = 1
    wait_time = constant(0.05)

    def on_start(self):
        self.client.get("/bad")
        raise ValueError("no start")

    @task
    def never(self):
        self.client.get("/never")


class Good(HttpUser):
    fixed_count = 1
    wait_time = constant(100)

    @task
    def go(self):
        self.client.get("/go")
        gevent.spawn_later(1, self.environment.runner.quit)

    def on_stop(self):
        raise KeyError("no stop")


@events.user_error.add_listener
def error(user_instance, exception, tb, **kwargs):
    print("user_error", type(user_instance).__name__, repr(exception))
