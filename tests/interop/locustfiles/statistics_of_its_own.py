# SPDX-License-Identifier: MIT
# args: -u 1
"""RequestStats as a library, and counting by hand into those of the test."""
import csv
import io
import urllib.request

from locust import User, events, task
from locust.stats import (PERCENTILES_TO_REPORT, RequestStats, StatsCSV, StatsEntry,
                          calculate_response_time_percentile, diff_response_time_dicts,
                          get_error_report_summary, get_percentile_stats_summary,
                          get_readable_percentiles, get_stats_summary, median_from_dict, print_stats,
                          sort_stats)
from locust.user.inspectuser import print_task_ratio
from locust.util.cache import memoize

mine = RequestStats()
for ms in (1, 2, 3, 50, 101, 149, 1234, 55555):
    mine.log_request("GET", "/a", ms, 10)
mine.log_request("POST", "/b", None, 5)
for i in range(2):
    mine.log_error("GET", "/a", Exception("boom"))
entry = mine.get("/a", "GET")
print(entry.num_requests, entry.num_failures, entry.median_response_time, entry.avg_response_time,
      entry.min_response_time, entry.max_response_time, entry.response_times, entry.fail_ratio,
      entry.avg_content_length, [entry.get_response_time_percentile(p) for p in (0.5, 0.9, 1)])
print(mine.total.num_none_requests, mine.num_requests, mine.num_failures, mine.total.name)
print([(error.occurrences, error.to_name()) for error in mine.errors.values()])
print(get_readable_percentiles(PERCENTILES_TO_REPORT), get_stats_summary(mine)[0])
print("\n".join(get_percentile_stats_summary(mine) + get_error_report_summary(mine)))
twice = StatsEntry(mine, "twice", "GET")
for i in range(2):
    twice.extend(StatsEntry.unserialize(entry.serialize()))
print(twice.num_requests, twice.min_response_time, sorted(twice.response_times.items()))
print(twice.to_string(False)[:120])
print(entry.get_stripped_report()["num_requests"], entry.num_requests, entry.min_response_time)
print(list(mine.serialize_errors().values()))
print(diff_response_time_dicts({1: 3, 2: 2}, {1: 1, 2: 2}), median_from_dict(5, {1: 2, 10: 3}),
      calculate_response_time_percentile({1: 5, 100: 5}, 10, 0.6))


@memoize(timeout=60)
def once():
    print("called")
    return 3


class Counting(User):
    @task
    def count(self):
        urllib.request.urlopen(self.host).close()
        fire, stats = self.environment.events.request.fire, self.environment.stats
        fire(request_type="X", name="untimed", response_time=None, response_length=0, context={},
             exception=None)
        fire(request_type="X", name="timed", response_time=12.6, response_length=7, context={},
             exception=ValueError("no"))
        fire(request_type="X", name="without a length", response_time=1, context={}, exception=None)
        stats.log_request("L", "logged", 20, 3)
        stats.log_error("L", "logged", "text")
        self.environment.runner.quit()


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print(once() + once())
    for e in sort_stats(environment.stats.entries):
        print(e.method, e.name, e.num_requests, e.num_none_requests, e.num_failures,
              f"{e.min_response_time or 0:.1f} {e.max_response_time:.1f} {e.avg_response_time:.1f}",
              sorted(e.response_times.items()))
    print(sorted((e.name, e.occurrences) for e in environment.stats.errors.values()))
    written = csv.writer(out := io.StringIO())
    StatsCSV(environment, PERCENTILES_TO_REPORT).failures_csv(written)
    StatsCSV(environment, [0.9, 0.999]).requests_csv(written)
    print(sorted((*cells[:4], *cells[-2:]) for cells in csv.reader(out.getvalue().splitlines())))
    print_task_ratio(environment.user_classes, 1, True)
    print_stats(environment.stats, current=False)
