# SPDX-License-Identifier: MIT
# args: -u 3 -r 3
# users
"""Events of the file's own, listeners that are taken away again, and users that end themselves."""
from locust import HttpUser, constant, events, task
from locust.event import EventHook
from locust.exception import StopUser

hook = EventHook()


@hook.add_listener
def first(a, **kwargs):
    print("first", a, kwargs)


@hook.add_listener
def second(**kwargs):
    print("second", sorted(kwargs))


def taken_away(**kwargs):
    print("never")


events.test_start.add_listener(taken_away)
events.test_start.remove_listener(taken_away)


@events.init.add_listener
def init(environment, **kwargs):
    environment.events.test_start.add_listener(lambda **kwargs: print("by hand", sorted(kwargs)))
    hook.fire(a=1, b=2)
    hook.fire(reverse=True, a=1)


class Ending(HttpUser):
    wait_time = constant(0.1)
    ended = 0

    def on_stop(self):
        Ending.ended += 1
        print("ended", Ending.ended)
        if Ending.ended == 3:
            self.environment.runner.quit()

    @task
    def once(self):
        self.client.get("/")
        raise StopUser("enough")
