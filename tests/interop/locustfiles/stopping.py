# SPDX-License-Identifier: MIT
# args: -u 3 -r 100
# users
import gevent

from locust import HttpUser, events, task
from locust.exception import StopUser

ended = []


class Stopping(HttpUser):
    def on_start(self):
        self.client.get("/start")

    def on_stop(self):
        self.client.get("/stop")
        ended.append(self)
        if len(ended) == 3:
            gevent.spawn_later(0.1, self.environment.runner.quit)

    @task
    def once(self):
        self.client.get("/once")
        raise StopUser()


@events.quitting.add_listener
def report(environment, **kwargs):
    print(len(ended), environment.runner.user_count)
