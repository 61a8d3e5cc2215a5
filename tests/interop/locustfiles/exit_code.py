# SPDX-License-Identifier: MIT
from locust import HttpUser, events, task


class Codes(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        self.client.get("/status/500")
        self.environment.runner.quit()


@events.quitting.add_listener
def judge(environment, **kwargs):
    stats = environment.stats
    print(stats.total.num_requests, stats.total.num_failures, stats.total.fail_ratio)
    print(stats.get("/", "GET").num_requests)
    print(sorted(stats.entries), stats.total.avg_response_time < 60000)
    print([(e.method, e.name, e.occurrences) for e in stats.errors.values()])
    print(stats.total.get_response_time_percentile(0.95) >= 0, stats.num_requests)
    if stats.total.fail_ratio > 0.1:
        environment.process_exit_code = 3
