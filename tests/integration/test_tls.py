# SPDX-License-Identifier: MIT
"""https:// targets: cicada against Python's ssl, with certificates made for the test."""

import http.server
import re
import ssl
import threading

import pytest

from certificates import certificate_of
from target import Target

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void item(struct cic_user *u)
{
	cic_post(u, "/item", .json = "{}", .headers = "Connection: close");
}

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.01, 0.05),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 3), CIC_TASK(item, 1)));
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {"server": certificate_of(folder, "server", "IP:127.0.0.1"),
            "client": certificate_of(folder, "client", "DNS:client")}


@pytest.fixture
def context(certificates):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificates["server"])
    return tls


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.c"
    path.write_text(SCENARIO)
    return path


def run(programs, scenario, context, *args, env=None):
    """(target's count, requests, failures, exit code, text)"""
    target = Target(tls=context)
    try:
        program, code = programs.run(
            "cicada", "--headless", "--stop-timeout", "10", "-f", scenario, "-H", target.url,
            "-u", "8", "-r", "8", "-t", "2s", *args, timeout_s=60, env=env)
        text = program.text()
        rows = re.findall(r"^\S*\s+Aggregated\s+(\d+)\s+(\d+)\([\d.]+%\)", text, re.M)
        assert rows, text
        return target.total, int(rows[-1][0]), int(rows[-1][1]), code, text
    finally:
        target.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_request_is_counted(programs, scenario, context, certificates, version):
    context.maximum_version = version
    answered, requests, failures, code, text = run(
        programs, scenario, context, "--tls-ca", certificates["server"][0], "--threads", "2")
    assert code == 0 and failures == 0, text
    assert requests == answered > 0
    stats = context.session_stats()
    assert stats["accept_good"] > 8 and stats["hits"] > 0


def test_a_class_with_a_host_of_its_own(programs, tmp_path, context, certificates):
    target = Target(tls=context)
    path = tmp_path / "hosted.c"
    path.write_text(SCENARIO.replace("Visitor,", f'Visitor, .host = "{target.url}",'))
    try:
        program, code = programs.run("cicada", "--headless", "-f", path, "-t", "1s",
                                     "--stop-timeout", "10", "--tls-ca",
                                     certificates["server"][0], timeout_s=60)
        assert code == 0, program.text()
        assert target.total > 0
    finally:
        target.close()


def test_the_variable_of_openssl_is_honoured(programs, scenario, context, certificates):
    answered, requests, failures, code, text = run(
        programs, scenario, context, env={"SSL_CERT_FILE": str(certificates["server"][0])})
    assert code == 0 and failures == 0, text
    assert requests == answered > 0


def test_verification_is_on(programs, scenario, context):
    answered, requests, failures, code, text = run(programs, scenario, context)
    assert answered == 0 and requests == failures > 0 and code == 1, text
    assert ("SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: self-signed certificate')") in text


def test_insecure_verifies_nothing(programs, scenario, context):
    answered, requests, failures, code, text = run(programs, scenario, context,
                                                   env={"CICADA_TLS_INSECURE": "true"})
    assert code == 0 and failures == 0, text
    assert requests == answered > 0


def test_a_client_certificate_is_shown(programs, scenario, context, certificates):
    client, key = certificates["client"]
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client)
    answered, requests, failures, code, text = run(
        programs, scenario, context, "--tls-insecure", "--tls-client-cert", client,
        "--tls-client-key", key)
    assert code == 0 and failures == 0, text
    assert requests == answered > 0


def test_a_bad_file_is_told_at_the_start(programs, scenario, certificates):
    for option, file, words in (("--tls-ca", "/nowhere.pem", "No such file or directory"),
                                ("--tls-client-cert", scenario, "has no certificate in PEM form"),
                                ("--tls-client-cert", certificates["client"][0],
                                 "has no key in PEM form")):
        program, code = programs.run("cicada", "-f", scenario, "--headless", option, file)
        assert code == 2
        assert f"cicada: {option} {file}: {words}" in program.text("stderr")


CROSSING = """
#include <cicada.h>

static void cross(struct cic_user *u)
{{
	struct cic_response *r = cic_get(u, "/");

	cic_check(r, r->body_len == 4, "the redirect was not followed to https");
	cic_get(u, "/seen");
	cic_get(u, "{https}/seen");
	cic_stop_user(u);
}}

CIC_USER(Visitor, .tasks = CIC_TASKS(CIC_TASK(cross, 1)));
"""


def test_a_redirect_leads_to_https_and_secure_cookies_stay_there(programs, tmp_path, context,
                                                                 certificates):
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self):
            scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
            seen.append((scheme, self.path, self.headers.get("Cookie")))
            if (scheme, self.path) == ("http", "/"):
                self.send_response(302)
                self.send_header("Location", f"{urls['https']}/landing")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            if self.path == "/landing":
                self.send_header("Set-Cookie", "safe=1; Secure; Path=/")
                self.send_header("Set-Cookie", "open=1; Path=/")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"here")

        def log_message(self, *args):
            pass

    servers = {s: http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
               for s in ("http", "https")}
    urls = {s: f"{s}://127.0.0.1:{server.server_port}" for s, server in servers.items()}
    servers["https"].socket = context.wrap_socket(servers["https"].socket, server_side=True,
                                                  do_handshake_on_connect=False)
    scenario = tmp_path / "crossing.c"
    scenario.write_text(CROSSING.format(https=urls["https"]))
    for server in servers.values():
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        program, code = programs.run("cicada", "--headless", "-f", scenario, "-H", urls["http"],
                                     "-t", "2s", "--tls-ca", certificates["server"][0],
                                     timeout_s=60)
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()
    assert code == 0, program.text()
    assert seen == [("http", "/", None), ("https", "/landing", None), ("http", "/seen", "open=1"),
                    ("https", "/seen", "safe=1; open=1")]


LOCUSTFILE = """
from locust import FastHttpUser, HttpUser, constant, task

class Verifying(HttpUser):
    fixed_count = 1
    wait_time = constant(1000)

    @task
    def twice(self):
        r = self.client.get("/", name="verified")
        print("verified", r.status_code, "certificate verify failed" in str(r.error))
        print("not", self.client.get("/", name="not", verify=False).status_code)
        print("file", self.client.get("/", name="file", verify="{ca}").status_code)
        self.client.verify = False
        print("never", self.client.get("/", name="never").status_code)

class Fast(FastHttpUser):
    fixed_count = 1
    wait_time = constant(1000)

    @task
    def once(self):
        print("fast", self.client.get("/", name="fast").status_code)
"""


def test_locustfiles_choose_whether_to_verify(programs, certificates, context, tmp_path):
    path = tmp_path / "locustfile.py"
    path.write_text(LOCUSTFILE.format(ca=certificates["server"][0]))
    target = Target(tls=context)
    try:
        for args, verified in ([], "verified 0 True"), (
                ["--tls-ca", certificates["server"][0]], "verified 200 False"):
            program = programs.start("cicada", "--headless", "-f", path, "-H", target.url, "-u",
                                     "2", "-r", "100", *args, ready="never 200")
            program.wait_line("fast 200")
            assert program.stop() == (1 if "True" in verified else 0)
            assert sorted(program.text("stdout").splitlines()) == [
                "fast 200", "file 200", "never 200", "not 200", verified]
    finally:
        target.close()


SHOWING = """
from locust import HttpUser, task

class Showing(HttpUser):
    @task
    def show(self):
        print("none", self.client.get("/", name="none", verify="{ca}").status_code)
        print("shown", self.client.get("/", name="shown", verify="{ca}", cert={cert}).status_code)
        self.client.cert = {cert}
        self.client.verify = False
        print("session", self.client.get("/", name="session").status_code)
        self.environment.runner.quit()
"""


def test_locustfiles_show_certificates(programs, certificates, context, tmp_path):
    path = tmp_path / "locustfile.py"
    client, key = certificates["client"]
    path.write_text(SHOWING.format(ca=certificates["server"][0], cert=(str(client), str(key))))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client)
    target = Target(tls=context)
    try:
        program, _ = programs.run("cicada", "--headless", "-f", path, "-H", target.url, timeout_s=60)
        assert program.text("stdout").splitlines() == ["none 0", "shown 200", "session 200"]
    finally:
        target.close()
