# SPDX-License-Identifier: MIT
"""Functions that make a wait_time: the seconds between two tasks of a user."""
import random
import time


def between(min_wait, max_wait):
    return lambda self: min_wait + random.random() * (max_wait - min_wait)


def constant(wait_time):
    return lambda self: wait_time


def poisson(rate):
    """Random gaps, 1/rate seconds on average."""
    return lambda self: random.expovariate(rate)


def constant_pacing(wait_time):
    """Tasks start every wait_time seconds, at once when late. The first wait is a whole one."""
    def wait(self):
        now = time.time()
        began = getattr(self, "_paced_began", None)
        left = wait_time if began is None else max(0, wait_time - (now - began))
        self._paced_began = now + left
        return left
    wait.is_paced = True
    return wait


def constant_throughput(task_runs_per_second):
    return constant_pacing(1 / task_runs_per_second)
