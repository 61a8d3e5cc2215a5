# SPDX-License-Identifier: MIT
import functools
import time


def memoize(timeout, dynamic_timeout=False):
    """Keeps what a function returned for that many seconds; for twice as many, if wanted, when it took
    longer than they are."""
    def decorate(function):
        kept = {}
        lasts = timeout

        @functools.wraps(function)
        def remembered(*args, **kwargs):
            nonlocal lasts
            began = time.time()
            if "at" not in kept or began - kept["at"] > lasts:
                kept.update(result=function(*args, **kwargs), at=time.time())
                if dynamic_timeout and kept["at"] - began > lasts:
                    lasts *= 2
            return kept["result"]
        remembered.clear_cache = kept.clear
        return remembered
    return decorate
