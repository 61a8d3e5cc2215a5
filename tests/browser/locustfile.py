# SPDX-License-Identifier: MIT
"""What the browser tests look at: users whose requests succeed, fail and have names that a page
must not take for markup, and tasks that raise."""

import itertools
import os

from locust import HttpUser, constant, events, tag, task

MANY = int(os.environ.get("BROWSER_NAMES", "0"))
HOSTILE = os.environ.get("BROWSER_HOSTILE") == "1"

# The longest is cut by the statistics.
NAMES = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror=\"window.hacked = 1\">",
    "\"quotes\" 'and' `ticks` & &amp; {{braces}} ${dollars}",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "line\nbreak\tand \u0007 bell",
    "\u00fcml\u00e4ut \U0001f41d emoji",
    "__proto__",
    "x" * 10000,
]


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--loud", action="store_true", help="a box")
    parser.add_argument("--pace", type=int, default=3)
    parser.add_argument("--flavour", choices=["sour", "sweet"], default="sour")
    parser.add_argument("--passphrase", default="as it was", is_secret=True)


class Visitor(HttpUser):
    wait_time = constant(0.05)
    counter = itertools.count()

    @tag("read")
    @task(8)
    def index(self):
        self.client.get("/")

    @tag("read", "slow")
    @task(2)
    def slow(self):
        self.client.get("/slow")

    @task(2)
    def missing(self):
        self.client.get("/missing")

    @task(6)
    def many(self):
        if MANY:
            self.client.get("/item", name=f"/item/{next(self.counter) % MANY}")

    @task(6)
    def hostile(self):
        if HOSTILE:
            at = next(self.counter)
            name = NAMES[at % len(NAMES)]
            with self.client.get("/", name=name, catch_response=True) as response:
                if at % 3 == 0:
                    response.failure(name)

    @task(1)
    def broken(self):
        raise ValueError("<b>this</b> task is broken")


class Buyer(HttpUser):
    wait_time = constant(0.1)

    @task
    def buy(self):
        self.client.post("/buy")
