# SPDX-License-Identifier: MIT
"""Open loop: what is asked for arrives, or is counted as dropped; alone and over workers."""

import re

import pytest

from programs import wait_until
from web_client import WEB_READY, get_json

SCENARIO = """
#include <cicada.h>

static void slow(struct cic_user *u) { cic_get(u, "/slow"); }

CIC_USER(Visitor, .arrivals = CIC_ARRIVALS_EVEN(1, .max_in_flight = 1),
	.tasks = CIC_TASKS(CIC_TASK(slow, 1)));
"""

CLOSED = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(3600), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

DROPPED = r"WARNING: (\d+) arrivals were dropped: the target did not get the load"


def write(tmp_path, text):
    path = tmp_path / "scenario.c"
    path.write_text(text)
    return path


def requests_of(program):
    return int(re.search(r"Aggregated\s+(\d+)", program.text("stdout")).group(1))


def test_any_scenario_can_be_an_open_loop(programs, target, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, CLOSED), "-H", target.url,
                                 "--headless", "--only-summary", "-u", "100", "-r", "100", "-t",
                                 "4s", "-s", "10", "--arrivals", "even", "--threads", "1",
                                 timeout_s=60)
    assert code == 0, program.text()
    # Each of its users would have asked once. The schedule has 400, the way to the end some more.
    assert 380 <= target.total <= 700
    assert not re.search(DROPPED, program.text())


def test_what_is_dropped_is_said(programs, target, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "-H", target.url,
                                 "--headless", "--only-summary", "-u", "50", "-r", "50", "-t",
                                 "3s", "-s", "10", "--threads", "1", timeout_s=60)
    assert code == 0, program.text()
    assert "Arrivals are dropped: " in program.text("stderr")
    dropped = int(re.search(DROPPED, program.text()).group(1))
    # 0.3 s each, one at a time: one of 15.
    assert 0 < 8 * target.total < dropped
    assert 140 <= target.total + dropped <= 280


def test_those_that_wait_are_not_dropped(programs, target, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "-H", target.url,
                                 "--headless", "--only-summary", "-u", "5", "-r", "5", "-t", "3s",
                                 "-s", "10", "--threads", "1", timeout_s=60,
                                 env={"CICADA_MAX_IN_FLIGHT": "20", "CICADA_MAX_WAITING": "100"})
    assert code == 0, program.text()
    assert not re.search(DROPPED, program.text()) and target.total >= 13


def test_workers_share_the_rate_and_their_drops_are_summed(programs, target, tmp_path):
    path = write(tmp_path, SCENARIO)
    master = programs.start("cicada", "--master", "-f", path, "-H", target.url, "--web-host",
                            "127.0.0.1", "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "-s", "10", ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    url = master.ready.group(1)
    for _ in range(2):
        programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                       "--master-port", port, "--threads", "1")
    wait_until(lambda: len(get_json(url + "/stats/requests")["workers"]) == 2, what="two workers")
    assert get_json(url + "/swarm", {"user_count": 80, "spawn_rate": 80,
                                     "host": target.url})["success"]
    wait_until(lambda: get_json(url + "/stats/window")["window"]["duration_s"] > 4,
               what="a window of 4 s")
    live = get_json(url + "/stats/requests")
    assert live["user_count"] == 80 and live["state"] == "running"
    assert sorted(w["user_count"] for w in live["workers"]) == [40, 40]
    assert get_json(url + "/stop")["success"]
    final = get_json(url + "/stats/window")
    came = final["stats"][-1]["num_requests"] + final["generator"]["dropped"]
    # What a worker reports in its last second may lie on either side of the window's ends.
    assert came / final["window"]["duration_s"] == pytest.approx(80, rel=0.3)
    # One of them alone could not have dropped so many.
    assert final["generator"]["dropped"] > 45 * (final["window"]["duration_s"] - 1)
    assert final["total"]["num_requests"] == target.total
    assert final["generator"]["connections_open"] == 0
    assert master.stop() == 0, master.text()
