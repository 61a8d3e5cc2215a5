# SPDX-License-Identifier: MIT
"""Text that is no UTF-8, numbers that are none, and errors by their class."""
import logging

import requests

from locust import HttpUser, constant, events, task


class Odd(HttpUser):
    wait_time = constant(0.05)
    tasks_done = 0

    @task
    def all(self):
        Odd.tasks_done += 1
        if Odd.tasks_done == 2:
            self.environment.runner.quit()
        self.client.get("/", name="\u00fc")
        print(self.client.post("/echo", json=float("nan"), name="nan").status_code)
        for path, kind in (("/drop", requests.exceptions.ConnectionError),
                           ("/status/404", requests.exceptions.HTTPError)):
            try:
                self.client.post(path).raise_for_status()
            except requests.exceptions.RequestException as e:
                print(path, isinstance(e, kind))
        try:
            self.client.get("/slow", timeout=0.1).raise_for_status()
        except requests.exceptions.Timeout:
            print("too late")
        for body in "{}%0D%0A%20", '{"a":"%C3%A9"}%0A', "{}%0B", "[1]%20{}", "%7B%00%7D%00":
            try:
                print(ascii(self.client.get(f"/body/{body}", name="/body").json()))
            except ValueError as e:
                print(ascii(e))
        try:
            self.client.get("/text").json()
        except requests.exceptions.JSONDecodeError as e:
            print(e, isinstance(e, ValueError))
        logging.warning("\udcff \0 \u00fc")
        raise ValueError("\udcff")


@events.quitting.add_listener
def show(environment, **kwargs):
    print(sum(row["count"] for row in environment.runner.exceptions.values()))
