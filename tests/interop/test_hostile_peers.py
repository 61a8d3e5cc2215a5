# SPDX-License-Identifier: MIT
"""Peers that send what no worker sends, to a master in the middle of a test, over real ZeroMQ.

Each of Locust's masters goes deaf on some of these (they are named as they were tried there). Ours
counts them, complains once per peer and minute, keeps to its rules for the peer, and the test of the
good workers goes on and is counted exactly."""

import contextlib
import re
import socket

import msgpack
import zmq

from programs import wait_until
from web_client import WEB_READY, get_json, live

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.05, 0.1), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

NOBODY = "nobody_1"


def packed(*message):
    return msgpack.packb(message)


def deep(depth):
    """Arrays within arrays."""
    return b"\x93\xa5stats" + b"\x91" * depth + b"\xc0" + b"\xa1x"


def entry(**changed):
    whole = {"name": "/", "method": "GET", "last_request_timestamp": 1.0, "start_time": 1.0,
             "num_requests": 1, "num_none_requests": 0, "num_failures": 0,
             "total_response_time": 1.0, "max_response_time": 1.0, "min_response_time": 1.0,
             "total_content_length": 1, "response_times": {1: 1}, "num_reqs_per_sec": {1: 1},
             "num_fail_per_sec": {}}
    return {**whole, **changed}


def stats(me, rows=None, **changed):
    whole = {"stats": [] if rows is None else rows, "stats_total": entry(), "errors": {},
             "user_classes_count": {"Visitor": 0}, "user_count": 0}
    return packed("stats", {**whole, **changed}, me)


# Frames that are no messages: dropped, counted, complained of. {me}: the sender's name.
BAD = {
    "not msgpack": lambda me: b"\xc1",
    "nothing": lambda me: b"",
    "trailing bytes": lambda me: packed("client_ready", "2.46.6", me) + b"\x00",
    "two elements": lambda me: msgpack.packb(["client_ready", "2.46.6"]),
    "four elements": lambda me: msgpack.packb(["client_ready", "2.46.6", me, 1]),
    "truncated": lambda me: packed("client_ready", "2.46.6", me)[:-5],
    "a text that is no UTF-8": lambda me: b"\x93\xa4\xff\xfe\xfd\xfc\xc0\xa1x",
    "client_ready nil": lambda me: packed("client_ready", None, me),
    "client_ready 7": lambda me: packed("client_ready", 7, me),
    "client_ready map": lambda me: packed("client_ready", {"version": "2.46.6"}, me),
    "type is a number": lambda me: packed(1, None, me),
    "node_id is a map": lambda me: packed("heartbeat", {}, {"a": 1}),
    "a message that is a map": lambda me: msgpack.packb({"type": "quit"}),
    "heartbeat with text for a number":
        lambda me: packed("heartbeat", {"state": "running", "current_cpu_usage": "much"}, me),
    "heartbeat with a map for a state":
        lambda me: packed("heartbeat", {"state": {}, "current_cpu_usage": 1.0}, me),
    "stats lacking keys": lambda me: packed("stats", {"stats": []}, me),
    "stats that are text": lambda me: packed("stats", "all", me),
    "stats nil": lambda me: packed("stats", None, me),
    "a row without a name": lambda me: stats(me, [{"method": "GET"}]),
    "a row that is a number": lambda me: stats(me, [1]),
    "negative requests": lambda me: stats(me, [entry(num_requests=-1)]),
    "half a request": lambda me: stats(me, [entry(num_requests=0.5)]),
    "a time that is no number": lambda me: stats(me, [entry(total_response_time=float("nan"))]),
    "more times than requests": lambda me: stats(me, [entry(response_times={1: 2})]),
    "buckets that are text": lambda me: stats(me, [entry(response_times={"1": "one"})]),
    "more requests than there can be": lambda me: stats(me, [entry(num_requests=2 ** 63)]),
    "counts that are text": lambda me: stats(me, user_classes_count={"Visitor": "many"}),
    "errors in an array": lambda me: stats(me, errors=[]),
    "too deep": lambda me: deep(5000),
    "a length that is not there": lambda me: b"\x93\xa5stats\xdf\xff\xff\xff\xff",
    "a text of 4 GB": lambda me: b"\x93\xdb\xff\xff\xff\xffabc",
    "an extension type": lambda me: b"\x93\xa4quit\xd4\x01\x00\xa1x",
}

# Well formed, but nothing that may harm: not complained of.
ODD = {
    "an unknown type": lambda me: packed("what_is_this", {"a": [1, 2]}, me),
    "a custom message": lambda me: packed("my_custom", {"__datetime__": True, "as_str": "x"}, me),
    "logs": lambda me: packed("logs", {"worker_id": me, "logs": ["a"] * 500}, me),
    "logs without a map": lambda me: packed("logs", 3, me),
    "spawning of nobody": lambda me: packed("spawning", None, me),
    "spawning_complete of nobody":
        lambda me: packed("spawning_complete", {"user_classes_count": {"Visitor": 1000000},
                                                "user_count": 1000000}, me),
    "a heartbeat of nobody": lambda me: packed("heartbeat", {"state": "running",
                                                             "current_cpu_usage": 5.0}, me),
    "a heartbeat in bytes": lambda me: msgpack.packb(
        ["heartbeat", {"state": b"ready", "current_cpu_usage": 1.0}, me], use_bin_type=True),
    "a heartbeat without its CPU": lambda me: packed("heartbeat", {"state": "ready"}, me),
    "stats of nobody": lambda me: stats(me, [entry(num_requests=1000, response_times={1: 1000})]),
    "quit of nobody": lambda me: packed("quit", None, me),
    "client_stopped of nobody": lambda me: packed("client_stopped", None, me),
    "an exception without a traceback": lambda me: packed("exception", {"msg": "m"}, me),
    "in another's name": lambda me: packed("quit", None, "somebody_else"),
}


class Peer:
    """A DEALER with a name, as a worker is."""

    def __init__(self, context, port, name):
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IDENTITY, name)
        self.socket.setsockopt(zmq.LINGER, 5000)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def send(self, *frames):
        self.socket.send_multipart(list(frames))

    def hear(self, timeout_s=60):
        assert self.socket.poll(timeout_s * 1000), "no answer"
        return msgpack.unpackb(self.socket.recv(), strict_map_key=False)

    def close(self):
        self.socket.close()


def workers(url):
    return {w["id"]: w for w in live(url)["workers"]}


@contextlib.contextmanager
def running_test(programs, target, tmp_path):
    """(master, URL, port): two good workers with three users each; in the end all is counted."""
    scenario = tmp_path / "s.c"
    scenario.write_text(SCENARIO)
    master = programs.start("cicada", "--master", "-f", scenario, "--web-host", "127.0.0.1",
                            "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "-s", "20",
                            ready=WEB_READY)
    port = int(master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1))
    url = master.ready.group(1)
    for _ in range(2):
        programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                       "--master-port", port, "--threads", "1")
    wait_until(lambda: len(live(url)["workers"]) == 2, 60, "two workers")
    assert get_json(url + "/swarm", {"user_count": 6, "spawn_rate": 50,
                                     "host": target.url})["success"]
    wait_until(lambda: live(url)["state"] == "running", 60, "the test")
    yield master, url, port
    wait_until(lambda: live(url)["state"] == "running" and live(url)["user_count"] == 6, 60,
               "the test goes on")
    before = target.total
    wait_until(lambda: target.total > before + 20, 60, "requests are made")
    assert get_json(url + "/stop")["success"]
    row = live(url)["stats"][-1]
    assert (row["num_requests"], row["num_failures"]) == (target.total, 0)
    assert master.stop() == 0


def complaints(master, name):
    return len(re.findall(rf"A frame of worker {name} is dropped", master.text()))


def settled(peer, me):
    """All that was sent before has been read: this is answered."""
    peer.send(packed("client_ready", "2.46.6", me))
    while peer.hear()[0] != "ack":
        pass


def test_frames_that_are_no_messages(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (master, url, port), zmq.Context() as context:
        peer = Peer(context, port, NOBODY.encode())
        for make in BAD.values():
            for _ in range(3):
                peer.send(make(NOBODY))
        settled(peer, NOBODY)
        # Once for the first of them; it has joined now all the same, and none of it was taken.
        assert complaints(master, NOBODY) == 1
        assert workers(url)[NOBODY]["state"] in ("ready", "spawning", "running")
        for make in BAD.values():
            peer.send(make(NOBODY))
        settled(peer, NOBODY)
        assert complaints(master, NOBODY) == 1
        peer.send(packed("quit", None, NOBODY))
        wait_until(lambda: NOBODY not in workers(url), 60, "it is gone")
        peer.close()


def test_each_bad_frame_alone_is_complained_of(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (master, url, port), zmq.Context() as context:
        for number, (what, make) in enumerate(BAD.items()):
            name = f"bad_{number}"
            peer = Peer(context, port, name.encode())
            peer.send(make(name))
            wait_until(lambda n=name: complaints(master, n) == 1, 60, what)
            peer.close()
        assert len(live(url)["workers"]) == 2


def test_messages_that_nobody_should_send(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (master, url, port), zmq.Context() as context:
        peer = Peer(context, port, NOBODY.encode())
        for make in ODD.values():
            for _ in range(3):
                peer.send(make(NOBODY))
        # Whoever it is, it is told once what to do to be of use.
        assert peer.hear() == ["stop", None, NOBODY]
        settled(peer, NOBODY)
        assert complaints(master, NOBODY) == 0
        assert live(url)["stats"][-1]["num_requests"] <= target.total
        assert live(url)["user_count"] <= 6
        peer.send(packed("quit", None, NOBODY))
        wait_until(lambda: NOBODY not in workers(url), 60, "it is gone")
        peer.close()


def test_impossible_names_and_frames_of_several_parts(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (master, url, port), zmq.Context() as context:
        hello = packed("client_ready", "2.46.6", "x")
        for name in (b"\xff\xfe_not_text", b"line\nbreak", b"x" * 255):
            peer = Peer(context, port, name)
            peer.send(hello)
            peer.send(b"", hello)  # as a REQ socket does
            peer.send(hello, hello, hello)
            peer.close()
        wait_until(lambda: complaints(master, "without a name") == 1, 60, "the complaint")
        wait_until(lambda: "x" * 255 in workers(url), 60, "the one with a possible name")
        assert len(live(url)["workers"]) == 3


def test_no_zeromq_at_all_and_too_much_of_it(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (_, url, port), zmq.Context() as context:
        for greeting in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, b"\x00" * 64, b""):
            with socket.create_connection(("127.0.0.1", port), 10) as s:
                with contextlib.suppress(OSError):  # cut off already
                    s.sendall(greeting)
                    s.shutdown(socket.SHUT_WR)
        peer = Peer(context, port, b"large_1")
        peer.send(b"\x93\xa4quit\xc0" + b"\xc0" * (17 * 1024 * 1024))

        def is_heard_again():
            # It was cut off for its size; what it sends when its socket is back is heard.
            peer.send(packed("client_ready", "2.46.6", "large_1"))
            return peer.socket.poll(500)

        wait_until(is_heard_again, 60, "an ack")
        peer.send(packed("quit", None, "large_1"))
        wait_until(lambda: "large_1" not in workers(url), 60, "it is gone")
        peer.close()


def test_the_second_port_takes_nothing_else(programs, target, tmp_path):
    with running_test(programs, target, tmp_path) as (master, url, _), zmq.Context() as context:
        bulk = master.wait_line(r"Their statistics come by port (\d+)").group(1)
        good = next(iter(workers(url)))
        # In the name of a good worker, whose connection this takes over: its reports go on.
        for name in (NOBODY, good):
            peer = Peer(context, bulk, name.encode())
            for make in (*BAD.values(), *ODD.values()):
                peer.send(make(name))
            wait_until(lambda n=name: complaints(master, re.escape(n)) == 1, 60, "the complaint")
            peer.close()
        assert len(live(url)["workers"]) == 2
