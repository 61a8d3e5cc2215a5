# SPDX-License-Identifier: MIT
# args: -u 4 -r 4
# users
"""What is said of classes without tasks, one user of each."""
from locust import HttpUser, TaskSet, User, events, task
from locust.exception import StopUser


class Nothing(HttpUser):
    def on_start(self):
        self.client.get("/")


class Mistaken(User):
    task = ["of"]


class Sets(User):
    @task
    class Inner(TaskSet):
        pass


class Late(User):
    """Its set has none when it begins."""
    def on_start(self):
        self.tasks = [Inner]


class Inner(TaskSet):
    task = ["of"]


said = []


@events.user_error.add_listener
def note(user_instance, exception, tb, **kwargs):
    said.append(f"{type(user_instance).__name__}: {exception}")
    if len(said) == 4:
        print(*sorted(said), sep="\n")
        user_instance.user.environment.runner.quit()
    raise StopUser()
