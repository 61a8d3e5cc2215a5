# SPDX-License-Identifier: MIT
# args: -u 2 -r 100
# users
"""self.stop(), StopUser in on_start and in a task, interrupt() in a user's own task; a user that
another one starts and stops."""
import gevent
from gevent.pool import Group

from locust import HttpUser, TaskSet, User, constant, events, task
from locust.exception import InterruptTaskSet, RescheduleTask, StopUser


class Leaving(HttpUser):
    fixed_count = 1
    wait_time = constant(0)
    count = 0

    @task
    def go(self):
        self.client.get("/go")
        self.count += 1
        if self.count == 2:
            self.stop()

    def on_stop(self):
        self.client.get("/gone")


class Waiting(User):
    abstract = True
    wait_time = constant(60)

    @task
    class Inner(TaskSet):
        def on_stop(self):
            print("left the set")

        @task
        def rest(self):
            print("rests")

    def on_stop(self):
        print("left")


class Early(HttpUser):
    fixed_count = 1

    def on_start(self):
        self.client.get("/early")
        for force in False, True:
            group = Group()
            other = Waiting(self.environment)
            other.start(group)
            gevent.sleep(0.05)
            print(other.stop(force), len(group))
        raise StopUser()

    def on_stop(self):
        self.client.get("/early_stop")

    @task
    def never(self):
        self.client.get("/never")


@events.init.add_listener
def init(environment, **kwargs):
    def end():
        while environment.stats.total.num_requests < 5:
            gevent.sleep(0.05)
        gevent.sleep(0.2)
        print("users", environment.runner.user_count)
        environment.runner.quit()
    gevent.spawn(end)
