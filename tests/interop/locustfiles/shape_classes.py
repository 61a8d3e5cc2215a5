# SPDX-License-Identifier: MIT
# users
"""The third value of tick(): which classes the new users are of."""
from locust import HttpUser, LoadTestShape, constant, events, task


class Ant(HttpUser):
    wait_time = constant(1000)

    @task
    def once(self):
        self.client.get("/ant")


class Bee(HttpUser):
    wait_time = constant(1000)

    @task
    def once(self):
        self.client.get("/bee")


class Stages(LoadTestShape):
    def tick(self):
        users = self.get_current_user_count()
        note(users)
        if users < 2:
            return 2, 100, [Ant]
        if users < 5:
            return 5, 100, [Bee]
        return None


seen = set()


def note(users):
    if users not in seen:
        seen.add(users)
        print("users", users)


@events.init.add_listener
def init(environment, **kwargs):
    print(type(environment.shape_class).__name__, environment.shape_class.runner is environment.runner)
