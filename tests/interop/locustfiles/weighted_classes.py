# SPDX-License-Identifier: MIT
# args: -u 7 -r 7
# users
"""What listeners of events see of a test with classes of several weights."""
import gevent

from locust import HttpUser, constant, events, task


class WebUser(HttpUser):
    weight = 3
    wait_time = constant(1000)

    @task(2)
    def visit(self):
        self.client.get("/web")

    @task
    def again(self):
        self.client.get("/web")


class MobileUser(WebUser):
    weight = 1


class AdminUser(HttpUser):
    fixed_count = 1
    wait_time = constant(1000)

    @task
    def restart(self):
        self.client.post("/restart")


@events.init.add_listener
def init(environment, runner, web_ui, **kwargs):
    print("init", type(runner).__name__, web_ui, kwargs, runner.state, environment.tags,
          environment.exclude_tags, environment.locustfile, environment.shape_class,
          *environment.user_classes_by_name)


@events.test_start.add_listener
def start(environment, **kwargs):
    runner = environment.runner
    print("test_start", runner.state, runner.user_count, runner.target_user_count, kwargs)


@events.spawning_complete.add_listener
def complete(user_count, **kwargs):
    print("spawning_complete", user_count, kwargs)


seen = []


@events.request.add_listener
def request(name, context, **kwargs):
    seen.append(name)


@events.init.add_listener
def in_the_background(environment, **kwargs):
    def wait():
        while len(seen) < 7:
            gevent.sleep(0.1)
        print("all were there:", sorted(seen))
        environment.runner.quit()
    gevent.spawn(wait)


@events.test_stopping.add_listener
def stopping(environment, **kwargs):
    print("test_stopping", environment.runner.user_count, environment.runner.state)


@events.test_stop.add_listener
def stop(environment, **kwargs):
    print("test_stop", environment.runner.user_count, environment.runner.state)


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print("quitting", environment.runner.state, environment.process_exit_code, kwargs)


@events.quit.add_listener
def quit(exit_code, **kwargs):
    print("quit", exit_code, kwargs)
