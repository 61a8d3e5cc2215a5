# SPDX-License-Identifier: MIT
"""The host that listeners set: of event init, and of the start of the test."""
from locust import HttpUser, constant, events, task


@events.init.add_listener
def choose(environment, **kwargs):
    environment.host += "/of_init"


@events.test_start.add_listener
def choose_again(environment, **kwargs):
    environment.host += "/of_start"


class Visitor(HttpUser):
    host = "http://nowhere.invalid"
    wait_time = constant(0)

    @task
    def ask(self):
        self.client.get("/page")
        print(self.host == self.environment.host == self.client.base_url)
        self.environment.runner.quit()
