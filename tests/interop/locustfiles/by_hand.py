# SPDX-License-Identifier: MIT
"""Users and sets of tasks that the file makes itself."""
import time

import gevent

from locust import HttpUser, SequentialTaskSet, TaskSet, constant, task
from locust.exception import StopUser


class Helper(HttpUser):
    abstract = True
    wait_time = constant(0.2)

    @task
    class Steps(SequentialTaskSet):
        @task
        def one(self):
            self.client.get("/helper/1")

        @task
        def two(self):
            self.client.get("/helper/2")
            raise StopUser()


class ByHand(HttpUser):
    wait_time = constant(0.2)

    @task
    def all(self):
        began = time.time()
        TaskSet(self).wait()
        print(0.2 <= time.time() - began < 2)
        Helper.host = self.host
        helper = Helper(self.environment)
        gevent.spawn(helper.run).join()
        print(0.4 <= time.time() - began < 4)
        self.environment.runner.quit()
