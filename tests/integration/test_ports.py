# SPDX-License-Identifier: MIT
"""Where connections come from, and what is said when there cannot be enough of them."""

import pathlib
import re

import pytest

from name_server import NameServer
from programs import find, wait_until

# Each request has a connection of its own.
SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/", .headers = "Connection: close"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

WARNING = r"WARNING/locust\.runners: (\d+ users want a connection each.*)"


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.c"
    path.write_text(SCENARIO)
    return path


def arguments(scenario, host, *more):
    return ["--headless", "-f", scenario, "-H", host, "--stop-timeout", "10", *more]


def local_ports():
    first, last = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(last) - int(first) + 1


def test_every_source_address_is_used(programs, scenario, target):
    expected = {f"127.0.0.{i}" for i in (2, 3, 4, 9)} | {"127.0.1.1", "127.0.1.2"}
    program = programs.start("cicada", *arguments(
        scenario, target.url, "-u", "4", "-r", "100", "--threads", "2",
        "--source-addresses", "127.0.0.9,127.0.0.2-127.0.0.4,127.0.1.0/30"))
    wait_until(lambda: min(target.peers[peer] for peer in expected) >= 3, 60, "every address")
    assert program.stop() == 0, program.text()
    assert set(target.peers) == expected
    # In turn: of each of the two threads one may have had one connection more.
    assert max(target.peers.values()) - min(target.peers.values()) <= 2, target.peers


def test_the_variable_says_the_same(programs, scenario, target):
    program, code = programs.run("cicada", *arguments(
        scenario, target.url, "-t", "1s"), env={"CICADA_SOURCE_ADDRESSES": "127.0.0.7"})
    assert code == 0, program.text()
    assert set(target.peers) == {"127.0.0.7"}


def test_a_target_of_another_kind(programs, scenario):
    program, code = programs.run("cicada", *arguments(
        scenario, "http://[::1]:9", "-t", "1s", "--source-addresses", "127.0.0.2"))
    assert code == 1
    assert "--source-addresses, has none of the target's kind" in program.text()


def test_addresses_for_which_there_is_no_source_are_passed_over(programs, scenario, target):
    names = NameServer({"both.test": (60, ["::1", "127.0.0.1"])})
    try:
        port = target.url.rsplit(":", 1)[1]
        program, code = programs.run("cicada", *arguments(
            scenario, f"http://both.test:{port}", "-t", "1s", "--dns-servers", names.address,
            "--source-addresses", "127.0.0.2"))
    finally:
        names.close()
    assert code == 0, program.text()
    assert set(target.peers) == {"127.0.0.2"}


@pytest.mark.parametrize("value, words", [
    ("127.0.0.300", "'127.0.0.300' is no address"),
    # For documents (RFC 5737): no machine has it.
    ("127.0.0.2,198.51.100.7", "198.51.100.7 is no address of this machine; leave it out, or add "
                               "it: ip addr add 198.51.100.7/32"),
])
def test_a_wrong_address_is_told_at_the_start(programs, value, words):
    program, code = programs.run("cicada", "--headless", "--source-addresses", value)
    assert code == 2
    assert f"--source-addresses: {words}" in program.text()


def test_a_master_needs_no_address(programs, scenario):
    master = programs.start("cicada", "-f", scenario, "--master", "--master-bind-port", "0",
                            "--web-port", "0", "--source-addresses", "198.51.100.7",
                            ready="Starting web interface")
    assert master.stop() == 0


def test_more_users_than_ports(programs, scenario, target):
    ports = local_ports()
    program, _ = programs.run("cicada", *arguments(
        scenario, target.url, "-u", str(ports + 1), "-r", "1", "-t", "2s"))
    warnings = re.findall(WARNING, program.text())
    assert len(warnings) == 1, program.text()
    assert warnings[0].startswith(f"{ports + 1} users")
    assert f"{ports} to 127.0.0.1 can be had, {ports} local ports for each of 1 pair" in warnings[0]


def test_more_source_addresses_are_more_ports(programs, scenario, target):
    program, _ = programs.run("cicada", *arguments(
        scenario, target.url, "-u", str(local_ports() + 1), "-r", "1", "-t", "2s",
        "--source-addresses", "127.0.0.2,127.0.0.3"))
    assert "local ports" not in program.text()


def test_more_users_than_open_files(programs, scenario, target):
    program, _ = programs.run("/usr/bin/prlimit", "--nofile=200:200", find("cicada"), *arguments(
        scenario, target.url, "-u", "200", "-r", "1", "-t", "2s"))
    warnings = re.findall(WARNING, program.text())
    assert warnings == ["200 users want a connection each; this process may have 200 open files: "
                        "raise the hard limit (ulimit -Hn, LimitNOFILE=)"], program.text()


def test_a_worker_warns_of_its_own_share(programs, scenario, target):
    master = programs.start(
        "cicada", *arguments(scenario, target.url, "-u", "300", "-r", "300", "-t", "2s",
                             "--expect-workers", "2", "--master", "--master-bind-port", "0"),
        ready=r"Listening for workers on tcp://\S+:(\d+)")
    worker = ["-f", scenario, "--worker", "--master-port", master.ready.group(1)]
    small = programs.start("/usr/bin/prlimit", "--nofile=120:120", find("cicada"), *worker)
    large = programs.start("cicada", *worker)
    master.wait(60)
    small.wait()
    large.wait()
    assert re.findall(WARNING, small.text())[0].startswith("150 users"), small.text()
    assert not re.findall(WARNING, large.text()), large.text()
    assert not re.findall(WARNING, master.text()), master.text()
