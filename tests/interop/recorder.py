# SPDX-License-Identifier: MIT
"""A deterministic HTTP server that keeps a record of what was asked: method, path, the headers that
matter, body. Two clients that do the same have the same record.

/echo answers with the request as JSON, /status/N with that status, /hop/N redirects N times,
/moved/N/A once, with status N, to /A, /set?a=1 sets cookies, /words has a header that is not ASCII,
/body/A answers with A, /gzip is compressed, /text has a charset, /lines has three lines, /slow takes a
second, the body of /late does, /drop closes the connection without an answer, /rpc is XML-RPC."""

import gzip
import http.server
import json
import re
import threading
import time
import urllib.parse
import xmlrpc.client

# What clients say of themselves may differ.
_HEADERS = ("accept", "accept-encoding", "authorization", "content-length", "content-type", "cookie",
            "transfer-encoding", "x-test", "x-session")
_BOUNDARY = re.compile(r"boundary=(\w+)")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def _read(self):
        if self.headers["Transfer-Encoding"] == "chunked":
            body = b"".join(self._read_chunks())
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = body.decode("utf-8", "replace")
        headers = {name: self.headers[name] for name in _HEADERS if self.headers[name]}
        boundary = _BOUNDARY.search(headers.get("content-type", ""))
        if boundary:
            body = body.replace(boundary[1], "BOUNDARY")
            headers["content-type"] = headers["content-type"].replace(boundary[1], "BOUNDARY")
        return {"method": self.command, "path": self.path, "headers": headers, "body": body}

    def _read_chunks(self):
        while True:
            length = int(self.rfile.readline(), 16)
            yield self.rfile.read(length)
            self.rfile.readline()
            if not length:
                return

    def _answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self):
        asked = self._read()
        self.server.record.append(asked)
        parts = urllib.parse.urlsplit(self.path)
        first, _, rest = parts.path.strip("/").partition("/")
        getattr(self, f"at_{first}", self.at_ok)(asked, rest, parts.query)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def at_ok(self, asked, rest, query):
        self._answer(200, b'{"ok": true}', [("Content-Type", "application/json"),
                                            ("X-Reply", "yes")])

    def at_echo(self, asked, rest, query):
        self._answer(200, json.dumps(asked).encode(), [("Content-Type", "application/json")])

    def at_status(self, asked, rest, query):
        self._answer(int(rest), b"" if int(rest) in (204, 304) else b"a body")

    def at_hop(self, asked, rest, query):
        left = int(rest)
        if not left:
            self.at_ok(asked, rest, query)
            return
        self._answer(302, b"", [("Location", f"/hop/{left - 1}"), ("Set-Cookie", f"hop={left}")])

    def at_moved(self, asked, rest, query):
        status, to = rest.split("/", 1)
        self._answer(int(status), b"", [("Location", f"/{to}?place=1")])

    def at_set(self, asked, rest, query):
        pairs = urllib.parse.parse_qsl(query)
        self._answer(200, b"set", [("Set-Cookie", f"{k}={v}; Path=/") for k, v in pairs])

    def at_words(self, asked, rest, query):
        self._answer(200, headers=[("X-Words", "\u00c5 word".encode().decode("latin-1"))])

    def at_body(self, asked, rest, query):
        self._answer(200, urllib.parse.unquote_to_bytes(rest))

    def at_gzip(self, asked, rest, query):
        self._answer(200, gzip.compress(b"x" * 1000, mtime=0), [("Content-Encoding", "gzip")])

    def at_text(self, asked, rest, query):
        self._answer(200, "gr\u00fcn".encode("latin-1"),
                     [("Content-Type", "text/plain; charset=iso-8859-1")])

    def at_lines(self, asked, rest, query):
        self._answer(200, b"one\ntwo\nthree\n", [("Content-Type", "text/plain; charset=utf-8")])

    def at_rpc(self, asked, rest, query):
        """XML-RPC: the parameters back, or a fault."""
        params, name = xmlrpc.client.loads(asked["body"])
        told = xmlrpc.client.Fault(4, "asked for") if name == "fault" else (list(params),)
        self._answer(200, xmlrpc.client.dumps(told, methodresponse=True).encode(),
                     [("Content-Type", "text/xml")])

    def at_slow(self, asked, rest, query):
        time.sleep(1)
        self._answer(200, b"slow")

    def at_late(self, asked, rest, query):
        """The body a second after its head."""
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        time.sleep(1)
        self.wfile.write(b"late")

    def at_drop(self, asked, rest, query):
        self.close_connection = True

    def log_message(self, *args):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass


class Recorder:
    def __init__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.record = self.record = []
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self):
        """What was asked since the last time."""
        taken = list(self.record)
        del self.record[:len(taken)]
        return taken

    def close(self):
        self._server.shutdown()
        self._server.server_close()
