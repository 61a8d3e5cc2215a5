# SPDX-License-Identifier: MIT
# args: -u 1 --tags a --exclude-tags b
from locust import HttpUser, SequentialTaskSet, TaskSet, events, tag, task


class Tagged(HttpUser):
    @task
    class Set(TaskSet):
        @tag("a")
        @task
        def one(self):
            self.client.get("/one")
            self.interrupt()

        @tag("a", "b")
        @task
        def two(self):
            self.client.get("/two")

        @task
        def three(self):
            self.client.get("/three")

    @tag("a")
    @task
    class Whole(SequentialTaskSet):
        @task
        def four(self):
            self.client.get("/four")

        @tag("b")
        @task
        def five(self):
            self.client.get("/five")

        @task
        def six(self):
            self.client.get("/six")
            self.user.environment.runner.quit()

    @tag("b")
    @task
    class Gone(TaskSet):
        @task
        def seven(self):
            self.client.get("/seven")

    def on_start(self):
        import random
        random.seed(1)
        print([t.__name__ for t in self.tasks], [t.__name__ for t in self.Set.tasks],
              [t.__name__ for t in self.Whole.tasks])


@events.test_start.add_listener
def start(environment, **kwargs):
    print(environment.parsed_options.tags, environment.parsed_options.exclude_tags)
