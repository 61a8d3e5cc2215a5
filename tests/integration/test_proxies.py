# SPDX-License-Identifier: MIT
"""Requests through proxies: of our own, tinyproxy, and what Python's requests does likewise."""

import re
import shutil
import ssl
import subprocess

import pytest
import requests

from programs import start_server
from proxy import Proxy
from target import Target

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void item(struct cic_user *u) { cic_post(u, "/item", .json = "{}"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.05),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 1), CIC_TASK(item, 1)));
"""
VARIABLES = [name for lower in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
             for name in (lower, lower.upper())]
# user:p@ss
SECRET = "Basic dXNlcjpwQHNz"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) for shop.test, which nobody looks up but a proxy."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=shop",
                    "-addext", "subjectAltName=DNS:shop.test", "-keyout", folder / "key",
                    "-out", folder / "crt"], check=True, capture_output=True, timeout=60)
    return folder / "crt", folder / "key"


@pytest.fixture
def tls_target(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = Target(tls=context)
    yield server
    server.close()


@pytest.fixture
def proxy():
    server = Proxy(SECRET)
    yield server
    server.close()


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "scenario.c"
    path.write_text(SCENARIO)
    return path


def run(programs, scenario, host, *args, env=None, trust=True, seconds=1):
    """(requests, failures, text)"""
    program, _ = programs.run(
        "cicada", "--headless", "--stop-timeout", "10", "-f", scenario, "-H", host, "-u", "3",
        "-r", "100", "-t", f"{seconds}s", *(["--trust-env"] if trust else []), *args, timeout_s=60, env=env)
    rows = re.findall(r"^\S*\s+Aggregated\s+(\d+)\s+(\d+)\([\d.]+%\)", program.text(), re.M)
    assert rows, program.text()
    assert "p@ss" not in program.text() and "p%40ss" not in program.text()
    return int(rows[-1][0]), int(rows[-1][1]), program.text()


def port_of(url):
    return url.rsplit(":", 1)[1]


def test_http_targets(programs, scenario, target, proxy):
    host = f"http://shop.test:{port_of(target.url)}"
    count, failures, text = run(programs, scenario, host,
                                env={"http_proxy": f"http://user:p%40ss@{proxy.address}"})
    assert failures == 0 and count == target.total > 0, text
    assert set(proxy.asked) == {f"GET {host}/", f"POST {host}/item"}
    assert proxy.asked.total() == count and set(proxy.secrets) == {SECRET}
    assert f"Requests to http targets go through the proxy {proxy.address} of http_proxy" in text


def test_https_targets(programs, scenario, tls_target, proxy, certificate):
    """The name is the proxy's business, and the certificate that of the target."""
    port = port_of(tls_target.url)
    count, failures, text = run(programs, scenario, f"https://shop.test:{port}", "--tls-ca",
                                certificate[0],
                                env={"HTTPS_PROXY": f"http://user:p%40ss@{proxy.address}"})
    assert failures == 0 and count == tls_target.total > 0, text
    # A tunnel per user.
    assert dict(proxy.asked) == {f"CONNECT shop.test:{port}": 3}
    assert set(proxy.secrets) == {SECRET}


def test_the_far_end_is_verified(programs, scenario, tls_target, proxy):
    count, failures, text = run(programs, scenario, f"https://shop.test:{port_of(tls_target.url)}",
                                env={"https_proxy": f"http://user:p%40ss@{proxy.address}"})
    assert count == failures > 0
    assert "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]" in text


@pytest.mark.parametrize("scheme, args", [("http", ["--http2-prior-knowledge"]),
                                          ("https", ["--http2"])])
def test_http2_goes_through_a_tunnel(programs, scenario, tmp_path, proxy, certificate, scheme,
                                     args):
    (tmp_path / "index.html").write_text("here")
    (tmp_path / "item").write_text("there")

    def nghttpd(port):
        tls = ["--no-tls", port] if scheme == "http" else [port, certificate[1], certificate[0]]
        return [shutil.which("nghttpd"), "-a", "127.0.0.1", "-d", tmp_path, *tls]

    port = start_server(programs, nghttpd)
    count, failures, text = run(
        programs, scenario, f"{scheme}://shop.test:{port}", *args, "--tls-ca", certificate[0],
        env={"all_proxy": f"user:p%40ss@{proxy.address}"})
    assert failures == 0 and count > 0, text
    assert dict(proxy.asked) == {f"CONNECT shop.test:{port}": 3}


def test_a_refusal(programs, scenario, target, tls_target, proxy):
    env = {"all_proxy": f"http://user:p%40ssword@{proxy.address}"}
    count, failures, text = run(programs, scenario, tls_target.url, env=env)
    assert count == failures > 0
    assert ("ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407 Proxy "
            "Authentication Required'))") in text
    count, failures, text = run(programs, scenario, target.url, env=env)
    assert count == failures > 0 and "HTTPError('407 Client Error" in text
    assert target.total == tls_target.total == 0


def test_the_variables_count_only_where_asked_for(programs, scenario, target, proxy):
    """As with Locust, whose sessions do not trust the environment."""
    count, failures, text = run(programs, scenario, target.url, trust=False,
                                env={"http_proxy": f"http://{proxy.address}"})
    assert failures == 0 and count == target.total > 0, text
    assert not proxy.asked and "through the proxy" not in text


def test_the_variable_for_all_workers(programs, scenario, target, proxy):
    env = {"http_proxy": f"http://user:p%40ss@{proxy.address}", "CICADA_TRUST_ENV": "1"}
    count, failures, text = run(programs, scenario, target.url, trust=False, env=env)
    assert failures == 0 and count == proxy.asked.total() > 0, text


@pytest.mark.parametrize("env", [
    {"http_proxy": "{proxy}"},
    {"HTTP_PROXY": "http://{proxy}"},
    {"HTTP_PROXY": "http://{proxy}", "http_proxy": ""},
    {"all_proxy": "http://{proxy}"},
    {"https_proxy": "http://{proxy}"},
    {"http_proxy": "http://{proxy}", "no_proxy": "127.0.0.1"},
    {"http_proxy": "http://{proxy}", "NO_PROXY": "localhost,127.0.0.0/8"},
    {"http_proxy": "http://{proxy}", "no_proxy": "127.0.0.1:{port}"},
    {"http_proxy": "http://{proxy}", "no_proxy": "*"},
    {"http_proxy": "http://{proxy}", "no_proxy": "localhost"},
], ids=str)
def test_as_requests_does(programs, scenario, target, monkeypatch, env):
    theirs, ours = Proxy(), Proxy()
    try:
        def of(proxy):
            return {k: v.format(proxy=proxy.address, port=port_of(target.url))
                    for k, v in env.items()}
        with monkeypatch.context() as patch:
            for name, value in of(theirs).items():
                patch.setenv(name, value)
            assert requests.get(target.url, timeout=30).status_code == 200
        count, failures, text = run(programs, scenario, target.url, env=of(ours))
        assert failures == 0 and count > 0, text
        assert bool(ours.asked) == bool(theirs.asked)
    finally:
        theirs.close()
        ours.close()


@pytest.mark.parametrize("name, value, words", [
    ("http_proxy", "socks5://user:p%40ss@127.0.0.1:1080",
     "http_proxy: socks5:// proxies are not supported; give an http:// proxy, or leave out "
     "--trust-env"),
    ("https_proxy", "https://127.0.0.1:1", "https_proxy: https:// proxies are not supported"),
    ("ALL_PROXY", "http://user:p%40ss@", "ALL_PROXY is not the URL of a proxy"),
])
def test_what_is_not_supported_is_told_at_the_start(programs, name, value, words):
    program, code = programs.run("cicada", "--headless", "--trust-env", env={name: value})
    assert code == 2
    assert words in program.text() and "p%40ss" not in program.text()


def test_tinyproxy(programs, scenario, tmp_path, target, tls_target):
    log = tmp_path / "log"

    def tinyproxy(port):
        (tmp_path / "conf").write_text(f"""
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 50
LogFile "{log}"
LogLevel Connect
BasicAuth user secret
""")
        return [shutil.which("tinyproxy"), "-d", "-c", tmp_path / "conf"]

    port = start_server(programs, tinyproxy)
    env = {"all_proxy": f"http://user:secret@127.0.0.1:{port}"}
    count, failures, text = run(programs, scenario, target.url, env=env)
    assert failures == 0 and count == target.total > 0, text
    count, failures, text = run(programs, scenario, tls_target.url, "--tls-insecure", env=env)
    assert failures == 0 and count == tls_target.total > 0, text
    assert f"CONNECT 127.0.0.1:{port_of(tls_target.url)} HTTP/1.1" in log.read_text()
    env = {"all_proxy": f"http://user:wrong@127.0.0.1:{port}"}
    count, failures, text = run(programs, scenario, tls_target.url, env=env, seconds=4)
    assert count == failures > 0, text
    # tinyproxy has a status of its own for a wrong password.
    assert re.search(r"OSError\('Tunnel connection failed: 40\d ", text), text
