#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""One worker with ten thousand users of a locustfile that wait a second: are its heartbeats on time,
does every request succeed, and what does a waiting user take?

The master is played here over a real ZeroMQ socket, so that the arrival of each heartbeat is noted by
somebody else: against the second in which it is due, from the first one on. The target is
bench/target.c. Programs are pinned: the worker to CPU 0, master and target to CPU 1.

    bench/heartbeats.py --users 10000 --seconds 30
    bench/heartbeats.py --program /usr/bin/locust --users 2000     # the real one, for comparison"""

import argparse
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import msgpack
import zmq

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "release"
PERIOD_S = 1
RAMP_PER_S = 500
START_S = 60

LOCUSTFILE = """
from locust import FastHttpUser, HttpUser, constant, task

class {name}({base}):
    wait_time = constant(1)

    @task
    def index_page(self):
        self.client.get("/")
"""


class Master:
    """What a worker needs of a master, and the time of each heartbeat."""

    def __init__(self, host):
        self.host = host
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.worker = None
        self.beats = []
        self.requests = self.failures = self.users = 0

    def say(self, kind, data=None):
        self.socket.send_multipart([self.worker, msgpack.packb([kind, data,
                                                                self.worker.decode()])])

    def hear_until(self, moment):
        while (left := moment - time.monotonic()) > 0:
            if not self.socket.poll(1000 * left):
                return
            self.worker, frame = self.socket.recv_multipart()[:2]
            self.take(*msgpack.unpackb(frame, strict_map_key=False)[:2])

    def take(self, kind, data):
        if kind == "client_ready":
            self.say("ack", {"index": 0})
        elif kind == "heartbeat":
            self.beats.append(time.monotonic())
            self.say("heartbeat")
        elif kind == "stats":
            self.requests += data["stats_total"]["num_requests"]
            self.failures += data["stats_total"]["num_failures"]
            self.users = data["user_count"]

    def want(self, name, users):
        self.say("spawn", {"timestamp": time.time(), "user_classes_count": {name: users},
                           "host": self.host, "stop_timeout": 0.0, "parsed_options": {}})


def rss_kb(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def lateness_ms(beats):
    """Of each heartbeat against its second. The schedule is that of the earliest, so that it is
    nobody's choice."""
    began = min(beat - i * PERIOD_S for i, beat in enumerate(beats))
    return sorted(1000 * (beat - began - i * PERIOD_S) for i, beat in enumerate(beats))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pinned(cpu, *args):
    return subprocess.Popen(["taskset", "-c", str(cpu), *map(str, args)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ramp(master, name, users):
    """As a master does: in steps of a second."""
    for step in range(1, -(-users // RAMP_PER_S) + 1):
        master.want(name, min(users, step * RAMP_PER_S))
        master.hear_until(time.monotonic() + 1)
    deadline = time.monotonic() + START_S
    while master.users < users:
        if time.monotonic() > deadline:
            sys.exit(f"only {master.users} of {users} users run")
        master.hear_until(time.monotonic() + 0.5)


def measure(options, master, worker):
    deadline = time.monotonic() + START_S
    while not master.beats:
        if time.monotonic() > deadline or worker.poll() is not None:
            sys.exit("the worker has not come")
        master.hear_until(time.monotonic() + 0.1)
    empty_kb = rss_kb(worker.pid)
    ramp(master, options.name, options.users)
    master.beats.clear()
    master.requests = master.failures = 0
    began = time.monotonic()
    master.hear_until(began + options.seconds)
    late = lateness_ms(master.beats)
    return {"users": options.users, "seconds": options.seconds,
            "requests_per_s": round(master.requests / (time.monotonic() - began)),
            "failures": master.failures, "heartbeats": len(late),
            "late_ms_median": round(statistics.median(late), 2),
            "late_ms_p99": round(late[min(len(late) - 1, int(len(late) * 0.99))], 2),
            "late_ms_max": round(late[-1], 2),
            "kb_per_user": round((rss_kb(worker.pid) - empty_kb) / options.users, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=BUILD / "cicada")
    parser.add_argument("--users", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--base", default="HttpUser", choices=("HttpUser", "FastHttpUser"))
    options = parser.parse_args()
    options.name = f"Waiting{options.base}"
    port = free_port()
    master = Master(f"http://127.0.0.1:{port}")
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "locustfile.py"
        path.write_text(LOCUSTFILE.format(name=options.name, base=options.base))
        target = pinned(1, BUILD / "bench" / "target", port)
        worker = pinned(0, options.program, "-f", path, "--worker", "--master-port", master.port)
        try:
            print(json.dumps({"program": str(options.program), "base": options.base,
                              **measure(options, master, worker)}))
        finally:
            end(worker)
            end(target)


if __name__ == "__main__":
    main()
