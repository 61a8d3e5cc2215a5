#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One master under thousands of workers: its CPU, whether it loses any, how soon its web API answers.

The workers are played over real ZeroMQ connections, many in each process, as Locust 2.46's speak:
a heartbeat each second, statistics of ten names each 3 s, an answer to each `spawn`. The test is
started, and then watched for a while by readers that ask for its statistics every 2 s.

    bench/many_workers.py --workers 5000 --readers 200 --seconds 30"""

import argparse
import json
import multiprocessing
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import msgpack
import zmq

from readers import read_all

HERE = pathlib.Path(__file__).resolve().parent
CICADA = HERE.parent / "build" / "release" / "cicada"
NAMES = 10
REPORT_S = 3

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(1, 2), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""


def entry(name, second, requests):
    """As a worker's that makes some hundred requests a second."""
    return {"name": name, "method": "GET", "last_request_timestamp": second + 0.5,
            "start_time": second - 3.0, "num_requests": requests, "num_none_requests": 0,
            "num_failures": 0, "total_response_time": 12.5 * requests, "max_response_time": 140.0,
            "min_response_time": 3.25, "total_content_length": 1000 * requests,
            "response_times": {3 + i: requests // 20 for i in range(20)},
            "num_reqs_per_sec": {second - i: requests // 3 for i in range(3)},
            "num_fail_per_sec": {}}


def report(second, users):
    rows = [entry(f"/page/{i}", second, 60) for i in range(NAMES)]
    return {"stats": rows, "stats_total": entry("Aggregated", second, 60 * NAMES), "errors": {},
            "user_classes_count": {"Visitor": users}, "user_count": users}


class Worker:
    def __init__(self, context, port, number):
        self.id = f"host{number % 100}_{number:032x}"
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IDENTITY, self.id.encode())
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"tcp://127.0.0.1:{port}")
        self.users, self.state = 0, "ready"
        self.beats = 0

    def say(self, kind, data=None):
        self.socket.send(msgpack.packb([kind, data, self.id]))

    def hear(self):
        while True:
            try:
                kind, data, _ = msgpack.unpackb(self.socket.recv(zmq.NOBLOCK), strict_map_key=False)
            except zmq.Again:
                return
            if kind == "heartbeat":
                self.beats += 1
            elif kind == "spawn":
                self.users = data["user_classes_count"]["Visitor"]
                self.state = "running"
                self.say("spawning")
                self.say("spawning_complete", {"user_classes_count": {"Visitor": self.users},
                                               "user_count": self.users})
            elif kind == "stop":
                self.users, self.state = 0, "ready"
                self.say("client_stopped")
                self.say("client_ready", "2.46.6")


def play(port, first, count, ready, over):
    """`count` workers in this process, each second each once, evenly over the second."""
    context = zmq.Context(io_threads=1)
    context.set(zmq.MAX_SOCKETS, count + 100)
    workers = [Worker(context, port, first + i) for i in range(count)]
    for i, worker in enumerate(workers):
        worker.say("client_ready", "2.46.6")
        if i % 100 == 99:
            time.sleep(0.02)
    ready.wait()
    turn = 0
    while not over.is_set():
        started = time.monotonic()
        second = int(time.time())
        packed = {}
        for i, worker in enumerate(workers):
            worker.hear()
            worker.say("heartbeat", {"state": worker.state, "current_cpu_usage": 50.0,
                                     "current_memory_usage": 50000000})
            if worker.users and (i + turn) % REPORT_S == 0:
                if worker.users not in packed:
                    packed[worker.users] = report(second, worker.users)
                worker.say("stats", packed[worker.users])
            if i % 50 == 49:
                due = started + (i + 1) / count
                time.sleep(max(0, due - time.monotonic()))
        turn += 1
    context.destroy(0)


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def get_json(url, form=None):
    body = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as reply:
        return json.loads(reply.read())


def wait_for(pattern, path, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = re.search(pattern, path.read_text())
        if found:
            return found.group(1)
        time.sleep(0.05)
    sys.exit(f"never said: {pattern}\n{path.read_text()}")


def wait_until(condition, what, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not within {timeout_s} s")
        time.sleep(0.2)


def watch(url, pid, options):
    """(CPU share of the master, sorted milliseconds of each GET /stats/requests, what went wrong)."""
    cpu, started = cpu_s(pid), time.monotonic()
    times_ms, errors = read_all(urllib.parse.urlsplit(url).port, options.readers, options.seconds)
    return (cpu_s(pid) - cpu) / (time.monotonic() - started), times_ms, errors


def measure(options, folder):
    scenario, log = folder / "s.c", folder / "log"
    scenario.write_text(SCENARIO)
    with log.open("w") as out:
        master = subprocess.Popen(
            [str(CICADA), "--master", "-f", str(scenario), "--web-host", "127.0.0.1",
             "--web-port", "0", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
             "-H", "http://127.0.0.1:1"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    ready, over = multiprocessing.Event(), multiprocessing.Event()
    players = []
    try:
        port = wait_for(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)", log)
        url = wait_for(r"Starting web interface at (http://[\w.:]+)", log)
        share = options.workers // options.processes
        players = [multiprocessing.Process(target=play, args=(port, i * share, share, ready, over))
                   for i in range(options.processes)]
        for player in players:
            player.start()
        ready.set()
        count = share * options.processes
        wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == count, "workers")
        get_json(url + "/swarm", {"user_count": 2 * count, "spawn_rate": 2 * count})
        wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", "running")
        time.sleep(REPORT_S)
        cpu, times_ms, errors = watch(url, master.pid, options)
        said = get_json(url + "/stats/requests")
        rows = said["stats"][-1]
        missing = log.read_text().count("setting state to missing")
    finally:
        over.set()
        for player in players:
            player.join(20)
        master.terminate()
        master.wait(20)
    return {"workers": count, "cpu_percent": round(100 * cpu, 1),
            "missing": missing, "state": said["state"],
            "users": said["user_count"], "requests_counted": rows["num_requests"],
            "stats_ms_median": round(statistics.median(times_ms), 2),
            "stats_ms_p99": round(times_ms[int(len(times_ms) * 0.99)], 2),
            "readers": options.readers, "answers": len(times_ms), "errors": len(errors),
            "load_average": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=30)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * options.workers
    if hard < needed:
        sys.exit(f"{needed} open files are needed, the limit is {hard}; see ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, pathlib.Path(folder))))


if __name__ == "__main__":
    main()
