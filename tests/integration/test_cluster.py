# SPDX-License-Identifier: MIT
"""A master and workers of ours as processes: what they survive, and what they tell each other."""

import json
import secrets
import socket
import subprocess
import urllib.request

import pytest

from programs import ROOT, wait_until
from web_client import WEB_READY, get_json, live

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.05, 0.1), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""


def write_scenario(tmp_path):
    path = tmp_path / "visit.c"
    # Once: a worker that starts may be reading it.
    if not path.exists():
        path.write_text(SCENARIO)
    return path


def start_master(programs, tmp_path, *args, port=0, address="127.0.0.1"):
    """(program, its URL, the port for workers)."""
    master = programs.start("cicada", "--master", "-f", write_scenario(tmp_path), "--web-host",
                            "127.0.0.1", "--web-port", "0", "--master-bind-host", address,
                            "--master-bind-port", port, *args,
                            ready=WEB_READY)
    bound = master.wait_line(rf"Listening for workers on tcp://{address}:(\d+)").group(1)
    return master, master.ready.group(1), bound


def start_worker(programs, tmp_path, port, *args, **options):
    return programs.start("cicada", "--worker", "-f", write_scenario(tmp_path), "--master-host",
                          "127.0.0.1", "--master-port", port, "--threads", "1", *args, **options)


def worker_count(url):
    return get_json(url + "/worker-count")["worker_count"]


def swarm(url, target, users, **more):
    assert get_json(url + "/swarm", {"user_count": users, "spawn_rate": 100,
                                     "host": target.url, **more})["success"]


def wait_for_users(url, users, timeout_s=60):
    def is_there():
        now = live(url)
        return now["state"] == "running" and now["user_count"] == users
    wait_until(is_there, timeout_s, f"{users} users")


def test_a_worker_without_a_scenario_gets_the_masters(programs, target, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    _, url, port = start_master(programs, tmp_path)
    worker = programs.start("cicada", "--worker", "-f", "-", "--master-host", "127.0.0.1",
                            "--master-port", port, "--threads", "1",
                            env={"TMPDIR": str(folder)})
    wait_until(lambda: worker_count(url) == 1, 60, "the worker")
    assert "The master's scenario is visit.c" in worker.text()
    swarm(url, target, 3)
    wait_for_users(url, 3)
    wait_until(lambda: target.counts["GET /"] > 5, 60, "some requests")
    assert get_json(url + "/stop")["success"]
    assert worker.stop() == 0
    assert not list(folder.glob("cicada-*")), "what was downloaded is removed"


def test_a_master_without_source_says_so(programs, tmp_path):
    source = write_scenario(tmp_path)
    subprocess.run(["cc", "-shared", "-fPIC", "-I", str(ROOT / "include"), "-o",
                    str(tmp_path / "visit.so"), str(source)], check=True, timeout=60)
    master = programs.start("cicada", "--master", "-f", tmp_path / "visit.so", "--web-host",
                            "127.0.0.1", "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", ready="Starting web interface")
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    worker, code = programs.run("cicada", "--worker", "-f", "-", "--master-host", "127.0.0.1",
                                "--master-port", port, timeout_s=60)
    assert code == 1
    assert "the master has no source to give" in worker.text()


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", int(port))) == 0


# So that no request is cut off when a test stops: what the target has seen is what was counted.
PATIENT = ("--stop-timeout", "10")


def two_ports():
    """The first of two free ports in a row."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def window(url):
    return get_json(url + "/stats/window")


def test_statistics_take_the_second_port(programs, target, tmp_path):
    port = two_ports()
    master, url, _ = start_master(programs, tmp_path, *PATIENT, port=port)
    assert f"Their statistics come by port {port + 1}" in master.text()
    assert listens(port + 1)
    start_worker(programs, tmp_path, port)
    wait_until(lambda: worker_count(url) == 1, 60, "the worker")
    swarm(url, target, 5)
    wait_for_users(url, 5)
    wait_until(lambda: live(url)["stats"][-1]["num_requests"] > 20, 60, "numbers")
    assert window(url)["workers_on_one_port"] == 0
    assert get_json(url + "/stop")["success"]
    assert live(url)["stats"][-1]["num_requests"] == target.total
    assert "second port" not in master.text()


def test_without_the_second_port_nothing_is_lost_and_it_is_said(programs, target, tmp_path):
    port = two_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        master, url, _ = start_master(programs, tmp_path, *PATIENT, port=port)
        assert "No second port for workers" in master.text()
        start_worker(programs, tmp_path, port)
        wait_until(lambda: worker_count(url) == 1, 60, "the worker")
        swarm(url, target, 5)
        wait_for_users(url, 5)
        wait_until(lambda: window(url)["workers_on_one_port"] == 1, 60, "the field")
        wait_until(lambda: live(url)["stats"][-1]["num_requests"] > 20, 60, "numbers")
        assert get_json(url + "/stop")["success"]
    assert live(url)["stats"][-1]["num_requests"] == target.total
    (row, _) = window(url)["stats"]
    assert row["outcomes"]["ok"]["count"] == row["num_requests"], "at full resolution all the same"


def total(url):
    return live(url)["stats"][-1]["num_requests"]


TAGGED = """
#include <cicada.h>

static void reading(struct cic_user *u) { cic_get(u, "/reading"); }
static void writing(struct cic_user *u) { cic_get(u, "/writing"); }
static void idle(struct cic_user *u) { cic_get(u, "/idle"); }

CIC_USER(Ant, .wait = CIC_CONSTANT(0.02),
	.tasks = CIC_TASKS(CIC_TASK(reading, 1, .tags = "read"), CIC_TASK(writing, 1)));
CIC_USER(Bee, .wait = CIC_CONSTANT(0.02), .tasks = CIC_TASKS(CIC_TASK(idle, 1)));
"""


TAGGED_PYTHON = """
from locust import HttpUser, TaskSet, constant, tag, task

class Ant(HttpUser):
    wait_time = constant(0.02)

    @tag("read")
    @task
    def reading(self):
        self.client.get("/reading")

    @task
    def writing(self):
        self.client.get("/writing")

    @task
    class Deep(TaskSet):
        @tag("read")
        @task
        def reading(self):
            self.client.get("/deep/reading")
            self.interrupt()

        @task
        def writing(self):
            self.client.get("/deep/writing")
            self.interrupt()
"""


def paths_of_a_test(url, target, users, **more):
    before = dict(target.counts)
    swarm(url, target, users, **more)
    wait_for_users(url, users)
    wait_until(lambda: target.total > sum(before.values()) + 200, 60, "requests")
    assert get_json(url + "/stop")["success"]
    return {path.removeprefix("GET ") for path, count in dict(target.counts).items()
            if count > before.get(path, 0)}


@pytest.mark.parametrize("name, source, tagged, all_paths, named", [
    ("tagged.c", TAGGED, {"/reading"}, {"/reading", "/writing", "/idle"}, {"/writing", "/idle"}),
    ("tagged.py", TAGGED_PYTHON, {"/reading", "/deep/reading"},
     {"/reading", "/writing", "/deep/reading", "/deep/writing"}, {"/writing"})])
def test_workers_take_the_tags_of_each_master(programs, target, tmp_path, name, source, tagged,
                                              all_paths, named):
    port = two_ports()
    scenario = tmp_path / name
    scenario.write_text(source)
    master, url, _ = start_master(programs, tmp_path, "-f", scenario, "--tags", "read", port=port)
    start_worker(programs, tmp_path, port, "-f", scenario)
    wait_until(lambda: worker_count(url) == 1, 60, "the worker")
    assert paths_of_a_test(url, target, 4) == tagged
    master.kill()
    _, url, _ = start_master(programs, tmp_path, "-f", scenario, port=port)
    wait_until(lambda: worker_count(url) == 1, 60, "the same worker")
    assert paths_of_a_test(url, target, 4) == all_paths
    request = urllib.request.Request(url + "/user", data=json.dumps(
        {"user_class_name": "Ant", "tasks": ["writing"]}).encode())
    with urllib.request.urlopen(request, timeout=60):
        assert paths_of_a_test(url, target, 4) == named


# Before the class that is asked for.
IDLE = """
class Idle(HttpUser):
    tasks = [lambda user: None, print, repr]
"""


def test_users_of_a_locustfile_draw_what_the_master_is_told(programs, target, tmp_path):
    locustfile = tmp_path / "tagged.py"
    locustfile.write_text(TAGGED_PYTHON.replace("\nclass Ant", IDLE + "\nclass Ant"))
    _, url, port = start_master(programs, tmp_path, "-f", locustfile, "Ant")
    start_worker(programs, tmp_path, port, "-f", locustfile, "Ant")
    wait_until(lambda: worker_count(url) == 1, 60, "the worker")
    # A TaskSet has the tags of all that is in it.
    assert paths_of_a_test(url, target, 4, tags="read") == {
        "/reading", "/deep/reading", "/deep/writing"}
    assert paths_of_a_test(url, target, 4, tags="") == {
        "/reading", "/writing", "/deep/reading", "/deep/writing"}


def test_with_a_key_strangers_are_kept_out(programs, target, tmp_path):
    key = tmp_path / "cluster.key"
    key.write_text(secrets.token_hex(32) + "\n")
    other = tmp_path / "other.key"
    other.write_text(secrets.token_hex(32) + "\n")
    master, url, port = start_master(programs, tmp_path, "--cluster-key", key)
    strangers = [start_worker(programs, tmp_path, port),
                 start_worker(programs, tmp_path, port, "--cluster-key", other)]
    programs.start("cicada", "--worker", "-f", "-", "--cluster-key", key, "--master-host",
                   "127.0.0.1", "--master-port", port, "--threads", "1")
    wait_until(lambda: worker_count(url) == 1, 60, "the worker with the key")
    swarm(url, target, 3)
    wait_for_users(url, 3)
    wait_until(lambda: live(url)["stats"][-1]["num_requests"] > 20, 60, "numbers")
    assert [s.stop() for s in strangers] == [0, 0]
    before = target.total
    wait_until(lambda: target.total > before + 20, 60, "that the users were none of theirs")
    assert (worker_count(url), window(url)["workers_on_one_port"]) == (1, 0)
    assert get_json(url + "/stop")["success"]
    assert total(url) == target.total
    assert key.read_text().strip() not in master.text()


def make_keys(programs, tmp_path, name):
    """A file with a secret, and the public key that belongs to it."""
    secret = tmp_path / f"{name}.key"
    secret.write_text(secrets.token_hex(32) + "\n")
    not_read = tmp_path / "broken.py"
    not_read.write_text("1 / 0\n")
    program, code = programs.run("cicada", "-f", not_read, "--cluster-key", secret,
                                 "--cluster-public")
    assert code == 0, program.text()
    return secret, program.text("stdout").strip()


def test_each_worker_may_have_a_key_of_its_own(programs, target, tmp_path):
    keys = {name: make_keys(programs, tmp_path, name)
            for name in ("master", "one", "two", "foreign")}
    workers, master_only = tmp_path / "workers.pub", tmp_path / "master.pub"
    workers.write_text(f"# who may\n\n{keys['one'][1]} one\n{keys['two'][1]}\n")
    master_only.write_text(keys["master"][1] + "\n")
    foreign_only = tmp_path / "foreign.pub"
    foreign_only.write_text(keys["foreign"][1] + "\n")
    master, url, port = start_master(programs, tmp_path, "--cluster-key", keys["master"][0],
                                     "--cluster-peers", workers)
    strangers = [
        start_worker(programs, tmp_path, port, "--cluster-key", keys["foreign"][0],
                     "--cluster-peers", master_only),
        # It takes somebody else for its master.
        start_worker(programs, tmp_path, port, "--cluster-key", keys["one"][0],
                     "--cluster-peers", foreign_only),
        # The master's own secret is no worker's.
        start_worker(programs, tmp_path, port, "--cluster-key", keys["master"][0]),
        start_worker(programs, tmp_path, port)]
    said = master.wait_line(r"A worker at 127.0.0.1 is kept out: its key (\w+) is not in").group(1)
    assert said in (keys["foreign"][1], keys["master"][1])
    one = start_worker(programs, tmp_path, port, "--cluster-key", keys["one"][0],
                       "--cluster-peers", master_only)
    programs.start("cicada", "--worker", "-f", "-", "--cluster-key", keys["two"][0],
                   "--cluster-peers", master_only, "--master-host", "127.0.0.1", "--master-port",
                   port, "--threads", "1")
    wait_until(lambda: worker_count(url) == 2, 60, "the two of the list")
    master.wait_line("kept out: its key " + keys["foreign"][1])
    swarm(url, target, 4)
    wait_for_users(url, 4)
    wait_until(lambda: live(url)["stats"][-1]["num_requests"] > 20, 60, "numbers")
    assert (worker_count(url), window(url)["workers_on_one_port"]) == (2, 0)
    assert get_json(url + "/stop")["success"]
    wait_until(lambda: total(url) == target.total, 60, "that all is counted once")
    # Another list: who is not in it has to go, whoever is may come.
    swarm(url, target, 4)
    wait_for_users(url, 4)
    workers.write_text(f"{keys['two'][1]}\n{keys['foreign'][1]}\n")
    assert one.wait(60) == 0
    wait_until(lambda: worker_count(url) == 2, 60, "the foreign one")
    wait_for_users(url, 4)
    assert "is shut out: its key is not in --cluster-peers any more" in master.text()
    assert [s.stop() for s in strangers] == [0] * 4
    assert not any(secret.read_text().strip() in master.text() for secret, _ in keys.values())


def test_wrong_lists_of_keys_are_named(programs, tmp_path):
    secret, public = make_keys(programs, tmp_path, "some")
    peers = tmp_path / "peers"

    def said(content, *args):
        peers.write_text(content)
        program, code = programs.run("cicada", "--cluster-peers", peers, *args)
        assert code == 2
        return program.text()

    key = ("--cluster-key", secret)
    assert "--cluster-peers: give a --cluster-key" in said(public)
    assert f"{peers}: no key in it" in said("# nobody\n", "--master", *key)
    assert f"{peers}:2: a public key is 64" in said(f"{public}\n{public}0\n", "--master", *key)
    assert "has 2 keys; a worker has one master" in said(f"{public}\n" * 2, "--worker", *key)
    assert "leave it out" in said(public, "--processes", "2", *key)


def test_a_master_in_the_open_without_a_key_warns(programs, tmp_path):
    args = ("--master", "-f", write_scenario(tmp_path), "--web-host", "127.0.0.1", "--web-port",
            "0", "--master-bind-port", "0")
    word = "nothing is encrypted"
    open_one = programs.start("cicada", *args, ready="Starting web interface")
    assert word in open_one.text()
    key = tmp_path / "cluster.key"
    key.write_text(secrets.token_hex(32))
    with_key = programs.start("cicada", *args, "--cluster-key", key, ready="Starting web interface")
    assert word not in with_key.text()
    bad, code = programs.run("cicada", *args, "--cluster-key", write_scenario(tmp_path))
    assert code == 2 and "64 hexadecimal digits" in bad.text()
