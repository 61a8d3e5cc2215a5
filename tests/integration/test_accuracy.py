# SPDX-License-Identifier: MIT
"""Is what the load tester says true? Its percentiles between two records of the same requests.

The server (tests/delay) notes for every answer the time from "request read" to "reply written"; the client's
time is that and the way through loopback. The scenario has a stopwatch of its own around every call; the
client's time is inside it. So every order statistic of the client lies between those of the two records, and
its percentile too, but for the width of a bucket of the histogram (1/1024). That holds on any machine at any
load. Where the machine is quiet the records are less than 100 us apart, and then it says that the
client's percentiles are within 100 us of the server's record; where it is busy, what the two
are further apart is time that passed."""

import json
import math
import urllib.request

import pytest

from programs import BUILD, wait_until

SCENARIO = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cicada.h>

struct watch {
	unsigned count;
	uint32_t us[20000];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void index_page(struct cic_user *u)
{
	struct watch *w = cic_data(u);
	uint64_t begin_us = now_us();

	cic_get(u, "/");
	if (w->count < 20000)
		w->us[w->count++] = (uint32_t)(now_us() - begin_us);
}

static void write_down(struct cic_user *u)
{
	struct watch *w = cic_data(u);
	FILE *f = fopen(getenv("STOPWATCH"), "a");

	for (unsigned i = 0; i < w->count; i++)
		fprintf(f, "%u\\n", w->us[i]);
	fclose(f);
}

CIC_USER(Visitor, .wait = CIC_BETWEEN(0, 0.002), .data_bytes = sizeof(struct watch),
	.on_stop = write_down, .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

SHARES = (0.5, 0.9, 0.99, 0.999)
BUCKET = 1 / 1024

# Delay, users, seconds: enough requests that p99.9 has some beyond it.
KINDS = {
    "fixed": (("fixed", 2000, 0, 0), 8, 3),
    "uniform": (("uniform", 0, 5000, 0), 8, 4),
    "exponential": (("exponential", 2000, 0, 0), 8, 4),
    "bimodal": (("bimodal", 1000, 200000, 0.01), 16, 4),
}


def get(url):
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.read()


def measure(programs, tmp_path, delay, users, seconds):
    """(window's JSON, server's record, stopwatch's times) of one run."""
    scenario, watch = tmp_path / "scenario.c", tmp_path / "stopwatch"
    scenario.write_text(SCENARIO)
    server = programs.start(str(BUILD / "tests" / "delay" / "delay-server"), *map(str, delay),
                            ready=r"ready on (\d+)")
    cicada = programs.start("cicada", "-f", scenario, "-H",
                            f"http://127.0.0.1:{server.ready.group(1)}", "-u", users, "-r", users,
                            "-t", f"{seconds}s", "--autostart", "--web-host", "127.0.0.1",
                            "--web-port", "0", "--threads", "1", "--stop-timeout", "20",
                            env={"STOPWATCH": str(watch)},
                            ready=r"Starting web interface at (http://[\w.:]+)")
    url = cicada.ready.group(1)

    def ended():
        said = json.loads(get(url + "/stats/window"))
        return said if said["state"] == "stopped" else None

    window = wait_until(ended, seconds + 60, "the end of the test")
    cicada.stop()
    server.stop()
    record = json.loads(server.text("stdout").split("\n", 1)[1])
    return window, record, [int(line) for line in watch.read_text().split()]


def aggregated(window):
    return next(r for r in window["stats"] if r["name"] == "Aggregated")


def check(row, shortest, longest):
    """The window lacks some requests that the records have, those of the ramp's and the drain's instants.
    The value of rank k among the rest is one of rank k to k + lacking among all, whichever they are."""
    shortest, longest = sorted(shortest), sorted(longest)
    lacking = len(shortest) - row["num_requests"]
    assert 0 <= lacking <= 0.02 * len(shortest)
    for share in SHARES:
        own = row[f"response_time_percentile_{share}"] * 1000
        rank = math.ceil(share * row["num_requests"])
        low, high = shortest[rank - 1], longest[min(len(longest), rank + lacking) - 1]
        print(f"p{share}: server {low} us, client {own} us, stopwatch {high} us")
        assert low * (1 - BUCKET) - 1 <= own <= high * (1 + BUCKET) + 1, f"p{share}"


@pytest.mark.parametrize("kind", KINDS)
def test_percentiles_are_those_of_the_server(programs, tmp_path, kind):
    window, record, watch = measure(programs, tmp_path, *KINDS[kind])
    row = aggregated(window)
    assert row["num_failures"] == 0
    assert window["total"]["num_requests"] == record["heads"] == len(watch) > 1000
    assert len(record["times_us"]) == len(watch)
    check(row, record["times_us"], watch)


def test_a_stall_of_the_server_is_seen_whole(programs, tmp_path):
    """2 s in which nothing is answered: the users wait for its end, and that is what they report."""
    window, record, watch = measure(programs, tmp_path, ("fixed", 1000, 0, 0, 3000, 2000), 8, 7)
    row = aggregated(window)
    assert row["num_failures"] == 0
    assert window["total"]["num_requests"] == record["heads"] == len(watch)
    # Requests are read by the server when it wakes, so its own record does not show all of the
    # stall; the client must. A user is never more than 2 ms and one delay away from asking.
    assert sum(us > 1_500_000 for us in watch) >= 1
    assert row["max_response_time"] >= 1500
    assert row["max_response_time"] * 1000 <= max(watch) + 1
