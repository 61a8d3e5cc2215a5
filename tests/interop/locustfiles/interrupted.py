# SPDX-License-Identifier: MIT
# args: -u 1 -s 2
"""Sets of tasks that are left in on_start, by an exception, and with the user."""
from locust import HttpUser, TaskSet, task
from locust.exception import InterruptTaskSet, RescheduleTaskImmediately, StopUser


class Section(TaskSet):
    def on_start(self):
        print("Section.on_start", self.user.n)
        if self.user.n == 2:
            self.interrupt()
        if self.user.n == 3:
            raise ValueError("in on_start of a set")

    def on_stop(self):
        print("Section.on_stop", self.user.n)

    def later(self):
        print("later")
        self.client.get("/later")

    @task
    def work(self):
        self.client.get(f"/job/{self.user.n}")
        if self.user.n == 1:
            raise InterruptTaskSet(reschedule=False)
        if self.user.n == 4:
            self.schedule_task(free)
            self.schedule_task(self.later, first=True)
            raise RescheduleTaskImmediately()
        if self.user.n == 5:
            raise StopUser()
        self.interrupt()


def free(tasks):
    print("free", type(tasks).__name__)
    tasks.client.get("/free")
    tasks.interrupt()


class Interrupted(HttpUser):
    n = 0

    def wait_time(self):
        print("wait_time", self.n)
        return 0.05

    def on_start(self):
        print("on_start")

    def on_stop(self):
        print("on_stop")
        self.client.get("/bye")
        self.environment.runner.quit()

    @task
    class First(Section):
        def on_start(self):
            self.user.n += 1
            super().on_start()
