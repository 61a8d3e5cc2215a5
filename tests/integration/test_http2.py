# SPDX-License-Identifier: MIT
"""HTTP/2: cicada against nghttpd, against nginx, and against frames written by hand."""

import gzip
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from programs import start_server, wait_until
from target import Target

PRIOR = "--http2-prior-knowledge"


def make_certificate(folder):
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=server",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
	log_format seen '$server_protocol $request_method $uri $status $request_length "$http_cookie"';
	access_log {folder}/access.log seen;
	client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi; scgi_temp_path {folder}/scgi;
	uwsgi_temp_path {folder}/uwsgi;
	client_max_body_size 100m; keepalive_requests {requests};
	server {{
		listen 127.0.0.1:{port} http2 {tls};
		ssl_certificate {certificate}; ssl_certificate_key {key};
		default_type text/plain;
		location /moved {{ return 302 /landing; }}
		location /landing {{ add_header Set-Cookie "taste=sweet; Path=/"; return 200 "landed"; }}
		location /file {{ alias {folder}/; gzip_static on; }}
		location / {{ return 200 "here"; }}
	}}
}}
"""


class Nginx:
    def __init__(self, programs, folder, certificate, is_tls=False, requests=1000000):
        self.folder = folder

        def make_args(port):
            (folder / "nginx.conf").write_text(NGINX.format(
                folder=folder, port=port, tls="ssl" if is_tls else "", requests=requests,
                certificate=certificate[0], key=certificate[1]))
            return (shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin"),
                    "-c", folder / "nginx.conf", "-e", folder / "error.log")

        self.url = f"http{'s' if is_tls else ''}://127.0.0.1:{start_server(programs, make_args)}"

    def lines(self):
        """What it answered, without what is_listening() left behind."""
        return [line for line in (self.folder / "access.log").read_text().splitlines()
                if not line.startswith(" ") and " 400 0 " not in line]


def nghttpd(programs, folder, certificate, is_tls):
    tls = certificate if is_tls else ()
    port = start_server(programs, lambda port: (
        shutil.which("nghttpd"), "-a", "127.0.0.1", "-d", folder, *([] if is_tls else ["--no-tls"]),
        port, *reversed(tls)))
    return f"http{'s' if is_tls else ''}://127.0.0.1:{port}"


def run(programs, folder, body, url, *args, users=1):
    """Each user runs the body once; a late one within the time to stop."""
    scenario = folder / "scenario.c"
    scenario.write_text(f"""
#include <cicada.h>
#include <string.h>

static char big[1000000], small[7000];

static void visit(struct cic_user *u)
{{
	struct cic_response *r;

	memset(big, 'b', sizeof(big));
	memset(small, 's', sizeof(small));
	{body}
	(void)r;
	cic_stop_user(u);
}}

CIC_USER(Visitor, .decode = true, .tasks = CIC_TASKS(CIC_TASK(visit, 1)));
""")
    return programs.start("cicada", "-f", scenario, "-H", url, "-u", users, "-r", users, "-t", "1s",
                          "--headless", "--stop-timeout", "20", "--threads", "1",
                          "--only-summary", *args)


def result(program):
    """(requests, failures, connections opened, text) when it has ended; a very short test says
    nothing of connections."""
    code = program.wait(60)
    text = program.text()
    row = re.findall(r"^\s*Aggregated\s+(\d+)\s+(\d+)\([\d.]+%\)", text, re.M)
    opened = re.findall(r"connections opened (\d+)", text)
    assert row, text
    requests, failures = int(row[-1][0]), int(row[-1][1])
    assert code == (1 if failures else 0), text
    return requests, failures, int(opened[-1]) if opened else None, text


ALL_KINDS = """
	r = cic_get(u, "/index.html");
	cic_check(r, r->body_len == 6 && memcmp(r->body, "hello\\n", 6) == 0, "not the file");
	r = cic_post(u, "/index.html", .name = "small", .body = small, .body_len = sizeof(small));
	cic_check(r, r->body_len == 6, "not the file");
	r = cic_head(u, "/index.html");
	cic_check(r, r->body_len == 0 && !strcmp(cic_header(r, "Content-Length"), "6"), "not its head");
	r = cic_get(u, "/big");
	cic_check(r, r->body_len == 1000000, "not the big file");
	r = cic_post(u, "/index.html", .name = "big", .body = big, .body_len = sizeof(big));
	cic_check(r, r->body_len == 6, "not the file");
	r = cic_get(u, "/missing");
	cic_check(r, r->status == 404, "not missing");
	cic_success(r);
"""


@pytest.mark.parametrize("scheme, option", [("http", PRIOR), ("https", "--http2"),
                                            ("https", PRIOR)])
def test_nghttpd(programs, tmp_path, certificate, scheme, option):
    (tmp_path / "index.html").write_text("hello\n")
    (tmp_path / "big").write_bytes(b"x" * 1000000)
    url = nghttpd(programs, tmp_path, certificate, scheme == "https")
    program = run(programs, tmp_path, ALL_KINDS, url, option, "--tls-ca", certificate[0],
                  users=4)
    requests, failures, opened, text = result(program)
    assert (requests, failures, opened) == (24, 0, 4), text


@pytest.mark.parametrize("is_tls", [False, True])
def test_nginx_counts_the_same_on_one_connection(programs, tmp_path, certificate, is_tls):
    server = Nginx(programs, tmp_path, certificate, is_tls)
    body = 'for (int i = 0; i < 1000; i++) cic_get(u, "/x");'
    program = run(programs, tmp_path, body, server.url, "--http2" if is_tls else PRIOR, "--tls-ca",
                  certificate[0])
    requests, failures, opened, text = result(program)
    assert (requests, failures, opened) == (1000, 0, 1), text
    lines = server.lines()
    assert len(lines) == 1000
    assert all(line.startswith("HTTP/2.0 GET /x 200 ") for line in lines)


def test_redirect_cookie_gzip_and_early_answer(programs, tmp_path, certificate):
    """nginx answers these POSTs before it has read them."""
    server = Nginx(programs, tmp_path, certificate)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(b"unpacked " * 1000))
    program = run(programs, tmp_path, """
	r = cic_get(u, "/moved");
	cic_check(r, r->body_len == 6 && !strcmp(r->body, "landed"), "not landed");
	r = cic_get(u, "/next");
	r = cic_get(u, "/file/packed");
	cic_check(r, r->body_len == 9000 && cic_header(r, "content-encoding"), "not unpacked");
	for (int i = 0; i < 20; i++)
		r = cic_post(u, "/post", .body = big, .body_len = sizeof(big));
	r = cic_head(u, "/head");
""", server.url, PRIOR)
    requests, failures, opened, text = result(program)
    assert (requests, failures) == (24, 0), text
    lines = server.lines()
    assert [line.split()[2] for line in lines] == (
        ["/moved", "/landing", "/next", "/file/packed"] + ["/post"] * 20 + ["/head"])
    assert lines[1].endswith('"-"') and lines[2].endswith('"taste=sweet"')


@pytest.mark.parametrize("is_tls", [False, True])
def test_goaway_every_three_requests(programs, tmp_path, certificate, is_tls):
    server = Nginx(programs, tmp_path, certificate, is_tls, requests=3)
    body = 'for (int i = 0; i < 30; i++) cic_post(u, "/x", .json = "{}");'
    program = run(programs, tmp_path, body, server.url, PRIOR, "--tls-insecure", users=2)
    requests, failures, opened, text = result(program)
    assert (requests, failures) == (60, 0), text
    assert len(server.lines()) == 60
    assert 15 <= opened <= 30, text


# --- Versions that do not meet ----------------------------------------------------------------


def test_http2_is_offered_and_not_needed(programs, tmp_path, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols(["http/1.1"])
    target = Target(tls=context)
    body = 'cic_get(u, "/a"); cic_post(u, "/b", .json = "{}");'
    try:
        program = run(programs, tmp_path, body, target.url, "--http2", "--tls-insecure")
        requests, failures, opened, text = result(program)
        assert (requests, failures, opened) == (2, 0, 1), text
        assert target.counts == {"GET /a": 1, "POST /b": 1}
        program = run(programs, tmp_path, body, target.url, PRIOR, "--tls-insecure")
        requests, failures, opened, text = result(program)
        assert requests == failures == 2, text
        assert ("RemoteProtocolError('the server does not offer HTTP/2 (ALPN h2); give --http2 "
                "instead of --http2-prior-knowledge')") in text
        assert target.total == 2
    finally:
        target.close()


def test_plain_http_stays_http_1(programs, tmp_path):
    target = Target()
    try:
        program = run(programs, tmp_path, 'cic_get(u, "/");', target.url, "--http2")
        requests, failures, opened, text = result(program)
        assert (requests, failures, target.total) == (1, 0, 1), text
    finally:
        target.close()


def test_prior_knowledge_of_a_server_that_has_none(programs, tmp_path):
    target = Target()
    try:
        program = run(programs, tmp_path, 'cic_get(u, "/");', target.url, PRIOR)
        requests, failures, opened, text = result(program)
        assert requests == failures == 1, text
        assert ("RemoteProtocolError('the server did not answer in HTTP/2; if it does not speak it "
                "unasked, leave out --http2-prior-knowledge')") in text
    finally:
        target.close()


# --- Frames by hand -----------------------------------------------------------------------------

SETTINGS = b"\0\0\0\4\0\0\0\0\0"
HEADERS, DATA, RST_STREAM, PING, GOAWAY = 1, 0, 3, 6, 7
REFUSED_STREAM = 7


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(
        ">I", stream) + payload


def answer(stream):
    return frame(HEADERS, 4, stream, b"\x88") + frame(DATA, 1, stream, b"hi")


class Peer:
    """A connection of the client, behind its preface."""

    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(20)
        # Nothing waits here for an acknowledgement, to be lost when the connection is reset.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert self._read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        self.send(SETTINGS)

    def _read(self, count):
        got = b""
        while len(got) < count:
            more = self.connection.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def send(self, frames):
        self.connection.sendall(frames)

    def end(self):
        """Not by a reset, which bytes that nobody read would make of it."""
        self.connection.shutdown(socket.SHUT_WR)
        while self.connection.recv(65536):
            pass

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def await_frame(self, kind):
        """The stream of the next frame of this kind."""
        while True:
            head = self._read(9)
            self._read(int.from_bytes(head[:3], "big"))
            if head[3] == kind:
                return int.from_bytes(head[5:], "big")


class Script:
    """A server; each connection is given to the next of the functions."""

    def __init__(self, *functions):
        self.wrong = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, args=functions, daemon=True)
        self.thread.start()

    def _serve(self, *functions):
        for function in functions:
            try:
                connection = self.listener.accept()[0]
                with connection:
                    function(Peer(connection))
            except (OSError, EOFError, AssertionError) as error:
                self.wrong.append(f"{function.__name__}: {error!r}")
                break
        self.listener.close()

    def check(self):
        self.thread.join(30)
        assert not self.thread.is_alive() and not self.wrong, self.wrong


def refuse(peer):
    stream = peer.await_frame(HEADERS)
    peer.send(frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED_STREAM)))


def go_away(peer):
    """Before the server has seen the request."""
    peer.await_frame(HEADERS)
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, 0)))


def serve(peer):
    peer.send(answer(peer.await_frame(HEADERS)))


def serve_and_go_away(peer):
    serve(peer)
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 1, 0)))
    with pytest.raises(EOFError):
        peer.await_frame(HEADERS)


def serve_one(peer):
    """And no more on this connection."""
    stream = peer.await_frame(HEADERS)
    peer.send(answer(stream) + frame(GOAWAY, 0, 0, struct.pack(">II", stream, 0)))
    peer.end()


def serve_and_close(peer):
    serve(peer)


def close_with_a_request(peer):
    peer.await_frame(HEADERS)
    peer.end()


def cut(peer):
    stream = peer.await_frame(HEADERS)
    peer.send(frame(HEADERS, 4, stream, b"\x88") + frame(DATA, 0, stream, b"h"))
    peer.end()


POST = 'r = cic_post(u, "/", .json = "{}"); cic_check(r, !strcmp(r->body, "hi"), "not hi");'
POST_LATER = f"{POST} cic_sleep(u, 0.3); {POST}"
GET_LATER = 'cic_get(u, "/"); cic_sleep(u, 0.3); cic_get(u, "/");'


@pytest.mark.parametrize("body, functions, requests", [
    (POST, (refuse, serve), 1),
    (POST, (go_away, serve), 1),
    (POST_LATER, (serve_and_go_away, serve), 2),
    (POST_LATER, (serve_and_close, serve), 2),
], ids=lambda v: "_".join(f.__name__ for f in v) if isinstance(v, tuple) else None)
def test_what_is_not_a_failure(programs, tmp_path, body, functions, requests):
    script = Script(*functions)
    program = run(programs, tmp_path, body, script.url, PRIOR)
    counted, failures, opened, text = result(program)
    script.check()
    assert (counted, failures, opened) == (requests, 0, len(functions)), text


def test_a_refusal_that_comes_before_an_acknowledgement_could_go(programs, tmp_path):
    """The connection is reset while the client is busy with pings that it is going to answer:
    what came before the reset counts all the same."""
    count = 300

    def refuse_after(seconds):
        def refuse_and_reset(peer):
            stream = peer.await_frame(HEADERS)
            peer.send(500 * frame(PING, 0, 0, bytes(8)))
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                pass
            peer.send(frame(RST_STREAM, 0, stream, struct.pack(">I", REFUSED_STREAM)))
            peer.reset()
        return refuse_and_reset

    script = Script(*(f for i in range(count) for f in (refuse_after(i * 1e-6 / 3), serve_one)))
    program = run(programs, tmp_path, f"""
	for (int i = 0; i < {count}; i++)
		cic_post(u, "/", .json = "{{}}");""", script.url, PRIOR)
    counted, failures, opened, text = result(program)
    assert (counted, failures) == (count, 0), text
    script.check()


@pytest.mark.parametrize("functions, words", [
    ((refuse, refuse), "StreamReset('the server reset the stream: REFUSED_STREAM')"),
    ((go_away, go_away), "ConnectionTerminated('the server ended the connection: NO_ERROR')"),
    ((cut,), "InvalidResponse('the server closed the connection before the end of the "),
    ((close_with_a_request,), "the server closed the connection without an answer"),
], ids=lambda v: v[0].__name__ if isinstance(v, tuple) else None)
def test_what_is_a_failure(programs, tmp_path, functions, words):
    script = Script(*functions)
    program = run(programs, tmp_path, 'cic_post(u, "/", .json = "{}");', script.url, PRIOR)
    counted, failures, opened, text = result(program)
    script.check()
    assert counted == failures == 1, text
    assert words in text


def ping_at_rest(peer):
    """The first one may come while the answer is being read, the second cannot."""
    serve(peer)
    for _ in range(2):
        peer.send(frame(PING, 0, 0, b"12345678"))
        peer.await_frame(PING)


def go_away_and_serve(peer):
    """The client ends a connection that is of no more use."""
    stream = peer.await_frame(HEADERS)
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", stream, 0)) + answer(stream))
    with pytest.raises(EOFError):
        peer.await_frame(HEADERS)


@pytest.mark.parametrize("function", [ping_at_rest, go_away_and_serve])
def test_a_user_that_waits(programs, tmp_path, function):
    script = Script(function)
    program = run(programs, tmp_path, 'cic_get(u, "/"); cic_sleep(u, 100);', script.url, PRIOR,
                  "-t", "60s", "--stop-timeout", "0")
    script.check()
    program.signal(signal.SIGTERM)
    counted, failures, _, text = result(program)
    assert (counted, failures) == (1, 0), text


def wait_for_ever(peer):
    """SETTINGS_MAX_CONCURRENT_STREAMS 0 behind a first answer: no request may come."""
    serve(peer)
    peer.send(frame(4, 0, 0, struct.pack(">HI", 3, 0)))
    with pytest.raises(EOFError):
        peer.await_frame(HEADERS)


def test_a_request_that_may_not_be_sent_times_out(programs, tmp_path):
    script = Script(wait_for_ever)
    program = run(programs, tmp_path, """
	cic_get(u, "/"); cic_sleep(u, 0.3); cic_get(u, "/", .timeout_s = 0.5);
""", script.url, PRIOR)
    counted, failures, opened, text = result(program)
    script.check()
    assert (counted, failures) == (2, 1) and "ReadTimeout(" in text, text
