# SPDX-License-Identifier: MIT
"""Tests whose number of users goes up and down: stages of the command line and of a scenario, a
function that is asked, alone and with workers, headless and from the web. And weights of the
classes that change meanwhile."""

import json
import re
import time
import urllib.error
import urllib.request

import pytest

from programs import wait_until
from test_cicada import SCENARIO, WEB_READY, final_row, get_json, write

LATE_S = 1.5  # of what is seen of a change: its second, the poll, and a busy machine

STAGES = SCENARIO + "\nCIC_STAGES({ 3, 4, 100 }, { 3, 9, 100 });\n"

FUNCTION = SCENARIO + """
static bool steps(const struct cic_now *now, struct cic_tick *tick)
{
	if (now->run_time_s >= 6)
		return false;
	/* Twice what runs, once it runs. */
	if (now->run_time_s >= 3 && now->user_count == 3)
		*tick = (struct cic_tick){ .users = 2 * now->user_count, .spawn_rate = 50 };
	else if (now->run_time_s < 1)
		*tick = (struct cic_tick){ .users = 3, .spawn_rate = 50 };
	return true;
}

CIC_SHAPE(steps);
"""


def watch(url, until="stopped", timeout_s=40):
    """(seconds since the first look, state, users) as polled until the state is `until`."""
    begin, seen = time.monotonic(), []

    def is_over():
        page = get_json(f"{url}/stats/requests")
        seen.append((time.monotonic() - begin, page["state"], page["user_count"]))
        return page["state"] == until

    wait_until(is_over, timeout_s, f"state {until}")
    return seen


def first_at(seen, users, after=0.0):
    times = [at for at, _, count in seen if count == users and at >= after]
    assert times, f"never {users} users after {after} s: {seen}"
    return times[0]


@pytest.fixture
def cluster(programs):
    """Starts a master and workers with a scenario; returns the master and its URL."""
    def start(scenario, target, *args, workers=2):
        master = programs.start("cicada", "--master", "-f", scenario, "-H", target.url,
                                "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                                "--web-host", "127.0.0.1", "--web-port", "0",
                                "--stop-timeout", "10", *args, ready=WEB_READY)
        port = master.wait_line(r"Listening for workers on tcp://[\w.]+:(\d+)")[1]
        for _ in range(workers):
            programs.start("cicada", "--worker", "-f", scenario, "-H", target.url,
                           "--master-port", port, "--stop-timeout", "10")
        url = master.ready[1]
        wait_until(lambda: get_json(f"{url}/worker-count")["worker_count"] == workers)
        return master, url
    return start


def test_stages_of_the_command_line_headless(programs, target, tmp_path):
    began = time.monotonic()
    program, code = programs.run(
        "cicada", "--headless", "-f", write(tmp_path, STAGES), "-H", target.url, "-u", "50",
        "--stop-timeout", "10", "--stages", "2s:5:100,2s:0:100,2s:3:100", timeout_s=60)
    text = program.text()
    assert code == 0, text
    assert time.monotonic() - began > 6
    # The option wins over the scenario's; -u has no meaning, and that is said.
    said = re.findall(r"Shape test updating to (\d+) users at 100.00 spawn rate", text)
    assert said == ["5", "0", "3"], text
    assert "have no effect: the load shape --stages" in text
    assert re.findall(r"All users spawned: .*\((\d+) total users\)", text) == ["5", "0", "3"], text
    assert "Shape test stopping" in text
    assert final_row(text, "Aggregated")[0] == target.total > 0


def test_wrong_stages_are_refused(programs, target, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "--stages",
                                 "1s:1:1,2s:x:1")
    assert code == 2
    assert "--stages: stage 2: the users 'x' must be a whole number" in program.text()
    wrong = SCENARIO + "\nCIC_STAGES({ 3, 4, 100 }, { 3, 9, 0 });\n"
    program, code = programs.run("cicada", "--headless", "-f", write(tmp_path, wrong), "-H",
                                 target.url)
    assert code == 1
    assert re.search(r"scenario\.c:\d+: CIC_STAGES: stage 2: the rate is 0", program.text())


def test_one_scenario_has_one_shape(programs, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, FUNCTION + STAGES[len(SCENARIO):]),
                                 "--list")
    assert code != 0 and "redefinition" in program.text()


def test_stages_started_from_the_web(programs, target, tmp_path):
    program = programs.start("cicada", "-f", write(tmp_path, STAGES), "-H", target.url,
                             "--web-host", "127.0.0.1", "--web-port", "0", ready=WEB_READY)
    url = program.ready[1]
    for _ in range(2):  # a second test begins with the first stage again
        # As Locust: no number and no rate is asked for.
        reply = get_json(f"{url}/swarm", {})
        assert reply["success"] and reply["message"] == (
            "Swarming started using shape class 'CIC_STAGES'")
        seen = watch(url)
        assert first_at(seen, 4) < LATE_S
        assert 3 - LATE_S < first_at(seen, 9) < 3 + LATE_S
        assert 6 - LATE_S < seen[-1][0] < 6 + LATE_S
    window = get_json(f"{url}/stats/window")
    # From the first stage's users to the end, the second one's ramp included.
    assert 6 - LATE_S < window["window"]["duration_s"] <= 6 + LATE_S
    # A test that is stopped stays so.
    assert get_json(f"{url}/swarm", {})["success"]
    wait_until(lambda: get_json(f"{url}/stats/requests")["user_count"] == 4)
    assert get_json(f"{url}/stop")["success"]
    time.sleep(3.5)
    assert get_json(f"{url}/stats/requests")["state"] == "stopped"
    assert program.stop() in (0, 1)


def test_function_with_two_workers(cluster, target, tmp_path):
    master, url = cluster(write(tmp_path, FUNCTION), target)
    assert get_json(f"{url}/swarm", {})["message"].endswith("'steps'")
    seen = watch(url)
    assert first_at(seen, 3) < LATE_S
    assert 3 - LATE_S < first_at(seen, 6) < 3 + 2 * LATE_S
    assert 6 - LATE_S < seen[-1][0] < 6 + 2 * LATE_S
    numbers = get_json(f"{url}/stats/window")
    assert numbers["total"]["num_requests"] == target.total > 0
    # All but the first ramp and the drain; twice 3 s, in which the users are doubled.
    assert numbers["stats"][-1]["num_requests"] > target.total / 2
    assert master.text().count("Shape test updating") == 2


def test_headless_master_ends_with_its_shape(programs, target, tmp_path):
    scenario = write(tmp_path, SCENARIO)
    master = programs.start("cicada", "--master", "--headless", "-f", scenario, "-H", target.url,
                            "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                            "--expect-workers", "1", "--stop-timeout", "10",
                            env={"CICADA_STAGES": "2s:4:100,2s:1:100"},
                            ready=r"Listening for workers on tcp://[\w.]+:(\d+)")
    worker = programs.start("cicada", "--worker", "-f", scenario, "-H", target.url,
                            "--master-port", master.ready[1])
    assert master.wait(60) == 0, master.text()
    assert worker.wait(30) == 0, worker.text()
    spawned = re.findall(r"All users spawned: .*\((\d+) total users\)", master.text())
    assert spawned == ["4", "1"], master.text()
    assert final_row(master.text(), "Aggregated")[0] == target.total > 0


# --- weights ---

TWO = """
#include <cicada.h>

static void one(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Ant, .wait = CIC_CONSTANT(0.1), .tasks = CIC_TASKS(CIC_TASK(one, 1)));
CIC_USER(Bee, .wait = CIC_CONSTANT(0.1), .tasks = CIC_TASKS(CIC_TASK(one, 1)));
"""


def post_user(url, **body):
    request = urllib.request.Request(f"{url}/user", data=json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.status, reply.read().decode()


def split(url, users):
    """Users per class once so many run."""
    form = {"user_count": users, "spawn_rate": 100}
    assert get_json(f"{url}/swarm", form)["success"]

    def page():
        now = get_json(f"{url}/stats/requests")
        return now["state"] == "running" and now["user_count"] == users

    wait_until(page)
    ratios = get_json(f"{url}/tasks")["per_class"]
    return {name: round(ratios[name]["ratio"] * users) for name in ratios}


@pytest.mark.parametrize("workers", [0, 2])
def test_weights_change_while_the_test_runs(programs, cluster, target, tmp_path, workers):
    scenario = write(tmp_path, TWO)
    if workers:
        url = cluster(scenario, target, workers=workers)[1]
    else:
        program = programs.start("cicada", "-f", scenario, "-H", target.url, "--web-host",
                                 "127.0.0.1", "--web-port", "0", ready=WEB_READY)
        url = program.ready[1]
    assert split(url, 10) == {"Ant": 5, "Bee": 5}
    assert post_user(url, user_class_name="Bee", weight=4) == (201, "{}")
    assert split(url, 20) == {"Ant": 7, "Bee": 13}  # those that run stay; ten more at 1 : 4
    get_json(f"{url}/stop")
    assert split(url, 10) == {"Ant": 2, "Bee": 8}
    get_json(f"{url}/stop")
    assert post_user(url, user_class_name="Ant", fixed_count=7) == (201, "{}")
    assert split(url, 10) == {"Ant": 7, "Bee": 3}
    get_json(f"{url}/stop")


DRAWN = """
#include <cicada.h>

static void read_page(struct cic_user *u) { cic_get(u, "/read"); }
static void write_page(struct cic_user *u) { cic_post(u, "/write", .body = "x"); }

CIC_USER(Clerk, .wait = CIC_CONSTANT(0.02),
	.tasks = CIC_TASKS(CIC_TASK(read_page, 1), CIC_TASK(write_page, 3)));
"""


def requests_of(url):
    """Requests per name in the next part of the test, once there are 30."""
    with urllib.request.urlopen(f"{url}/stats/reset", timeout=30) as reply:
        reply.read()

    def rows():
        now = {row["name"]: row["num_requests"]
               for row in get_json(f"{url}/stats/requests")["stats"]}
        return now if now["Aggregated"] >= 30 else None

    return wait_until(rows)


@pytest.mark.parametrize("workers", [0, 2])
def test_tasks_change_while_the_test_runs(programs, cluster, target, tmp_path, workers):
    scenario = write(tmp_path, DRAWN)
    if workers:
        url = cluster(scenario, target, workers=workers)[1]
    else:
        program = programs.start("cicada", "-f", scenario, "-H", target.url, "--web-host",
                                 "127.0.0.1", "--web-port", "0", ready=WEB_READY)
        url = program.ready[1]
    assert split(url, 4) == {"Clerk": 4}
    mix = requests_of(url)
    assert mix["/read"] and mix["/write"]
    assert post_user(url, user_class_name="Clerk", tasks=["read_page"]) == (201, "{}")
    assert get_json(f"{url}/tasks")["per_class"]["Clerk"]["tasks"] == {"read_page": {"ratio": 1.0}}
    # What was on its way may still come in, once.
    wait_until(lambda: requests_of(url).get("/write", 0) == 0)
    assert requests_of(url).get("/write", 0) == 0
    # And in the next test, too.
    get_json(f"{url}/stop")
    before = target.counts["POST /write"]
    assert split(url, 4) == {"Clerk": 4}
    assert requests_of(url)["/read"]
    assert target.counts["POST /write"] == before
    # Users that run take another host, and it is that of the next test, until a start names one.
    assert post_user(url, user_class_name="Clerk", host=f"{target.url}/own") == (201, "{}")
    wait_until(lambda: target.counts["GET /own/read"])
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post_user(url, user_class_name="Clerk", host="htp://x")
    get_json(f"{url}/stop")
    before = target.counts["GET /read"]
    assert split(url, 4) == {"Clerk": 4}
    assert requests_of(url)["/read"]
    assert target.counts["GET /read"] == before
    get_json(f"{url}/stop")
    assert get_json(f"{url}/swarm", {"user_count": 4, "spawn_rate": 100, "host": target.url})["success"]
    wait_until(lambda: target.counts["GET /read"] > before)
    get_json(f"{url}/stop")


CLASSES = TWO + """
static bool one_after_the_other(const struct cic_now *now, struct cic_tick *tick)
{
	tick->spawn_rate = 100;
	if (now->run_time_s < 1) {
		tick->users = 6;
		tick->classes = "Bee";
	} else if (now->run_time_s < 2) {
		tick->users = 10;
		tick->classes = "Ant";
	}
	return true;
}

CIC_SHAPE(one_after_the_other);
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stage_may_name_the_classes_of_its_users(programs, cluster, target, tmp_path, workers):
    scenario = write(tmp_path, CLASSES)
    if workers:
        driver, url = cluster(scenario, target, workers=workers)[:2]
    else:
        driver = programs.start("cicada", "-f", scenario, "-H", target.url, "--web-host",
                                "127.0.0.1", "--web-port", "0", ready=WEB_READY)
        url = driver.ready[1]
    assert get_json(f"{url}/swarm", {"host": target.url})["success"]
    driver.wait_line(r'All users spawned: \{"Ant": 0, "Bee": 6\}')
    driver.wait_line(r'All users spawned: \{"Ant": 4, "Bee": 6\}')
    get_json(f"{url}/stop")


def test_stages_of_a_scenario_may_name_classes(programs, target, tmp_path):
    text = TWO + 'CIC_STAGES({ 1, 2, 100, "%s" }, { 1, 4, 100 });\n'
    program, code = programs.run("cicada", "-f", write(tmp_path, text % "Bee"), "--headless", "-H",
                                 target.url)
    assert code == 0
    assert 'All users spawned: {"Ant": 0, "Bee": 2}' in program.text()
    program, code = programs.run("cicada", "-f", write(tmp_path, text % "Cat"), "--headless", "-H",
                                 target.url)
    assert code == 1
    assert "CIC_STAGES: stage 1: users of class 'Cat' are wanted" in program.text()


ASKED = TWO + """
static bool as_asked(const struct cic_now *now, struct cic_tick *tick)
{
	tick->users = 2 * now->asked_users;
	tick->spawn_rate = now->asked_spawn_rate;
	return now->run_time_s < now->asked_run_time_s;
}

CIC_SHAPE(as_asked, .use_common_options = true);
"""


def test_a_function_may_go_by_the_common_options(programs, target, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, ASKED), "--headless", "-H",
                                 target.url, "-u", "3", "-r", "50", "-t", "2s")
    assert code == 0
    assert "(6 total users)" in program.text()
    assert "have no effect" not in program.text()


def test_the_form_says_what_the_common_options_would(programs, target, tmp_path):
    program = programs.start("cicada", "-f", write(tmp_path, ASKED), "-H", target.url, "--web-host",
                             "127.0.0.1", "--web-port", "0", ready=WEB_READY)
    url = program.ready[1]
    assert not get_json(f"{url}/swarm", {"host": target.url})["success"]
    assert get_json(f"{url}/swarm", {"user_count": 2, "spawn_rate": 50,
                                     "run_time": "1s"})["success"]
    program.wait_line(r"\(4 total users\)")
    wait_until(lambda: get_json(f"{url}/stats/requests")["state"] == "stopped")
