# SPDX-License-Identifier: MIT
"""Who is let in at port 8089: the token, TLS, and browsers that are sent by pages of others. Asked
with curl, as people do."""

import json
import re
import subprocess

import pytest

from certificates import certificate_of
from programs import free_port
from service import Service
from test_web_api import Description, Api

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.05), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

READY = r"Starting web interface at (\w+://[\w.]+:(\d+))"
TOKEN = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
SWARM = ("-d", "user_count=1&spawn_rate=1", "/swarm")


class Door:
    def __init__(self, program, *always):
        self.program = program
        self.url, self.port = program.ready[1], int(program.ready[2])
        self.always = always

    def curl(self, *args):
        """Status and body; the last argument is the path."""
        done = subprocess.run(["curl", "-sS", "-m", "60", "-w", "\n%{http_code}", *self.always,
                               *args[:-1], self.url + args[-1]], capture_output=True, text=True,
                              timeout=90, check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body or done.stderr

    def status(self, *args):
        return self.curl(*args)[0]


@pytest.fixture
def opened(programs, target, tmp_path):
    def start(*args, host="127.0.0.1", always=(), env=None):
        scenario = tmp_path / "scenario.c"
        scenario.write_text(SCENARIO)
        program = programs.start("cicada", "-f", scenario, "-H", target.url, "--web-host", host,
                                 "-P", "0", *args, ready=READY, env=env)
        return Door(program, *always)
    return start


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


# --- the token ---


def test_a_token_is_wanted_by_every_route_but_the_probes(opened, token_file):
    door = opened("--web-token", token_file)
    document = json.loads(door.curl("-H", f"Authorization: Bearer {TOKEN}", "/openapi.json")[1])
    routes = [(method.upper(), path) for path, operations in document["paths"].items()
              for method in operations]
    assert len(routes) > 20
    for method, path in [*routes, ("GET", "/nowhere"), ("OPTIONS", "/swarm"), ("HEAD", "/stop")]:
        status = door.status(*(("-I",) if method == "HEAD" else ("-X", method)), path)
        assert (status == 401) == (path not in ("/healthz", "/readyz")), (method, path, status)


@pytest.mark.parametrize("said, status", [
    (("-H", f"Authorization: Bearer {TOKEN}"), 200),
    (("-H", f"authorization: bearer {TOKEN}"), 200),
    (("-u", f"anybody:{TOKEN}"), 200),
    (("-u", f":{TOKEN}"), 200),
    ((), 401),
    (("-u", f"{TOKEN}:"), 401),
    (("-u", f"x:{TOKEN}x"), 401),
    (("-H", f"Authorization: Bearer {TOKEN[:-1]}"), 401),
    (("-H", f"Authorization: Bearer {TOKEN}{TOKEN}"), 401),
    (("-H", "Authorization: Bearer "), 401),
    (("-H", "Authorization: Basic ????"), 401),
    (("-H", f"Authorization: {TOKEN}"), 401),
])
def test_how_the_token_is_said(opened, token_file, said, status):
    door = opened(env={"CICADA_WEB_TOKEN_FILE": str(token_file)})
    assert door.status(*said, "/stats/requests") == status
    assert door.status(*said, *SWARM) == status


def test_a_browser_is_asked_for_the_token(opened, token_file):
    reply = opened("--web-token", token_file).curl("-i", "/")[1]
    assert "WWW-Authenticate: Basic realm=" in reply


def test_the_token_is_shown_nowhere(opened, token_file):
    door = opened("--web-token", token_file, "-L", "DEBUG",
                  always=("-H", f"Authorization: Bearer {TOKEN}"))
    said = [door.curl(path)[1] for path in ("/", "/logs", "/openapi.json", "/metrics", "/nowhere")]
    with open(f"/proc/{door.program.pid}/cmdline", encoding="ascii") as file:
        said.append(file.read())
    assert door.program.stop() == 0
    assert not any(TOKEN in text for text in [*said, door.program.text()])


def test_metrics_are_open_only_where_said(opened, token_file):
    assert opened("--web-token", token_file).status("/metrics") == 401
    door = opened("--web-token", token_file, "--open-metrics")
    assert door.status("/metrics") == 200 and door.status("/stats/requests") == 401


@pytest.mark.parametrize("content", ["", "short\n", "two words of some length\n"])
def test_a_file_without_a_token_is_refused(programs, tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    program, code = programs.run("cicada", "--master", "--web-token", path)
    assert code == 2 and f"{path}: a token is one line of 16" in program.text()


def test_refusals_are_as_described(opened, token_file):
    door = opened("--web-token", token_file, always=("-H", f"Authorization: Bearer {TOKEN}"))
    document = json.loads(door.curl("/openapi.json")[1])

    class Stranger(Api):
        def __init__(self):
            self.port = door.port

        def get_json(self, path):
            return document

    described = Description(Stranger())
    for method, path in described.routes():
        if path not in ("/healthz", "/readyz"):
            assert described.check(method, path)[0] == 401


# --- pages of other sites ---


@pytest.mark.parametrize("path", [SWARM, ("-d", "{}", "/user"), ("/stop",), ("/stats/reset",)])
def test_pages_of_others_may_not_ask_for_changes(opened, path):
    door = opened(host="*", always=("-H", "Host: master:8089"))

    def allows(*headers):
        return door.status(*(word for line in headers for word in ("-H", line)), *path) != 403

    assert allows()  # curl, Locust's clients
    assert allows("Origin: http://master:8089")
    assert allows("Sec-Fetch-Site: same-origin", "Origin: http://behind.a.proxy")
    assert allows("Sec-Fetch-Site: none")
    assert not allows("Sec-Fetch-Site: cross-site")
    assert not allows("Sec-Fetch-Site: same-site")
    assert not allows("Origin: http://evil.example")
    assert not allows("Origin: http://master:8090")
    assert not allows("Origin: null")
    assert not allows("Origin;")  # empty, as curl writes it


def test_pages_of_others_may_look(opened):
    door = opened(host="*")
    assert door.status("-H", "Sec-Fetch-Site: cross-site", "/stats/requests") == 200


def test_a_listed_page_may_ask_for_changes(opened):
    door = opened("--web-allow-host", "board.example", "other.example", host="*")
    for site in ("https://board.example", "http://OTHER.example:8080"):
        assert door.status("-H", "Sec-Fetch-Site: cross-site", "-H", f"Origin: {site}",
                           *SWARM) == 200
    assert door.status("-H", "Origin: https://board.example.evil", *SWARM) == 403


# --- names that lead here ---


@pytest.mark.parametrize("name, is_own", [
    ("localhost", True), ("LOCALHOST:8089", True), ("127.0.0.1:8089", True), ("[::1]:8089", True),
    ("192.168.1.7", True), ("evil.example", False), ("evil.example:8089", False),
    ("127.0.0.1.evil.example", False), ("[evil]", False), ("", False)])
def test_on_loopback_only_its_own_names_count(opened, name, is_own):
    door = opened()
    headers = ("-H", f"Host: {name}" if name else "Host;")
    assert door.status(*headers, "/stats/requests") == (200 if is_own else 403)
    assert door.status(*headers, "/healthz") == 200


def test_elsewhere_every_name_counts_unless_some_are_listed(opened):
    assert opened(host="*").status("-H", "Host: locust-master:8089", "/stats/requests") == 200
    door = opened("--web-allow-host", "locust-master", host="*")
    assert door.status("-H", "Host: locust-master:8089", "/stats/requests") == 200
    assert door.status("-H", "Host: evil.example", "/stats/requests") == 403
    assert door.status("/stats/requests") == 200


# --- TLS ---


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return [certificate_of(folder, name, "IP:127.0.0.1") for name in ("one", "other")]


def test_the_web_interface_is_https(opened, certificates):
    (cert, key), (stranger, _) = certificates
    door = opened("--tls-cert", cert, "--tls-key", key)
    assert door.url.startswith("https://")
    for version in ("--tlsv1.3", "--tls-max 1.2"):
        status, body = door.curl("--cacert", cert, *version.split(), "/stats/requests")
        assert status == 200 and json.loads(body)["state"] == "ready"
    assert door.status("--cacert", cert, "--tls-max", "1.1", "/") == 0
    assert door.status("--cacert", stranger, "/") == 0
    assert door.status("--cacert", cert, *SWARM) == 200
    report = door.curl("--cacert", cert, "/stats/report")[1]
    assert report.rstrip().endswith("</html>")
    assert json.loads(door.curl("--cacert", cert, "/stop")[1])["success"]


def test_plain_http_at_the_port_of_https_is_harmless(opened, certificates):
    cert, key = certificates[0]
    door = opened("--tls-cert", cert, "--tls-key", key)
    door.url, url = f"http://127.0.0.1:{door.port}", door.url
    assert door.status("/") == 0
    door.url = url
    assert door.status("--cacert", cert, "/healthz") == 200


def test_wrong_files_are_named(programs, tmp_path, certificates):
    (cert, key), (_, other) = certificates
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    def said(*args):
        program, code = programs.run("cicada", "--master", "--web-host", "127.0.0.1", "-P", "0",
                                     "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                                     "-f", scenario, *args)
        assert code != 0
        return program.text()

    scenario = tmp_path / "scenario.c"
    scenario.write_text(SCENARIO)
    assert "--tls-cert and --tls-key: give both" in said("--tls-cert", cert)
    assert f"{tmp_path}/none: No such file" in said("--tls-cert", tmp_path / "none", "--tls-key", key)
    assert f"{rubbish}: " in said("--tls-cert", rubbish, "--tls-key", key)
    assert f"{other}: " in said("--tls-cert", cert, "--tls-key", other)


def test_predictions_over_https(programs, certificates):
    cert, key = certificates[0]
    service = Service(programs, "--port", str(free_port()), "--tls-cert", cert, "--tls-key", key)
    done = subprocess.run(["curl", "-sS", "-m", "60", "--cacert", cert, "-w", "\n%{http_code}",
                           f"https://127.0.0.1:{service.port}/healthz"], capture_output=True,
                          text=True, timeout=90, check=True)
    assert done.stdout.endswith("\n200")
    assert service.ask("GET", "/readyz", is_admin=True)[0] == 200


# --- the driver ---


def test_the_driver_knows_token_and_certificate(programs, target, tmp_path, token_file,
                                                certificates):
    cert, key = certificates[0]
    scenario = tmp_path / "scenario.c"
    scenario.write_text(SCENARIO)
    master = programs.start("cicada", "--master", "-f", scenario, "--web-host", "127.0.0.1", "-P",
                            "0", "--master-bind-host", "127.0.0.1", "--master-bind-port", "0",
                            "--web-token", token_file, "--tls-cert", cert, "--tls-key", key,
                            ready=READY)
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)")[1]
    programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                   "--master-port", port)
    args = ("--master", master.ready[1], "--host", target.url, "--replicas", "1", "--workers", "1",
            "--users", "2", "--duration", "1", "--results", tmp_path / "results")
    driver, code = programs.run("cicada-driver", *args, "--master-ca", cert, timeout_s=60)
    assert code == 1 and re.search(r"answered 401.*; say who asks: --master-token FILE",
                                   driver.text()), driver.text()
    driver, code = programs.run("cicada-driver", *args, "--fresh", "--master-ca", cert, timeout_s=120,
                                env={"CICADA_MASTER_TOKEN_FILE": str(token_file)})
    assert code == 0, driver.text()
    assert TOKEN not in driver.text()


def test_all_routes_may_be_below_a_path(opened):
    door = opened("--web-base-path", "/a/load")
    status, reply = door.curl("-i", "/a/load")
    assert status == 308 and "\nLocation: load/\n" in reply
    for path in (("/a/load/",), ("/a/load/stats/requests",), ("/a/load/assets/test.css",),
                 ("-d", "user_count=1&spawn_rate=1", "/a/load/swarm"), ("/a/load/healthz",),
                 ("/healthz",), ("/readyz",), ("/metrics",)):
        assert door.status(*path) == 200, path
    for path in ("/", "/stats/requests", "/a/loader/tasks", "/a/load/a/load/tasks", "/a", "/stop"):
        assert door.status(path) == 404, path
    assert door.status("/a/load/swarm") == 405 and door.status("-d", "", "/a/load/stop") == 405


@pytest.mark.parametrize("path", ["load", "/load/", "/", "/a b", "/a\r\nX:b", "/" + "a" * 300])
def test_a_path_that_is_none_is_refused(programs, path):
    program, code = programs.run("cicada", "--web-base-path", path)
    assert code == 1 and "give a path that begins with a slash" in program.text()
