# SPDX-License-Identifier: MIT
"""A library that has a Session of requests, which becomes the user's client."""
import requests

from locust import HttpUser, task


class Library:
    def __init__(self, url):
        self._session = requests.Session()
        self._url = url

    def list(self):
        r = self._session.get(self._url + "/v1/assets", headers={"X-Test": "token"},
                              params={"a": [1, 2], "b": "x y"})
        r.raise_for_status()
        return r.json()

    def create(self, value):
        with self._session as session:
            return session.request("POST", self._url + "/echo", json=value, timeout=5,
                                   verify=False).json()["body"]

    def prepared(self):
        prepared = self._session.prepare_request(
            requests.Request("GET", self._url + "/prepared", headers={"X-Test": "p"}))
        return self._session.send(prepared).status_code


class Patched(HttpUser):
    def on_start(self):
        self.library = Library(self.host)
        self.library._session = self.client
        self.library._session.headers.update({"X-Session": "s1"})
        self.client.params = {"all": "1"}

    @task
    def all(self):
        print(self.library.list(), self.library.create({"a": 1}), self.library.prepared())
        try:
            self.client.get("/status/503").raise_for_status()
        except requests.exceptions.HTTPError as e:
            print(e.response.status_code, e.request.method)
        self.environment.runner.quit()
