#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How soon a test goes on when a worker is killed, cut off or frozen, and when its master is killed
and started again: tests/integration/test_survival.py several times, with its clock.

    bench/survival.py --rounds 5

As root the worker that is cut off has a network of its own, and everything it sends and is sent is
dropped, also what goes to the target; else a relay between it and the master stops."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))

import test_survival as survival  # noqa: E402
from programs import Programs, find  # noqa: E402
from target import Target  # noqa: E402


class Namespace:
    """A network of its own, joined to this one by a pair of interfaces, until it is cut off."""
    near = address = "10.213.77.1"
    far = "10.213.77.2"

    def __init__(self, _port):
        self._name = f"cicada-{os.getpid()}"
        self._link = f"cic{os.getpid()}"
        self._ip("netns", "add", self._name)
        try:
            self._ip("link", "add", self._link, "type", "veth", "peer", "name", "far0", "netns",
                     self._name)
            self._ip("address", "add", f"{self.near}/30", "dev", self._link)
            self._ip("link", "set", self._link, "up")
            self._ip("-n", self._name, "address", "add", f"{self.far}/30", "dev", "far0")
            self._ip("-n", self._name, "link", "set", "far0", "up")
            self._ip("-n", self._name, "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _ip(*args):
        subprocess.run(["ip", *args], check=True, timeout=30)

    def start(self, programs, name, *args):
        return programs.start("/usr/sbin/ip", "netns", "exec", self._name, find(name), *args)

    def _let(self, policy):
        for chain in ("INPUT", "OUTPUT"):
            self._ip("netns", "exec", self._name, "iptables", "-P", chain, policy)

    def cut(self):
        self._let("DROP")

    def mend(self):
        self._let("ACCEPT")

    def close(self):
        # The network itself lasts as long as the worker, which is ended later.
        subprocess.run(["ip", "link", "delete", self._link], check=False, timeout=30)
        self._ip("netns", "delete", self._name)


def choose_wire():
    """(what makes the way to the far worker, where its target has to listen)."""
    if os.geteuid():
        print("Not root: a relay stands in for a network that can be cut.", file=sys.stderr)
        return survival.relayed, "127.0.0.1"
    return Namespace, ""


def run(course, address="127.0.0.1"):
    programs, target = Programs(), Target(address=(address, 0))
    if not address:
        target.url = target.url.replace("//:", f"//{Namespace.near}:")
    with tempfile.TemporaryDirectory() as folder:
        try:
            return course(programs, target, pathlib.Path(folder))
        finally:
            programs.close()
            target.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="what happens, a part of its name")
    args = parser.parse_args()
    make_wire, address = choose_wire()
    courses = (
        ("worker killed", survival.kill_a_worker, "127.0.0.1"),
        ("worker cut off",
         lambda *place: survival.cut_a_worker_off(*place, make_wire=make_wire), address),
        ("worker frozen", lambda *place: survival.cut_a_worker_off(*place, is_frozen=True),
         "127.0.0.1"),
        ("master killed", survival.kill_the_master, "127.0.0.1"),
    )
    print("| what happens | then | median s | most s |\n|---|---|---|---|", flush=True)
    for name, course, where in courses:
        if args.only and args.only not in name:
            continue
        rounds = [run(course, where) for _ in range(args.rounds)]
        for step in rounds[0]:
            times = sorted(seen[step] for seen in rounds)
            print(f"| {name} | {step} | {times[len(times) // 2]:.2f} | {times[-1]:.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
