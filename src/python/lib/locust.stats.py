# SPDX-License-Identifier: MIT
"""Statistics by Locust's names. Those of this process (environment.stats) are read from the engine
whenever they are asked for: what it has counted since the test began, or in a master what all workers
have. Those that a locustfile makes of its own, RequestStats(), count what they are told."""
import hashlib
import logging
import sys
import time
from collections import namedtuple

import _cicada
import gevent

from locust.event import error_text
from locust.exception import CatchResponseError

console_logger = logging.getLogger("locust.stats_logger")

STATS_TYPE_WIDTH, STATS_NAME_WIDTH = 8, 80
STATS_AUTORESIZE = True
CONSOLE_STATS_INTERVAL_SEC = 2
HISTORY_STATS_INTERVAL_SEC = 5
CSV_STATS_INTERVAL_SEC = 1
CSV_STATS_FLUSH_INTERVAL_SEC = 10
CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW = 10
PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
PERCENTILES_TO_STATISTICS = [0.95, 0.99]
PERCENTILES_TO_CHART = [0.5, 0.95]

CachedResponseTimes = namedtuple("CachedResponseTimes", ["response_times", "num_requests"])


class RequestStatsAdditionError(Exception):
    pass


# What of an entry goes from process to process.
_FIELDS = ("name", "method", "last_request_timestamp", "start_time", "num_requests",
           "num_none_requests", "num_failures", "total_response_time", "max_response_time",
           "min_response_time", "total_content_length", "response_times", "num_reqs_per_sec",
           "num_fail_per_sec")
_ERROR_FIELDS = ("name", "method", "error", "occurrences")


def get_readable_percentiles(percentile_list):
    return [f"{100 * share:.6f}".rstrip("0").rstrip(".") + "%" for share in percentile_list]


def calculate_response_time_percentile(response_times, num_requests, percent):
    """Of {response time: count}: the time within which that share of the requests was answered."""
    left = num_requests
    for ms in sorted(response_times, reverse=True):
        left -= response_times[ms]
        if left <= int(num_requests * percent):
            return ms
    return 0


def diff_response_time_dicts(latest, old):
    return {ms: n - old.get(ms, 0) for ms, n in latest.items() if n != old.get(ms, 0)}


def median_from_dict(total, count):
    before = (total - 1) / 2
    for ms in sorted(count):
        if before < count[ms]:
            break
        before -= count[ms]
    return ms


def avg(values):
    return sum(values) / max(len(values), 1)


def sort_stats(stats):
    return [stats[key] for key in sorted(stats)]


def _rounded(ms):
    """As the keys of response_times: two digits of it."""
    return round(ms) if ms < 100 else round(ms, -1 if ms < 1000 else -2 if ms < 10000 else -3)


def _add(counts, other):
    for key, n in other.items():
        counts[key] = counts.get(key, 0) + n


def _of_engine(name):
    return property(lambda self: self._read[name] if self._read else self._derive(name))


class StatsEntry:
    """A row; or the row "Aggregated", which stands for all."""
    _read = None  # derived numbers, where the engine has counted

    def __init__(self, stats, name, method, use_response_times_cache=False):
        self.stats, self.name, self.method = stats, name, method
        self.use_response_times_cache = use_response_times_cache
        self.reset()

    @classmethod
    def _of_row(cls, stats, row, is_total=False):
        self = cls.__new__(cls)
        self.stats, self.use_response_times_cache = stats, True
        self._is_total = is_total
        self._read = {name: row.pop(name) for name in (
            "median_response_time", "current_rps", "current_fail_per_sec", "total_rps",
            "total_fail_per_sec")}
        self.__dict__.update(row)
        return self

    def __getattr__(self, name):
        """What few ask for is not read with every row."""
        if name not in ("response_times", "num_reqs_per_sec", "num_fail_per_sec") or not self._read:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        self.response_times, self.num_reqs_per_sec, self.num_fail_per_sec = _cicada.times(
            self.method or "", self._key())
        return self.__dict__[name]

    def _key(self):
        return None if self._is_total else self.name

    def reset(self):
        self._read = None
        self.start_time = time.time()
        self.last_request_timestamp = self.min_response_time = None
        self.num_requests = self.num_none_requests = self.num_failures = 0
        self.total_response_time = self.max_response_time = self.total_content_length = 0
        self.response_times, self.num_reqs_per_sec, self.num_fail_per_sec = {}, {}, {}

    def log(self, response_time, content_length):
        now = time.time()
        self.num_requests += 1
        _add(self.num_reqs_per_sec, {int(now): 1})
        self.last_request_timestamp = now
        self.total_content_length += content_length
        if response_time is None:
            self.num_none_requests += 1
            return
        self.total_response_time += response_time
        least = self.min_response_time
        self.min_response_time = response_time if least is None else min(least, response_time)
        self.max_response_time = max(self.max_response_time, response_time)
        _add(self.response_times, {_rounded(response_time): 1})

    def log_error(self, error):
        self.num_failures += 1
        _add(self.num_fail_per_sec, {int(time.time()): 1})

    @property
    def fail_ratio(self):
        if not self.num_requests:
            return 1.0 if self.num_failures else 0.0
        return self.num_failures / self.num_requests

    @property
    def avg_response_time(self):
        timed = self.num_requests - self.num_none_requests
        return self.total_response_time / timed if timed else 0.0

    @property
    def avg_content_length(self):
        return self.total_content_length / self.num_requests if self.num_requests else 0

    median_response_time = _of_engine("median_response_time")
    current_rps = _of_engine("current_rps")
    current_fail_per_sec = _of_engine("current_fail_per_sec")
    total_rps = _of_engine("total_rps")
    total_fail_per_sec = _of_engine("total_fail_per_sec")

    def _derive(self, name):
        if name == "median_response_time":
            return self._median()
        counts, count = (self.num_reqs_per_sec, self.num_requests) if name.endswith("rps") else \
            (self.num_fail_per_sec, self.num_failures)
        last, start = (self.stats.last_request_timestamp, self.stats.start_time) if self.stats else \
            (None, None)
        if not last:
            return 0
        if name.startswith("total"):
            return count / (last - start) if last > start else 0.0
        return avg([counts.get(t, 0) for t in range(max(int(last) - 12, int(start)), int(last) - 2)])

    def _median(self):
        if not self.response_times:
            return 0
        median = median_from_dict(self.num_requests - self.num_none_requests, self.response_times)
        return max(min(median, self.max_response_time), self.min_response_time or 0)

    def get_response_time_percentile(self, percent):
        if self._read:
            return int(_cicada.percentile(self.method or "", self._key(), percent))
        return calculate_response_time_percentile(self.response_times, self.num_requests, percent)

    def get_current_response_time_percentile(self, percent):
        return self.get_response_time_percentile(percent)

    def extend(self, other):
        """Adds what the other one has counted."""
        times = [t for t in (self.last_request_timestamp, other.last_request_timestamp) if t]
        self.last_request_timestamp = max(times, default=None)
        self.start_time = min(self.start_time, other.start_time)
        for name in ("num_requests", "num_none_requests", "num_failures", "total_response_time",
                     "total_content_length"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.max_response_time = max(self.max_response_time, other.max_response_time)
        least = [ms for ms in (self.min_response_time, other.min_response_time) if ms is not None]
        self.min_response_time = min(least, default=None)
        for name in ("response_times", "num_reqs_per_sec", "num_fail_per_sec"):
            _add(getattr(self, name), getattr(other, name))

    def serialize(self):
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def unserialize(cls, data):
        entry = cls(None, data["name"], data["method"])
        entry.__dict__.update((name, data[name]) for name in _FIELDS if name in data)
        return entry

    def get_stripped_report(self):
        report = self.serialize()
        self.reset()
        return report

    def to_dict(self):
        keys = ("name", "method", "last_request_timestamp", "start_time", "num_requests",
                "num_none_requests", "num_failures", "total_response_time", "max_response_time",
                "min_response_time", "total_content_length", "median_response_time", "current_rps",
                "current_fail_per_sec", "total_rps", "total_fail_per_sec")
        return {key: getattr(self, key) for key in keys}

    def to_string(self, current=True):
        """Its line in the table of print_stats()."""
        rps, failing = (self.current_rps, self.current_fail_per_sec) if current else \
            (self.total_rps, self.total_fail_per_sec)
        failed = f"{self.num_failures}({100 * self.fail_ratio:.2f}%)"
        method = f"{self.method} " if self.method else ""
        return (f"{method:<{STATS_TYPE_WIDTH}} {self.name:<{_name_width()}} {self.num_requests:7d} "
                f"{failed:>12} |{int(self.avg_response_time):7d} {int(self.min_response_time or 0):7d} "
                f"{int(self.max_response_time):7d}{int(self.median_response_time or 0):7d} | "
                f"{rps or 0:7.2f} {failing or 0:11.2f}")

    __str__ = to_string

    def percentile(self):
        """Its line in the table of print_percentile_stats()."""
        if not self.num_requests:
            raise ValueError("Can't calculate percentile on url with no successful requests")
        times = [int(self.get_response_time_percentile(share)) for share in PERCENTILES_TO_REPORT]
        return _percentiles_line(self.method or "", self.name, [*times, self.num_requests])


class _Said(str):
    """An error that is known by its text only."""
    __repr__ = str.__str__


class StatsError:
    def __init__(self, method, name, error, occurrences=0):
        self.method, self.name, self.error, self.occurrences = method, name, error, occurrences

    @classmethod
    def _of_row(cls, row):
        return cls(row["method"], row["name"], _Said(row["error"]), row["occurrences"])

    @classmethod
    def parse_error(cls, error):
        return error_text(repr(error))

    @classmethod
    def create_key(cls, method, name, error):
        return hashlib.sha256(f"{method}.{name}.{cls.parse_error(error)!r}".encode()).hexdigest()

    def occurred(self):
        self.occurrences += 1

    def to_name(self):
        caught = isinstance(self.error, CatchResponseError)
        error = self.error.args[0] if caught else self.parse_error(self.error)
        return f"{self.method} {self.name}: {error}"

    def serialize(self):
        return {**{name: getattr(self, name) for name in _ERROR_FIELDS},
                "error": self.parse_error(self.error)}

    to_dict = serialize

    @classmethod
    def unserialize(cls, data):
        return cls(*(data[name] for name in ("method", "name", "error", "occurrences")))


class RequestStats:
    def __init__(self, use_response_times_cache=True):
        self._is_of_process = False
        self.history = []
        self.errors = {}
        self._forget()

    @classmethod
    def of_process(cls):
        """What the engine counts. The history is kept by locust_host."""
        self = cls()
        self._is_of_process = True
        return self

    def _forget(self):
        self.entries = {}
        self.total = StatsEntry(self, "Aggregated", "")

    @property
    def total(self):
        if self._is_of_process:
            return StatsEntry._of_row(self, _cicada.stats()[0], is_total=True)
        return self._total

    @total.setter
    def total(self, entry):
        self._total = entry

    @property
    def entries(self):
        if self._is_of_process:
            return {(row["name"], row["method"]): StatsEntry._of_row(self, row)
                    for row in _cicada.stats()[1]}
        return self._entries

    @entries.setter
    def entries(self, entries):
        self._entries = entries

    @property
    def errors(self):
        if self._is_of_process:
            return {row["key"]: StatsError._of_row(row) for row in _cicada.stats()[2]}
        return self._errors

    @errors.setter
    def errors(self, errors):
        self._errors = errors

    def get(self, name, method):
        """The row; one with zeros where there is none yet."""
        entries = self.entries
        if (name, method) not in entries:
            entries[name, method] = StatsEntry(self, name, method)
        return entries[name, method]

    def log_request(self, method, name, response_time, content_length):
        """Counts one."""
        if self._is_of_process:
            _cicada.record(method, name, response_time, content_length, None, True)
            return
        for entry in self.total, self.get(name, method):
            entry.log(response_time, content_length)

    def log_error(self, method, name, error):
        """A failure of one that is counted besides."""
        if self._is_of_process:
            _cicada.fail(method, name, StatsError.parse_error(error))
            return
        for entry in self.total, self.get(name, method):
            entry.log_error(error)
        key = StatsError.create_key(method, name, error)
        self._errors.setdefault(key, StatsError(method, name, error)).occurred()

    def serialize_stats(self):
        """For a report: of rows that count here, what they have is given away."""
        if self._is_of_process:
            return [entry.serialize() for entry in self.entries.values() if entry.num_requests]
        return [entry.get_stripped_report() for entry in self._entries.values()
                if entry.num_requests or entry.num_failures]

    def serialize_errors(self):
        return {key: error.serialize() for key, error in self.errors.items()}

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
        """All begins anew; of this process also what the test will report."""
        if self._is_of_process:
            _cicada.clear_stats()
            _cicada.wish("reset")
        self._forget()
        self.errors = {}
        self.history.clear()

    def reset_all(self):
        """The rows stay, with zeros."""
        if self._is_of_process:
            self.clear_all()
            return
        for entry in self.total, *self._entries.values():
            entry.reset()
        self.errors = {}
        self.history.clear()


# ---- tables ----

def _name_width():
    return STATS_NAME_WIDTH - STATS_TYPE_WIDTH + 4


def _print(lines):
    for line in lines:
        console_logger.info(line)


def get_stats_summary(stats, current=True):
    dashes = "|".join("-" * n for n in (STATS_TYPE_WIDTH, _name_width(), 7, 13, 7, 7, 7, 7, 8, 11))
    head = (f"{'Type':<{STATS_TYPE_WIDTH}} {'Name':<{_name_width()}} {'# reqs':>7} {'# fails':>12} |"
            f"{'Avg':>7} {'Min':>7} {'Max':>7}{'Med':>7} | {'req/s':>7} {'failures/s':>11}")
    rows = [entry.to_string(current) for entry in sort_stats(stats.entries)]
    return [head, dashes, *rows, dashes, stats.total.to_string(current)]


def print_stats(stats, current=True):
    _print([*get_stats_summary(stats, current), ""])


def _percentiles_line(method, name, cells):
    first, *rest = cells
    return (f"{method:<{STATS_TYPE_WIDTH}} {name:<{STATS_NAME_WIDTH}} {first:>8} " +
            " ".join(f"{cell:>6}" for cell in rest))


def get_percentile_stats_summary(stats):
    dashes = "|".join("-" * n for n in (STATS_TYPE_WIDTH, STATS_NAME_WIDTH, 8,
                                        *[6] * len(PERCENTILES_TO_REPORT)))
    head = _percentiles_line("Type", "Name",
                             [*get_readable_percentiles(PERCENTILES_TO_REPORT), "# reqs"])
    rows = [entry.percentile() for entry in sort_stats(stats.entries) if entry.response_times]
    total = [stats.total.percentile()] if stats.total.response_times else []
    return ["Response time percentiles (approximated)", head, dashes, *rows, dashes, *total]


def print_percentile_stats(stats):
    _print([*get_percentile_stats_summary(stats), ""])


def get_error_report_summary(stats):
    dashes = "-" * 18 + "|" + "-" * (STATS_NAME_WIDTH + 61)
    rows = [f"{error.occurrences:<18} {error.to_name():<100}" for error in stats.errors.values()]
    return ["Error report", f"{'# occurrences':<18} {'Error':<100}", dashes, *rows, dashes, ""]


def print_error_report(stats):
    if stats.errors:
        _print(get_error_report_summary(stats))


def stats_printer(stats):
    """A function for a greenlet of its own, which prints for as long as it runs."""
    def print_for_ever():
        while True:
            print_stats(stats)
            gevent.sleep(CONSOLE_STATS_INTERVAL_SEC)
    return print_for_ever


def stats_history(runner):
    """For a greenlet; stats.history is kept anyway."""


# ---- files ----

class StatsCSV:
    """Writes the tables to a csv.writer."""

    def __init__(self, environment, percentiles_to_report):
        self.environment, self.percentiles_to_report = environment, percentiles_to_report
        self.requests_csv_columns = [
            "Type", "Name", "Request Count", "Failure Count", "Median Response Time",
            "Average Response Time", "Min Response Time", "Max Response Time",
            "Average Content Size", "Requests/s", "Failures/s",
            *get_readable_percentiles(percentiles_to_report)]
        self.failures_columns = ["Method", "Name", "Error", "Occurrences"]
        self.exceptions_columns = ["Count", "Message", "Traceback", "Nodes"]

    def _percentiles(self, entry):
        return [int(entry.get_response_time_percentile(share)) if entry.num_requests else "N/A"
                for share in self.percentiles_to_report]

    def requests_csv(self, csv_writer):
        csv_writer.writerow(self.requests_csv_columns)
        stats = self.environment.stats
        for e in *sort_stats(stats.entries), stats.total:
            csv_writer.writerow([
                e.method, e.name, e.num_requests, e.num_failures, e.median_response_time,
                e.avg_response_time, e.min_response_time or 0, e.max_response_time,
                e.avg_content_length, e.total_rps, e.total_fail_per_sec, *self._percentiles(e)])

    def failures_csv(self, csv_writer):
        csv_writer.writerow(self.failures_columns)
        for e in sort_stats(self.environment.stats.errors):
            csv_writer.writerow([e.method, e.name, e.parse_error(e.error), e.occurrences])

    def exceptions_csv(self, csv_writer):
        csv_writer.writerow(self.exceptions_columns)
        for e in self.environment.runner.exceptions.values():
            csv_writer.writerow([e["count"], e["msg"], e["traceback"], ", ".join(e["nodes"])])


class StatsCSVFileWriter(StatsCSV):
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("StatsCSVFileWriter: cicada writes these files itself, with --csv")


class _Console(logging.Handler):
    """Lines as they are, where the tables are."""

    def emit(self, record):
        print(record.getMessage(), file=sys.stderr)


console_logger.addHandler(_Console())
console_logger.setLevel(logging.INFO)
console_logger.propagate = False
