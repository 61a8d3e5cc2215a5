# SPDX-License-Identifier: MIT
"""The HTTP API of a process that runs a test, as programs and people read it."""

import http.client
import json
import re
import urllib.parse

import jsonschema
import pytest

import metrics_page
import openapi
from programs import wait_until

SCENARIO = r"""
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void odd(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/odd", .name = "/\"><script>\\x");

	cic_check(r, cic_json_has(r, "answer"), "no <b>\"answer\"</b>\n");
}

CIC_USER(Visitor, .wait = CIC_CONSTANT_PACING(0.02),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 3), CIC_TASK(odd, 1)));
"""

WEB_READY = r"Starting web interface at http://([\w.]+):(\d+)"


class Api:
    def __init__(self, program):
        self.program = program
        self.port = int(program.ready.group(2))

    def ask(self, method, path, body=None, headers=None):
        """Status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def get_json(self, path):
        status, _, body = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def form(self, path, **fields):
        return self.ask("POST", path, urllib.parse.urlencode(fields),
                        {"Content-Type": "application/x-www-form-urlencoded"})


@pytest.fixture
def api(programs, target, tmp_path):
    """A test with a class and two names runs, one of which fails."""
    scenario = tmp_path / "scenario.c"
    scenario.write_text(SCENARIO)
    program = programs.start("cicada", "-f", scenario, "-H", target.url, "--web-host", "127.0.0.1",
                             "-P", "0", "--autostart", "-u", "3", "-r", "100", ready=WEB_READY)
    api = Api(program)
    wait_until(lambda: {"/", "/\"><script>\\x"} <= {
        row["name"] for row in api.get_json("/stats/requests")["stats"]}, what="both names")
    return api


# --- /metrics ---


def test_metrics_are_valid_and_those_of_the_run(api):
    status, headers, page = api.ask("GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    metrics_page.check(page.decode())
    samples = metrics_page.samples(page.decode())
    assert samples["locust_users", ()] == 3 and samples["locust_running", ()] == 2
    row = (("method", "GET"), ("name", "/"))
    count = samples["cicada_request_duration_seconds_count", row + (("outcome", "ok"),)]
    assert count == samples["locust_requests_num_requests", row] > 0
    errors = [labels for name, labels in samples if name == "locust_errors"]
    assert len(errors) == 1
    assert re.search("answer", dict(errors[0])["error"])


def test_probes(api):
    assert api.get_json("/healthz") == {"status": "ok"}
    assert api.get_json("/readyz") == {"state": "running", "status": "ready", "worker_count": 0}
    assert api.ask("GET", "/readyz?workers=1")[0] == 503


# --- /openapi.json ---


class Description:
    def __init__(self, api):
        self.api = api
        self.document = api.get_json("/openapi.json")

    def routes(self):
        return [(method.upper(), path) for path, operations in self.document["paths"].items()
                for method in operations]

    def check(self, method, path, body=None, headers=None):
        """Asks, and holds the reply against what is described. Returns status and body."""
        status, said, text = self.api.ask(method, path, body, headers)
        openapi.check(self.document, method, path.split("?")[0], status,
                      said.get("Content-Type", ""), text)
        return status, text


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def check_gets(described, *but):
    for method, path in described.routes():
        if method == "GET" and path not in but:
            described.check(method, path)


def test_replies_are_as_described(api):
    described = Description(api)
    jsonschema.Draft202012Validator.check_schema(
        {"$defs": described.document["components"]["schemas"]})
    check_gets(described, "/stop", "/stats/reset")
    described.check("POST", "/swarm", "user_count=4&spawn_rate=9&run_time=1h", FORM)
    described.check("POST", "/swarm", "user_count=x", FORM)
    described.check("POST", "/swarm", "a" * 2000000, FORM)
    described.check("POST", "/user", '{"user_class_name": "Visitor", "weight": 2}', JSON)
    described.check("POST", "/user", "[", JSON)
    described.check("GET", "/readyz?workers=x")
    described.check("GET", "/readyz?workers=3")
    described.check("GET", "/stats/report?download=1&theme=dark")
    described.check("GET", "/stats/reset")
    described.check("GET", "/stop")
    check_gets(described)


def test_replies_of_a_master_are_as_described(programs, target, tmp_path):
    scenario = tmp_path / "scenario.c"
    scenario.write_text(SCENARIO)
    master = programs.start("cicada", "--master", "-f", scenario, "-H", target.url, "--web-host",
                            "127.0.0.1", "-P", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "--api-compat", "2.12", ready=WEB_READY)
    api = Api(master)
    described = Description(api)
    check_gets(described)
    port = master.wait_line(r"Listening for workers on tcp://127.0.0.1:(\d+)").group(1)
    programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                   "--master-port", port)
    wait_until(lambda: api.ask("GET", "/readyz?workers=1")[0] == 200, what="a worker")
    logs = wait_until(lambda: api.get_json("/logs")["workers"], what="the worker's log")
    assert any("Starting Cicada" in line for lines in logs.values() for line in lines)
    described.check("POST", "/swarm", "user_count=3&spawn_rate=100", FORM)
    wait_until(lambda: api.get_json("/stats/requests")["errors"], what="a failure")
    check_gets(described, "/stop", "/stats/reset")
    metrics_page.check(api.ask("GET", "/metrics")[2].decode())
    described.check("GET", "/stop")
    check_gets(described)
