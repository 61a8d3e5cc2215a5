# SPDX-License-Identifier: MIT
# args: -u 1
"""What a user and a TaskSet know of themselves."""
from locust import HttpUser, SequentialTaskSet, User, constant, events, task


class Inner(SequentialTaskSet):
    def on_start(self):
        print("inner on_start", type(self.parent).__name__, type(self.user).__name__)

    def on_stop(self):
        print("inner on_stop")

    @task
    def first(self):
        self.client.get("/first")
        print(self.parent.client is self.client, self.user.client is self.client)

    @task
    def leave(self):
        self.interrupt()


class Outer(SequentialTaskSet):
    tasks = [Inner]
    wait_time = constant(0)

    def on_start(self):
        print("outer on_start", self.user.rounds)

    def on_stop(self):
        print("outer on_stop")
        self.user.rounds += 1
        if self.user.rounds == 2:
            self.user.environment.runner.quit()

    @task
    def go(self):
        self.interrupt(reschedule=False)


class Visitor(HttpUser):
    rounds = 0
    wait_time = constant(0)
    tasks = [Outer]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        print("init", self.host == self.environment.host, Visitor.fullname(), self.weight,
              self.fixed_count, self.abstract)

    def on_start(self):
        print("on_start", self.greenlet is not None, self.group is not None)

    def on_stop(self):
        print("on_stop", self.rounds)


class Base(User):
    abstract = True


@events.test_start.add_listener
def start(environment, **kwargs):
    print([cls.__name__ for cls in environment.user_classes], Base.abstract, Visitor.tasks)
