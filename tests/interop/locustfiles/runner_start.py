# SPDX-License-Identifier: MIT
# args: -u 1 -r 10
# users
"""Another number of users, by the file itself."""
import gevent

from locust import HttpUser, constant, events, task


class Visitor(HttpUser):
    wait_time = constant(100)

    @task
    def once(self):
        self.client.get("/")


def change(environment):
    runner = environment.runner
    seen = []
    for wanted in (3, 1):
        runner.start(wanted, spawn_rate=100, wait=True)
        while runner.user_count != wanted or runner.stats.total.num_requests < 3:
            gevent.sleep(0.05)
        seen.append((runner.user_count, runner.target_user_count))
    print(seen)
    runner.quit()


@events.init.add_listener
def init(environment, **kwargs):
    @environment.events.spawning_complete.add_listener
    def spawned(user_count, **kwargs):
        environment.events.spawning_complete.remove_listener(spawned)
        gevent.spawn(change, environment)
