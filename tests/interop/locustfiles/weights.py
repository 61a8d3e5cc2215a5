# SPDX-License-Identifier: MIT
import random

from locust import HttpUser, TaskSet, task


def outside(user):
    user.step("outside")


def rare(user):
    user.step("rare")


class Nested(TaskSet):
    @task
    def inner(self):
        self.user.step("inner")
        self.interrupt()


class Weights(HttpUser):
    tasks = {outside: 3, rare: 1}

    def on_start(self):
        random.seed(42)
        self.left = 60

    def step(self, name):
        self.client.get(f"/{name}")
        self.left -= 1
        if not self.left:
            self.environment.runner.quit()

    @task(2)
    def own(self):
        self.step("own")

    @task
    class Inside(Nested):
        @task(2)
        def more(self):
            self.user.step("more")
            self.interrupt(reschedule=False)
