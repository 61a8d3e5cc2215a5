# SPDX-License-Identifier: MIT
# users
"""How often tick() is asked: once more after each answer that is new, else once a second; from the
beginning of the test on."""
from locust import HttpUser, LoadTestShape, constant, task


class Shaped(HttpUser):
    wait_time = constant(1000)

    @task
    def once(self):
        self.client.get("/once")


class Steps(LoadTestShape):
    answers = [(2, 100), (2, 100), (3, 100), (3, 100), None]
    asked = 0

    def tick(self):
        answer = self.answers[self.asked]
        print(self.asked, answer, self.get_run_time() < 1, self.get_current_user_count() if answer else "")
        self.asked += 1
        return answer
