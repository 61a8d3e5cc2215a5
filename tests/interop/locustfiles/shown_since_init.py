# SPDX-License-Identifier: MIT
"""What a listener of init sets in locust.stats counts for the tables that come."""
import logging
import re

import locust.stats
from locust import HttpUser, events, task
from locust.stats import RequestStats


@events.init.add_listener
def choose(**kwargs):
    locust.stats.PERCENTILES_TO_REPORT = [0.5, 0.77]


class Tables(logging.Handler):
    def emit(self, record):
        columns = re.findall(r"\d+%", record.getMessage())
        if "Type" in record.getMessage() and columns:
            print(columns)


logging.getLogger("locust.stats_logger").addHandler(Tables())


class Visitor(HttpUser):
    @task
    def ask(self):
        self.client.get("/page")
        own = RequestStats()
        own.log_request("GET", "/page", 12.7, 5)
        own.log_request("GET", "/page", 1234.5, 5)
        row = own.get("/page", "GET")
        print(row.response_times, row.median_response_time, row.get_response_time_percentile(0.4))
        self.environment.runner.quit()
