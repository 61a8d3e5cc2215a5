# SPDX-License-Identifier: MIT
"""--fail-if, --abort-on-fail, --warmup and --junit, alone and with workers."""

import json
import re
import time
import urllib.request
import xml.etree.ElementTree as ET

import pytest

from programs import free_port, wait_until
from web_client import WEB_READY

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void slow(struct cic_user *u) { cic_get(u, "/slow"); }
static void missing(struct cic_user *u) { cic_get(u, "/missing?<x>&", .name = "<x> & \\"y\\""); }

CIC_USER(Fast, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
CIC_USER(Slow, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(slow, 1)));
CIC_USER(Lost, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(missing, 1)));
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "s.c"
    path.write_text(SCENARIO)
    return path


def run(programs, scenario, target, *args):
    program, code = programs.run("cicada", "-f", scenario, "--headless", "-H", target.url, "-u",
                                 "3", "-r", "10", "-s", "10", "--only-summary", *args,
                                 cwd=scenario.parent, timeout_s=90)
    return code, program.text()


def verdicts(text):
    return dict(re.findall(r"^(?:ok|FAILED) +--fail-if '(.*)': (.*)$", text, re.M))


def test_gates_that_hold_pass(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "2s", "--fail-if", "p50{GET /slow}<250ms",
                     "--fail-if", "fail_ratio>=1%", "--fail-if", "rps<1", "Fast", "Slow")
    assert code == 0, text
    assert float(verdicts(text)["p50{GET /slow}<250ms"].split()[0]) >= 1000 * target.slow_s
    assert verdicts(text)["fail_ratio>=1%"] == "0.0000 %"
    assert "FAILED" not in text and "(without the ramp)" in text


def test_a_gate_that_does_not_hold_is_exit_code_99(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "2s", "--fail-if", "p50{/slow}>250ms",
                     "--fail-if", "failures>0", "Slow")
    assert code == 99, text
    assert re.search(r"^FAILED +--fail-if 'p50{/slow}>250ms': \d+\.\d ms$", text, re.M), text
    assert re.search(r"^ok +--fail-if 'failures>0': 0$", text, re.M), text


def test_failures_are_judged_by_their_gate_alone(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "1s", "--fail-if", "fail_ratio{/}>0%",
                     "Fast", "Lost")
    assert code == 1, "a gate of one name does not speak for the others"
    code, text = run(programs, scenario, target, "-t", "1s", "--fail-if", "fail_ratio>99%",
                     "Fast", "Lost")
    assert code == 0, text


def test_a_name_that_was_never_asked_has_failed(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "1s", "--fail-if", "p99{/typo}>1s", "Fast")
    assert code == 99 and verdicts(text)["p99{/typo}>1s"] == "nothing was measured"


def test_abort_on_fail_ends_the_test(programs, target, scenario):
    began = time.monotonic()
    code, text = run(programs, scenario, target, "-t", "600s", "--fail-if", "p50>250ms",
                     "--abort-on-fail", "--abort-window", "2s", "Slow")
    assert code == 99 and time.monotonic() - began < 90
    assert re.search(r"--abort-on-fail: p50>250ms: \d+\.\d ms in the last 2 s", text), text
    assert "and it stopped the test" in text


def test_junit_holds_gates_and_failed_names(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "1s", "--fail-if", "p99>10s", "--fail-if",
                     "max<1us", "--junit", "reports/junit.xml")
    assert code == 99 or code == 1, text
    suite = ET.parse(scenario.parent / "reports/junit.xml").getroot().find("testsuite")
    cases = {c.get("name"): c.find("failure") for c in suite.iter("testcase")}
    assert set(cases) == {"p99>10s", "max<1us", 'GET <x> & "y"'}
    assert cases["p99>10s"] is None and cases["max<1us"] is None
    assert re.match(r"\d+ of \d+ requests failed", cases['GET <x> & "y"'].text)
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


def test_the_warm_up_is_in_no_result(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "6s", "--warmup", "3s", "--csv", "run",
                     "--fail-if", "rps<1", "Fast")
    assert code == 0, text
    assert "The warm-up of 3 s is over: statistics were reset and begin here" in text
    total = int(re.findall(r"^ +Aggregated +(\d+) +\d+\(", text, re.M)[-1])
    assert 0 < total < target.total
    seconds = float(re.search(r"Gates, over ([\d.]+) s", text)[1])
    assert 0 < seconds < 5


def test_a_test_that_ends_in_its_warm_up_says_so(programs, target, scenario):
    code, text = run(programs, scenario, target, "-t", "1s", "--warmup", "60s", "Fast")
    assert code == 0 and "ended before --warmup was over" in text


def test_gates_and_warm_up_with_workers(programs, target, scenario):
    """The master judges what all workers measured; after the warm-up it counts exactly."""
    port = free_port()
    master = programs.start("cicada", "--master", "-f", scenario, "-H", target.url, "--web-host",
                            "127.0.0.1", "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", port, "-s", "10", "--warmup", "1s", "--fail-if",
                            "p50{GET /slow}>250ms", "--fail-if", "p50{GET /}>30s", "Fast", "Slow",
                            ready=WEB_READY)
    url = master.ready.group(1)
    workers = [programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                              "--master-port", port, "Fast", "Slow") for _ in range(2)]

    def get(path, body=None):
        with urllib.request.urlopen(url + path, data=body, timeout=60) as reply:
            return reply.read()

    wait_until(lambda: len(json.loads(get("/stats/requests"))["workers"]) == 2, what="two workers")
    get("/swarm", b"user_count=4&spawn_rate=20")
    master.wait_line("The warm-up of 1 s is over")
    counted = json.loads(get("/stats/window"))["stats"][-1]["num_requests"]
    wait_until(lambda: json.loads(get("/stats/window"))["stats"][-1]["num_requests"] > counted + 50,
               what="requests in the window")
    get("/stop")
    final = json.loads(get("/stats/window"))
    # Of the whole test there is the window left, and what the four users still had in flight.
    total = final["total"]["num_requests"]
    assert 0 <= total - final["stats"][-1]["num_requests"] <= 4 and total < target.total
    assert master.stop() == 99, master.text()
    assert [w.wait() for w in workers] == [0, 0]
    assert re.search(r"^FAILED +--fail-if 'p50{GET /slow}>250ms'", master.text(), re.M)
    assert re.search(r"^ok +--fail-if 'p50{GET /}>30s'", master.text(), re.M)


@pytest.mark.parametrize("args, said", [
    (["--fail-if", "p99>200"], "--fail-if 'p99>200': '200' needs a unit: us, ms or s"),
    (["--abort-on-fail"], "--abort-on-fail: needs a --fail-if"),
    (["--abort-window", "90s"], "--abort-window: give 1 to 50 seconds"),
])
def test_wrong_gates_are_named(programs, target, scenario, args, said):
    code, text = run(programs, scenario, target, *args)
    assert code == 2 and said in text, text


def test_a_shape_has_no_warm_up(programs, target, scenario):
    code, text = run(programs, scenario, target, "--stages", "5s:1:1", "--warmup", "1s")
    assert code == 1 and "--warmup: the load shape --stages says" in text, text
