# SPDX-License-Identifier: MIT
"""The real Locust on the other side of the wire, both ways.

Debian's python3-locust is 2.12.1 with an empty version string, which its own master refuses and
ours must not; as a master it takes our workers, whose version is not empty."""

import csv
import json
import urllib.request

from kube_world import World
from programs import LOCUST, free_port, wait_until
from web_client import WEB_READY, get_json, live

LOCUSTFILE = """
from locust import HttpUser, between, task


class Visitor(HttpUser):
    wait_time = between(0.05, 0.1)

    @task(3)
    def index_page(self):
        self.client.get("/")

    @task
    def missing(self):
        self.client.get("/missing")
"""

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void missing(struct cic_user *u) { cic_get(u, "/missing"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.05, 0.1),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 3), CIC_TASK(missing, 1)));
"""

TWO_LOCUST_CLASSES = """
from locust import HttpUser, constant, task


class Ant(HttpUser):
    wait_time = constant(0.1)

    @task
    def one(self):
        self.client.get("/")


class Bee(Ant):
    pass
"""

TWO_CLASSES = """
#include <cicada.h>

static void one(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Ant, .wait = CIC_CONSTANT(0.1), .tasks = CIC_TASKS(CIC_TASK(one, 1)));
CIC_USER(Bee, .wait = CIC_CONSTANT(0.1), .tasks = CIC_TASKS(CIC_TASK(one, 1)));
"""

TAGGED_LOCUSTFILE = """
from locust import HttpUser, constant, tag, task


class Ant(HttpUser):
    wait_time = constant(0.05)

    @tag("read")
    @task
    def read(self):
        self.client.get("/read")

    @tag("read", "slow")
    @task
    def slow(self):
        self.client.get("/slow")

    @task
    def other(self):
        self.client.get("/other")
"""

TAGGED_WORKER = """
#include <cicada.h>

static void read_it(struct cic_user *u) { cic_get(u, "/read"); }
static void slow(struct cic_user *u) { cic_get(u, "/slow"); }
static void other(struct cic_user *u) { cic_get(u, "/other"); }

CIC_USER(Ant, .wait = CIC_CONSTANT(0.05),
	.tasks = CIC_TASKS(CIC_TASK(read_it, 1, .tags = "read"),
			   CIC_TASK(slow, 1, .tags = "read slow"), CIC_TASK(other, 1)));
"""

TAGGED = """
#include <cicada.h>

static void read_it(struct cic_user *u) { cic_get(u, "/read"); }

CIC_USER(Ant, .wait = CIC_CONSTANT(0.05),
	.tasks = CIC_TASKS(CIC_TASK(read_it, 1, .tags = "read")));
"""

def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def counts(url):
    """{"METHOD name": requests} and failures of the whole test, from the master's API."""
    rows = live(url)["stats"]
    return ({f"{r['method']} {r['name']}": r["num_requests"] for r in rows[:-1]},
            rows[-1]["num_failures"])


def start_our_master(programs, tmp_path, *args, port=0):
    master = programs.start("cicada", "--master", "-f", write(tmp_path, "s.c", SCENARIO),
                            "--web-host", "127.0.0.1", "--web-port", "0", "--master-bind-host",
                            "127.0.0.1", "--master-bind-port", port, "-s", "5", *args,
                            ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    return master, master.ready.group(1), port


def start_their_worker(programs, tmp_path, port):
    return programs.start(LOCUST, "--worker", "-f", write(tmp_path, "lf.py", LOCUSTFILE),
                          "--master-host", "127.0.0.1", "--master-port", port)


def start_their_master(programs, tmp_path, *args, locustfile=LOCUSTFILE):
    web, bind = free_port(), free_port()
    master = programs.start(LOCUST, "--master", "-f", write(tmp_path, "lf.py", locustfile),
                            "--web-host", "127.0.0.1", "--web-port", web, "--master-bind-host",
                            "127.0.0.1", "--master-bind-port", bind, "-s", "5", *args,
                            ready="Starting Locust", timeout_s=60)
    url = f"http://127.0.0.1:{web}"

    def answers():
        try:
            return live(url)
        except OSError:
            return None

    wait_until(answers, 30, "the master's web interface")
    return master, url, bind


def start_our_worker(programs, tmp_path, port, scenario=SCENARIO):
    return programs.start("cicada", "--worker", "-f", write(tmp_path, "s.c", scenario),
                          "--master-host", "127.0.0.1", "--master-port", port, "--threads", "1")


def run_a_test(url, target, users):
    """Starts, lets some requests pass, stops; returns the API's view while running."""
    assert get_json(url + "/swarm", {"user_count": users, "spawn_rate": 20,
                                     "host": target.url})["success"]
    wait_until(lambda: live(url)["user_count"] == users and live(url)["state"] == "running", 20,
               "all users")
    wait_until(lambda: target.total > 40, 20, "forty answers")
    seen = live(url)
    assert get_json(url + "/stop")["success"]
    return seen


def wait_for_exact_counts(url, target):
    wanted = dict(target.counts)
    wait_until(lambda: counts(url) == (wanted, wanted["GET /missing"]), 20,
               "the master's counts to equal the target's")


def test_their_workers_under_our_master(programs, target, tmp_path):
    master, url, port = start_our_master(programs, tmp_path)
    workers = [start_their_worker(programs, tmp_path, port) for _ in range(2)]
    wait_until(lambda: len(live(url)["workers"]) == 2, 30, "two workers")
    seen = run_a_test(url, target, 6)
    assert sorted(w["user_count"] for w in seen["workers"]) == [3, 3]
    wait_for_exact_counts(url, target)
    (error,) = live(url)["errors"]
    assert "404 Client Error: Not Found" in error["error"]
    assert error["occurrences"] == target.counts["GET /missing"]
    assert master.stop() == 1
    assert [w.wait(30) for w in workers] == [0, 0], "told to quit"


def test_our_workers_under_their_master(programs, target, tmp_path):
    master, url, port = start_their_master(programs, tmp_path)
    workers = [start_our_worker(programs, tmp_path, port) for _ in range(2)]
    wait_until(lambda: len(live(url)["workers"]) == 2, 30, "two workers")
    seen = run_a_test(url, target, 6)
    assert sorted(w["user_count"] for w in seen["workers"]) == [3, 3]
    wait_for_exact_counts(url, target)
    assert "Traceback" not in master.text(), master.text()
    master.stop(30)
    assert [w.wait(30) for w in workers] == [0, 0], "told to quit"


def test_our_workers_with_a_locustfile_under_their_master(programs, target, tmp_path):
    master, url, port = start_their_master(programs, tmp_path)
    path = write(tmp_path, "ours.py", LOCUSTFILE + """
    @task
    def broken(self):
        raise ValueError("this one breaks")
""")
    workers = [programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                              "--master-port", port) for _ in range(2)]
    wait_until(lambda: len(live(url)["workers"]) == 2, 30, "two workers")
    run_a_test(url, target, 6)
    wait_for_exact_counts(url, target)
    (broken,) = get_json(url + "/exceptions")["exceptions"]
    assert broken["msg"] == "this one breaks" and "in broken" in broken["traceback"]
    assert "Traceback" not in master.text(), master.text()
    master.stop(30)
    assert [w.wait(30) for w in workers] == [0, 0], "told to quit"


def test_their_worker_and_ours_with_one_locustfile_under_our_master(programs, target, tmp_path):
    path = write(tmp_path, "lf.py", LOCUSTFILE)
    master = programs.start("cicada", "--master", "-f", path, "--web-host", "127.0.0.1",
                            "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "-s", "5", ready=WEB_READY)
    url = master.ready.group(1)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    start_their_worker(programs, tmp_path, port)
    programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                   "--master-port", port)
    wait_until(lambda: len(live(url)["workers"]) == 2, 60, "two workers")
    seen = run_a_test(url, target, 4)
    assert sorted(w["user_count"] for w in seen["workers"]) == [2, 2]
    wait_for_exact_counts(url, target)
    master.stop(30)


def test_our_and_their_workers_together(programs, target, tmp_path):
    master, url, port = start_our_master(programs, tmp_path)
    start_their_worker(programs, tmp_path, port)
    start_our_worker(programs, tmp_path, port)
    wait_until(lambda: len(live(url)["workers"]) == 2, 30, "two workers")
    seen = run_a_test(url, target, 4)
    assert sorted(w["user_count"] for w in seen["workers"]) == [2, 2]
    wait_for_exact_counts(url, target)
    master.stop(30)


def test_their_worker_follows_the_stages_of_our_master(programs, target, tmp_path):
    master, url, port = start_our_master(programs, tmp_path, "-H", target.url, "--stages",
                                         "5s:6:100,5s:0:100,5s:3:100")
    start_their_worker(programs, tmp_path, port)
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, 60, "one worker")
    assert get_json(url + "/swarm", {"host": target.url})["success"]
    for users in (6, 0, 3):
        wait_until(lambda n=users: live(url)["user_count"] == n, 20, f"{users} users")
    wait_until(lambda: live(url)["state"] == "stopped", 30, "the end of the stages")
    wait_for_exact_counts(url, target)
    assert "WARNING" not in master.text(), master.text()


def test_their_worker_gets_what_new_weights_make(programs, target, tmp_path):
    """It knows nothing of update_user_class (2.25), and hears nothing of it."""
    master = programs.start("cicada", "--master", "-f", write(tmp_path, "two.c", TWO_CLASSES),
                            "--web-host", "127.0.0.1", "--web-port", "0", "--master-bind-host",
                            "127.0.0.1", "--master-bind-port", "0", ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    url = master.ready.group(1)
    worker = programs.start(LOCUST, "--worker", "-f", write(tmp_path, "two.py", TWO_LOCUST_CLASSES),
                            "--master-host", "127.0.0.1", "--master-port", port)
    wait_until(lambda: len(live(url)["workers"]) == 1, 30, "their worker")
    for weights, want in (((1, 1), {"Ant": 5, "Bee": 5}), ((1, 4), {"Ant": 2, "Bee": 8})):
        for name, weight in zip(("Ant", "Bee"), weights):
            body = {"user_class_name": name, "weight": weight, "tasks": ["one"]}
            request = urllib.request.Request(url + "/user", data=json.dumps(body).encode(),
                                             headers={"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as reply:
                assert reply.status == 201
        assert get_json(url + "/swarm", {"user_count": 10, "spawn_rate": 100,
                                         "host": target.url})["success"]
        wait_until(lambda: live(url)["user_count"] == 10 and live(url)["state"] == "running", 30,
                   "all users")
        ratios = get_json(url + "/tasks")["per_class"]
        assert {name: round(ratios[name]["ratio"] * 10) for name in ratios} == want
        get_json(url + "/stop")
    assert "Unknown message type" not in worker.text()


def test_their_worker_takes_the_tags_of_our_master(programs, target, tmp_path):
    master = programs.start("cicada", "--master", "-f", write(tmp_path, "t.c", TAGGED),
                            "--web-host", "127.0.0.1", "--web-port", "0", "--master-bind-host",
                            "127.0.0.1", "--master-bind-port", "0", "-T", "read", "-E", "slow",
                            ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    url = master.ready.group(1)
    programs.start(LOCUST, "--worker", "-f", write(tmp_path, "t.py", TAGGED_LOCUSTFILE),
                   "--master-host", "127.0.0.1", "--master-port", port)
    wait_until(lambda: len(live(url)["workers"]) == 1, 30, "their worker")
    run_a_test(url, target, 5)
    assert set(target.counts) == {"GET /read"}


def test_our_worker_takes_the_tags_of_their_master(programs, target, tmp_path):
    _, url, port = start_their_master(programs, tmp_path, "-T", "read", "-E", "slow",
                                      locustfile=TAGGED_LOCUSTFILE)
    start_our_worker(programs, tmp_path, port, TAGGED_WORKER)
    wait_until(lambda: len(live(url)["workers"]) == 1, 30, "our worker")
    run_a_test(url, target, 5)
    assert set(target.counts) == {"GET /read"}


def test_our_driver_drives_their_master(programs, target, tmp_path):
    master, url, port = start_their_master(programs, tmp_path)
    start_our_worker(programs, tmp_path, port)
    wait_until(lambda: len(live(url)["workers"]) == 1, 30, "the worker")
    driver = programs.start("cicada-driver", "--master", url, "--host", target.url, "--replicas",
                            "1", "--workers", "1", "--users", "4", "--duration", "4", "--cooldown",
                            "0", "--results", tmp_path / "results")
    assert driver.wait(60) == 0, driver.text()
    head, row = (tmp_path / "results" / "auto_summary.csv").read_text().splitlines()[:2]
    cells = dict(zip(head.split(","), row.split(",")))
    assert cells["Status"] == "ok" and float(cells["RPS"]) > 0
    assert int(cells["Total_Requests"]) <= target.total


def test_their_master_in_kubernetes(programs, target, tmp_path):
    """cicada-driver scales workers (ours: their own are refused, see above) of Locust's master."""
    _, url, bind = start_their_master(programs, tmp_path)
    world = World(programs, tmp_path, url, [
        "cicada", "--worker", "-f", write(tmp_path, "s.c", SCENARIO), "--master-host", "127.0.0.1",
        "--master-port", bind, "--threads", "1"])
    try:
        world.cluster.add_deployment("inference", 1, service="inference")
        driver = world.drive("--host", target.url, "--replicas", "1", "--workers", "2,1",
                             "--users", "4", "--duration", "3")
        assert driver.wait(180) == 0, driver.text()
    finally:
        world.close()
    with open(tmp_path / "results" / "auto_summary.csv", newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    assert [(r["Workers"], r["Status"]) for r in rows] == [("2", "ok"), ("1", "ok")]
    assert sum(int(r["Total_Requests"]) for r in rows) == target.total
    assert all(float(r["RPS"]) > 0 for r in rows)


def test_their_workers_come_back_to_our_new_master(programs, target, tmp_path):
    """Locust's never introduce themselves to a master that was started anew; ours makes them."""
    port = free_port()
    master, url, _ = start_our_master(programs, tmp_path, port=port)
    workers = [start_their_worker(programs, tmp_path, port) for _ in range(2)]
    wait_until(lambda: len(live(url)["workers"]) == 2, 60, "two workers")
    assert get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 20,
                                     "host": target.url})["success"]
    wait_until(lambda: live(url)["state"] == "running", 60, "the test")
    master.kill()
    _, url, _ = start_our_master(programs, tmp_path, port=port)
    wait_until(lambda: [w["state"] for w in live(url)["workers"]] == ["ready"] * 2, 60,
               "two workers again")
    before = target.total
    seen = run_a_test(url, target, 6)
    assert sorted(w["user_count"] for w in seen["workers"]) == [3, 3]
    assert live(url)["stats"][-1]["num_requests"] <= target.total
    assert target.total > before
    assert all(w.process.poll() is None for w in workers)
