# SPDX-License-Identifier: MIT
# args: -u 1
"""The client is a requests.Session: its jar, hooks, adapters, streams, prepared requests."""
import io
import json

import requests
from locust import HttpUser, task
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth
from urllib3.util.retry import Retry


class Bearer(AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Signing(HTTPAdapter):
    def add_headers(self, request, **kwargs):
        request.headers["X-Test"] = "signed"


class Sdk(HttpUser):
    def jars(self):
        client = self.client
        print(isinstance(client, requests.Session), client.__class__.__name__)
        print(isinstance(client.get("/echo"), requests.Response))
        with client.get("/echo", catch_response=True) as response:
            print(isinstance(response, requests.Response), response.__class__.__name__)
        jar = client.get("/set?a=1&b=2").cookies
        print(jar.get_dict(), sorted((cookie.name, cookie.value, cookie.path) for cookie in jar))
        print(requests.utils.dict_from_cookiejar(client.cookies), client.cookies.list_paths(),
              [cookie.value for cookie in client.cookies if cookie.name == "a"])
        client.cookies.update({"e": "5"})
        requests.utils.add_dict_to_cookiejar(client.cookies, {"f": "6"})
        client.get("/echo")
        print(requests.get(f"{client.base_url}/echo", cookies=client.cookies).json()["headers"])
        client.cookies.set("e", None)
        del client.cookies["f"]
        print(client.cookies.get("z", "none"), "z" in client.cookies, sorted(client.cookies.items()))
        client.get("/echo", cookies=requests.cookies.cookiejar_from_dict({"g": "7"}))
        client.cookies = requests.cookies.cookiejar_from_dict({"h": "8"})
        client.get("/echo")

    def attributes(self):
        client = self.client
        print(client.proxies, client.verify, client.cert, client.stream, client.trust_env,
              client.max_redirects, client.hooks)
        answer = client.get("/echo")
        print(answer.links, answer.is_permanent_redirect, answer.apparent_encoding, answer.encoding)
        try:
            client.get("/text").json()
        except requests.exceptions.JSONDecodeError as e:
            print(isinstance(e, json.JSONDecodeError))
        seen = []
        client.hooks["response"].append(lambda answer, **kwargs: seen.append(answer.status_code))
        client.get("/")
        client.get("/", hooks={"response": lambda answer, **kwargs: seen.append("its own")})
        print(seen)
        client.hooks = {"response": []}

    def auth(self):
        self.client.auth = Bearer("of the session")
        self.client.get("/echo")
        self.client.get("/echo", auth=Bearer("of the request"))
        self.client.auth = None
        print(self.client.get("/echo", auth=HTTPDigestAuth("me", "secret")).status_code)

    def streams(self):
        get = self.client.get
        with get("/lines", stream=True, catch_response=True) as answer:
            print(list(answer.iter_lines(decode_unicode=True)))
        answer = get("/lines", stream=True, name="streamed")
        print(next(answer.iter_content(4)), answer.raw is not None)
        answer.close()
        with get("/status/404", stream=True, catch_response=True) as answer:
            answer.success()
        with get("/status/500", stream=True, catch_response=True) as answer:
            pass
        get("/status/503", stream=True)
        get("/set?s=9", stream=True)
        print(self.client.cookies.get("s"))
        get("/echo")

    def adapters(self):
        client = self.client
        client.mount("http://", HTTPAdapter(pool_connections=100, pool_maxsize=100))
        client.get("/echo?plain")
        client.mount("http://", Signing())
        print(client.get("/echo?signed").json()["headers"]["x-test"])
        client.mount("http://", HTTPAdapter(max_retries=Retry(total=1, status_forcelist=[503])))
        print(client.get("/status/503?again", catch_response=True).error is not None)
        print(client.post("/status/503?once", data="a body").status_code)
        client.get("/echo?retries")
        client.post("/echo?retries", data=io.BytesIO(b"read once"))
        client.close()  # on a connection of its own nothing is sent again
        print(client.get("/drop?again", name="/drop").status_code)
        client.close()
        client.mount("http://", HTTPAdapter(max_retries=2))
        print(client.get("/drop?once", name="/drop").status_code)
        client.get("/hop/2", name="hops")
        asked = client.prepare_request(requests.Request("POST", f"{client.base_url}/echo",
                                                        json={"a": 1}))
        print(asked.method, asked.path_url, client.send(asked).status_code)

    @task
    def all(self):
        self.jars()
        self.attributes()
        self.auth()
        self.streams()
        with self.client.get("http://127.0.0.1:1/refused", catch_response=True) as answer:
            print(answer.status_code, isinstance(answer.error, requests.exceptions.ConnectionError))
            answer.success()
        self.adapters()
        self.environment.runner.quit()
