# SPDX-License-Identifier: MIT
"""--processes: a master with workers as its children; and the keys of a terminal."""

import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import termios

import pytest

from programs import find, free_port, wait_until

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.05), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "s.c"
    path.write_text(SCENARIO)
    return path


def start(programs, scenario, *args, **kw):
    return programs.start("cicada", "-f", scenario, "--master-bind-host", "127.0.0.1",
                          "--master-bind-port", free_port(), *args, **kw)


def children_of(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def requests(text):
    rows = re.findall(r"^ +Aggregated +(\d+) +\d+\(", text, re.M)
    return int(rows[-1])


def test_a_master_and_its_workers_in_one_command(programs, target, scenario):
    program = start(programs, scenario, "--processes", "3", "--headless", "-u", "6", "-r", "6",
                    "-t", "3s", "-s", "10", "-H", target.url)
    code = program.wait(60)
    text = program.text()
    assert code == 0, text
    assert "to 3 ready workers" in text and 'All users spawned: {"Visitor": 6}' in text
    assert requests(text) == target.total > 0
    assert text.count("Got quit message from master") == 3


def test_a_locustfile_has_an_interpreter_in_each_process(programs, target, tmp_path):
    path = tmp_path / "locustfile.py"
    path.write_text("""
import os
from locust import HttpUser, constant, events, task

@events.init_command_line_parser.add_listener
def add(parser, **kwargs):
    parser.add_argument("--word", default="")

class Visitor(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        print("pid", os.getpid(), self.environment.parsed_options.word)

    @task
    def index_page(self):
        self.client.get("/")
""")
    program = start(programs, path, "--processes", "2", "--word", "hello", "--headless", "-u", "4",
                    "-r", "10", "-t", "3s", "-s", "10", "-H", target.url)
    code = program.wait(60)
    text = program.text()
    assert code == 0, text
    assert requests(text) == target.total > 0
    assert len(set(re.findall(r"^pid (\d+) hello$", text, re.M))) == 2, text


def test_one_worker_per_cpu(programs, scenario):
    program = start(programs, scenario, "--processes", "-1", "--headless", "-u", "1", "-t", "1s",
                    "-H", "http://127.0.0.1:1", "--exit-code-on-error", "0")
    assert program.wait(60) == 0, program.text()
    assert f"to {len(os.sched_getaffinity(0))} ready workers" in program.text()


def test_a_child_that_crashes_is_reported(programs, target, scenario):
    program = start(programs, scenario, "--processes", "2", "--headless", "-u", "4", "-r", "4",
                    "-s", "10", "-H", target.url, ready="All users spawned")
    victim = children_of(program.pid)[0]
    os.kill(victim, signal.SIGKILL)
    program.wait_line(rf"Worker process {victim} \([12] of 2\) was ended by signal 9 \(Killed\)")
    program.signal(signal.SIGINT)
    assert program.wait(60) == 128 + 9, program.text()
    assert requests(program.text()) > 0


def test_children_die_with_their_parent(programs, target, scenario):
    program = start(programs, scenario, "--processes", "2", "--headless", "-u", "4", "-r", "4",
                    "-H", target.url, ready="All users spawned")
    children = children_of(program.pid)
    assert len(children) == 2
    program.kill()
    wait_until(lambda: not any(map(is_alive, children)), what="the children's end")


def test_workers_alone_end_with_a_signal(programs, scenario):
    program = programs.start("cicada", "-f", scenario, "--worker", "--processes", "2",
                             "--master-host", "127.0.0.1", "--master-port", free_port())
    wait_until(lambda: program.text().count("Starting Cicada") == 2, what="two workers")
    assert len(children_of(program.pid)) == 2
    program.signal(signal.SIGTERM)
    assert program.wait(60) == 0, program.text()


def test_a_master_that_cannot_start_leaves_no_children(programs, scenario):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        program = programs.start("cicada", "-f", scenario, "--processes", "2", "--headless",
                                 "--master-bind-host", "127.0.0.1", "--master-bind-port",
                                 taken.getsockname()[1])
        assert program.wait(60) == 1, program.text()
    # The workers may not even have come as far as their first line.
    assert "ERROR/locust.main" in program.text(), program.text()


@pytest.mark.parametrize("args, said", [
    (["--processes", "0"], "--processes: '0' is not a number from 1 to 256, or -1"),
    (["--processes", "-2"], "--processes: '-2' is not"),
    (["--processes", "2", "--master"], "leave out --master"),
    (["--processes", "2", "--master-bind-port", "0"], "--master-bind-port: give --processes"),
])
def test_wrong_numbers_of_processes(programs, scenario, args, said):
    program, code = programs.run("cicada", "-f", scenario, *args)
    assert code == 2 and said in program.text(), program.text()


# --- keys ---


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_keys_change_the_number_of_users(programs, target, scenario, tmp_path, terminal):
    master, slave = terminal
    before = termios.tcgetattr(slave)
    log = tmp_path / "log"
    with open(log, "wb") as to:
        process = subprocess.Popen([find("cicada"), "-f", scenario, "--headless", "-u", "3", "-r",
                                    "10", "-s", "10", "-H", target.url, "--only-summary"],
                                   stdin=slave, stdout=to, stderr=to, start_new_session=True)
    try:
        def wait_for(text, count=1):
            wait_until(lambda: log.read_text().count(text) == count, what=f"{text} {count} times")

        wait_for("(3 total users)")
        assert not termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON)
        os.write(master, b"w")
        wait_for("(4 total users)")
        os.write(master, b"xW")
        wait_for("(14 total users)")
        os.write(master, b"s")
        wait_for("(13 total users)")
        os.write(master, b"S")
        wait_for("(3 total users)", 2)
        os.write(master, b"S")
        wait_for("(0 total users)")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text()
        assert termios.tcgetattr(slave) == before, "the terminal is given back"
    finally:
        process.kill()
        process.wait()
