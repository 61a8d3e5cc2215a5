# SPDX-License-Identifier: MIT
"""What this process has counted since the test began, read from the engine whenever it is asked."""
import _cicada

PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]


class StatsEntry:
    def __init__(self, row, is_total=False):
        self.__dict__.update(row)
        self._is_total = is_total

    @property
    def avg_response_time(self):
        timed = self.num_requests - self.num_none_requests
        return self.total_response_time / timed if timed else 0

    @property
    def fail_ratio(self):
        return self.num_failures / self.num_requests if self.num_requests else 0.0

    @property
    def avg_content_length(self):
        return self.total_content_length / self.num_requests if self.num_requests else 0

    def get_response_time_percentile(self, percent):
        return int(_cicada.percentile(self.method, None if self._is_total else self.name, percent))

    def get_current_response_time_percentile(self, percent):
        return self.get_response_time_percentile(percent)


class StatsError:
    def __init__(self, row):
        self.__dict__.update(row)

    def to_name(self):
        return f"{self.method} {self.name}: {self.error}"


class RequestStats:
    @property
    def total(self):
        return StatsEntry(_cicada.stats()[0], is_total=True)

    @property
    def entries(self):
        return {(row["name"], row["method"]): StatsEntry(row) for row in _cicada.stats()[1]}

    @property
    def errors(self):
        return {row["key"]: StatsError(row) for row in _cicada.stats()[2]}

    def get(self, name, method):
        """The row; one with zeros where there is none yet."""
        blank = dict.fromkeys(_cicada.stats()[0], 0)
        return self.entries.get((name, method)) or StatsEntry({**blank, "name": name,
                                                               "method": method})

    @property
    def num_requests(self):
        return self.total.num_requests

    @property
    def num_failures(self):
        return self.total.num_failures

    @property
    def num_none_requests(self):
        return self.total.num_none_requests

    @property
    def last_request_timestamp(self):
        return self.total.last_request_timestamp

    @property
    def start_time(self):
        return self.total.start_time

    def clear_all(self):
        _cicada.clear_stats()
