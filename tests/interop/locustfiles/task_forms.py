# SPDX-License-Identifier: MIT
import random

from locust import HttpUser, TaskSet, task


def plain(user):
    user.client.get("/plain")
    user.done("plain")


class InSet(TaskSet):
    def on_start(self):
        self.client.get("/set-start")

    @task
    def inside(self):
        self.user.done("inside")
        self.interrupt()


class Parent(HttpUser):
    abstract = True

    @task
    def inherited(self):
        self.client.get("/inherited")
        self.done("inherited")


class Forms(Parent):
    tasks = [plain, (InSet, 2)]

    def on_start(self):
        random.seed(5)
        self.names = set()
        print([t.__name__ for t in self.tasks])

    def done(self, name):
        self.names.add(name)
        if len(self.names) == 4:
            self.environment.runner.quit()
            self.wait()

    @task(2)
    def own(self):
        self.done("own")
