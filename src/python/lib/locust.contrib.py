# SPDX-License-Identifier: MIT
"""locust.contrib.fasthttp and locust.contrib.csv_request_logger are here; clients of other protocols are
not."""
