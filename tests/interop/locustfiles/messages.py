# SPDX-License-Identifier: MIT
from locust import HttpUser, events, task


class Messages(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        self.environment.runner.send_message("hello", {"n": 1})
        self.environment.runner.quit()


def on_hello(environment, msg, **kwargs):
    print(msg.type, msg.data, type(environment.runner).__name__)


@events.init.add_listener
def register(environment, runner, **kwargs):
    runner.register_message("hello", on_hello)
