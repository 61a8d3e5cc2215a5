# SPDX-License-Identifier: MIT
# args: -u 1 -r 10 -t 30s
# users
"""Several tests one after the other, by the file itself."""
import gevent

from locust import HttpUser, constant, events, task

tests = []


class Visitor(HttpUser):
    wait_time = constant(100)

    @task
    def once(self):
        self.client.get(f"/of-test-{len(tests)}")


def wait_for(condition):
    while not condition():
        gevent.sleep(0.02)


def go_on(runner):
    wait_for(lambda: runner.stats.total.num_requests == 1)
    runner.stop()
    runner.start(2, spawn_rate=100)
    wait_for(lambda: len(tests) == 2 and runner.stats.total.num_requests == 2)
    runner.stop()
    wait_for(lambda: runner.user_count == 0)
    gevent.sleep(0.3)
    runner.start(3, spawn_rate=100)
    wait_for(lambda: len(tests) == 3 and runner.stats.total.num_requests == 3)
    runner.quit()


@events.test_start.add_listener
def started(environment, **kwargs):
    tests.append(environment.runner.target_user_count)
    if len(tests) == 1:
        gevent.spawn(go_on, environment.runner)


@events.quitting.add_listener
def report(environment, **kwargs):
    print(len(tests), environment.stats.total.num_requests)
