# SPDX-License-Identifier: MIT
"""What this process has counted since the test began, read from the engine whenever it is asked; of
a master, what all its workers have."""
import _cicada

# Settings of Locust's. cicada has its own intervals, and the percentiles of Locust's tables.
CONSOLE_STATS_INTERVAL_SEC = 2
HISTORY_STATS_INTERVAL_SEC = 5
CSV_STATS_INTERVAL_SEC = 1
CSV_STATS_FLUSH_INTERVAL_SEC = 10
CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW = 10
PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
PERCENTILES_TO_STATISTICS = [0.95, 0.99]
PERCENTILES_TO_CHART = [0.5, 0.95]


def calculate_response_time_percentile(response_times, num_requests, percent):
    """Of {response time: count}: the time within which that share of the requests was answered."""
    left = num_requests
    for time in sorted(response_times, reverse=True):
        left -= response_times[time]
        if left <= int(num_requests * percent):
            return time
    return 0


def sort_stats(stats):
    return [stats[key] for key in sorted(stats)]


def _of_library(name):
    def refuse(*args, **kwargs):
        raise NotImplementedError(f"locust.stats.{name}() is for programs that use Locust as a "
                                  "library; cicada prints and keeps the statistics itself")
    return refuse


stats_printer, stats_history, print_stats, print_percentile_stats, print_error_report = map(
    _of_library, ("stats_printer", "stats_history", "print_stats", "print_percentile_stats",
                  "print_error_report"))


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
        if not self.num_requests:
            return 1.0 if self.num_failures else 0.0
        return self.num_failures / self.num_requests

    @property
    def avg_content_length(self):
        return self.total_content_length / self.num_requests if self.num_requests else 0

    def get_response_time_percentile(self, percent):
        return int(_cicada.percentile(self.method or "", self._key(), percent))

    def get_current_response_time_percentile(self, percent):
        return self.get_response_time_percentile(percent)

    def _key(self):
        return None if self._is_total else self.name

    def _times(self):
        return _cicada.times(self.method or "", self._key())

    @property
    def response_times(self):
        """{milliseconds, rounded: count}"""
        return self._times()[0]

    @property
    def num_reqs_per_sec(self):
        """{unix second: count} of the last minute"""
        return self._times()[1]

    @property
    def num_fail_per_sec(self):
        return self._times()[2]

    def to_dict(self):
        return {key: value for key, value in self.__dict__.items() if key[0] != "_"}


class StatsError:
    def __init__(self, row):
        self.__dict__.update(row)

    def to_name(self):
        return f"{self.method} {self.name}: {self.error}"

    def to_dict(self):
        return {"method": self.method, "name": self.name, "error": self.error,
                "occurrences": self.occurrences}


class RequestStats:
    def __init__(self):
        self.history = []  # locust_host's

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
        """All begins anew, also what the test will report."""
        _cicada.clear_stats()
        _cicada.wish("reset")

    reset_all = clear_all
