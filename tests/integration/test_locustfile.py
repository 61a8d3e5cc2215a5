# SPDX-License-Identifier: MIT
"""Locustfiles in Python on the engine: alone, as worker and master, and what goes wrong."""

import functools
import http.client
import http.server
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import msgpack
import pytest
import zmq

import openapi
from certificates import certificate_of
from programs import ROOT, free_port, wait_until
from proxy import Proxy
from target import Target
from web_client import WEB_READY, get_json

WEB = ["--web-host", "127.0.0.1", "--web-port", "0"]

VISITOR = """
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    wait_time = constant(0.01)

    @task(3)
    def index_page(self):
        assert self.client.get("/").json() == {"status": "ok"}

    @task
    def missing(self):
        assert self.client.get("/missing").status_code == 404

    @task
    def broken(self):
        raise ValueError("this one breaks")
"""


def write(tmp_path, text, name="locustfile.py"):
    path = tmp_path / name
    path.write_text(text)
    return path


def counts(url):
    rows = get_json(url + "/stats/requests")["stats"][:-1]
    return {f"{row['method']} {row['name']}": row["num_requests"] for row in rows}


def run(programs, path, *args, timeout_s=60):
    program = programs.start("cicada", "-f", path, "--headless", "-L", "WARNING", *args)
    return program, program.wait(timeout_s)


def test_every_request_and_exception_is_counted(programs, target, tmp_path):
    cicada = programs.start("cicada", "-f", write(tmp_path, VISITOR), *WEB, "-s", "10",
                            ready=WEB_READY)
    url = cicada.ready.group(1)
    assert get_json(url + "/swarm", {"user_count": 5, "spawn_rate": 100,
                                     "host": target.url})["success"]
    wait_until(lambda: target.total > 100, 60, "a hundred answers")
    assert get_json(url + "/stop")["success"]
    assert counts(url) == dict(target.counts)
    (error,) = get_json(url + "/stats/requests")["errors"]
    assert error["error"] == "HTTPError('404 Client Error: Not Found for url: /missing')"
    assert error["occurrences"] == target.counts["GET /missing"]
    (broken,) = get_json(url + "/exceptions")["exceptions"]
    assert broken["msg"] == "this one breaks" and broken["count"] > 0
    assert 'locustfile.py", line 17, in broken' in broken["traceback"]
    assert broken["count"] == cicada.text("stderr").count("locust.user.task: this one breaks")
    # Another test of the same process begins anew.
    target.counts.clear()
    get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 100})
    wait_until(lambda: target.total > 10, 60, "ten answers")
    get_json(url + "/stop")
    assert counts(url) == dict(target.counts)
    assert cicada.stop() == 1, "with exceptions"


def test_the_order_of_events(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, events, task
from locust.exception import StopUser

for name in ("init", "test_start", "test_stopping", "test_stop", "quitting", "quit",
             "spawning_complete"):
    def listen(name=name, **kwargs):
        print(name, *sorted(kwargs))
    getattr(events, name).add_listener(listen)

@events.quitting.add_listener
def fail(environment, **kwargs):
    total = environment.stats.total
    print(total.num_requests, total.fail_ratio, environment.stats.get("/", "GET").num_requests)
    environment.process_exit_code = 7

class Visitor(HttpUser):
    def on_start(self):
        print("on_start")

    def on_stop(self):
        print("on_stop")

    @task
    def once(self):
        self.client.get("/")
        self.environment.runner.quit()
        raise StopUser()
""")
    cicada, code = run(programs, path, "-H", target.url)
    lines = cicada.text("stdout").splitlines()
    assert lines == ["init environment runner web_ui", "test_start environment",
                     "spawning_complete user_count", "on_start",
                     "test_stopping environment", "test_stop environment", "on_stop",
                     "1 0.0 1", "quitting environment", "quit exit_code"]
    assert code == 7


def test_tests_of_pytest_are_user_classes(programs, target, tmp_path):
    path = write(tmp_path, """
import time

def test_plain(session):
    helper(session)
    session.get("http://127.0.0.1:1/none").raise_for_status()
    session.get("/never")

def test_fast(fastsession):
    fastsession.get("/Ant").raise_for_status()
    time.sleep(0.1)
    1 / 0

def test_of_others(tmp_path):
    pass

def helper(session):
    session.get("/Bee")
    time.sleep(0.1)
""")
    program, code = run(programs, path, "-u", "2", "-r", "2", "-t", "3s", "-H", target.url, "--json")
    rows = {row["name"] for row in json.loads(program.text("stdout"))}
    assert rows >= {"/Ant", "/Bee", "/none"} and "/never" not in rows and code == 1
    assert "ZeroDivisionError" in program.text() and "NameError" not in program.text()


def test_what_is_wrong_with_a_file_is_said_with_its_line(programs, tmp_path):
    for text, said, place in [
            ("import locust\n\nx = nothing\n", "NameError: name 'nothing' is not defined", 3),
            ("def f(:\n", "SyntaxError: invalid syntax", 1),
            ("import locust\nfrom locust import Nobody\n", "ImportError: cannot import name", 2),
            ("from locust import User\nclass A(User):\n    weight = -1\n",
             "class A: weight is -1; give a number from 0 on", None),
            ("x = 1\n", "No User class found!", None)]:
        path = write(tmp_path, text)
        program, code = run(programs, path)
        assert code == 1
        where = f"{path}:{place}: " if place else f"{path}: "
        assert f"cicada: {where}{said}" in program.text("stderr"), program.text()
    # Its name may be relative, and sys.exit() is no error of it.
    program = programs.start("cicada", "-f", write(tmp_path, "x = 1\n\ndef f(:\n").name, cwd=tmp_path)
    assert program.wait() == 1 and "locustfile.py:3: SyntaxError" in program.text("stderr")
    program, code = run(programs, write(tmp_path, "import sys\n\nprint('bye')\nsys.exit(5)\n"))
    assert code == 5 and program.text("stdout") == "bye\n" and "Error" not in program.text()
    program, code = run(programs, tmp_path / "none.py")
    assert code == 1 and "none.py: there is no such file" in program.text()
    path = write(tmp_path, VISITOR + """
from locust import events

@events.init_command_line_parser.add_listener
def add(parser, **kwargs):
    parser.add_argument("--mine", type=int)
""")
    program, code = run(programs, path, "--mine", "x")
    assert code == 2 and "argument --mine: invalid int value: 'x'" in program.text()
    program, code = run(programs, path, "--min", "1")
    assert code == 2 and "--min: no such option" in program.text()
    program, code = programs.run("cicada", "--locustf", path, "--list")
    assert code == 0 and "Visitor" in program.text()
    program, code = run(programs, path, "--arrivals", "even")
    assert code == 1 and "use a native scenario (.c) for an open load" in program.text()
    for name in (path, tmp_path / "locustfile", tmp_path):
        program, code = run(programs, name, "--think-time", "0")
        assert code == 1 and "--think-time: users of a locustfile wait as it says" in program.text()
    program, code = run(programs, write(tmp_path, VISITOR), "Stranger")
    assert code == 1 and "Unknown User(s): Stranger" in program.text()


def test_a_file_that_never_gives_way_holds_up_nobody_else(programs, target, tmp_path):
    path = write(tmp_path, """
import os
from locust import HttpUser, task

class Stuck(HttpUser):
    @task
    def stand(self):
        self.client.get("/")
        # Before that nobody could tell that the ramp is over.
        if os.path.exists("SEEN"):
            while self.environment.runner.state == "running":
                pass
""".replace("SEEN", str(tmp_path / "seen")))
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, "--autostart",
                            ready=WEB_READY)
    url = cicada.ready.group(1)
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", 60, "its users")
    (tmp_path / "seen").touch()
    cicada.wait_line(rf"{re.escape(str(path))}:\d+: the locustfile keeps its thread in stand\(\)", 60)
    assert get_json(url + "/stats/requests")["state"] == "running"
    cicada.signal(signal.SIGTERM)
    cicada.wait_line("Users did not stop within", 60)
    # Its program ends, whatever it does.
    cicada.wait(90)


def test_what_newer_versions_have(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, events, poisson, task

class Newer(HttpUser):
    @task
    def all(self):
        with events.request.measure("BLOCK", "fine", response_length=7):
            pass
        with events.request.measure("BLOCK", "broken"):
            raise ValueError("in the block")
        with self.rest("GET", "/") as r:
            assert r.js["status"] == "ok"
        with self.rest("GET", "/", name=5) as r:
            len(r.js["none"])
        with self.rest("POST", "/", json={"a": 1}) as r:
            assert r.js["status"] == "gone", "not gone,"
        with self.rest_("GET", "/") as r:
            pass
        waits = [poisson(10)(self) for _ in range(10000)]
        print(0.09 < sum(waits) / len(waits) < 0.11)
        self.environment.runner.quit()

@events.request.add_listener
def show(request_type, name, response_length, exception, **kwargs):
    print(request_type, name, response_length, repr(exception))
""")
    cicada, code = run(programs, path, "-H", target.url)
    broken = f"KeyError: 'none' at {path}:14 in all. Response was {{\"status\": \"ok\"}}"
    assert cicada.text("stdout").splitlines() == [
        "BLOCK fine 7 None", "BLOCK broken 0 ValueError('in the block')", "GET / 16 None",
        f"GET 5 16 CatchResponseError({broken!r})",
        "POST / 16 CatchResponseError('not gone, response was {\"status\": \"ok\"}')",
        "GET /?_=... 16 None", "True"]
    assert code == 1


@pytest.fixture
def stuck():
    """An address that takes no connection, and refuses none."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        yield "http://%s:%d" % server.getsockname()
        for one in waiting:
            one.close()


def test_what_a_class_sets_for_its_client_counts(programs, tmp_path, stuck):
    target = Target(pages={"/odd": (302, "//user:secret@[x/", b""),
                           **{f"/{n}": (302, f"/{n - 1}", b"") for n in range(1, 5)}})
    proxy = Proxy()
    shop = "http://shop.test:" + target.url.rsplit(":", 1)[1]
    path = write(tmp_path, f"""
import time
import gevent
from locust import FastHttpUser, HttpUser, constant, task

class Base(FastHttpUser):
    abstract = True
    fixed_count = 1
    wait_time = constant(1000)

class Led(Base):
    max_redirects = 3

    @task
    def lead(self):
        print("led", self.client.get("/3").status_code, self.client.get("/4").error)
        print("odd", self.client.get("/odd").error)

class Again(Base):
    network_timeout, max_retries = 0.05, 2

    @task
    def retry(self):
        print("again", self.client.get("/slow", name="slow").error)

class Narrow(Base):
    concurrency = 2

    @task
    def six(self):
        began = time.monotonic()
        gevent.joinall([gevent.spawn(self.client.get, "/slow") for _ in range(6)])
        print("narrow", time.monotonic() - began > 0.85)

class Away(Base):
    proxy_host, proxy_port = "{proxy.address}".split(":")

    @task
    def proxied(self):
        print("away", self.client.get("{shop}/away").status_code)

class Unreached(Base):
    connection_timeout = 0.2

    @task
    def connect(self):
        print("unreached", self.client.get("{stuck}/").error)

class Pair(HttpUser):
    fixed_count = 1
    wait_time = constant(1000)

    @task
    def pairs(self):
        print("pair", self.client.get("{stuck}/", timeout=(0.2, 1000)).error)
        print("pair", self.client.get("/slow", timeout=(1000, 0.05)).error)
        print("pair", self.client.get("/slow", timeout=(0.2, 1000)).status_code)
        self.client.proxies = {{"all": "{proxy.address}"}}
        print("pair", self.client.get("{shop}/pair").status_code)
        for bad in ({{"proxies": {{"http": "x:port"}}}}, {{"verify": "/no/ca"}}, {{"cert": "/no/cert"}},
                    {{"timeout": 1e-9}}):
            try:
                self.client.get("/", **bad)
            except (OSError, ValueError) as e:
                print("pair", e)
""")
    try:
        cicada = programs.start("cicada", "-f", path, "--headless", "-H", target.url, "-u", "6", "-r",
                                "100", ready="not a number of seconds")
        lines = ["led 200 TooManyRedirects('Exceeded 3 redirects.')",
                 "odd InvalidURL('the IPv6 address has no closing ]')",
                 "again ReadTimeout('no whole response within 0.05 s')", "narrow True", "away 200",
                 "unreached ConnectTimeout('no connection within 0.2 s')",
                 "pair ConnectTimeout('no connection within 0.2 s')",
                 "pair ReadTimeout('no whole response within 0.05 s')", "pair 200", "pair 200",
                 "pair a proxy has a URL such as http://user:password@10.0.0.1:3128",
                 "pair Could not find the TLS CA certificate bundle, invalid path: /no/ca",
                 "pair Could not find the TLS certificate file, invalid path: /no/cert",
                 "pair the timeout is not a number of seconds above 0"]
        wait_until(lambda: len(cicada.text("stdout").splitlines()) == len(lines), 60, "all lines")
        # Those of `again`, `narrow` and `pair`.
        wait_until(lambda: target.counts["GET /slow"] == 3 + 6 + 2, 60, "the answers")
        cicada.stop()
        said = cicada.text("stdout").splitlines()
        assert sorted(said) == sorted(lines)
        assert [line for line in said if line[:4] == "pair"] == lines[-8:]
        assert set(proxy.asked) == {f"GET {shop}/away", f"GET {shop}/pair"}
    finally:
        target.close()
        proxy.close()


def test_users_are_there_when_their_constructors_are_over(programs, tmp_path):
    """Those that have failed are not. A listener that waits holds up none."""
    path = write(tmp_path, """
import time
from locust import User, constant, events, task

class Slow(User):
    wait_time = constant(1)
    made = 0

    def __init__(self, environment):
        super().__init__(environment)
        Slow.made += 1
        time.sleep(0.3)
        if Slow.made == 2:
            raise ValueError("of a constructor")

    @task
    def idle(self):
        pass

@events.init.add_listener
def on_init(environment, **_):
    @environment.events.spawning_complete.add_listener
    def on_spawned(user_count):
        print("spawned", user_count, flush=True)
        if user_count == 2:
            environment.runner.start(5, 100)
            time.sleep(1000)
""")
    cicada = programs.start("cicada", "-f", path, "--headless", "-u", "3", "-r", "3",
                            ready=r"All users spawned: .*: 5} \(5 total users\)")
    wait_until(lambda: cicada.text("stdout") == "spawned 2\nspawned 5\n", 30, "the event")
    assert "ValueError: of a constructor" in cicada.text("stderr")
    assert "(3 total users)" not in cicada.text("stderr")
    assert cicada.stop() == 2


def test_tls_as_a_context_of_ssl_has_it(programs, tmp_path):
    """And users that have a pool of connections in common."""
    server, server_key = certificate_of(tmp_path, "other", "DNS:other.test")
    client, client_key = certificate_of(tmp_path, "client", "DNS:client.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server, server_key)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED
    target, plain = Target(tls=context), Target(slow_s=0.05)
    path = write(tmp_path, f"""
import ssl
from locust import FastHttpUser, HttpUser, constant, task
from geventhttpclient.client import HTTPClientPool
from urllib3 import PoolManager

def make(**trust):
    context = ssl.create_default_context(**trust)
    context.load_cert_chain("{client}", "{client_key}")
    return context

class Base(FastHttpUser):
    abstract, fixed_count, wait_time = True, 1, constant(1000)

    @task
    def ask(self):
        answer = self.client.get("/")
        print(type(self).__name__, answer.status_code, "mismatch" in str(answer.error))

class Trusting(Base):
    def ssl_context_factory(self):
        return make(cafile="{server}")

class Exact(Trusting):
    insecure = False

class Usual(Base):
    ssl_context_factory = staticmethod(make)

class Careless(Base):
    def ssl_context_factory(self):
        context = make()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

class Nobody(Base):
    pass

class Pooled(FastHttpUser):
    fixed_count, wait_time = 6, constant(1000)
    client_pool = HTTPClientPool(concurrency=2)

    @task
    def share(self):
        answer = self.client.get("{plain.url}/slow")
        print("Pooled", answer.status_code, answer.error)

class Renewed(FastHttpUser):
    fixed_count, wait_time = 1, constant(1000)
    client_pool = HTTPClientPool()

    @task
    def connect(self):
        for _ in range(3):
            self.client.get("{plain.url}/")
            self.client.client.clientpool.close()
        print("Renewed")

class Queued(HttpUser):
    fixed_count, wait_time = 4, constant(1000)
    pool_manager = PoolManager(maxsize=2, block=True)

    @task
    def share(self):
        self.client.cookies.set("of", "one", domain="127.0.0.1")
        print("Queued", self.client.get("{plain.url}/slow").status_code)
""")
    try:
        cicada = programs.start("cicada", "-f", path, "-H", target.url, "--headless", "-u", "16", "-r", "100")
        lines = ["Careless 200 False", "Exact 0 True", "Nobody 0 False", *["Pooled 200 None"] * 6,
                 *["Queued 200"] * 4, "Renewed", "Trusting 200 False", "Usual 0 False"]
        wait_until(lambda: len(cicada.text("stdout").splitlines()) == len(lines), 60, "all lines")
        assert sorted(cicada.text("stdout").splitlines()) == lines
        assert sum(plain.peers.values()) == 2 + 3 + 2
        cicada.stop()
    finally:
        target.close()
        plain.close()


def test_ways_that_the_engine_does_not_know_are_left_to_requests(programs, tmp_path):
    target, proxy = Target(), Proxy()
    shop = "http://shop.test:" + target.url.rsplit(":", 1)[1]
    path = write(tmp_path, f"""
from locust import HttpUser, task

class Away(HttpUser):
    @task
    def away(self):
        get = self.client.get
        print(get("{shop}/of-a-host", proxies={{"http://shop.test": "{proxy.address}"}}).status_code)
        # More than a locustfile may name to the engine.
        print({{get("{shop}/many", proxies={{"http": f"http://user{{n}}:p@{proxy.address}"}}).status_code
              for n in range(70)}})
        self.environment.runner.quit()
""")
    try:
        cicada, code = run(programs, path, "-H", target.url)
        assert (cicada.text("stdout"), code) == ("200\n{200}\n", 0), cicada.text("stderr")
        assert proxy.asked == {f"GET {shop}/of-a-host": 1, f"GET {shop}/many": 70}
        # With the user and password of each.
        assert len(proxy.secrets) == 71
    finally:
        target.close()
        proxy.close()


def test_a_markov_chain(programs, target, tmp_path):
    text = """
from locust import HttpUser, MarkovTaskSet, transition, transitions, task

class Chain(MarkovTaskSet):
    @transition("second")
    def first(self):
        self.client.get("/first")

    @transitions([("third", 3)])
    @transition("second", weight=0)
    def second(self):
        self.client.get("/second")

    @transitions({"first": 1})
    def third(self):
        self.client.get("/third")
        if len(self.user.rounds.append(1) or self.user.rounds) == 3:
            self.user.environment.runner.quit()

class Walker(HttpUser):
    rounds = []
    tasks = [Chain]
"""
    _, code = run(programs, write(tmp_path, text), "-H", target.url)
    assert code == 0
    assert target.counts == {"GET /first": 3, "GET /second": 3, "GET /third": 3}
    for old, new, said in [
            ('"first": 1', '"fourth": 1', "Transition to fourth from third is invalid"),
            ('    @transitions({"first": 1})\n', "", "Chain.third cannot be used as a target"),
            ('    @transition("second")\n', '    @transition("second")\n    @tag("x")\n',
             "Tags are unsupported for MarkovTaskSet")]:
        broken = text.replace("import HttpUser", "import tag, HttpUser").replace(old, new, 1)
        program, code = run(programs, write(tmp_path, broken), "-H", target.url)
        assert code == 1 and said in program.text("stderr"), program.text()


def test_a_user_may_stop_the_test(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, events, task
from locust.exception import StopTest

class Stopper(HttpUser):
    def on_stop(self):
        self.client.get("/gone")

    @task
    def once(self):
        self.client.get("/")
        raise StopTest("enough is enough")
""")
    cicada, code = run(programs, path, "-H", target.url)
    assert code == 0 and "The test is stopped: enough is enough" in cicada.text("stderr")
    assert target.counts == {"GET /": 1, "GET /gone": 1}


def test_a_shape_that_goes_by_what_was_asked_for(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, LoadTestShape, constant, task

class Visitor(HttpUser):
    wait_time = constant(100)

    @task
    def once(self):
        self.client.get("/")

class Asked(LoadTestShape):
    use_common_options = True
    abstract = False

    def tick(self):
        options = self.runner.environment.parsed_options
        if self.get_current_user_count() == options.num_users:
            print(options.num_users, options.users, options.spawn_rate, options.run_time)
            return None
        return options.users, options.spawn_rate

class Base(LoadTestShape):
    abstract = True
""")
    cicada, code = run(programs, path, "-H", target.url, "-u", "3", "-r", "50", "-t", "1m")
    assert code == 0
    assert cicada.text("stdout") == "3 3 50.0 60\n"
    assert target.counts == {"GET /": 3}


def test_what_a_file_sets_in_locust_stats_is_shown(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
import locust.stats
locust.stats.PERCENTILES_TO_REPORT = [0.25, 0.9995]
locust.stats.PERCENTILES_TO_STATISTICS = [0.97]
locust.stats.PERCENTILES_TO_CHART = [0.3, 0.6, 0.995]
locust.stats.HISTORY_STATS_INTERVAL_SEC = 0.25
locust.stats.STATS_TYPE_WIDTH, locust.stats.STATS_NAME_WIDTH = 10, 20
""")
    prefix = tmp_path / "out"
    cicada = programs.start("cicada", "-f", path, "-H", target.url, "--autostart", "-u", "2", "--csv",
                            prefix, "--csv-full-history", *WEB, ready=WEB_READY)
    url = cicada.ready.group(1)
    wait_until(lambda: len(get_json(url + "/stats/history")["time"]) > 4, 60, "some history")
    history = get_json(url + "/stats/history")
    now = get_json(url + "/stats/requests")
    assert now["stats"][-1].keys() > {"response_time_percentile_0.97"}
    assert now["stats"][-1]["exact_times"]["p97"] > 0
    assert now["current_response_time_percentiles"].keys() == {
        f"response_time_percentile_{share}" for share in (0.3, 0.6, 0.995)}
    assert history.keys() > now["current_response_time_percentiles"].keys()
    described = get_json(url + "/openapi.json")
    for path_of, said in ("/stats/history", history), ("/stats/requests", now):
        openapi.check(described, "GET", path_of, 200, "application/json", json.dumps(said))
    assert history["time"][4] - history["time"][0] < 4 * 5, "the usual interval"
    assert cicada.stop() == 1
    text = cicada.text("stderr")
    assert re.search(r"^Type       Name +25% 99.95% # reqs\n-{10}\|-{20}\|-{8}\|-{6}\|-{6}$", text, re.M)
    for kind in "stats", "stats_history":
        head, *rows = (tmp_path / f"out_{kind}.csv").read_text().splitlines()
        assert ",Failures/s,25%,99.95%" in head
        assert rows and {row.count(",") for row in rows} == {head.count(",")}
    path.write_text(VISITOR + "\nimport locust.stats\nlocust.stats.PERCENTILES_TO_REPORT = [95]\n")
    cicada, code = run(programs, path)
    assert code == 1
    assert "locust.stats cannot be used: a percentile is a number from 0 to 1" in cicada.text()


def test_a_file_that_logs_itself(programs, target, tmp_path):
    path = write(tmp_path, """
import logging
import sys

from locust import HttpUser, task

logging.basicConfig(stream=sys.stdout, format="OWN %(message)s", level="INFO")

class Visitor(HttpUser):
    @task
    def once(self):
        logging.info("said")
        self.environment.runner.quit()
""")
    cicada, code = run(programs, path, "-H", target.url, "--skip-log-setup")
    assert code == 0 and cicada.text("stdout").count("OWN said\n") == 1
    assert "said" not in cicada.text("stderr")


def test_a_stop_without_the_web_interface_waits_for_a_start(programs, target, tmp_path):
    path = write(tmp_path, """
import gevent

from locust import HttpUser, constant, events, task

class Visitor(HttpUser):
    wait_time = constant(100)

    @task
    def once(self):
        self.client.get("/")

@events.spawning_complete.add_listener
def stop(**kwargs):
    gevent.spawn(Visitor.environment.runner.stop)

@events.init.add_listener
def init(environment, **kwargs):
    Visitor.environment = environment
""")
    cicada, code = run(programs, path, "-H", target.url, "-t", "3s", "-L", "INFO")
    assert code == 0 and "--run-time limit reached, shutting down" in cicada.text("stderr")


def test_no_test_begins_when_the_program_ends(programs, target, tmp_path):
    """Its results would be those of the one that has just begun."""
    path = write(tmp_path, """
import gevent

from locust import HttpUser, events, task

class Visitor(HttpUser):
    @task
    def once(self):
        self.client.get("/")
        self.environment.runner.quit()

@events.quitting.add_listener
def begin_again(environment, **kwargs):
    environment.runner.start(1, 1)
    gevent.sleep(0.3)
""")
    cicada, code = run(programs, path, "-H", target.url, "--json")
    assert code == 0 and target.total == 1
    (row,) = json.loads(cicada.text("stdout"))
    assert row["num_requests"] == 1


def test_what_is_for_other_programs_says_so(programs, target, tmp_path):
    write(tmp_path, "", "psycopg.py")
    for line, said in [
            ("Environment().create_local_runner()", "there is cicada --as-main -f FILE"),
            ("Environment().create_master_runner()", "has Environment.create_local_runner()"),
            ("class Old(__import__('locust').HttpLocust): pass",
             "The HttpLocust class has been renamed to HttpUser in version 1.0"),
            ("class Old(__import__('locust').contrib.fasthttp.FastHttpLocust): pass",
             "The FastHttpLocust class has been renamed to FastHttpUser in version 1.0"),
            ("from locust import seq_task", "SequentialTaskSet and @task have taken its place"),
            ("from locust.contrib import milvus", "No module named 'pymilvus'"),
            ("from locust.contrib import postgres", "locust.contrib.postgres is not part of cicada"),
            ("run_single_user(Visitor)", "there is cicada --as-main -f FILE")]:
        path = write(tmp_path, VISITOR + "from locust import Environment, run_single_user\n" + line)
        program, code = run(programs, path)
        assert code == 1 and f"{path}:{VISITOR.count(chr(10)) + 2}: " in program.text("stderr")
        assert said in program.text("stderr")


def test_a_locustfile_starts_its_shape(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
import gevent
from locust import LoadTestShape, events

class Two(LoadTestShape):
    def tick(self):
        return (2, 100) if self.get_current_user_count() < 2 else None

@events.init.add_listener
def begin(environment, **kwargs):
    environment.events.test_stop.add_listener(lambda **kw: environment.runner.quit())
    environment.runner.start_shape()
""")
    program = programs.start("cicada", "-f", path, *WEB, "-H", target.url, "--exit-code-on-error",
                             "0")
    assert program.wait(60) == 0
    said = program.text("stderr")
    assert "Shape test updating to 2 users" in said and "Shape test stopping" in said


def test_a_program_that_uses_locust_as_a_library(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
import os
import gevent
from locust import events
from locust.env import Environment
from locust.stats import stats_history, stats_printer

if __name__ == "__main__":
    Visitor.host = "HOST"
    env = Environment(user_classes=[Visitor], events=events)
    runner = env.create_local_runner()
    for guard in {"auth_credentials": "user:secret"}, {"tls_cert": "cert.pem", "tls_key": "key.pem"}:
        try:
            env.create_web_ui("127.0.0.1", PORT, **guard)
        except NotImplementedError as e:
            print(e)
    web_ui = env.create_web_ui("127.0.0.1", PORT)
    env.events.init.fire(environment=env, runner=runner, web_ui=web_ui)
    gevent.spawn(stats_printer(env.stats))
    gevent.spawn(stats_history, env.runner)
    runner.start(3, spawn_rate=100)
    while env.stats.total.num_requests < 20:
        gevent.sleep(0.05)
    print("users", runner.user_count, runner.state)
    gevent.spawn_later(0.1, runner.quit)
    runner.greenlet.join()
    web_ui.stop()
    print("users", runner.user_count, runner.state, env.stats.total.num_requests)
    print("until", input())
    if not os.fork():
        raise SystemExit(5)
    raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]) + 2)
""".replace("HOST", target.url).replace("PORT", str(port := free_port())))
    program = programs.start("cicada", "--as-main", "-f", path, "-s", "20", stdin=subprocess.PIPE)
    wait_until(lambda: "stopped" in program.text("stdout"), 60, "the end of its test")
    assert program.text("stdout").count("who may see the pages is said by --web-login") == 2
    first, second = re.findall("users .*", program.text("stdout"))
    assert first == "users 3 running"
    assert second == f"users 0 stopped {target.total}"
    assert sum(counts(f"http://127.0.0.1:{port}").values()) == target.total
    program.process.stdin.write(b"here\n")
    program.process.stdin.close()
    assert program.wait(60) == 7
    assert "until here" in program.text("stdout")
    assert "Aggregated" in program.text("stderr")


def test_one_user_in_the_foreground(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, events, run_single_user, task
from locust.exception import StopUser

@events.test_start.add_listener
def begin(environment, **kwargs):
    print("test_start", environment.parsed_options.locustfile)

class Visitor(HttpUser):
    host = "HOST"

    @task
    def visit(self):
        self.client.get("/")
        self.client.get("/missing", name="gone")
        raise StopUser()

if __name__ == "__main__":
    run_single_user(Visitor, include_length=True)
    print("after")
""".replace("HOST", target.url))
    cicada, code = run(programs, path, "--as-main")
    assert code == 0
    head, begin, index, gone, after = cicada.text("stdout").splitlines()
    assert head.split("\t")[0] == "type" and begin == f"test_start {path}" and after == "after"
    assert [cell.strip() for cell in index.split("\t")][::3] == ["GET", "16"]
    assert "HTTPError('404 Client Error: Not Found for url: gone')" in gone
    cicada, code = run(programs, path, "--as-main", "--master")
    assert code == 2 and "--as-main: the locustfile is the program" in cicada.text("stderr")


def test_a_user_may_stop_the_test_of_a_program(programs, target, tmp_path):
    path = write(tmp_path, """
from argparse import Namespace
from locust import HttpUser, task
from locust.env import Environment
from locust.exception import StopTest

class Stopper(HttpUser):
    @task
    def once(self):
        self.client.get("/")
        raise StopTest("enough is enough")

env = Environment(user_classes=[Stopper], host="HOST", parsed_options=Namespace(colour="blue"))
env.create_local_runner().start(1, 1)
env.runner.greenlet.join()
print("after", env.stats.total.num_requests)
""".replace("HOST", target.url))
    cicada, code = run(programs, path, "--as-main")
    assert code == 0 and cicada.text("stdout") == "after 1\n", cicada.text("stderr")


def test_several_files(programs, target, tmp_path):
    first = write(tmp_path, VISITOR, "first.py")
    second = write(tmp_path, "from first import Visitor\n" +
                   VISITOR.replace("class Visitor", "class Guest"), "second.py")
    program, code = run(programs, f"{first},{second}", "--list")
    assert program.text("stdout").split() == ["Available", "Users:", "Visitor", "Guest"]
    third = write(tmp_path, VISITOR, "third.py")
    program, code = run(programs, f"{first},{third}")
    assert code == 1 and "Duplicate user class names: Visitor is defined in both" in program.text()
    shape = "\nfrom locust import LoadTestShape\n\nclass Hill(LoadTestShape):\n    tick = None\n"
    hills = [write(tmp_path, VISITOR.replace("class Visitor", f"class {name}") + shape, f"{name}.py")
             for name in ("North", "South")]
    program, code = run(programs, ",".join(map(str, hills)))
    assert code == 1 and "Duplicate shape class names: Hill is defined in both" in program.text()


@pytest.mark.parametrize("options", [["--headless"], ["--as-main"]])
def test_an_import_that_never_ends_can_be_interrupted(programs, tmp_path, options):
    path = write(tmp_path, "import time\nprint('begun', flush=True)\ntime.sleep(1000)\n")
    program = programs.start("cicada", "-f", path, *options, ready="begun")
    program.signal(signal.SIGINT)
    assert program.wait(60) == -signal.SIGINT


def test_a_task_may_exit_the_program(programs, target, tmp_path):
    path = write(tmp_path, """
import sys
from locust import HttpUser, task

class Leaver(HttpUser):
    @task
    def leave(self):
        self.client.get("http://name:secret@" + self.host[7:] + "/")
        self.client.get("http://name:secret@" + self.host[7:] + "/missing")
        sys.exit(5)
""")
    cicada, code = run(programs, path, "-H", target.url)
    assert code == 5
    assert target.counts == {"GET /": 1, "GET /missing": 1}
    assert "secret" not in cicada.text()


def test_a_process_that_a_user_forks_is_no_user(programs, target, tmp_path):
    """Nor does it take from its parent what comes for that; and an exit code of `quitting` counts."""
    path = write(tmp_path, """
import multiprocessing, os, sys, time
from locust import HttpUser, events, task
ended = []

class Forking(HttpUser):
    @task
    def fork(self):
        self.client.get("/")
        child = os.fork()
        if not child:
            time.sleep(0.2)  # others go on meanwhile
            return
        self.client.get("/slow")
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        if len(ended) == 10:
            sleeper = multiprocessing.Process(target=time.sleep, args=(60,))
            sleeper.start()
            sleeper.terminate()
            sleeper.join()
            print(*ended, sleeper.exitcode)
            self.environment.runner.quit()
        time.sleep(60)

@events.quitting.add_listener
def leave(**kwargs):
    sys.exit("said at the end")
""")
    cicada, code = run(programs, path, "-H", target.url, "-u", "10", "-r", "100", "-t", "1m")
    assert code == 1
    assert "said at the end" in cicada.text("stderr")
    assert cicada.text("stdout") == "1 " * 10 + "-15\n"
    assert "A process that a locustfile forks is no user" in cicada.text("stderr")
    assert target.counts == {"GET /": 10, "GET /slow": 10}


def test_greenlets_sockets_and_sleeps_of_a_file_give_way(programs, target, tmp_path):
    target.slow_s = 2
    path = write(tmp_path, f"""
import time
import urllib.request
import gevent
from gevent.pool import Pool
from locust import HttpUser, task

class Busy(HttpUser):
    fixed_count = 1

    @task
    def all_at_once(self):
        pool = Pool(8)
        for _ in range(8):
            pool.spawn(self.client.get, "/slow")
        pool.spawn(urllib.request.urlopen, "{target.url}/slow")
        began = time.time()
        pool.join()
        print("one after the other", time.time() - began > 8 * {target.slow_s})
        self.environment.runner.quit()
        gevent.sleep(60)

class Ticker(HttpUser):
    fixed_count = 1

    def __init__(self, environment):
        super().__init__(environment)
        time.sleep(0.01)
        self.client.get("/made")

    @task
    def tick(self):
        time.sleep(0.01)
        self.client.get("/tick")
""")
    cicada, code = run(programs, path, "-H", target.url, "-u", "2")
    assert "one after the other False" in cicada.text("stdout"), cicada.text()
    assert target.counts["GET /slow"] == 9 and target.counts["GET /tick"] > 8
    assert target.counts["GET /made"] == 1
    assert code == 0


def test_users_without_waits_give_way(programs, target, tmp_path):
    """Each of the two waits for what the other does; one of them never asks for anything."""
    path = write(tmp_path, """
from locust import HttpUser, User, constant, task

turns = {"asks": 0, "computes": 0}


class Asks(HttpUser):
    fixed_count = 1
    wait_time = constant(0)

    @task
    def ask(self):
        if turns["computes"] > 3:
            self.environment.runner.quit()
        elif turns["asks"] < 3:
            self.client.get("/")
            turns["asks"] += 1


class Computes(User):
    fixed_count = 1
    wait_time = constant(0)

    @task
    def compute(self):
        if turns["asks"] == 3:
            turns["computes"] += 1
""")
    _, code = run(programs, path, "-H", target.url, "-u", "2", "-r", "100")
    assert code == 0 and target.counts == {"GET /": 3}


def test_the_time_of_an_answer_has_not_that_of_other_users_code(programs, target, tmp_path):
    """Twenty users compute for 20 ms each, one after the other, and are answered at once: not after
    most of the round that brings them back to the first."""
    path = write(tmp_path, """
import time
from statistics import median
from locust import HttpUser, events, task

rounds = []


@events.quitting.add_listener
def quitting(environment, **kwargs):
    print(environment.stats.total.median_response_time, median(rounds) * 1000)


class Computes(HttpUser):
    began = None

    @task
    def compute(self):
        now = time.perf_counter()
        if self.began:
            rounds.append(now - self.began)
        self.began = now
        while time.perf_counter() < now + 0.02:
            pass
        self.client.get("/")
""")
    cicada, code = run(programs, path, "-H", target.url, "-u", "20", "-r", "100", "-t", "4s")
    answer_ms, round_ms = map(float, cicada.text("stdout").split())
    assert code == 0 and answer_ms < round_ms / 2


def start_master(programs, path, *args):
    master = programs.start("cicada", "--master", "-f", path, *WEB, "--master-bind-host",
                            "127.0.0.1", "--master-bind-port", "0", "-s", "5", *args,
                            ready=WEB_READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    return master, master.ready.group(1), port


def test_master_and_workers(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
from locust import events
from locust.runners import MasterRunner

@events.init.add_listener
def listen(environment, runner, **kwargs):
    if not isinstance(runner, MasterRunner):
        return
    for name in ("test_start", "spawning_complete", "test_stopping", "test_stop"):
        def say(name=name, **kwargs):
            print(name, flush=True)
        getattr(environment.events, name).add_listener(say)

    @environment.events.quitting.add_listener
    def judge(environment, **kwargs):
        total = environment.stats.total
        print(total.num_requests, environment.stats.get("/missing", "GET").num_failures)
        if total.fail_ratio > 0.01:
            environment.process_exit_code = 9
""")
    master, url, port = start_master(programs, path)
    workers = [programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                              "--master-port", port) for _ in range(2)]
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 2, 60, "two workers")
    get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 100, "host": target.url})
    wait_until(lambda: target.total > 50, 60, "fifty answers")
    assert get_json(url + "/stop")["success"]
    wait_until(lambda: counts(url) == dict(target.counts), 60, "the counts of the target")
    wait_until(lambda: get_json(url + "/exceptions")["exceptions"], 60, "an exception")
    assert master.stop(60) == 9
    assert master.text("stdout").split() == [
        "test_start", "spawning_complete", "test_stopping", "test_stop", str(target.total),
        str(target.counts["GET /missing"])]
    assert [worker.wait(60) for worker in workers] == [0, 0]


def test_a_worker_takes_the_tags_of_its_master(programs, target, tmp_path):
    path = write(tmp_path, """
from locust import HttpUser, constant, tag, task

class Visitor(HttpUser):
    wait_time = constant(0.01)

    @tag("read")
    @task
    def read(self):
        self.client.get("/read")

    @task
    def write(self):
        self.client.get("/write")
""")
    master, url, port = start_master(programs, path, "--tags", "read")
    worker = programs.start("cicada", "--worker", "-f", path, "--master-port", port)
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, 60, "the worker")
    get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 9, "host": target.url})
    wait_until(lambda: target.total > 40, 60, "requests")
    master.stop(60)
    assert worker.wait(60) == 0
    assert set(target.counts) == {"GET /read"}
    assert "tags" not in worker.text("stderr"), worker.text("stderr")


def test_the_inference_locustfile_is_its_native_twin(programs):
    service = programs.start("cicada-inference", "--port", "0", ready=r"ready on \S+:(\d+)")
    host = f"http://127.0.0.1:{service.ready.group(1)}"
    rows = {}
    for name in ("inference.c", "locustfile.py"):
        cicada = programs.start("cicada", "-f", ROOT / "scenarios" / name, *WEB, "-H", host, "-s",
                                "10", ready=WEB_READY)
        url = cicada.ready.group(1)
        get_json(url + "/swarm", {"user_count": 60, "spawn_rate": 1000})
        wait_until(lambda u=url: len(counts(u)) == 3 and sum(counts(u).values()) > 150, 90,
                   "150 requests")
        assert get_json(url + "/stop")["success"]
        rows[name] = counts(url)
        assert get_json(url + "/stats/requests")["errors"] == []
        assert cicada.stop() == 0
    assert rows["inference.c"].keys() == rows["locustfile.py"].keys()
    for row in rows.values():
        share = row["POST /predict"] / sum(row.values())
        assert 0.65 < share < 0.92, "eight of ten"


def test_a_worker_may_leave(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
import gevent
from locust import events
from locust.runners import WorkerRunner

@events.test_start.add_listener
def listen(environment, **kwargs):
    if isinstance(environment.runner, WorkerRunner):
        gevent.spawn_later(0.3, environment.runner.quit)

@events.quitting.add_listener
def leave(environment, **kwargs):
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.quit()
        environment.process_exit_code = 6
""")
    master, url, port = start_master(programs, path, "-H", target.url)
    worker = programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                            "--master-port", port)
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, 60, "the worker")
    assert get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 100})["success"]
    assert worker.wait(60) == 6
    wait_until(lambda: counts(url) == dict(target.counts), 60, "the counts of the target")


def test_a_shape_on_a_master(programs, target, tmp_path):
    path = write(tmp_path, VISITOR + """
from locust import LoadTestShape

class UpAndDown(LoadTestShape):
    wanted = 4

    def tick(self):
        if self.get_current_user_count() == self.wanted:
            self.wanted -= 2
        return (self.wanted, 100) if self.wanted else None

class Hill(LoadTestShape):
    use_common_options = True

    def tick(self):
        return self.runner.environment.parsed_options.num_users, 100
""")
    master, url, port = start_master(programs, path, "-H", target.url)
    programs.start("cicada", "--worker", "-f", path, "--master-host", "127.0.0.1",
                   "--master-port", port)
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, 60, "the worker")
    assert get_json(url + "/swarm", {"user_count": 1, "spawn_rate": 1})["success"]
    for users in (4, 2, 0):
        wait_until(lambda n=users: get_json(url + "/stats/requests")["user_count"] == n, 60,
                   f"{users} users")
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "stopped", 60, "the end")
    wait_until(lambda: counts(url) == dict(target.counts), 60, "the counts of the target")
    # Another one of the file, which goes by the numbers of the form, and then none.
    wrong = get_json(url + "/swarm", {"shape_class": "Valley"})
    assert not wrong["success"] and wrong["message"].endswith("give UpAndDown, Hill or Default")
    assert not get_json(url + "/swarm", {"shape_class": "Hill"})["success"]
    said = get_json(url + "/swarm", {"shape_class": "Hill", "user_count": 3, "spawn_rate": 9})
    assert said["message"] == "Swarming started using shape class 'Hill'"
    wait_until(lambda: get_json(url + "/stats/requests")["user_count"] == 3, 60, "3 users")
    get_json(url + "/stop")
    assert get_json(url + "/settings")["shape"] == "Hill"
    assert get_json(url + "/swarm", {"profile": ""})["message"].endswith("shape class 'UpAndDown'")
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "stopped", 60, "its end")


ONE_CLASS = """
from locust import HttpUser, constant, task

class {0}(HttpUser):
    wait_time = constant(0.05)

    @task
    def visit(self):
        self.client.get("/{0}")
"""


def classes_of(programs, *args):
    program, code = programs.run("cicada", "--list", *args, timeout_s=60)
    return program.text("stdout").split()[2:] if code == 0 else program.text("stderr")


@pytest.fixture
def web_folder(tmp_path):
    """Files of tmp_path over HTTP."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/files/locked") and \
                    self.headers["Authorization"] != "Basic YW5uOmh1QHNo":
                self.send_error(401)
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_where_a_locustfile_may_be(programs, tmp_path, web_folder):
    folder = tmp_path / "files"
    (folder / "deeper").mkdir(parents=True)
    write(folder, ONE_CLASS.format("Ant"), "ant.py")
    write(folder, ONE_CLASS.format("Bee"), "deeper/bee.py")
    write(folder, "not Python", "_helper.py")
    write(folder, "not Python", "notes.txt")
    assert classes_of(programs, "-f", folder) == ["Ant", "Bee"]
    assert classes_of(programs, "-f", folder / "ant") == ["Ant"]
    assert classes_of(programs, "-f", f"{folder / 'ant.py'},{folder / 'deeper'}") == ["Ant", "Bee"]
    assert classes_of(programs, "-f", web_folder + "/files/ant.py") == ["Ant"]
    write(folder, ONE_CLASS.format("Dog"), "raw")
    assert classes_of(programs, "-f", web_folder + "/files/raw?of=gist") == ["Dog"]
    assert classes_of(programs, "-f", f"{web_folder}/files/ant.py,{folder / 'deeper'}") == \
        ["Ant", "Bee"]
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'empty'}: there is no locustfile in this folder" in \
        classes_of(programs, "-f", tmp_path / "empty")
    assert f"{web_folder}/none.py: the locustfile cannot be fetched: HTTP Error 404" in \
        classes_of(programs, "-f", web_folder + "/none.py")
    assert f"{tmp_path / 'none.py'}: there is no such file" in \
        classes_of(programs, "-f", tmp_path / "none.py")


def test_secrets_of_an_address_are_not_shown(programs, target, tmp_path, web_folder):
    (tmp_path / "files").mkdir()
    write(tmp_path, ONE_CLASS.format("Ant"), "files/locked.py")
    file = web_folder.replace("://", "://ann:hu%40sh@") + "/files/{}.py?token=hush"
    error = classes_of(programs, "-f", file.format("none"))
    assert f"{web_folder}/files/none.py: the locustfile cannot be fetched: HTTP Error 404" in error
    cicada = programs.start("cicada", "-f", file.format("locked"), *WEB, "-H", target.url,
                            ready=WEB_READY)
    settings = get_json(cicada.ready.group(1) + "/settings")
    assert settings["scenario"] == "locked.py"
    assert not re.search("hush|hu%40sh|hu@sh", error + cicada.text() + json.dumps(settings))


def test_workers_get_the_locustfiles_of_their_master(programs, target, tmp_path, web_folder):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    write(tmp_path, ONE_CLASS.format("Ant"), "ant.py")
    write(tmp_path, "from ant import Ant\n" + ONE_CLASS.format("Bee"), "bee.py")
    write(tmp_path, ONE_CLASS.format("Cat"), "cat.py")
    master, url, port = start_master(
        programs, f"{tmp_path / 'ant.py'},{tmp_path / 'bee.py'},{web_folder}/cat.py")
    worker = programs.start("cicada", "--worker", "-f", "-", "--processes", "2", "--master-port",
                            port, env={"TMPDIR": str(temporary)})
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 2, 60, "the workers")
    get_json(url + "/swarm", {"user_count": 6, "spawn_rate": 100, "host": target.url})
    wait_until(lambda: {"GET /Ant", "GET /Bee", "GET /Cat"} <= set(target.counts), 60, "all classes")
    master.stop(60)
    assert worker.wait(60) == 0
    assert not list(temporary.glob("cicada-*")), "what was downloaded is removed"


def test_a_worker_takes_the_locustfile_of_locusts_master(programs, tmp_path):
    """2.46's master is played by the bytes that one has sent."""
    vectors = ROOT / "tests/vectors/locust"
    router = zmq.Context.instance().socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    worker = programs.start("cicada", "--worker", "-f", "-", "--master-port", port,
                            env={"TMPDIR": str(tmp_path)})
    asked, answered = set(), None
    while answered is None and router.poll(60000):
        identity, frame = router.recv_multipart()
        kind = msgpack.unpackb(frame)[0]
        asked.add(kind)
        if kind == "locustfile":
            router.send_multipart([identity,
                                   (vectors / "2.46.6-m2w_locustfile.bin").read_bytes()])
        else:
            answered = kind
    assert answered == "client_ready", worker.text()
    assert "The master's scenario is lf_basic.py" in worker.text()
    worker.stop(60)
    assert not list(tmp_path.glob("cicada-*"))
    router.close(0)


def test_a_listener_that_waits_keeps_no_more_than_a_bound(programs, tmp_path):
    path = write(tmp_path, ONE_CLASS.format("Ant") + """
import gevent
from locust import events

@events.init.add_listener
def init(runner, **kwargs):
    runner.register_message("wait", lambda **kwargs: gevent.sleep(3600))
""")
    master, url, port = start_master(programs, path)
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.setsockopt_string(zmq.IDENTITY, "talker")
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send(msgpack.packb(["client_ready", "2.46.6", "talker"]))

    def piles_up():
        dealer.send(msgpack.packb(["wait", b"x" * 10_000_000, "talker"]))
        return "messages of other processes pile up" in master.text("stderr")

    wait_until(piles_up, 60, "a dropped message")
    assert get_json(url + "/stats/requests")["state"] == "ready"
    master.signal(signal.SIGKILL)  # its listeners of `quitting` would wait for that one
    dealer.close(0)


def test_locusts_worker_gets_our_locustfile(programs, tmp_path):
    """The question is one that 2.46 has asked."""
    write(tmp_path, ONE_CLASS.format("Ant"), "ant.py")
    _, _, port = start_master(programs, tmp_path / "ant.py")
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    question = (ROOT / "tests/vectors/locust/2.46.6-w2m_locustfile.bin").read_bytes()
    dealer.setsockopt_string(zmq.IDENTITY, msgpack.unpackb(question)[2])
    dealer.connect(f"tcp://127.0.0.1:{port}")
    dealer.send(question)
    assert dealer.poll(60000)
    kind, data, _ = msgpack.unpackb(dealer.recv())
    assert kind == "locustfile"
    assert data == {"locustfiles": [{"filename": "ant.py", "contents": ONE_CLASS.format("Ant")}]}
    dealer.close(0)


WEB_ROUTES = ONE_CLASS.format("Ant") + """
import gevent
import json
from flask import (Blueprint, jsonify, make_response, redirect, render_template,
                   render_template_string, request)
from locust import events

extend = Blueprint("extend", __name__, url_prefix="/extend")
lengths = {}

@extend.route("/lengths")
def show():
    return jsonify(lengths)

@events.init.add_listener
def init(environment, web_ui, **kwargs):
    gevent.sleep(1)  # a request that comes meanwhile waits for it
    if not web_ui:
        return
    @web_ui.app.route("/added_page")
    def added():
        return "Another page"

    @web_ui.app.route("/echo/<name>", methods=["POST", "PUT"])
    @web_ui.auth_required_if_enabled
    def echo(name):
        response = make_response(request.get_data())
        response.headers["X-Seen"] = "|".join([name, request.args["q"], request.headers["X-Ask"],
                                               request.content_type])
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response, 201

    @web_ui.app.route("/said/<path:words>")
    def said(words):
        return words

    @web_ui.app.route("/away")
    def away():
        return redirect("/added_page")

    @web_ui.app.route("/broken")
    def broken():
        return 1 / 0

    @web_ui.app.route("/state")
    def state():
        return {"state": environment.runner.state, "users": environment.runner.user_count}

    @web_ui.app.after_request
    def mark(response):
        response.headers["X-Marked"] = "yes"
        if request.path == "/stats/requests":
            response.set_data(json.dumps({**response.json, "extended_stats": [
                {"key": "lengths", "data": [{"name": "all", "bytes": 7}]}]}))
        return response

    @web_ui.app.route("/more")
    def more():
        web_ui.update_template_args()
        web_ui.set_static_modern_ui()
        return render_template("index.html", template_args={
            **web_ui.template_args, "extended_tabs": [{"key": "lengths", "title": "Le</script>ngths"}]})

    @web_ui.app.route("/more/blocks")
    def blocks():
        return render_template_string(
            '{% extends "index.html" %}{% block extended_panes %}a pane{% endblock %}')

    web_ui.app.register_blueprint(extend)

@events.request.add_listener
def count(name, response_length, **kwargs):
    lengths[name] = lengths.get(name, 0) + response_length
"""


def ask(url, method="GET", body=None, **headers):
    request = urllib.request.Request(url, method=method, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def test_a_locustfile_may_add_to_the_web_interface(programs, target, tmp_path):
    path = write(tmp_path, WEB_ROUTES)
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, ready=WEB_READY)
    url = cicada.ready.group(1)
    status, headers, body = ask(url + "/added_page")
    assert (status, headers["X-Marked"], body) == (200, "yes", b"Another page")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    status, headers, body = ask(url + "/echo/a%C3%BC?q=1%202", "PUT", b"\x00\xff body",
                                **{"X-Ask": "me", "Content-Type": "application/x-mine"})
    assert (status, body) == (201, b"\x00\xff body")
    assert headers["X-Seen"] == "a\u00fc|1 2|me|application/x-mine"
    assert [value.split(";")[0] for value in headers.get_all("Set-Cookie")] == ["a=1", "b=2"]
    assert ask(url + "/said/a%3Fb%2541/c")[2] == b"a?b%41/c"
    assert ask(url + "/said/%FF")[2] == "\ufffd".encode()
    assert ask(url + "//added_page/said/x")[0] == 404, "no part of it is a host"
    assert ask(url + "/away")[2] == b"Another page"
    status, _, page = ask(url + "/more")
    assert status == 200 and b"Le\\u003c/script\\u003engths" in page, "data stay within their script"
    assert b'<div class="panes">a pane</div>' in ask(url + "/more/blocks")[2]
    assert get_json(url + "/extended-stats") == {"extended_stats": [
        {"key": "lengths", "data": [{"name": "all", "bytes": 7}]}]}
    assert ask(url + "/broken")[0] == 500
    wait_until(lambda: "ZeroDivisionError" in cicada.text("stderr"))
    assert ask(url + "/none")[0] == 404 and ask(url + "/echo/x")[0] == 405
    assert ask(url + "/stop", "POST")[0] == 405, "ours is ours"
    assert ask(url + "/added_page", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    get_json(url + "/swarm", {"user_count": 1, "spawn_rate": 1})
    wait_until(lambda: get_json(url + "/extend/lengths").get("/Ant", 0) > 0, 60, "a length")
    wait_until(lambda: get_json(url + "/state") == {"state": "running", "users": 1}, 60, "a user")


LOGINS = ONE_CLASS.format("Ant") + """
import json
from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user, logout_user
from locust import events

class Person(UserMixin):
    def __init__(self, name):
        self.id = name

@events.init.add_listener
def init(environment, web_ui, **kwargs):
    base = environment.parsed_options.web_base_path
    door = Blueprint("door", __name__, url_prefix=base)
    web_ui.login_manager.user_loader(Person)
    web_ui.app.config["SECRET_KEY"] = "not so secret"
    web_ui.auth_args = {
        "title": "Who?",
        "auth_providers": [{"label": "Else<where>", "callback_url": "/from/elsewhere"}],
        "custom_form": {"callback_url": f"{base}/enter", "submit_button_text": "Enter", "inputs": [
            {"label": "Name", "name": "name", "is_required": True},
            {"name": "word", "is_secret": True},
            {"name": "stay", "default_value": True},
            {"name": "group", "choices": ["red", "<blue>"], "default_value": "<blue>"}]}}

    @door.route("/enter", methods=["POST"])
    def enter():
        if request.form["word"] == "sesame" and request.form["group"] == "red":
            login_user(Person(request.form["name"]), remember="stay" in request.form)
            return redirect(url_for("locust.index"))
        session["auth_error"] = "The word & nothing else"
        return redirect(url_for("locust.login"))

    @door.route("/leave")
    def leave():
        logout_user()
        return "gone"

    @web_ui.app.after_request
    def extend(response):
        if request.path == "/stats/requests":
            response.set_data(json.dumps({"extended_stats": [{"key": "mine", "data": []}]}))
        return response

    @door.route("/mine")
    @web_ui.auth_required_if_enabled
    def mine():
        return "mine"

    web_ui.app.register_blueprint(door)
"""


class Browser:
    """Follows no redirect, and keeps its cookies."""

    def __init__(self, url, base=""):
        self.url, self._base, self._cookies = url, base, {}

    def at_root(self):
        """The same one, not below the base path."""
        other = Browser(self.url)
        other._cookies = self._cookies
        return other

    def ask(self, path, form=None, **headers):
        """(status, where to, body)"""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Cookie": cookies, **headers, **(
            {"Content-Type": "application/x-www-form-urlencoded"} if form else {})}
        connection.request("POST" if form else "GET", self._base + path,
                           urllib.parse.urlencode(form) if form else None, headers)
        reply = connection.getresponse()
        for cookie in reply.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
            assert "HttpOnly" in cookie and "SameSite=" in cookie
        body = reply.read().decode()
        connection.close()
        return reply.status, reply.headers["Location"], body


def test_a_locustfile_may_say_who_is_let_in(programs, target, tmp_path):
    path = write(tmp_path, LOGINS)
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "word").write_text("sesame")
    cicada = programs.start("cicada", "-f", path, "--web-login", "--web-base-path", "/load", *WEB,
                            "-H", target.url, ready=WEB_READY, cwd=tmp_path)
    browser = Browser(cicada.ready.group(1), "/load")
    assert browser.ask("/stats/requests")[0] == browser.ask("/swarm", {"user_count": 1})[0] == 401
    assert browser.ask("/", Accept="text/html")[:2] == (302, "login")
    assert browser.ask("/healthz")[0] == Browser(browser.url).ask("/healthz")[0] == 200
    assert browser.ask("/mine")[:2] == (302, "/load/login")
    assert Browser(browser.url).ask("/static/word")[:2] == (302, "/load/login")
    status, _, page = browser.ask("/login")
    assert status == 200 and "<h1>Who?</h1>" in page and "Else&lt;where&gt;" in page
    for field in ('<form method="post" action="/load/enter">', '<input type="password" name="word">',
                  '<input type="text" name="name" required="required">',
                  '<input type="checkbox" name="stay" checked="checked">',
                  '<option value="&lt;blue&gt;" selected="selected">', "<button>Enter</button>"):
        assert field in page
    form = {"name": "ann", "word": "wrong", "group": "red"}
    assert browser.ask("/enter", form)[:2] == (302, "/load/login")
    assert "The word &amp; nothing else" in browser.ask("/login")[2]
    assert "nothing else" not in browser.ask("/login")[2], "it is said once"
    assert browser.ask("/stats/requests")[0] == 401
    assert Browser(browser.url, "/load").ask("/enter", {**form, "word": "sesame", "stay": "on"})[0] == 302
    # Also when a site that has asked who it is sends it.
    entered = {**form, "word": "sesame"}
    assert browser.ask("/enter", entered, **{"Sec-Fetch-Site": "cross-site"})[:2] == (302, "/load/")
    assert browser.ask("/mine")[2] == "mine" and browser.ask("/")[0] == 200
    assert browser.at_root().ask("/static/word")[2] == "sesame"
    assert browser.ask("/swarm", {"user_count": 1, "spawn_rate": 1})[0] == 200
    assert browser.ask("/stop", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert "You are logged in" in browser.ask("/login")[2]
    for base in ("", "/load"):
        assert Browser(browser.url, base).ask("/extended-stats")[0] == 401
    assert '"mine"' in browser.ask("/extended-stats")[2]
    assert Browser(browser.url, "/load").ask("/stats/requests")[0] == 401, "another one is not"
    for end in (("/leave",), ("/logout", {"x": "y"})):
        browser.ask(*end)
        assert browser.ask("/stats/requests")[0] == 401 and browser.ask("/mine")[0] == 302
        assert browser.ask("/enter", entered)[0] == 302
        assert browser.ask("/stats/requests")[0] == 200


def test_who_makes_no_logins_lets_nobody_in(programs, target, tmp_path):
    path = write(tmp_path, ONE_CLASS.format("Ant"))
    # The class behind the switch is none of its own.
    cicada = programs.start("cicada", "-f", path, "--web-login", "Ant", *WEB, "-H", target.url,
                            ready=WEB_READY)
    cicada.wait_line("nobody can log in", 60)
    browser = Browser(cicada.ready.group(1))
    assert browser.ask("/stats/requests")[0] == 401
    assert "has not said how" in browser.ask("/login")[2]
    native = tmp_path / "ant.c"
    native.write_text("#include <cicada.h>\nstatic void t(struct cic_user *u) { (void)u; }\n"
                      "CIC_USER(Ant, .tasks = CIC_TASKS({ t, 1 }));\n")
    program, code = programs.run("cicada", "-f", native, "--web-login", *WEB, timeout_s=60)
    assert code == 1 and "logins are made by a locustfile" in program.text()


def test_a_reset_is_an_event(programs, target, tmp_path):
    path = write(tmp_path, ONE_CLASS.format("Ant") + """
from locust import events

@events.reset_stats.add_listener
def reset(**kwargs):
    print("reset", flush=True)
""")
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, ready=WEB_READY)
    url = cicada.ready.group(1)
    get_json(url + "/swarm", {"user_count": 1, "spawn_rate": 1})
    wait_until(lambda: target.total > 3, 60, "some requests")
    assert ask(url + "/stats/reset")[2] == b"ok"
    cicada.wait_line("^reset$", 60)
    get_json(url + "/stop")
    get_json(url + "/swarm", {"user_count": 1, "spawn_rate": 1})
    wait_until(lambda: get_json(url + "/stats/requests")["state"] == "running", 60, "the next test")
    cicada.stop(60)
    assert cicada.text("stdout") == "reset\n"


def test_without_routes_of_its_own_a_path_is_not_found(programs, target, tmp_path):
    path = write(tmp_path, ONE_CLASS.format("Ant"))
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, ready=WEB_READY)
    status, _, body = ask(cicada.ready.group(1) + "/none")
    assert status == 404 and b"The requested URL was not found on the server" in body


def test_a_route_that_never_gives_way_holds_up_nobody(programs, target, tmp_path):
    path = write(tmp_path, ONE_CLASS.format("Ant") + """
from locust import events

@events.init.add_listener
def init(web_ui, **kwargs):
    @web_ui.app.route("/stuck")
    def stuck():
        while True:
            pass
""")
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, ready=WEB_READY)
    url = cicada.ready.group(1)
    answers = []
    asker = threading.Thread(target=lambda: answers.append(ask(url + "/stuck")))
    asker.start()
    cicada.wait_line(r"locustfile.py:\d+: the locustfile keeps its thread in stuck\(\)", 60)
    assert get_json(url + "/stats/requests")["state"] == "ready"
    asker.join(60)
    assert answers[0][0] == 504 and b"did not answer within 30 s" in answers[0][2]


OWN_OPTIONS = """
from locust import HttpUser, constant, events, task

@events.init_command_line_parser.add_listener
def add(parser):
    parser.add_argument("--my-text", default="<default>", help="What is asked & how")
    parser.add_argument("--my-number", type=int, default=1, env_var="MY_NUMBER")
    parser.add_argument("--my-flag", action="store_true")
    parser.add_argument("--my-choice", choices=["a", "b"], default="b")
    parser.add_argument("--my-secret", default="hush", is_secret=True)
    parser.add_argument("--my-own", default="own", include_in_web_ui=False)

@events.test_start.add_listener
def say(environment, **kwargs):
    o = environment.parsed_options
    print("START", o.my_text, o.my_number, o.my_flag, o.my_choice, o.my_secret, o.my_own, flush=True)

class Asker(HttpUser):
    wait_time = constant(0.05)

    @task
    def visit(self):
        self.client.get(f"/{self.environment.parsed_options.my_number}")
"""


def test_the_form_has_the_options_of_a_locustfile(programs, target, tmp_path):
    path = write(tmp_path, OWN_OPTIONS)
    cicada = programs.start("cicada", "-f", path, *WEB, "-H", target.url, "--my-number", "7",
                            ready=WEB_READY)
    url = cicada.ready.group(1)
    options = {o["name"]: o for o in get_json(url + "/settings")["options"]}
    assert list(options) == ["my_text", "my_number", "my_flag", "my_choice", "my_secret"]
    assert options["my_text"] == {"name": "my_text", "help": "What is asked & how", "value": "<default>",
                                  "is_secret": False, "choices": None}
    assert options["my_number"]["value"] == "7"
    assert (options["my_flag"]["value"], options["my_flag"]["choices"]) == ("false", ["true", "false"])
    assert (options["my_choice"]["value"], options["my_choice"]["choices"]) == ("b", ["a", "b"])
    assert options["my_secret"]["is_secret"] and options["my_secret"]["value"] is None
    start = {"user_count": 1, "spawn_rate": 1}
    get_json(url + "/swarm", start)
    cicada.wait_line(r"START <default> 7 False b hush own", 60)
    get_json(url + "/stop")
    get_json(url + "/swarm", {**start, "my_text": "new", "my_number": "8", "my_flag": "true",
                              "my_choice": "a", "my_secret": "", "my_own": "taken"})
    cicada.wait_line(r"START new 8 True a hush own", 60)
    wait_until(lambda: target.counts["GET /8"] > 0, 60, "a request by the new number")
    get_json(url + "/stop")
    get_json(url + "/swarm", {**start, "my_number": "eight", "my_secret": "psst"})
    cicada.wait_line(r"START new 8 True a psst own", 60)
    wait_until(lambda: "Option my_number of the form is left as it is" in cicada.text("stderr"))
    assert "hush" not in cicada.text("stderr") and "psst" not in cicada.text("stderr")


def post_json(url, value):
    request = urllib.request.Request(url, data=json.dumps(value).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


@pytest.mark.parametrize("is_distributed", [False, True], ids=["alone", "worker"])
def test_the_tasks_that_a_class_draws_change_while_it_runs(programs, target, tmp_path, is_distributed):
    path = write(tmp_path, """
from locust import HttpUser, constant, task

class Picky(HttpUser):
    wait_time = constant(0.02)

    @task(9)
    def one(self):
        self.client.get("/one")

    @task
    def two(self):
        self.client.get("/two")

    @task(3)
    def three(self):
        self.client.get("/three")
""")
    args = ["-f", path, *WEB, "-H", target.url]
    if is_distributed:
        port = free_port()
        args += ["--master", "--master-bind-port", port]
    cicada = programs.start("cicada", *args, ready=WEB_READY)
    url = cicada.ready.group(1)
    if is_distributed:
        programs.start("cicada", "-f", path, "--worker", "--master-port", port)
        wait_until(lambda: get_json(url + "/stats/requests").get("workers"), 60, "the worker")
    get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 100})

    def asked(path):
        return target.counts[f"GET /{path}"]
    wait_until(lambda: all(map(asked, ("one", "two", "three"))), 60, "all tasks")
    post_json(url + "/user", {"user_class_name": "Picky", "tasks": ["two", "three"]})
    # Of a user that was in its task, one more.
    wait_until(lambda: asked("two") > 30, 60, "another task")
    before, two = asked("one"), asked("two")
    wait_until(lambda: asked("two") > two + 20, 60, "another task only")
    assert asked("one") == before and asked("three") > 0
    post_json(url + "/user", {"user_class_name": "Picky", "tasks": ["one"]})
    wait_until(lambda: asked("one") > before + 20, 60, "the first task again")
    # Users that run keep their session; those that begin have the host of the class.
    post_json(url + "/user", {"user_class_name": "Picky", "host": target.url + "/own"})
    get_json(url + "/swarm", {"user_count": 8, "spawn_rate": 100})
    wait_until(lambda: asked("own/one") > 20, 60, "the host of the class")
    get_json(url + "/stop")
    before = asked("one")
    get_json(url + "/swarm", {"user_count": 4, "spawn_rate": 100})
    own = asked("own/one")
    wait_until(lambda: asked("own/one") > own + 20, 60, "the same in the next test")
    assert asked("one") == before


def test_an_option_of_cicadas_own_is_not_to_be_added(programs, tmp_path):
    path = write(tmp_path, OWN_OPTIONS.replace("my-text", "web-port"))
    assert f"{path}: cicada has an option web_port already" in classes_of(programs, "-f", path)


def test_what_the_form_says_reaches_the_workers(programs, target, tmp_path):
    path = write(tmp_path, OWN_OPTIONS)
    master, url, port = start_master(programs, path)
    worker = programs.start("cicada", "--worker", "-f", path, "--master-port", port)
    wait_until(lambda: get_json(url + "/worker-count")["worker_count"] == 1, 60, "the worker")
    get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 9, "host": target.url,
                              "my_number": "5", "my_text": "words"})
    worker.wait_line(r"START words 5 False b hush own", 60)
    wait_until(lambda: target.counts["GET /5"] > 0, 60, "a request")
    # Also while the test runs.
    get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 9, "my_number": "6"})
    wait_until(lambda: target.counts["GET /6"] > 0, 60, "a request by the new number")
    assert set(target.counts) == {"GET /5", "GET /6"}
    master.stop(60)
    assert worker.wait(60) == 0
