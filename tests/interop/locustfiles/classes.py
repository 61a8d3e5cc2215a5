# SPDX-License-Identifier: MIT
# args: -u 9 -r 100
# users
import gevent

from locust import HttpUser, constant, events, task


class Base(HttpUser):
    abstract = True
    wait_time = constant(100)

    @task
    def who(self):
        self.client.get("/" + type(self).__name__)


class Often(Base):
    weight = 3


class Seldom(Base):
    pass


class Fixed(Base):
    fixed_count = 1


class Nobody(Base):
    abstract = True


@events.spawning_complete.add_listener
def complete(user_count, **kwargs):
    print("spawned", user_count)


@events.test_start.add_listener
def watch(environment, **kwargs):
    runner = environment.runner

    def look():
        while runner.user_count < 9:
            gevent.sleep(0.05)
        gevent.sleep(0.5)
        print(sorted(runner.user_classes_count.items()), runner.target_user_count)
        print(sorted(c.__name__ for c in environment.user_classes))
        runner.quit()
    gevent.spawn(look)
