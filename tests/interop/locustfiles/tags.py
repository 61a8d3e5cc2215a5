# SPDX-License-Identifier: MIT
# args: --tags read --exclude-tags slow
from locust import HttpUser, TaskSet, tag, task


class Tagged(HttpUser):
    @tag("read")
    @task
    def read(self):
        self.client.get("/read")
        print([t.__name__ for t in Tagged.tasks], [t.__name__ for t in Tagged.Inner.tasks])
        print(self.environment.parsed_options.tags, self.environment.parsed_options.exclude_tags)
        self.environment.runner.quit()

    @tag("read", "slow")
    @task
    def slow(self):
        self.client.get("/slow")

    @task
    def untagged(self):
        self.client.get("/untagged")

    @tag("read")
    @task
    class Inner(TaskSet):
        @task
        def inner(self):
            self.interrupt()

        @tag("slow")
        @task
        def gone(self):
            self.client.get("/gone")
