# SPDX-License-Identifier: MIT
"""Names of targets: cicada against a name server and targets of ours on 127.0.0.1 to .3."""

import re

import pytest

from name_server import NameServer
from programs import wait_until
from target import Target

# Each request has a connection of its own, so that each could go elsewhere.
SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/", .headers = "Connection: close"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

NEIGHBOURS = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void elsewhere(struct cic_user *u) { cic_get(u, "http://%s/", .timeout_s = 1); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.02), .fixed_count = 1,
	.tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
CIC_USER(Waiter, .wait = CIC_CONSTANT(0.02), .fixed_count = 1,
	.tasks = CIC_TASKS(CIC_TASK(elsewhere, 1)));
"""


@pytest.fixture
def targets():
    """Three with one port."""
    first = Target()
    port = int(first.url.rsplit(":", 1)[1])
    all_three = [first] + [Target(address=(f"127.0.0.{i}", port)) for i in (2, 3)]
    yield all_three, port
    for target in all_three:
        target.close()


@pytest.fixture
def names():
    server = NameServer({})
    yield server
    server.close()


def start(programs, tmp_path, names, host, *args, text=SCENARIO):
    path = tmp_path / "scenario.c"
    path.write_text(text)
    return programs.start("cicada", "--headless", "-f", path, "-H", host, "--stop-timeout", "10",
                          "--dns-servers", names.address, *args)


def last_row(text, name="Aggregated"):
    """(requests, failures)"""
    rows = re.findall(rf"{re.escape(name)}\s+(\d+)\s+(\d+)\([\d.]+%\)", text)
    assert rows, text
    return int(rows[-1][0]), int(rows[-1][1])


def test_addresses_share_the_load(programs, tmp_path, names, targets):
    servers, port = targets
    names.zone["shop.test"] = (60, ["127.0.0.1", "127.0.0.2", "127.0.0.3"])
    program = start(programs, tmp_path, names, f"http://shop.test:{port}", "-u", "3", "-r", "100",
                    "-t", "2s", "--threads", "1")
    assert program.wait() == 0, program.text()
    counts = [server.total for server in servers]
    requests, failures = last_row(program.text())
    assert failures == 0 and requests == sum(counts) > 10
    assert max(counts) - min(counts) <= 1, counts
    assert names.asked["shop.test"] == 1


def test_a_dead_address_is_passed_over(programs, tmp_path, names, targets):
    servers, port = targets
    names.zone["shop.test"] = (60, ["127.0.0.1", "127.0.0.4"])
    program = start(programs, tmp_path, names, f"http://shop.test:{port}", "-u", "2", "-r", "100",
                    "-t", "2s")
    assert program.wait() == 0, program.text()
    assert last_row(program.text())[1] == 0
    assert servers[0].total > 10


def test_a_new_address_is_followed(programs, tmp_path, names, targets):
    servers, port = targets
    names.zone["shop.test"] = (1, ["127.0.0.1"])
    program = start(programs, tmp_path, names, f"http://shop.test:{port}", "-u", "2", "-r", "100",
                    "--threads", "1")
    wait_until(lambda: servers[0].total > 5, what="traffic to the first address")
    assert servers[1].total == 0
    names.zone["shop.test"] = (1, ["127.0.0.2"])
    wait_until(lambda: servers[1].total > 5, what="traffic to the second address")
    # A name server that knows it no more does not end the traffic.
    del names.zone["shop.test"]
    asked = names.asked["shop.test"]
    wait_until(lambda: names.asked["shop.test"] > asked + 1, what="two more look-ups")
    before = servers[1].total
    wait_until(lambda: servers[1].total > before + 5, what="traffic after the name is gone")
    program.stop()
    assert last_row(program.text())[1] == 0, program.text()


def test_unknown_names(programs, tmp_path, names):
    program = start(programs, tmp_path, names, "http://nowhere.test", "-u", "2", "-r", "100",
                    "-t", "1s")
    assert program.wait() == 1
    requests, failures = last_row(program.text())
    assert requests == failures > 0
    assert "gaierror(-2, 'Name or service not known')" in program.text()


def test_a_slow_name_server_delays_nobody_else(programs, tmp_path, names, targets):
    servers, port = targets
    names.zone["slow.test"] = (60, ["127.0.0.2"])
    names.delay_s["slow.test"] = 3600
    program = start(programs, tmp_path, names, f"http://127.0.0.1:{port}", "-u", "2", "-r", "100",
                    "-t", "4s", "--threads", "1", text=NEIGHBOURS % f"slow.test:{port}")
    program.wait()
    text = program.text()
    assert "ConnectTimeout('no answer of a name server within 1 s')" in text
    # Were it to wait with them, the other user had no more than one request per second.
    assert servers[0].total > 20, text
    assert servers[1].total == 0


def test_a_late_answer_is_waited_for(programs, tmp_path, names, targets):
    servers, port = targets
    names.zone["late.test"] = (60, ["127.0.0.2"])
    names.delay_s["late.test"] = 0.5
    program = start(programs, tmp_path, names, f"http://late.test:{port}", "-u", "5", "-r", "100",
                    "-t", "2s", "--threads", "1")
    assert program.wait() == 0, program.text()
    assert last_row(program.text())[1] == 0 and servers[1].total > 5
    assert names.asked["late.test"] == 1


def test_wrong_servers(programs, tmp_path):
    program, code = programs.run("cicada", "--headless", "--dns-servers", "nonsense")
    assert code == 2
    assert "--dns-servers: 'nonsense' is no list of addresses" in program.text()
