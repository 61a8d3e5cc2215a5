# SPDX-License-Identifier: MIT
from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task


class Leaf(TaskSet):
    wait_time = constant(0.01)

    def on_start(self):
        print("leaf on_start", type(self.parent).__name__, type(self.user).__name__)

    def on_stop(self):
        print("leaf on_stop")

    @task
    def leaf(self):
        self.client.get("/leaf")
        self.user.leaves += 1
        if self.user.leaves % 3 == 0:
            self.interrupt(reschedule=self.user.leaves % 2 == 0)


class Steps(SequentialTaskSet):
    def on_start(self):
        self.client.get("/steps/start")

    @task
    def first(self):
        self.client.get("/steps/1")

    @task(2)
    def twice(self):
        self.client.get("/steps/2")

    tasks = [Leaf]

    @task
    def last(self):
        self.client.get("/steps/last")
        if self.user.leaves > 6:
            self.user.environment.runner.quit()
            self.user.wait()


class Nesting(HttpUser):
    leaves = 0
    tasks = [Steps]

    def wait_time(self):
        print("wait", self.leaves)
        return 0.01

    def on_stop(self):
        print("user on_stop")
