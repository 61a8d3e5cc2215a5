# SPDX-License-Identifier: MIT
"""A client of an own protocol that reports as files did before there was the event `request`."""
import urllib.request

from locust import User, events, task


class Old(User):
    @task
    def all(self):
        urllib.request.urlopen(self.host + "/", timeout=60).read()
        success, failure = self.environment.events.request_success, events.request_failure
        success.fire(request_type="OLD", name="good", response_time=12, response_length=3)
        failure.fire(request_type="OLD", name="bad", response_time=7, response_length=0,
                     exception=ValueError("went wrong"))
        events.request.fire(request_type="NEW", name="falsy", response_time=1, response_length=1,
                            exception="", context={})
        events.request_success.remove_listener(heard)
        success.fire(request_type="OLD", name="good", response_time=13, response_length=3)
        stats = self.environment.stats
        print(stats.get("good", "OLD").num_requests, stats.get("bad", "OLD").num_failures)
        self.environment.runner.quit()


@events.request_success.add_listener
def heard(request_type, name, response_time, response_length, **kwargs):
    print("success", request_type, name, response_time, response_length, kwargs)


@events.request_failure.add_listener
def heard_failure(request_type, name, response_time, response_length, exception, **kwargs):
    print("failure", request_type, name, response_time, response_length, exception, kwargs)


@events.request.add_listener
def heard_request(request_type, name, **kwargs):
    print("request", request_type, name)
