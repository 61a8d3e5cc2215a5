# SPDX-License-Identifier: MIT
"""What requests makes of a URL is sent, and names the row."""
import requests

from locust import HttpUser, task


class Urls(HttpUser):
    @task
    def all(self):
        for path in ("/a b", "/\u00fc?x=\u00fc y", "/%zz", "/a%20b%2fc%7e", "/a#part", "/a?", "/a//b",
                     "/./a/../b", "/a/..", "/ids?id[]=1&id[]=2", "/[a]{b}|c^d`e\"f<g>", "/\\b",
                     "?q=1", "/x?a=b?c/d:e@f!$'()*,~;g+h", "/a%5B1%5D?b%5B%5D=%5b1"):
            r = self.client.get(path)
            print(path, r.status_code, r.request.path_url)
        self.client.get("/p?a[]=1", params={"b[]": [2, 3], "c": "d e/f"})
        for url in ("no-scheme", "ftp://x/", "http://", "//x", "http://[::1", "http://\x94/",
                    "http://127.0.0.1:99999/"):
            self.client.base_url = ""
            try:
                self.client.get(url)
            except requests.exceptions.RequestException as e:
                print(url.encode(), type(e).__name__)
        self.environment.runner.quit()
