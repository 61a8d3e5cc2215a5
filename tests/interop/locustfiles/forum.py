# SPDX-License-Identifier: MIT
"""Sections of a site as sets of tasks, one within the other."""
import random

from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task


def third(tasks):
    print("third", type(tasks).__name__)
    tasks.client.get("/3")


class Forum(TaskSet):
    wait_time = constant(0.01)

    def on_start(self):
        print("forum", type(self.parent).__name__, self.parent is self.user)

    def on_stop(self):
        print("forum over")

    @task(10)
    def view_thread(self):
        self.client.get("/thread")

    @task
    def leave(self):
        self.interrupt()

    @task(2)
    class Answer(SequentialTaskSet):
        def on_start(self):
            print("answer", type(self.parent).__name__, self.parent.parent is self.user)

        @task
        def read(self):
            self.client.get("/answer/read")

        @task(2)
        def write(self):
            self.client.post("/answer/write")

        @task
        def leave(self):
            self.client.get("/answer/leave")
            self.interrupt(reschedule=False)

        def on_stop(self):
            print("answer over")


class Steps(SequentialTaskSet):
    @task
    def first(self):
        self.client.get("/1")
        self.client.get("/2")

    tasks = [third]

    @task
    def last(self):
        self.client.get("/4")
        if random.random() < 0.5:
            self.interrupt()


class Reader(HttpUser):
    tasks = {Forum: 2, Steps: 1}
    seen = 0

    def on_start(self):
        random.seed(3)

    def on_stop(self):
        print("user over")

    @task
    def index(self):
        self.seen += 1
        print("index", self.seen)
        if self.seen == 6:
            self.environment.runner.quit()


class Retired(HttpUser):
    weight = 0

    @task
    def nothing(self):
        pass
