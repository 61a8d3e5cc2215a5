# SPDX-License-Identifier: MIT
# args: -u 1
"""What tasks may raise without ending their user."""
from locust import HttpUser, constant, events, task


class Broken(HttpUser):
    wait_time = constant(0)
    round = 0

    @task
    def all(self):
        self.round += 1
        self.client.get(f"/round/{self.round}")
        if self.round == 1:
            raise MemoryError("not really")
        if self.round == 2:
            raise AssertionError
        if self.round == 3:
            self.client.get("/").json()["missing"]
        if self.round == 4:
            self.client.get("/lines").json()
        if self.round == 5:
            raise StopIteration("five")
        if self.round == 6:
            None.attribute
        self.environment.runner.quit()


@events.user_error.add_listener
def error(user_instance, exception, tb, **kwargs):
    print(type(user_instance).__name__, type(exception).__name__, tb is exception.__traceback__)


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print(sorted((e["count"], e["msg"], sorted(e["nodes"]))
                 for e in environment.runner.exceptions.values()))
