# SPDX-License-Identifier: MIT
# args: -u 1
"""The order of the last events, and what a listener of quitting still may do."""
import atexit

from locust import HttpUser, events, task


class Quitting(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        self.environment.runner.quit()

    def on_stop(self):
        print("on_stop")


@events.init.add_listener
def init(environment, **kwargs):
    @environment.events.quitting.add_listener
    def inner(environment, **kwargs):
        print("quitting, later listener")


@events.test_start.add_listener
def test_start(environment, **kwargs):
    print("test_start", environment.runner.state, environment.runner.target_user_count)


@events.spawning_complete.add_listener
def spawned(user_count, **kwargs):
    print("spawning_complete", user_count)


@events.test_stopping.add_listener
def stopping(environment, **kwargs):
    print("test_stopping", environment.runner.state)


@events.test_stop.add_listener
def stopped(environment, **kwargs):
    print("test_stop", environment.runner.state)


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print("quitting", environment.runner.state, environment.stats.total.num_requests)
    environment.process_exit_code = 3


@events.quit.add_listener
def quit_(exit_code, **kwargs):
    print("quit", exit_code)


@atexit.register
def last():
    print("atexit")
