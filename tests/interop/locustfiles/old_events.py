# SPDX-License-Identifier: MIT
"""Events of old locustfiles, and steering a user from a listener."""
from locust import HttpUser, events, task
from locust.exception import RescheduleTask

rounds = []


class Old(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        self.client.get("/status/404", name="four")
        self.client.get("/last")
        print("not here")


@events.request_success.add_listener
def success(request_type, name, response_time, response_length):
    print("success", request_type, name, response_time >= 0, response_length)


@events.request_failure.add_listener
def failure(request_type, name, response_time, response_length, exception):
    print("failure", request_type, name, response_length, type(exception).__name__)


@events.request.add_listener
def steer(name, **kwargs):
    if name == "/last":
        raise RescheduleTask()


@events.init.add_listener
def init(environment, **kwargs):
    @environment.events.request.add_listener
    def never_reached(name, **kwargs):
        if name == "/last":
            print("not here either")

    @environment.events.request_success.add_listener
    def end(name, **kwargs):
        rounds.append(name)
        if rounds.count("/") == 2:
            environment.runner.quit()
