# SPDX-License-Identifier: MIT
"""One locustfile on a master and its workers, ours and Locust's in every combination: messages of its
own both ways, options of its own, what listeners add to reports, and what a runner knows."""

import json
import re

import pytest

import recorder
from programs import LOCUST, free_port, wait_until

LOCUSTFILE = '''
import json
import time

from locust import HttpUser, constant, events, task
from locust.runners import MasterRunner, WorkerRunner

names = []
made = 0
reported = 0


def say(what, **values):
    print("SAID", json.dumps({"what": what, **values}), flush=True)


@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--my-text", default="default")
    parser.add_argument("--my-number", type=int, default=1)


def take_names(environment, msg, **kwargs):
    names.extend(msg.data["names"])
    environment.runner.send_message("thanks", [len(msg.data["names"]), None, 1.5, "\\u00fc"])


def thanked(environment, msg, **kwargs):
    say("thanks", data=msg.data, type=msg.type, known=msg.node_id in environment.runner.clients)


@events.init.add_listener
def init(environment, runner, **kwargs):
    if isinstance(runner, WorkerRunner):
        runner.register_message("names", take_names)
        runner.register_message("everybody", lambda environment, msg, **kw: say("all", data=msg.data))
        say("init", id=runner.client_id)
    elif isinstance(runner, MasterRunner):
        runner.register_message("thanks", thanked)


@events.test_start.add_listener
def start(environment, **kwargs):
    runner, options = environment.runner, environment.parsed_options
    say("test_start", text=options.my_text, number=options.my_number)
    if isinstance(runner, MasterRunner):
        say("runner", target=runner.target_user_count, workers=runner.worker_count,
            ready=len(runner.clients.ready), clients=len(runner.clients))
        for i, client_id in enumerate(runner.clients):
            wanted = [f"w{i}-{k}" for k in range(runner.target_user_count)]
            runner.send_message("names", {"names": wanted}, client_id)
        runner.send_message("everybody", "hello")


class Visitor(HttpUser):
    wait_time = constant(0.1)

    def __init__(self, *args, **kwargs):
        self.name = names.pop(0)  # fails where the message has not come first
        super().__init__(*args, **kwargs)

    @task
    def visit(self):
        global made
        self.client.get(f"/{self.environment.parsed_options.my_text}/{self.name}")
        made += 1


@events.report_to_master.add_listener
def report(client_id, data, **kwargs):
    global made
    data["made"] = made
    made = 0


@events.worker_report.add_listener
def reported_to(client_id, data, **kwargs):
    global reported
    reported += data["made"]  # in each report


# Of a version that Debian's Locust is too old for.
for kind in ("heartbeat_sent", "heartbeat_received"):
    if hasattr(events, kind):
        @getattr(events, kind).add_listener
        def beat(client_id, timestamp, kind=kind, **kwargs):
            say(kind, id=client_id, is_now=abs(time.time() - timestamp) < 60)


@events.test_stopping.add_listener
def stopping(environment, **kwargs):
    runner = environment.runner
    say("test_stopping", users=runner.user_count,
        classes=dict(getattr(runner, "reported_user_classes_count", {})))


@events.quitting.add_listener
def quitting(environment, **kwargs):
    say("quitting", reported=reported, counted=environment.stats.total.num_requests)
'''


def said(program, what):
    lines = re.findall(r"^SAID (.*)$", program.text("stdout"), re.M)
    return [line for line in map(json.loads, lines) if line["what"] == what]


@pytest.fixture
def server():
    recording = recorder.Recorder()
    yield recording
    recording.close()


# Debian's Locust refuses workers of its own version, which is empty.
@pytest.mark.parametrize("master, workers", [
    ("cicada", ["cicada", "cicada"]), (LOCUST, ["cicada", "cicada"]),
    ("cicada", [LOCUST, "cicada"])], ids=["ours", "their-master", "their-worker"])
def test_one_locustfile_in_a_cluster(programs, server, tmp_path, master, workers):
    path = tmp_path / "shared.py"
    path.write_text(LOCUSTFILE)
    port = free_port()
    lead = programs.start(master, "-f", path, "--master", "--headless", "--only-summary",
                          "--expect-workers", "2", "--master-bind-host", "127.0.0.1",
                          "--master-bind-port", port, "-u", "2", "-r", "2", "-H", server.url,
                          "--my-text", "given", "--my-number", "7")
    crew = [programs.start(worker, "-f", path, "--worker", "--master-port", port)
            for worker in workers]
    wait_until(lambda: len({asked["path"] for asked in server.record}) == 2 and
               len(server.record) > 20, 60, "requests of both users")
    wait_until(lambda: len(said(lead, "thanks")) == 2, 60, "both answers")
    # Debian's Locust neither sends heartbeats nor takes its workers for ones that know them.
    beaten = [worker for worker in crew if "cicada" in str(worker.args[0]) and master == "cicada"]
    for worker in beaten:
        wait_until(lambda: said(worker, "heartbeat_received"), 60, "a heartbeat of the master")
        (own,) = said(worker, "init")
        heard = {"id": own["id"], "is_now": True}
        assert {"what": "heartbeat_received", **heard} in said(worker, "heartbeat_received")
        assert {"what": "heartbeat_sent", **heard} in said(lead, "heartbeat_sent")
    assert len({beat["id"] for beat in said(lead, "heartbeat_sent")}) == len(beaten)
    lead.stop(60)
    for worker in crew:
        worker.wait(60)
    assert said(lead, "test_start") == [{"what": "test_start", "text": "given", "number": 7}]
    assert said(lead, "runner") == [{"what": "runner", "target": 2, "workers": 2, "ready": 2,
                                     "clients": 2}]
    assert said(lead, "thanks") == [{"what": "thanks", "data": [2, None, 1.5, "\u00fc"],
                                     "type": "thanks", "known": True}] * 2
    assert said(lead, "test_stopping") == [{"what": "test_stopping", "users": 2,
                                            "classes": {"Visitor": 2}}]
    (end,) = said(lead, "quitting")
    # The real master does not wait for the last reports; what is asked when a user is cut is not counted.
    assert end["reported"] == end["counted"] or (master == LOCUST and 0 < end["reported"])
    assert 0 <= len(server.record) - end["counted"] <= 2 or master == LOCUST
    for worker in crew:
        assert said(worker, "test_start") == [{"what": "test_start", "text": "given", "number": 7}]
        assert said(worker, "all") == [{"what": "all", "data": "hello"}]
        assert isinstance(said(worker, "init")[0]["id"], str)
    assert {asked["path"] for asked in server.record} == {"/given/w0-0", "/given/w1-0"}
