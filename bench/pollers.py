#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many readers of one master: does GET /stats/requests stay quick, and does the load notice?

A master and a worker make load that does not depend on how quick anything is (users with a pace of
their own) against cicada-inference. The same test runs twice: alone, and while many clients, each
with a connection of its own, ask for the statistics every 2 s as the page does.

    bench/pollers.py --pollers 200 --seconds 60"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time
import urllib.parse

from many_workers import get_json, wait_for, wait_until
from readers import read_all

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/healthz"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT_PACING(0.1), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""


def run_test(url, users, seconds, pollers):
    """What the measured window says, the times of the pollers and what went wrong."""
    get_json(url + "/swarm", {"user_count": users, "spawn_rate": users})
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", "running")
    port = urllib.parse.urlsplit(url).port
    if pollers:
        times_ms, errors = read_all(port, pollers, seconds)
    else:
        time.sleep(seconds)
        times_ms, errors = [], []
    get_json(url + "/stop")
    said = get_json(url + "/stats/window")
    total = said["stats"][-1]
    return {"requests_per_s": round(total["requests_per_s"], 1),
            "p99_ms": total["response_time_percentile_0.99"],
            "failures": total["num_failures"],
            "lag_p99_ms": said["generator"]["lag_p99_ms"]}, times_ms, errors


def measure(options, folder):
    scenario = folder / "s.c"
    scenario.write_text(SCENARIO)
    started = []

    def start(name, *args):
        log = folder / f"log{len(started)}"
        with log.open("w") as out:
            started.append(subprocess.Popen([str(BUILD / name), *args], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out))
        return log

    try:
        target = wait_for(r"ready on \S+:(\d+)", start("cicada-inference", "--host", "127.0.0.1",
                                                      "--port", "0", "--threads", "1"))
        log = start("cicada", "--master", "-f", str(scenario), "--web-host", "127.0.0.1",
                    "--web-port", "0", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                    "-H", f"http://127.0.0.1:{target}")
        port = wait_for(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)", log)
        url = wait_for(r"Starting web interface at (http://[\w.:]+)", log)
        start("cicada", "--worker", "-f", str(scenario), "--master-host", "127.0.0.1",
              "--master-port", port, "--threads", "1")
        wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, "the worker")
        alone, _, _ = run_test(url, options.users, options.seconds, 0)
        watched, times_ms, errors = run_test(url, options.users, options.seconds, options.pollers)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(20)
    return {"pollers": options.pollers, "asked": len(times_ms), "errors": len(errors),
            "first_error": errors[0] if errors else None,
            "median_ms": round(times_ms[len(times_ms) // 2], 2),
            "p99_ms": round(times_ms[int(len(times_ms) * 0.99)], 2),
            "alone": alone, "watched": watched,
            "load_average": round(os.getloadavg()[0], 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pollers", type=int, default=200)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(parser.parse_args(), pathlib.Path(folder))))


if __name__ == "__main__":
    main()
