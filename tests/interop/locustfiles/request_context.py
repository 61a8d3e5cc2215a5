# SPDX-License-Identifier: MIT
"""What a listener of `request` hears: context of the user and of the call, names of groups."""
from locust import HttpUser, events, task
from locust.exception import RescheduleTask, StopUser


class Named(HttpUser):
    done = 0

    def context(self):
        return {"username": "bob", "n": 1}

    def on_stop(self):
        print("on_stop")
        self.environment.runner.quit()

    @task
    def all(self):
        self.done += 1
        if self.done == 2:
            self.client.get("/status/500", name="fails")
            print("not reached")
        if self.done == 3:
            with self.client.get("/", catch_response=True, name="fails") as r:
                r.failure("by hand")
            print("not reached")
        if self.done == 4:
            self.client.get("/", name="ends")
            print("not reached")
        self.client.post("/login", json={"username": 1}, context={"username": "alice"})
        self.client.get("/status/500", context={"a": [1]})
        self.client.get("/echo?a=1#part")
        with self.client.rename_request("group"):
            self.client.get("/g1")
            self.client.get("/g2", name="own")
        self.client.request_name = "/blog?id=[id]"
        for i in range(3):
            self.client.get(f"/blog?id={i}")
        self.client.request_name = None

    @events.request.add_listener
    def in_a_class(context, **kwargs):
        print("in a class", context["username"])


@events.request.add_listener
def on_request(request_type, name, response_time, response_length, response, context, exception,
               start_time, url, **kwargs):
    print(request_type, name, response_length, context, type(exception).__name__,
          type(response_time).__name__, type(start_time).__name__, url.split("/", 3)[-1], kwargs,
          response.status_code)


@events.init.add_listener
def init(environment, **kwargs):
    @environment.events.request.add_listener
    def steer(name, exception, **kwargs):
        if name == "ends":
            raise StopUser()
        if name == "fails":
            raise RescheduleTask()
