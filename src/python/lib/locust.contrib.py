# SPDX-License-Identifier: MIT
"""locust.contrib.fasthttp is here; clients of other protocols are not."""


def __getattr__(name):
    raise ImportError(f"locust.contrib.{name} is not part of cicada; a User whose client fires "
                      "events.request serves any protocol")
