# SPDX-License-Identifier: MIT
"""scenarios/locustfile.py without its waits, for both clients of Locust (bench/peers.py)."""
import pathlib
import sys

from locust import FastHttpUser, constant

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
import locustfile


class Plain(locustfile.InferenceUser):
    wait_time = constant(0)


class Fast(FastHttpUser):
    wait_time = constant(0)
    tasks = locustfile.InferenceUser.tasks
    on_start = locustfile.InferenceUser.on_start
    measure = locustfile.InferenceUser.measure
