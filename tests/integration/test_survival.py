# SPDX-License-Identifier: MIT
"""What a test survives, and how soon: a worker that is killed, one that is cut off, a master that is
killed and started again. Each course returns the seconds it saw, for bench/survival.py; that they are
few is asserted with room for a machine that is slow."""

import signal
import time

import pytest

from relay import Relay
from programs import wait_until
from test_cluster import (PATIENT, get_json, live, start_master, start_worker, swarm, total,
                          two_ports, wait_for_users, worker_count, write_scenario)

USERS = 9
WORKER_RPS = 3 * 20  # at most, by a third of the users
SLOW = 6             # times what is promised


def is_quiet(target):
    before = target.total
    time.sleep(0.5)
    return target.total == before


def next_test_is_exact(url, target):
    wait_until(lambda: is_quiet(target), 60, "that the users of before are gone")
    before = target.total
    swarm(url, target, USERS)
    wait_for_users(url, USERS)
    wait_until(lambda: target.total > before + 20, 60, "requests")
    assert get_json(url + "/stop")["success"]
    wait_until(lambda: total(url) == target.total - before, 60, "that all is counted once")


def states(url):
    return sorted(w["state"] for w in live(url)["workers"])


def counts(url):
    return sorted(w["user_count"] for w in live(url)["workers"])


def watch_a_loss(url, lose):
    """Seconds until it is noticed, and from then until all users run again."""
    begun = time.monotonic()
    lose()
    wait_until(lambda: "missing" in states(url), 60, "that it is missed")
    missed = time.monotonic()
    wait_for_users(url, USERS)
    assert counts(url) == [0, 4, 5]
    return {"noticed": missed - begun, "all users again": time.monotonic() - missed}


def kill_a_worker(programs, target, tmp_path):
    _, url, port = start_master(programs, tmp_path, *PATIENT)
    workers = [start_worker(programs, tmp_path, port) for _ in range(3)]
    wait_until(lambda: worker_count(url) == 3, 60, "three workers")
    swarm(url, target, USERS)
    wait_for_users(url, USERS)
    seen = watch_a_loss(url, workers[0].kill)
    assert get_json(url + "/stop")["success"]
    # The two that live have delivered all they counted: what is missing is of the dead one, which
    # reported each second.
    wait_until(lambda: target.total - 6 * WORKER_RPS <= total(url) <= target.total, 60,
               "that all of theirs is there")
    next_test_is_exact(url, target)
    return seen


def relayed(port):
    return Relay("127.0.0.2", (port, port + 1))


def cut_a_worker_off(programs, target, tmp_path, is_frozen=False, make_wire=relayed):
    """By a wire that carries nothing any more, or by stopping the process."""
    port = two_ports()
    wire = make_wire(port)
    try:
        _, url, _ = start_master(programs, tmp_path, *PATIENT, port=port, address=wire.near)
        for _ in range(2):
            start_worker(programs, tmp_path, port, "--master-host", wire.near)
        far = wire.start(programs, "cicada", "--worker", "-f", write_scenario(tmp_path),
                         "--master-host", wire.address, "--master-port", port, "--threads", "1")
        wait_until(lambda: worker_count(url) == 3, 60, "three workers")
        swarm(url, target, USERS)
        wait_for_users(url, USERS)
        seen = watch_a_loss(url, (lambda: far.signal(signal.SIGSTOP)) if is_frozen else wire.cut)
        begun = time.monotonic()
        if is_frozen:
            far.signal(signal.SIGCONT)
        else:
            wire.mend()
        wait_until(lambda: counts(url) == [3, 3, 3], 60, "that it takes part again")
        wait_for_users(url, USERS)
        seen["back"] = time.monotonic() - begun
        assert get_json(url + "/stop")["success"]
        # Also what its users did while nobody heard of it.
        wait_until(lambda: total(url) == target.total, 60, "that all is counted once")
    finally:
        wire.close()
    return seen


def kill_the_master(programs, target, tmp_path):
    port = two_ports()
    master, url, _ = start_master(programs, tmp_path, *PATIENT, port=port)
    workers = [start_worker(programs, tmp_path, port) for _ in range(3)]
    wait_until(lambda: worker_count(url) == 3, 60, "three workers")
    swarm(url, target, USERS)
    wait_for_users(url, USERS)
    master.kill()
    _, url, _ = start_master(programs, tmp_path, *PATIENT, port=port)
    begun = time.monotonic()
    wait_until(lambda: states(url) == ["ready"] * 3, 60, "all workers")
    seen = {"all workers ready": time.monotonic() - begun}
    next_test_is_exact(url, target)
    assert all(w.process.poll() is None for w in workers)
    assert [w.stop() for w in workers] == [0, 0, 0]
    return seen


def test_users_of_a_worker_that_is_killed_go_to_the_others(programs, target, tmp_path):
    seen = kill_a_worker(programs, target, tmp_path)
    print(seen)
    assert seen["all users again"] < 5 * SLOW


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_worker_that_is_cut_off_is_replaced_and_taken_back(programs, target, tmp_path, is_frozen):
    seen = cut_a_worker_off(programs, target, tmp_path, is_frozen)
    print(seen)
    assert seen["all users again"] < 5 * SLOW


def test_a_master_that_is_killed_finds_its_workers_again(programs, target, tmp_path):
    seen = kill_the_master(programs, target, tmp_path)
    print(seen)
    assert seen["all workers ready"] < 10 * SLOW
