# SPDX-License-Identifier: MIT
from locust.util import cache, deprecation, exception_handler, rounding, timespan  # noqa: F401
