# SPDX-License-Identifier: MIT
# args: -u 2 -r 100
# users
"""What a listener may ask the runner, its statistics and the environment."""
import gevent

from locust import HttpUser, constant, events, runners, task
from locust.env import Environment
from locust.runners import (STATE_CLEANUP, STATE_INIT, STATE_MISSING, STATE_RUNNING, STATE_SPAWNING,
                            STATE_STOPPED, STATE_STOPPING, LocalRunner, MasterRunner, Runner,
                            WorkerRunner)
from locust.stats import RequestStats, StatsEntry, StatsError


class Visitor(HttpUser):
    wait_time = constant(100)

    @task
    def all(self):
        self.client.get("/")
        self.client.get("/status/500", name="five")


def watch(environment):
    runner = environment.runner
    seen = []
    while runner.state not in (STATE_STOPPING, STATE_STOPPED, STATE_CLEANUP):
        if runner.state not in seen:
            seen.append(runner.state)
        gevent.sleep(0.05)
        if runner.stats.total.num_requests == 4 and runner.state == STATE_RUNNING:
            break
    print(seen[0] == STATE_INIT, runner.state, runner.user_count, runner.target_user_count,
          runner.user_classes_count)
    look(environment)
    runner.quit()


def look(environment):
    runner, stats = environment.runner, environment.stats
    print(runner.stats is environment.stats, type(stats) is RequestStats)
    print(sorted(stats.entries), stats.num_requests, stats.num_failures)
    entry = stats.get("five", "GET")
    print(type(entry) is StatsEntry, entry.name, entry.method, entry.num_requests,
          entry.num_failures, entry.fail_ratio, entry.avg_content_length)
    print(stats.entries[("/", "GET")].fail_ratio)
    total = stats.total
    print(total.name, total.fail_ratio, total.total_rps > 0, total.avg_response_time > 0,
          total.median_response_time >= 0, total.min_response_time <= total.max_response_time,
          total.get_response_time_percentile(0.95) >= total.get_response_time_percentile(0.5),
          total.current_rps, total.total_fail_per_sec > 0, total.num_none_requests)
    print([(type(e) is StatsError, e.method, e.name, e.occurrences) for e in stats.errors.values()])
    print(type(stats.history), stats.start_time > 0, stats.last_request_timestamp > 0)
    print(sum(stats.total.response_times.values()), sum(total.num_reqs_per_sec.values()),
          sum(total.num_fail_per_sec.values()))


@events.init.add_listener
def init(environment, runner, web_ui, **kwargs):
    print(isinstance(environment, Environment), isinstance(runner, Runner),
          isinstance(runner, LocalRunner), isinstance(runner, (MasterRunner, WorkerRunner)))
    print(runner is environment.runner, web_ui, environment.web_ui, runner.environment is environment)
    print(runner.user_classes, runner.user_classes_by_name, environment.user_classes_by_name)
    print(runner.state, runner.user_count, runner.exceptions)
    print([STATE_INIT, STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP, STATE_STOPPING, STATE_STOPPED,
           STATE_MISSING, runners.STATE_INIT])
    print(environment.shape_class, environment.tags, environment.exclude_tags,
          environment.reset_stats, environment.catch_exceptions,
          environment.process_exit_code)
    gevent.spawn(watch, environment)


@events.test_stop.add_listener
def stop(environment, **kwargs):
    print("stop", environment.runner.state, environment.stats.total.num_requests)


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print("quitting", environment.runner.state, environment.runner.user_count)
    if environment.stats.total.fail_ratio > 0.01:
        environment.process_exit_code = 7
