# SPDX-License-Identifier: MIT
# users
from locust import HttpUser, LoadTestShape, constant, events, task


class Shaped(HttpUser):
    wait_time = constant(1000)

    @task
    def once(self):
        self.client.get("/once")


class Stages(LoadTestShape):
    """Two users, then five, then the end."""

    def tick(self):
        print_once(self.get_current_user_count())
        if self.get_current_user_count() == 5:
            return None
        return (5, 100) if self.get_current_user_count() == 2 else (2, 100)


seen = set()


def print_once(count):
    if count not in seen:
        seen.add(count)
        print("users", count)


@events.test_stop.add_listener
def stopped(environment, **kwargs):
    print("test_stop", type(environment.shape_class).__name__)
