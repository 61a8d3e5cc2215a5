# SPDX-License-Identifier: MIT
"""The HTTP API of a process that runs a test, as programs and people read it."""

import http.client
import json
import re
import urllib.parse

import pytest

import metrics_page
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
