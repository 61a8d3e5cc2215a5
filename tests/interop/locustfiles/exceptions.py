# SPDX-License-Identifier: MIT
from locust import HttpUser, events, task

seen = []


class Exceptions(HttpUser):
    @task
    def breaks(self):
        self.client.get("/before")
        if len(seen) == 3:
            self.environment.runner.quit()
        {}["missing"]


@events.user_error.add_listener
def on_error(user_instance, exception, tb, **kwargs):
    seen.append(exception)
    print(repr(exception), tb is not None, type(user_instance).__name__)


@events.quitting.add_listener
def report(environment, **kwargs):
    for row in environment.runner.exceptions.values():
        print(row["count"] >= 4, row["msg"], sorted(row["nodes"]), "breaks" in row["traceback"])
