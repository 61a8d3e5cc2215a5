# SPDX-License-Identifier: MIT
"""The ways to judge an answer that Locust's documentation shows."""
from json import JSONDecodeError

from locust import HttpUser, task
from locust.exception import RescheduleTask


class Validating(HttpUser):
    @task
    def all(self):
        with self.client.get("/", catch_response=True) as response:
            if response.text != "Success":
                response.failure("Got wrong response")
            elif response.elapsed.total_seconds() > 0.5:
                response.failure("Request took too long")
        with self.client.get("/status/404", catch_response=True) as response:
            if response.status_code == 404:
                response.success()
        for path in "/", "/text", "/status/204", "/status/500":
            with self.client.post(path, json={"foo": 42, "bar": None}, catch_response=True) as response:
                try:
                    if response.json()["greeting"] != "hello":
                        response.failure("Did not get expected value in greeting")
                except JSONDecodeError as e:
                    response.failure("Response could not be decoded as JSON")
                    print(type(e).__name__, e)
                except KeyError:
                    response.failure("Response did not contain expected key 'greeting'")
        for at, reason in enumerate([Exception("an exception"), "words", ""]):
            with self.client.get(f"/reason/{at}", catch_response=True) as response:
                response.failure(reason)
        try:
            with self.client.get("/rescheduled", catch_response=True):
                raise RescheduleTask()
        except RescheduleTask as e:
            print(repr(e))
        try:
            with self.client.get("/asserted", catch_response=True) as response:
                assert response.status_code == 201, "not 201"
        except AssertionError as e:
            print(repr(e))
        print(type(self.client.get("/never-entered", catch_response=True)).__name__)
        for judge in (lambda r: r.failure("no"), lambda r: r.failure(), lambda r: r.success()):
            try:
                judge(self.client.get("/not-caught"))
            except Exception as e:
                print(type(e).__name__, e)
        with self.client.get("/meta", catch_response=True) as response:
            response.request_meta["name"] = "renamed"
        with self.client.get("/outer", catch_response=True, name="outer") as response:
            with self.client.get("/inner", catch_response=True) as inner:
                inner.failure("inner")
            response.failure("outer")
        self.environment.runner.quit()
