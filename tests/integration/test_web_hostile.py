# SPDX-License-Identifier: MIT
"""The HTTP API under bytes that no program of good will sends: every route answers each of them with
a status that fits, or hangs up, and goes on working."""

import json
import socket

import pytest

from programs import Programs, wait_until
from test_web_api import WEB_READY, Api

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.05), .tasks = CIC_TASKS(CIC_TASK(index_page, 1)));
"""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=xx"
SILENT = None  # the connection is closed without an answer

# What a route may say to a request that is HTTP. 500 is never among it.
FINE = {200, 201, 302, 304, 400, 403, 404, 405, 413, 503, 504}
NOT_HTTP = {SILENT, 400, 413, 414, 431, 501, 505}


def head(method, target, *lines, version="HTTP/1.1"):
    host = () if any(line.startswith("Host") for line in lines) else ("Host: localhost",)
    return "\r\n".join((f"{method} {target} {version}", *host, "Connection: close", *lines, "",
                        "")).encode("latin-1")


def body(method, path, kind, content):
    if isinstance(content, str):
        content = content.encode()
    return head(method, path, f"Content-Type: {kind}", f"Content-Length: {len(content)}") + content


def part(name, value, end="--xx--\r\n"):
    return f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n{end}'


def plain(*lines, after=b"", version="HTTP/1.1"):
    return lambda method, path: head(method, path, *lines, version=version) + after


def target(before="", after=""):
    return lambda method, path: head(method, before + path + after)


def raw(text):
    return lambda method, path: text.format(m=method, p=path).encode()


def with_body(kind, content):
    return lambda method, path: body(method, path, kind, content)


def with_method(method):
    return lambda _, path: head(method, path)


ODD_JSON = json.dumps({"user_count": {}, "spawn_rate": [], "host": 1, "weight": True,
                       "user_class_name": None, "run_time": 1e300})
CHUNKED = "Transfer-Encoding: chunked"

# name -> (bytes for a method and a path of the table, statuses that fit)
VARIANTS = {
    "plain": (plain(), FINE),
    # Methods.
    **{f"method {method}": (with_method(method), {405})
       for method in ("DELETE", "PUT", "PATCH", "TRACE", "CONNECT", "BREW", "get")},
    "method OPTIONS": (with_method("OPTIONS"), {200}),
    "method HEAD": (with_method("HEAD"), {200, 302, 404, 405}),
    "method long": (with_method("A" * 60000), NOT_HTTP),
    "method with NUL": (with_method("G\x00T"), NOT_HTTP | {405}),
    "method empty": (with_method(""), NOT_HTTP | {404, 405}),
    # Targets.
    "below": (target(after="/x"), {404}),
    "doubled slash": (target("/"), {404}),
    "dots": (target(after="/../.."), {404}),
    "coded dots": (target(after="%2e%2e/etc/passwd"), {404}),
    "NUL in the path": (target(after="%00"), FINE | NOT_HTTP),
    "no UTF-8 in the path": (target(after="%ff%fe"), {404}),
    "raw bytes in the path": (target(after="\xff\x80"), {404} | NOT_HTTP),
    "no path": (raw("{m} * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                {404, 405} | NOT_HTTP),
    "a whole URL": (target("http://x"), FINE | NOT_HTTP),
    "query no UTF-8": (target(after="?theme=%ff&workers=%c0%80&download"), FINE),
    "query NUL": (target(after="?theme=%00&workers=%00&download=%00"), FINE),
    "query markup": (target(after="?theme=%22%3E%3Cscript%3E&workers=%3Cb%3E"), FINE),
    "query long": (target(after="?" + "a" * 20000), FINE | NOT_HTTP),
    "query of a megabyte": (target(after="?" + "a" * 1000000), NOT_HTTP),
    "query of many": (target(after="?" + "&" * 300), {414}),
    "query of very many": (target(after="?" + "a=&" * 700), {414}),
    "query number": (target(after="?workers=-1e999"), FINE),
    # Versions and headers.
    "HTTP/1.0": (plain(version="HTTP/1.0"), FINE),
    "HTTP/9.9": (plain(version="HTTP/9.9"), FINE | NOT_HTTP),
    "no version": (raw("{m} {p}\r\n\r\n"), FINE | NOT_HTTP),
    "no host": (raw("{m} {p} HTTP/1.1\r\nConnection: close\r\n\r\n"), FINE),
    "long header": (plain("X: " + "a" * 60000), NOT_HTTP),
    "many headers": (plain(*["X: y"] * 3000), NOT_HTTP),
    "header no UTF-8": (plain("Origin: \xff\xfe", "X: \x80"), FINE | NOT_HTTP),
    "header without colon": (plain("nonsense"), FINE | NOT_HTTP),
    "folded header": (plain("X: a\r\n b"), FINE | NOT_HTTP),
    "bare line feeds": (raw("{m} {p} HTTP/1.1\nHost: localhost\nConnection: close\n\n"), FINE | NOT_HTTP),
    "condition": (plain('If-None-Match: "x", W/"y", *', "Range: bytes=9-1"), FINE),
    # Lengths.
    "length negative": (plain("Content-Length: -1"), NOT_HTTP),
    "length words": (plain("Content-Length: 1x", after=b"a"), NOT_HTTP),
    "length huge": (plain("Content-Length: 99999999999999999999"), NOT_HTTP),
    "length large": (plain("Content-Length: 9999999999"), {413}),
    "lengths that differ": (plain("Content-Length: 1", "Content-Length: 2", after=b"ab"),
                            FINE | NOT_HTTP),
    "expectation": (plain("Content-Length: 9999999", "Expect: 100-continue"), {413}),
    "chunks": (plain(CHUNKED, after=b"3\r\na=1\r\n0\r\n\r\n"), FINE),
    "bad chunks": (plain(CHUNKED, after=b"zz\r\n"), NOT_HTTP),
    "huge chunk": (plain(CHUNKED, after=b"f" * 30 + b"\r\n"), NOT_HTTP),
    # Bodies.
    "body too large": (with_body(FORM, b"a" * 2000000), {413}),
    "bytes": (with_body(FORM, bytes(range(256)) * 20), FINE),
    "form of many": (with_body(FORM, "a=1&" * 100000), FINE),
    "form without names": (with_body(FORM, "=&&==&%=%&%zz=%0"), FINE),
    "form of no numbers": (with_body(FORM, "user_count=nan&spawn_rate=inf"), FINE),
    "form of other digits": (with_body(FORM, "user_count=%EF%BC%91&spawn_rate=1"), FINE),
    "form of large numbers": (with_body(FORM, "user_count=9" + "0" * 400 + "&spawn_rate=1e400"),
                              FINE),
    "form of odd times": (with_body(FORM, "user_count=1&spawn_rate=1&run_time=-1h"), FINE),
    "form of a long host": (with_body(FORM, "user_count=1&spawn_rate=1&host=" + "a" * 100000),
                            FINE),
    "JSON deep": (with_body(JSON, "[" * 200000), FINE),
    "JSON cut": (with_body(JSON, '{"user_count": 1, "user_class_name": "V'), FINE),
    "JSON no object": (with_body(JSON, "3"), FINE),
    "JSON no UTF-8": (with_body(JSON, b'{"user_class_name": "\xff\xfe"}'), FINE),
    "JSON NUL": (with_body(JSON, '{"user_class_name": "a\\u0000b"}'), FINE),
    "JSON of other kinds": (with_body(JSON, ODD_JSON), FINE),
    "JSON twice": (with_body(JSON, '{"user_class_name": "Visitor", "user_class_name": "x"}'), FINE),
    "multipart": (with_body(MULTIPART, part("user_count", "x")), FINE),
    "multipart cut": (with_body(MULTIPART, part("user_count", "1", "--x")), FINE),
    "multipart without boundary": (with_body("multipart/form-data", part("a", "1")), FINE),
    "multipart long names": (with_body(MULTIPART, part("a" * 100000, "1")), FINE),
    "multipart within": (with_body("multipart/mixed; boundary=xx", part("a", "1")), FINE),
}


def ask(port, data):
    """Status, type and body of the answer; SILENT when there was none."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # it hung up while we were talking; what it said before may still be read
        said = b""
        try:
            while more := connection.recv(65536):
                said += more
        except ConnectionResetError:
            pass
    while said.startswith(b"HTTP/1.1 100 "):
        said = said.partition(b"\r\n\r\n")[2]
    if not said:
        return SILENT, "", b""
    top, _, text = said.partition(b"\r\n\r\n")
    lines = top.split(b"\r\n")
    kinds = [line.partition(b": ")[2].decode() for line in lines
             if line.lower().startswith(b"content-type:")]
    return int(lines[0].split(b" ")[1]), kinds[0] if kinds else "", text


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    started = Programs()
    scenario = tmp_path_factory.mktemp("hostile") / "scenario.c"
    scenario.write_text(SCENARIO)
    yield Api(started.start("cicada", "-f", scenario, "-H", "http://127.0.0.1:1", "--web-host",
                            "127.0.0.1", "-P", "0", ready=WEB_READY))
    started.close()


@pytest.fixture(scope="module")
def routes(api):
    paths = api.get_json("/openapi.json")["paths"]
    return [(method.upper(), path) for path in paths for method in paths[path]]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_route_stands(api, routes, name):
    build, fits = VARIANTS[name]
    for method, path in routes:
        status, kind, text = ask(api.port, build(method, path))
        assert status in fits, (method, path, status, text[:500])
        if kind == JSON and text:
            json.loads(text)
    assert api.get_json("/healthz") == {"status": "ok"}
    assert api.program.process.poll() is None


def test_it_still_runs_tests(api):
    assert api.form("/swarm", user_count=2, spawn_rate=100)[0] == 200
    wait_until(lambda: api.get_json("/stats/requests")["state"] == "running", what="a running test")
    assert api.get_json("/stop")["success"]
    assert api.program.stop() in (0, 1)
    assert "Shutting down" in api.program.text()
