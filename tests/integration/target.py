# SPDX-License-Identifier: MIT
"""A small HTTP server that counts what it answers, for tests of the load tester.

GET and POST answer 200 on any path; /missing answers 404, /slow answers after `slow_s`
seconds, and a path of `pages` or one below it what stands there. `counts` maps "METHOD path" to
the number of whole answers written, `peers` addresses of clients to the number of their
connections."""

import collections
import http.server
import threading
import time


class Target:
    def __init__(self, slow_s=0.3, tls=None, address=("127.0.0.1", 0), pages=None):
        """tls: an ssl.SSLContext, for an https:// target. pages: path -> (status, Location or
        None, body)."""
        self.counts = collections.Counter()
        self.peers = collections.Counter()
        self.slow_s = slow_s
        self._lock = threading.Lock()
        outer = self
        pages = pages or {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def setup(self):
                super().setup()
                with outer._lock:
                    outer.peers[self.client_address[0]] += 1

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                path = self.path.split("?")[0]
                if path == "/slow":
                    time.sleep(outer.slow_s)
                page = pages.get(path) or pages.get(path.rpartition("/")[0])
                status, location, body = page or (404 if path == "/missing" else 200, None,
                                                  b'{"status": "ok"}')
                with outer._lock:
                    outer.counts[f"{self.command} {path}"] += 1
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                if self.close_connection:
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(address, Handler)
        if tls:
            # The handshake is that of the connection's thread, at its first read.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True,
                                                  do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://{address[0]}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def total(self):
        with self._lock:
            return sum(self.counts.values())

    def close(self):
        self._server.shutdown()
        self._server.server_close()
