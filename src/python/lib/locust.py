# SPDX-License-Identifier: MIT
"""What a locustfile imports: `from locust import HttpUser, task, between`."""
from _cicada import version as __version__
from locust.event import Events
from locust_absent import CHANGES, Renamed

events = Events()

from locust.contrib.fasthttp import FastHttpUser  # noqa: E402
from locust.debug import run_single_user  # noqa: E402
from locust.env import Environment  # noqa: E402
from locust.shape import LoadTestShape  # noqa: E402
from locust import util  # noqa: E402
from locust.user import wait_time  # noqa: E402
from locust.user.markov_taskset import MarkovTaskSet, transition, transitions  # noqa: E402
from locust.user.task import SequentialTaskSet, TaskSet, tag, task  # noqa: E402
from locust.user.users import HttpUser, User  # noqa: E402
from locust.user.wait_time import (between, constant, constant_pacing,  # noqa: E402
                                   constant_throughput, poisson)

__all__ = ["Environment", "Events", "FastHttpUser", "HttpUser", "LoadTestShape", "MarkovTaskSet",
           "SequentialTaskSet", "TaskSet", "User", "between", "constant", "constant_pacing",
           "constant_throughput", "events", "poisson", "run_single_user", "tag", "task",
           "transition", "transitions", "util", "wait_time", "__version__"]

Locust = Renamed("Locust", (), {"now": "User"})
HttpLocust = Renamed("HttpLocust", (), {"now": "HttpUser"})


def __getattr__(name):
    if name in ("TaskSequence", "seq_task"):
        raise ImportError(f"{name}: SequentialTaskSet and @task have taken its place in version 1.0; "
                          f"{CHANGES}")
    raise AttributeError(f"module 'locust' has no attribute '{name}'")
