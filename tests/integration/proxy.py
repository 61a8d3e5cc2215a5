# SPDX-License-Identifier: MIT
"""A forward proxy for tests: whole URLs and CONNECT, with a record of what it was asked."""

import collections
import http.client
import http.server
import socket
import threading
import urllib.parse


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy:
    """`asked` counts request lines ("GET http://host:1/", "CONNECT host:2"), `secrets` the values
    of Proxy-Authorization (None: without). A name that is asked for leads to 127.0.0.1."""

    def __init__(self, secret=None):
        """secret: the only value of Proxy-Authorization that is let in."""
        self.asked = collections.Counter()
        self.secrets = collections.Counter()
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True

            def is_let_in(self):
                given = self.headers.get("Proxy-Authorization")
                with outer._lock:
                    outer.asked[f"{self.command} {self.path}"] += 1
                    outer.secrets[given] += 1
                if secret is None or given == secret:
                    return True
                self.send_response(407)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return False

            def do_CONNECT(self):
                self.close_connection = True
                if not self.is_let_in():
                    return
                port = int(self.path.rsplit(":", 1)[1])
                with socket.create_connection(("127.0.0.1", port), 30) as target:
                    self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=pump, args=(target, self.connection),
                                            daemon=True)
                    back.start()
                    pump(self.connection, target)
                    back.join(30)

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if not self.is_let_in():
                    return
                url = urllib.parse.urlsplit(self.path)
                target = http.client.HTTPConnection("127.0.0.1", url.port or 80, timeout=30)
                try:
                    target.request(self.command, url.path or "/", body,
                                   {"Host": self.headers["Host"]})
                    answer = target.getresponse()
                    content = answer.read()
                finally:
                    target.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() in ("location", "set-cookie", "content-type"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
