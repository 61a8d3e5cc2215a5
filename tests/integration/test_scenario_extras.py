# SPDX-License-Identifier: MIT
"""What scenarios have beyond requests: rows of files, JSON values, operations, tags, classes."""

import collections
import re
import signal
import subprocess

import pytest

from programs import wait_until
from test_cicada import WEB_READY, final_row, get_json, run_headless, write

LOGINS = """
#include <cicada.h>

#include <stdio.h>

CIC_FEED(accounts, "accounts.csv", .mode = CIC_FEED_ONCE, .columns = "login");

static void log_in(struct cic_user *u)
{
	char path[64];

	snprintf(path, sizeof(path), "/login/%s", cic_field(cic_row(u, accounts), "login"));
	cic_get(u, path, .name = "/login/[name]");
}

CIC_USER(Member, .wait = CIC_CONSTANT(0.001), .tasks = CIC_TASKS(CIC_TASK(log_in, 1)));
"""

VALUES = """
#include <cicada.h>

static void look(struct cic_user *u)
{
	struct cic_op op = cic_begin(u, "FLOW", "whole look");
	struct cic_response *r = cic_get(u, "/look");
	const char *status = cic_json_text(r, "$.status");

	cic_check(r, status && status[0] == 'o' && status[1] == 'k' && !status[2], "no status");
	cic_end(u, &op, NULL, 0);
}

CIC_USER(Looker, .wait = CIC_CONSTANT(0.05), .tasks = CIC_TASKS(CIC_TASK(look, 1)));
"""

TAGGED = """
#include <cicada.h>

static void plain(struct cic_user *u) { cic_get(u, "/plain"); }
static void reading(struct cic_user *u) { cic_get(u, "/read"); }
static void writing(struct cic_user *u) { cic_get(u, "/write"); }
static void both(struct cic_user *u) { cic_get(u, "/both"); }

CIC_USER(Plain, .wait = CIC_CONSTANT(0.005), .tasks = CIC_TASKS(CIC_TASK(plain, 1)));
CIC_USER(Tagged, .wait = CIC_CONSTANT(0.005),
	.tasks = CIC_TASKS(CIC_TASK(plain, 1), CIC_TASK(reading, 1, .tags = "read"),
			   CIC_TASK(writing, 1, .tags = "write slow"),
			   CIC_TASK(both, 1, .tags = "read write")));
"""

CLASSES = """
#include <cicada.h>

static void fixed(struct cic_user *u) { cic_get(u, "/fixed"); }
static void heavy(struct cic_user *u) { cic_get(u, "/heavy"); }
static void light(struct cic_user *u) { cic_get(u, "/light"); }

CIC_USER(Fixed, .fixed_count = 2, .wait = CIC_CONSTANT(3600),
	.tasks = CIC_TASKS(CIC_TASK(fixed, 1)));
CIC_USER(Heavy, .weight = 2, .wait = CIC_CONSTANT(3600), .tasks = CIC_TASKS(CIC_TASK(heavy, 1)));
CIC_USER(Light, .wait = CIC_CONSTANT(3600), .tasks = CIC_TASKS(CIC_TASK(light, 1)));
"""


def write_accounts(tmp_path, count):
    rows = "".join(f'"user{n}",secret\r\n' for n in range(count))
    write(tmp_path, f"\ufefflogin,password\r\n{rows}", "accounts.csv")
    return {f"GET /login/user{n}": 1 for n in range(count)}


def test_every_row_is_used_once_over_two_threads(programs, target, tmp_path):
    wanted = write_accounts(tmp_path, 300)
    program, code = run_headless(programs, "-f", write(tmp_path, LOGINS), "-H", target.url, "-u",
                                 "20", "-r", "100", "-t", "4s", "--threads", "2")
    assert code == 0, program.text()
    assert target.counts == wanted
    assert final_row(program.text(), "Aggregated") == (300, 0)
    assert len(re.findall("feed accounts: all rows", program.text())) == 1


def test_workers_with_slices_share_the_rows(programs, target, tmp_path):
    wanted = write_accounts(tmp_path, 100)
    scenario = write(tmp_path, LOGINS)
    # A master runs no users and does not need the file.
    (tmp_path / "master").mkdir()
    master = programs.start("cicada", "--master", "--headless", "-f",
                            write(tmp_path / "master", LOGINS), "-H", target.url,
                            "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                            "--expect-workers", "2", "-u", "10", "-r", "100", "-s", "10",
                            ready=r"Listening for workers on tcp://127\.0\.0\.1:(\d+)")
    workers = [programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                              "--master-port", master.ready.group(1), "--feed-slice", f"{n}/2")
               for n in (1, 2)]
    for worker in workers:
        worker.wait_line("feed accounts: all rows")
    wait_until(lambda: target.total >= 100, what="the last logins")
    assert master.stop() == 0, master.text()
    assert target.counts == wanted
    assert all("gives each row once in this worker" not in w.text() for w in workers)


def test_workers_ask_the_master_for_their_slices(programs, target, tmp_path):
    """In the first test and in the next one; a worker too many says so."""
    wanted = write_accounts(tmp_path, 60)
    scenario = write(tmp_path, LOGINS)
    master = programs.start("cicada", "--master", "-f", scenario, "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "--web-host", "127.0.0.1", "--web-port", "0",
                            "--expect-workers", "2", "-s", "10", ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    url = master.ready.group(1)

    def start_worker():
        return programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                              "--master-port", port, "--feed-slice", "auto")

    workers = [start_worker(), start_worker()]
    wait_until(lambda: get_json(f"{url}/worker-count")["worker_count"] == 2)
    for test in (1, 2):
        get_json(f"{url}/swarm", {"user_count": 4, "spawn_rate": 100, "host": target.url})
        wait_until(lambda: target.total >= 60 * test, what="the last logins")
        get_json(f"{url}/stop")
        assert target.counts == {name: test for name in wanted}
    slices = [re.findall(r"Slice (\d/\d) of the feeds", w.text()) for w in workers]
    assert sorted(slices) == [["1/2", "1/2"], ["2/2", "2/2"]]
    assert all("gives each row once in this worker" not in w.text() for w in workers)
    third = start_worker()
    wait_until(lambda: get_json(f"{url}/worker-count")["worker_count"] == 3)
    get_json(f"{url}/swarm", {"user_count": 3, "spawn_rate": 100, "host": target.url})
    third.wait_line("this is worker 3 of 2 that the master expects")
    get_json(f"{url}/stop")


def test_the_next_test_begins_with_the_first_row(programs, target, tmp_path):
    wanted = write_accounts(tmp_path, 30)
    program = programs.start("cicada", "-f", write(tmp_path, LOGINS), "--web-host", "127.0.0.1",
                             "--web-port", "0", "-s", "10", ready=WEB_READY)
    url = program.ready.group(1)
    for test in (1, 2):
        get_json(f"{url}/swarm", {"user_count": 3, "spawn_rate": 100, "host": target.url})
        wait_until(lambda: target.total >= 30 * test, what="the last logins")
        get_json(f"{url}/stop")
        assert target.counts == {name: test for name in wanted}


@pytest.mark.parametrize("rows, args, said", [
    ('login\nada\n"bob\n', [], r"accounts\.csv:3:1: the quote that opens here is never closed"),
    ("login,x\nada\n", [], r"accounts\.csv:2: 1 fields where the first line names 2 columns"),
    ("name\nada\n", [], r"accounts\.csv: no column login, which feed accounts wants"),
    ("login\nada\n", ["--feed-slice", "2/2"], r"slice 2/2 of feed accounts has none"),
    (None, [], r"accounts\.csv: No such file or directory"),
])
def test_a_bad_file_of_rows_is_named_and_nothing_starts(programs, tmp_path, rows, args, said):
    scenario = write(tmp_path, LOGINS)
    if rows:
        write(tmp_path, rows, "accounts.csv")
    program, code = programs.run("cicada", "--headless", "-f", scenario, "-t", "1s", *args)
    assert code == 1 and re.search(said, program.text("stderr")), program.text()
    assert "Starting" not in program.text()


@pytest.mark.parametrize("text", ["3/2", "0/2", "1/0", "2", "a/b", "1/99999999"])
def test_a_wrong_slice_is_refused(programs, tmp_path, text):
    program, code = programs.run("cicada", "-f", write(tmp_path, LOGINS), "--feed-slice", text)
    assert code == 2 and f"--feed-slice: '{text}'" in program.text("stderr"), program.text()


def test_json_values_and_operations(programs, target, tmp_path):
    program, code = run_headless(programs, "-f", write(tmp_path, VALUES), "-H", target.url, "-u",
                                 "2", "-r", "10", "-t", "1s")
    assert code == 0, program.text()
    assert final_row(program.text(), "/look") == (target.total, 0)
    assert final_row(program.text(), "whole look") == (target.total, 0)
    assert re.search(r"^FLOW\s+whole look\s", program.text(), re.M)


@pytest.mark.parametrize("args, env, paths", [
    ([], {}, {"plain", "read", "write", "both"}),
    (["--tags", "read"], {}, {"read", "both"}),
    (["-T", "read", "slow"], {}, {"read", "both", "write"}),
    (["-E", "read"], {}, {"plain", "write"}),
    (["Tagged", "-T", "read", "write", "-E", "slow"], {}, {"read", "both"}),
    ([], {"LOCUST_TAGS": "[slow,read]", "LOCUST_EXCLUDE_TAGS": "write"}, {"read"}),
    (["-T", "slow"], {"LOCUST_TAGS": "read"}, {"write"}),
])
def test_tags_choose_the_tasks(programs, target, tmp_path, args, env, paths):
    program, code = run_headless(programs, *args, "-f", write(tmp_path, TAGGED), "-H", target.url,
                                 "-u", "4", "-r", "100", "-t", "1s", env=env)
    assert code == 0, program.text()
    assert set(target.counts) == {f"GET /{path}" for path in paths}


def test_tags_that_leave_nothing_are_an_error(programs, tmp_path):
    program, code = programs.run("cicada", "--headless", "-f", write(tmp_path, TAGGED), "-T",
                                 "nonsense")
    assert code == 1 and "no task is left after --tags" in program.text("stderr")


def test_classes_share_the_users_by_weight_beside_a_fixed_count(programs, target, tmp_path):
    program = programs.start("cicada", "--headless", "-f", write(tmp_path, CLASSES), "-H",
                             target.url, "-u", "11", "-r", "100", "--threads", "2",
                             ready="All users spawned")
    wait_until(lambda: target.total >= 11, what="a request of every user")
    assert program.stop() == 0, program.text()
    assert target.counts == collections.Counter({"GET /fixed": 2, "GET /heavy": 6,
                                                 "GET /light": 3})


SENT = """#include <cicada.h>
#include <signal.h>
static void send(struct cic_user *u) { (void)u; raise(SIGFPE); }
static void ask(struct cic_user *u) { cic_get(u, "/"); }
CIC_USER(Sender, .wait = CIC_CONSTANT(0.1),
	 .tasks = CIC_TASKS(CIC_TASK(send, 1, .tags = "own"), CIC_TASK(ask, 1, .tags = "others")));
"""


@pytest.mark.parametrize("code, said", [
    ("*(volatile int *)0 = 1;", r"crash\.c: class Crasher, crash: crashed \(Segmentation fault\)"),
    # In the C library, which the scenario has called.
    ("cic_log(u, \"%zu\", strlen(cic_header(cic_get(u, \"/\"), \"X-None\")));",
     r"class Crasher, crash: crashed \(Segmentation fault\)"),
    ("volatile char large[1 << 20]; large[0] = large[1];",
     r"class Crasher, crash: more than the 128 kB of stack that a task has; .* cic_data\(\)"),
])
def test_a_crash_says_whose_task_and_where(programs, target, tmp_path, code, said):
    source = ("#include <cicada.h>\n#include <string.h>\nstatic void crash(struct cic_user *u)\n{\n\t(void)u;\n"
              f"\t{code}\n}}\nCIC_USER(Crasher, .tasks = CIC_TASKS(CIC_TASK(crash, 1)));\n")
    path = write(tmp_path, source, "crash.c")
    cicada = programs.start("cicada", "-f", path, "--headless", "-t", "20s", "-H", target.url)
    assert cicada.wait() == -signal.SIGSEGV
    line = re.search(said + r"; its line: addr2line -e (\S+) (\S+)", cicada.text())
    assert line, cicada.text()
    place = subprocess.run(["addr2line", "-e", *line.groups()], capture_output=True, text=True)
    # A frame that is too large is met where its function begins.
    assert re.search(r"crash\.c:[3-6]$", place.stdout.strip())


def test_a_signal_that_was_sent_ends_the_program(programs, target, tmp_path):
    path = write(tmp_path, SENT, "sent.c")
    cicada = programs.start("cicada", "-f", path, "--headless", "-t", "20s", "-H", target.url)
    assert cicada.wait() == -signal.SIGFPE
    assert "sent.c: class Sender, send: crashed (" in cicada.text()
    cicada = programs.start("cicada", "-f", path, "--headless", "-t", "20s", "-H", target.url, "--exclude-tags", "own")
    wait_until(lambda: target.total > 0, what="a load thread that runs")
    cicada.signal(signal.SIGSEGV)
    assert cicada.wait() == -signal.SIGSEGV
