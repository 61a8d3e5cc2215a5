# SPDX-License-Identifier: MIT
"""A site with a login, redirects, cookies and compression, visited by cicada and by Python's
requests, which Locust's HttpUser is made of: the server must not be able to tell them apart."""

import gzip
import http.server
import threading
import zlib

import pytest
import requests

from test_cicada import final_row, write

BODY = b"a page of the site, " * 50
# path: (status, headers besides the framing)
PAGES = {
    "/login": (303, [("Set-Cookie", "sid=1; Path=/"), ("Set-Cookie", "old=1; Max-Age=0"),
                     ("Set-Cookie", "deep=1; Path=/home/private; HttpOnly"),
                     ("Set-Cookie", "alien=1; Domain=example.org"),
                     ("Location", "home/front?from=login")]),
    "/home/front": (301, [("Set-Cookie", "seen=yes; Path=/home"), ("Location", "./private/x/..")]),
    "/home/private/": (200, [("Set-Cookie", "sid=2; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT")]),
    "/upload": (307, [("Location", "//{host}/store")]),
    "/store": (201, []),
    "/put": (302, [("Location", "http://{host}/page")]),
    "/page": (200, []),
    "/round": (302, [("Location", "/round")]),
}
NOTED = ("Cookie", "Authorization", "Content-Type", "X-Test")


class Site:
    def __init__(self):
        self.log = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers = PAGES[self.path.split("?")[0]]
                cookies = sorted((self.headers.get("Cookie") or "").split("; "))
                outer.log.append((self.command, self.path, body, cookies,
                                  *(self.headers.get(name) for name in NOTED[1:])))
                packed, coding = outer.pack(self.headers.get("Accept-Encoding") or "")
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value.format(host=self.headers["Host"]))
                if coding:
                    self.send_header("Content-Encoding", coding)
                self.send_header("Content-Length", str(len(packed)))
                self.end_headers()
                self.wfile.write(packed)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.coding = None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def pack(self, accepted):
        if self.coding == "gzip" and "gzip" in accepted:
            return gzip.compress(BODY), "gzip"
        if self.coding == "deflate" and "deflate" in accepted:
            return zlib.compress(BODY), "deflate"
        if self.coding == "cut" and "gzip" in accepted:
            return gzip.compress(BODY)[:-20], "gzip"
        return BODY, None

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


VISIT = """
#include <cicada.h>

static void visit(struct cic_user *u)
{
	struct cic_response *r;

	cic_post(u, "/login", .body = "name=me", .headers =
		"Content-Type: application/x-www-form-urlencoded\\nX-Test: yes");
	cic_get(u, "/home/private/");
	cic_get(u, "/page");
	cic_post(u, "/upload", .body = "many bytes", .headers = "Content-Type: text/plain");
	cic_put(u, "/put", .body = "{}", .headers = "Content-Type: application/json");
	r = cic_get(u, "/upload", .name = "stay", .no_redirects = true);
	cic_check(r, r->status == 307, "it was followed");
	cic_get(u, "/round");
	cic_stop_user(u);
}

CIC_USER(Visitor, .tasks = CIC_TASKS(CIC_TASK(visit, 1)));
"""


def visit_by_requests(host, auth):
    """auth: as Locust's HttpUser passes it on, having cut it off the host."""
    with requests.Session() as session:
        session.trust_env = False
        session.auth = auth
        base = f"http://{host}"
        session.post(base + "/login", data="name=me", timeout=30, headers={
            "Content-Type": "application/x-www-form-urlencoded", "X-Test": "yes"})
        session.get(base + "/home/private/", timeout=30)
        session.get(base + "/page", timeout=30)
        session.post(base + "/upload", data="many bytes", timeout=30,
                     headers={"Content-Type": "text/plain"})
        session.put(base + "/put", data="{}", timeout=30,
                    headers={"Content-Type": "application/json"})
        session.get(base + "/upload", allow_redirects=False, timeout=30)
        with pytest.raises(requests.TooManyRedirects):
            session.get(base + "/round", timeout=30)


def run(programs, tmp_path, text, host):
    program, code = programs.run("cicada", "-f", write(tmp_path, text), "--headless", "-u", "1",
                                 "-t", "2s", "-s", "40", "-H", f"http://{host}", timeout_s=60)
    return program.text(), code


@pytest.mark.parametrize("user, auth", [("", None), ("me:p%40ss@", ("me", "p@ss"))])
def test_a_server_sees_what_requests_would_send(programs, tmp_path, site, user, auth):
    visit_by_requests(site.host, auth)
    wanted, site.log = site.log, []
    text, code = run(programs, tmp_path, VISIT, user + site.host)
    assert site.log == wanted
    assert len(wanted) == 3 + 1 + 1 + 2 + 2 + 1 + 31
    assert code == 1  # of the one failure
    assert "TooManyRedirects('Exceeded 30 redirects.')" in text
    assert final_row(text, "/login") == (1, 0)
    assert final_row(text, "stay") == (1, 0)
    assert final_row(text, "/round") == (1, 1)
    assert final_row(text, "Aggregated") == (7, 1)


READ = """
#include <cicada.h>
#include <string.h>

static void read_page(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/page");

	cic_check(r, r->body_len == 1000 && strstr(r->body, "a page of the site, "), "not the text");
	cic_stop_user(u);
}

CIC_USER(Reader, .decode = true, .tasks = CIC_TASKS(CIC_TASK(read_page, 1)));
"""


@pytest.mark.parametrize("coding", ["gzip", "deflate", "cut"])
def test_compressed_pages_are_decoded(programs, tmp_path, site, coding):
    site.coding = coding
    text, code = run(programs, tmp_path, READ, site.host)
    if coding == "cut":
        assert code == 1
        assert "ContentDecodingError('the gzip body ends before its end')" in text
        assert final_row(text, "/page") == (1, 1)
    else:
        assert code == 0, text
        assert final_row(text, "/page") == (1, 0)
