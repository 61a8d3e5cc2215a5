# SPDX-License-Identifier: MIT
import random

from locust import HttpUser, TaskSet, task
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopUser


class Scheduling(HttpUser):
    waits = 0

    def wait_time(self):
        self.waits += 1
        return 0

    @task
    class Main(TaskSet):
        @task
        def first(self):
            self.client.get("/first")
            self.schedule_task(self.second)
            self.schedule_task(self.urgent, first=True)

        def second(self):
            self.client.get("/second")
            self.schedule_task(self.third)
            raise RescheduleTask()

        def urgent(self):
            self.client.get("/urgent")
            raise RescheduleTaskImmediately()

        def third(self):
            print("waits", self.user.waits)
            self.schedule_task(self.fourth)
            raise RescheduleTaskImmediately()

        def fourth(self):
            self.client.get("/fourth")
            raise InterruptTaskSet(False)

    def on_start(self):
        random.seed(3)
        self.rounds = 0

    @task
    def count(self):
        self.rounds += 1
        if self.rounds == 2:
            print("done")
            self.environment.runner.quit()
            raise StopUser()
