#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Is what cicada says true? Its percentiles beside the record of a server whose delays are known.

tests/delay answers on CPU 1, cicada's load thread asks from CPU 0: a closed loop of a few users who wait 0 to 10 ms
between their requests, far from what either can do. Nobody asks for statistics meanwhile. Of every
answer the server has the time from the packet of its request to the packet of the answer, as the
kernel saw them come and go (tests/delay/stamp.h); cicada's time begins before its own send and ends
when the answer is read and parsed. What the two differ by is cicada's two system calls, the time until
it is woken, and what it gets wrong. The record holds every request, cicada's window all but those of
the ramp's and the drain's instants.

    bench/accuracy.py --seconds 20 --write docs/benchmarks.md"""

import argparse
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

import peers
from peers import BUILD, CICADA

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0, 0.01), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

# What the delay server is told, and how many users ask it. With 1 % of long delays p99 would stand
# on the edge between short and long, where a single request decides.
KINDS = {
    "fixed, 2 ms": ("fixed 2000 0 0", 8),
    "uniform, 0 to 5 ms": ("uniform 0 5000 0", 8),
    "exponential, mean 2 ms": ("exponential 2000 0 0", 8),
    "1 ms, and 200 ms for 1.5 %": ("bimodal 1000 200000 0.015", 16),
}
SHARES = (0.5, 0.9, 0.99, 0.999)
# A difference is within what is wanted when it is within one of these.
WITHIN_SHARE, WITHIN_US = 0.002, 100


def start(cpus, is_realtime, command, pattern):
    """The process, and what the pattern found in its output."""
    def place():
        os.sched_setaffinity(0, cpus)
        if is_realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=place)
    for line in process.stdout:
        if found := re.search(pattern, line):
            return process, found.group(1)
    sys.exit(f"{command[0]} ended with {process.wait()}")


def part_threads(pid):
    """The load thread has CPU 0; the control thread, which adds up once a second, that of the server."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), {1} if int(thread) == pid else {0})


def await_end(url, seconds):
    """/stats/window once the test is over."""
    time.sleep(seconds)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with urllib.request.urlopen(url + "/stats/window", timeout=30) as reply:
            said = json.load(reply)
        if said["state"] == "stopped":
            return said
        time.sleep(0.5)
    sys.exit(f"the test had not ended 60 s after its time")


def end(process):
    """What it still had to say."""
    process.terminate()
    return process.communicate(timeout=60)[0]


def measure(kind, users, scenario, options):
    """The window's row of all requests, and the server's times in us, sorted."""
    server, port = start({1}, options.realtime,
                         [BUILD / "tests" / "delay" / "delay-server", *kind.split()],
                         r"ready on (\d+)")
    cicada, url = start(os.sched_getaffinity(0), options.realtime,
                        [CICADA, "-f", scenario, "-H", f"http://127.0.0.1:{port}", "-u", users, "-r",
                         "100", "-t", f"{options.seconds}s", "--autostart", "--threads", "1",
                         "--web-host", "127.0.0.1", "--web-port", "0", "--stop-timeout", "20"],
                        r"Starting web interface at (http://[\w.:]+)")
    part_threads(cicada.pid)
    window = await_end(url, options.seconds)
    end(cicada)
    record = json.loads(end(server))
    row = next(r for r in window["stats"] if r["name"] == "Aggregated")
    if row["num_failures"]:
        print(f"note: {row['num_failures']} requests failed", file=sys.stderr)
    return row, sorted(record["times_us"])


def compare(name, row, times_us):
    """Lines of the table, and how many of them are within what is wanted."""
    lines, good = [], 0
    for share in SHARES:
        true_us = times_us[math.ceil(share * len(times_us)) - 1]
        own_us = row[f"response_time_percentile_{share}"] * 1000
        off_us = own_us - true_us
        is_within = abs(off_us) <= max(WITHIN_US, WITHIN_SHARE * true_us)
        good += is_within
        lines.append(f"| {name} | {row['num_requests']} of {len(times_us)} | p{share * 100:g} | "
                     f"{true_us} | {own_us:.0f} | {off_us:+.0f} | {off_us / true_us * 100:+.2f} | "
                     f"{'within' if is_within else 'beyond'} |")
    return lines, good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20, help="of each kind of delay, at most 240")
    parser.add_argument("--realtime", action="store_true",
                        help="both ahead of all else that runs (SCHED_FIFO, as root)")
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE",
                        help="put the table between the markers of this document")
    options = parser.parse_args()
    table = ["| delay | requests | | server, us | cicada, us | difference, us | % | wanted |",
             "|---|---|---|---|---|---|---|---|"]
    good, load = 0, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder) / "visitor.c"
        scenario.write_text(SCENARIO)
        for name, (kind, users) in KINDS.items():
            lines, within = compare(name, *measure(kind, users, scenario, options))
            table += lines
            good += within
    head = (f"{peers.machine()}, load average {load:.1f} at the start"
            f"{', both under SCHED_FIFO' if options.realtime else ''}; {options.seconds} s of each "
            f"delay. {good} of {len(KINDS) * len(SHARES)} are within 0.2 % or 100 us.")
    print(head, *table, sep="\n")
    if options.write:
        peers.write(options.write, {"accuracy": head + "\n\n" + "\n".join(table)})


if __name__ == "__main__":
    main()
