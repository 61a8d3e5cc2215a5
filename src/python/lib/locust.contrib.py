# SPDX-License-Identifier: MIT
"""locust.contrib.fasthttp is here; clients of other protocols are not."""
