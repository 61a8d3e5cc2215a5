# SPDX-License-Identifier: MIT
"""The load tester as its users start it: alone, and as master and workers over ZeroMQ."""

import json
import pathlib
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request

import pytest

from programs import wait_until
from web_client import WEB_READY

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void item(struct cic_user *u) { cic_post(u, "/item?n=1", .name = "/item", .json = "{}"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.01, 0.05),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 3), CIC_TASK(item, 1)));
"""

FAILING = """
#include <cicada.h>

static void missing(struct cic_user *u) { cic_get(u, "/missing"); }
static void wrong(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/wrong");

	cic_check(r, cic_json_has(r, "answer"), "no answer in the reply");
}

CIC_USER(Unlucky, .wait = CIC_CONSTANT(0.05),
	.tasks = CIC_TASKS(CIC_TASK(missing, 1), CIC_TASK(wrong, 1)));
"""

SLOW = """
#include <cicada.h>

static void slow(struct cic_user *u) { cic_get(u, "/slow"); }

CIC_USER(Patient, .wait = CIC_CONSTANT(0.01), .tasks = CIC_TASKS(CIC_TASK(slow, 1)));
"""

OVERLOADED = """
#include <cicada.h>

/* Takes longer than its pace: from the second on every task begins late. */
static void slow(struct cic_user *u)
{
	cic_get(u, "/slow");
	cic_get(u, "/second");
}

CIC_USER(Punctual, .wait = CIC_CONSTANT_PACING(0.1), .tasks = CIC_TASKS(CIC_TASK(slow, 1)));
"""

SPINNING = """
#include <time.h>

#include <cicada.h>

static void spin(struct cic_user *u)
{
	struct timespec begin, now;

	(void)u;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 20);
}

CIC_USER(Spinner, .wait = CIC_CONSTANT(0), .tasks = CIC_TASKS(CIC_TASK(spin, 1)));
"""



def write(tmp_path, text, name="scenario.c"):
    path = tmp_path / name
    path.write_text(text)
    return path


def call(url, form=None, method=None):
    """Status and body of a GET, or of a POST of the form."""
    body = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, data=body, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get_json(url, form=None):
    status, body = call(url, form)
    assert status == 200, body
    return json.loads(body)


def final_row(text, name):
    """(requests, failures) of a row in the last table."""
    rows = re.findall(rf"^\S*\s+{re.escape(name)}\s+(\d+)\s+(\d+)\([\d.]+%\)", text, re.M)
    assert rows, f"no row {name!r} in:\n{text}"
    return tuple(int(n) for n in rows[-1])


def run_headless(programs, *args, timeout_s=60, env=None):
    return programs.run("cicada", "--headless", "--stop-timeout", "10", *args,
                        timeout_s=timeout_s, env=env)


# --- alone ---


def test_headless_counts_what_the_target_answered(programs, target, tmp_path):
    program, code = run_headless(programs, "-f", write(tmp_path, SCENARIO), "-H", target.url,
                                 "-u", "10", "-r", "10", "-t", "2s")
    text = program.text()
    assert code == 0, text
    requests, failures = final_row(text, "Aggregated")
    assert requests == target.total > 0 and failures == 0
    assert final_row(text, "/")[0] == target.counts["GET /"]
    assert final_row(text, "/item")[0] == target.counts["POST /item"]
    assert target.counts["GET /"] > target.counts["POST /item"] > 0
    assert "Response time percentiles (approximated)" in text
    assert "All users spawned" in text and "Shutting down (exit code 0)" in text


def test_a_generator_that_is_the_limit_says_so(programs, target, tmp_path):
    program, code = run_headless(programs, "-f", write(tmp_path, SPINNING), "-H", target.url,
                                 "-u", "2", "-r", "2", "-t", "7s", "--threads", "1")
    text = program.text()
    assert code == 0, text
    assert len(re.findall(r"/WARNING/locust.runners: (CPU usage above 90%! This may constrain|"
                          r"Users run more than 5 ms late!)", text)) == 1, text
    assert re.search(r"^Load generator: lag p99 \d+\.\d\d ms, max ", text, re.M), text
    assert re.search(r"^WARNING: the load generator was the limit: \w+", text, re.M), text


def test_failures_are_reported_and_make_the_exit_code(programs, target, tmp_path):
    program, code = run_headless(programs, "-f", write(tmp_path, FAILING), "-H", target.url,
                                 "-u", "2", "-t", "1s", "--exit-code-on-error", "7")
    text = program.text()
    assert code == 7, text
    assert "Error report" in text
    assert "HTTPError('404 Client Error: Not Found for url: /missing')" in text
    assert "no answer in the reply" in text
    requests, failures = final_row(text, "Aggregated")
    assert requests == failures == target.total


def test_a_target_that_is_not_there_is_a_failure_not_a_crash(programs, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{s.getsockname()[1]}"
        program, code = run_headless(programs, "-f", write(tmp_path, SCENARIO), "-H", url,
                                     "-u", "2", "-t", "1s")
    assert code == 1
    assert "ConnectionRefusedError(111, 'Connection refused')" in program.text()


def test_variables_of_locust_and_of_the_order(programs, target, tmp_path):
    program, code = programs.run(
        "cicada", timeout_s=60,
        env={"LOCUST_LOCUSTFILE": str(write(tmp_path, SCENARIO)), "TARGET_HOST": target.url,
             "LOCUST_HEADLESS": "true", "LOCUST_USERS": "3", "LOCUST_SPAWN_RATE": "10",
             "LOCUST_RUN_TIME": "1s", "LOCUST_STOP_TIMEOUT": "10", "LOCUST_MODE": "standalone"})
    assert code == 0, program.text()
    assert final_row(program.text(), "Aggregated")[0] == target.total > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_order_with_the_tables(programs, target, tmp_path, number):
    program = programs.start("cicada", "--headless", "-f", write(tmp_path, SLOW), "-H", target.url,
                             "-u", "5", "-r", "5", "--stop-timeout", "10",
                             ready="All users spawned")
    wait_until(lambda: target.total > 5, what="the first answers")
    program.signal(number)
    assert program.wait() == 0, program.text()
    assert final_row(program.text(), "Aggregated") == (target.total, 0)


def test_requests_cut_off_by_the_stop_timeout_are_counted_as_such(programs, target, tmp_path):
    target.slow_s = 5
    program, code = programs.run("cicada", "--headless", "-f", write(tmp_path, SLOW), "-H",
                                 target.url, "-u", "3", "-r", "3", "-t", "1s", "--stop-timeout",
                                 "1", timeout_s=30)
    assert code == 1
    assert final_row(program.text(), "Aggregated") == (3, 3)
    assert "StopTimeout(" in program.text()


def test_requests_cut_off_without_a_stop_timeout_are_only_told(programs, target, tmp_path):
    target.slow_s = 5
    program, code = programs.run("cicada", "--headless", "-f", write(tmp_path, SLOW), "-H",
                                 target.url, "-u", "3", "-r", "3", "-t", "1s", timeout_s=30)
    assert code == 0
    assert final_row(program.text(), "Aggregated") == (0, 0)
    assert "3 requests were cut off with their users, the longest after " in program.text()


def test_list_shows_the_user_classes(programs, tmp_path):
    program, code = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "--list")
    assert (code, program.text("stdout")) == (0, "Available Users:\n    Visitor\n")


@pytest.mark.parametrize("args, code, said", [
    (["--spawn-rate", "fast"], 2, "--spawn-rate"),
    (["--run-tim", "1.5h"], 2, "--run-time"),
    (["--hots", "x"], 2, "--host"),
    (["--master", "--worker"], 255, "--master and --worker"),
    (["--autoquit", "3"], 1, "--autostart"),
    (["--loglevel", "LOUD"], 2, "--loglevel"),
    (["--arrivals", "odd"], 2, "--arrivals: 'odd' is unknown; give even or poisson"),
    (["Nobody"], 1, "Unknown User(s): Nobody"),
    (["-f", "nowhere.c"], 1, "nowhere.c: No such file or directory\n"),
])
def test_wrong_options_name_the_option(programs, tmp_path, args, code, said):
    program, got = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "--headless", *args)
    assert got == code and said in program.text("stderr"), program.text()


def test_without_a_scenario_it_says_how_to_name_one(programs, tmp_path):
    program, code = programs.run("cicada", cwd=tmp_path)
    assert code == 1 and program.text().startswith(
        "cicada: neither locustfile.c nor locustfile.py is here; say with -f FILE")


def test_a_scenario_with_an_error_names_file_and_line(programs, tmp_path):
    path = write(tmp_path, SCENARIO.replace("cic_get", "cic_got"), "broken.c")
    program, code = programs.run("cicada", "-f", path, "--headless")
    assert code == 1
    assert re.search(r"broken\.c:4:.*cic_got", program.text("stderr"), re.S), program.text()


def test_a_taken_web_port_is_said_so(programs, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program, code = programs.run("cicada", "-f", write(tmp_path, SCENARIO), "--web-host",
                                     "127.0.0.1", "--web-port", port)
    assert code == 1 and str(port) in program.text("stderr"), program.text()


def test_autostart_keeps_the_web_interface_and_autoquit_ends_it(programs, target, tmp_path):
    program = programs.start("cicada", "-f", write(tmp_path, SCENARIO), "-H", target.url,
                             "--web-host", "127.0.0.1", "--web-port", "0", "--autostart",
                             "--autoquit", "1", "-u", "2", "-r", "10", "-t", "2s", "-s", "10",
                             ready=WEB_READY)
    url = program.ready.group(1)
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", what="running")
    assert program.wait() == 0
    assert final_row(program.text(), "Aggregated")[0] == target.total > 0


# --- master and workers ---


def start_master(programs, tmp_path, target, *args):
    master = programs.start("cicada", "--master", "-f", write(tmp_path, SCENARIO), "-H",
                            target.url, "--web-host", "127.0.0.1", "--web-port", "0",
                            "--master-bind-host", "127.0.0.1", "--master-bind-port", "0", "-s",
                            "10", *args, ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    return master, master.ready.group(1), port


def start_worker(programs, tmp_path, port, **changes):
    return programs.start("cicada", "--worker", "-f", write(tmp_path, SCENARIO), "--master-host",
                          "127.0.0.1", "--master-port", port, "--threads", "1", **changes)


def workers_of(url):
    return get_json(url + "/stats/requests")["workers"]


def test_a_paced_user_that_is_late_says_so(programs, target, tmp_path):
    cicada = programs.start("cicada", "-f", write(tmp_path, OVERLOADED), "--headless", "-u", "1",
                            "-r", "10", "-t", "3", "-s", "20", "-H", target.url)
    assert cicada.wait(60) == 0, cicada.text()
    text = cicada.text()
    assert re.search(r"^Load model: paced$", text, re.M), text
    table = text.split("Response time from the intended start, percentiles in ms\n")[1]
    rows = {line.split()[1]: line.split() for line in table.splitlines()[2:4]}
    # Service is 300 ms at least, and all but the first task are 200 ms late at least.
    assert float(rows["/slow"][3]) >= 499, table
    assert float(rows["/second"][2]) < float(rows["/slow"][2]), table


def test_both_latencies_reach_the_master(programs, target, tmp_path):
    master, url, port = start_master(programs, tmp_path, target, "-f",
                                     write(tmp_path, OVERLOADED, "late.c"))
    worker = programs.start("cicada", "--worker", "-f", tmp_path / "late.c", "--master-host",
                            "127.0.0.1", "--master-port", port, "--threads", "1")
    wait_until(lambda: len(workers_of(url)) == 1, what="the worker")
    get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 20, "host": target.url})
    wait_until(lambda: get_json(url + "/stats/window")["stats"][-1]["num_requests"] > 12,
               what="some answers")
    assert get_json(url + "/stop")["success"]
    final = get_json(url + "/stats/window")
    assert final["model"] == "paced"
    rows = {row["name"]: row for row in final["stats"]}
    for row in rows.values():
        assert row["outcomes"]["ok"]["count"] == row["num_requests"]
        assert row["outcomes"]["http_error"]["count"] == 0
        assert row["response_time_from_start"]["count"] == row["num_requests"]
    late = rows["/slow"]["response_time_from_start"]["p90"]
    assert late >= rows["/slow"]["response_time_percentile_0.5"] + 199, rows["/slow"]
    second = rows["/second"]
    assert second["response_time_from_start"]["p90"] == second["outcomes"]["ok"]["p90"]
    assert master.stop() == 0, master.text()
    assert worker.wait() == 0


def generator_of(url):
    return get_json(url + "/stats/window")["generator"]


def test_master_and_workers_count_exactly(programs, target, tmp_path):
    master, url, port = start_master(programs, tmp_path, target)
    workers = [start_worker(programs, tmp_path, port) for _ in range(2)]
    wait_until(lambda: len(workers_of(url)) == 2, what="two workers")
    for _ in range(2):
        before = target.total
        assert call(url + "/stats/reset")[0] == 200
        reply = get_json(url + "/swarm", {"user_count": 6, "spawn_rate": 6, "host": target.url})
        assert reply["success"] and reply["message"] == "Swarming started"
        wait_until(lambda: get_json(url + "/stats/window")["window"]["is_open"], what="the window")
        live = get_json(url + "/stats/requests")
        assert live["user_count"] == 6 and live["state"] == "running"
        assert sorted(w["user_count"] for w in live["workers"]) == [3, 3]
        wait_until(lambda: target.total > before + 50, what="fifty answers")
        wait_until(lambda: generator_of(url)["limited"] is not None, what="a judgement")
        wait_until(lambda: generator_of(url)["connections_open"] == 6, what="six connections")
        assert generator_of(url)["lag_p99_ms"] >= 0
        assert get_json(url + "/stop") == {"message": "Test stopped", "success": True}
        final = get_json(url + "/stats/window")
        assert final["total"]["num_requests"] == target.total - before, master.text()
        assert final["total"]["num_failures"] == 0
        assert final["generator"]["connections_open"] == 0
        assert 0 < final["stats"][-1]["num_requests"] <= target.total - before
    assert master.stop() == 0, master.text()
    assert [w.wait() for w in workers] == [0, 0]


def test_worker_by_the_order_s_variables(programs, target, tmp_path):
    master, url, port = start_master(programs, tmp_path, target)
    worker = programs.start("cicada", "-f", write(tmp_path, SCENARIO),
                            env={"LOCUST_MODE": "worker", "MASTER": f"127.0.0.1:{port}",
                                 "LOCUST_HEADLESS": "true"})  # shared with the master's pod
    wait_until(lambda: len(workers_of(url)) == 1, what="the worker")
    assert worker.stop() == 0, worker.text()
    wait_until(lambda: not workers_of(url), what="the worker to be gone")
    assert master.stop() == 0


def test_the_users_of_a_killed_worker_are_spread_over_the_others(programs, target, tmp_path):
    master, url, port = start_master(programs, tmp_path, target)
    workers = [start_worker(programs, tmp_path, port) for _ in range(2)]
    wait_until(lambda: len(workers_of(url)) == 2, what="two workers")
    get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 10})
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", what="running")
    workers[0].kill()
    wait_until(lambda: [w["user_count"] for w in workers_of(url) if w["state"] == "running"] == [4],
               what="four users on the worker that is left")
    get_json(url + "/stop")
    assert master.stop() == 0
    assert workers[1].wait() == 0


def test_headless_master_waits_for_its_workers(programs, target, tmp_path):
    master = programs.start("cicada", "--master", "--headless", "-f", write(tmp_path, SCENARIO),
                            "-H", target.url, "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "--expect-workers", "2", "-u", "4", "-r",
                            "4", "-t", "2s", "-s", "10",
                            ready=r"Listening for workers on tcp://127\.0\.0\.1:(\d+)")
    port = master.ready.group(1)
    workers = [start_worker(programs, tmp_path, port) for _ in range(2)]
    assert master.wait(60) == 0, master.text()
    assert final_row(master.text(), "Aggregated") == (target.total, 0)
    assert [w.wait() for w in workers] == [0, 0]


def test_headless_master_gives_up_on_workers(programs, tmp_path):
    program, code = programs.run("cicada", "--master", "--headless", "-f",
                                 write(tmp_path, SCENARIO), "--master-bind-host", "127.0.0.1",
                                 "--master-bind-port", "0", "--expect-workers-max-wait", "1")
    assert code == 1 and "Gave up waiting for workers to connect" in program.text()


def test_a_test_without_workers_is_refused(programs, target, tmp_path):
    master, url, _ = start_master(programs, tmp_path, target)
    status, body = call(url + "/swarm", {"user_count": 1, "spawn_rate": 1})
    assert status == 200 and "success" in json.loads(body)
    assert get_json(url + "/stats/requests")["state"] == "ready"
    assert master.stop() == 0


def test_a_test_that_loses_its_last_worker_does_not_claim_its_run_time(programs, target, tmp_path):
    master = programs.start("cicada", "--master", "--headless", "-f", write(tmp_path, SCENARIO),
                            "-H", target.url, "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "-u", "2", "-r", "2", "-t", "10m", "-s", "1",
                            ready=r"Listening for workers on tcp://127\.0\.0\.1:(\d+)")
    worker = start_worker(programs, tmp_path, master.ready.group(1))
    master.wait_line("All users spawned")
    worker.stop()
    assert master.wait(60) == 0, master.text()
    assert "stopping test" in master.text() and "limit reached" not in master.text()


def test_the_table_of_descriptors_is_large_from_the_start(programs, tmp_path):
    """It grows by waiting for all CPUs: in a load thread that would delay every user."""
    program = programs.start("cicada", "-f", write(tmp_path, SCENARIO), "--web-host", "127.0.0.1",
                             "--web-port", "0", ready=WEB_READY)
    status = pathlib.Path(f"/proc/{program.pid}/status").read_text(encoding="utf-8")
    limits = pathlib.Path(f"/proc/{program.pid}/limits").read_text(encoding="utf-8")
    allowed = re.search(r"Max open files +(\d+)", limits)[1]
    assert int(re.search(r"FDSize:\s+(\d+)", status)[1]) >= min(int(allowed), 65536)
