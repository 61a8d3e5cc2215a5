# SPDX-License-Identifier: MIT
import random

from locust import (HttpUser, SequentialTaskSet, between, constant, constant_pacing,
                    constant_throughput, task)


class Waits(HttpUser):
    wait_time = constant(0.01)

    @task
    class Steps(SequentialTaskSet):
        wait_time = between(0.01, 0.02)

        @task
        def all(self):
            self.client.get("/")
            random.seed(1)
            wait = between(5, 10)
            print([round(wait(self), 6) for _ in range(5)])
            print(constant(3)(self), constant(0)(self))
            paced = constant_pacing(10)
            print(paced(self), round(paced(self)), round(paced(self)))
            print(round(constant_throughput(0.1)(self.user)))

        @task
        def end(self):
            self.client.get("/end")
            self.user.environment.runner.quit()
