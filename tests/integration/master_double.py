# SPDX-License-Identifier: MIT
"""A Locust master without workers or requests: what it says of a test follows from the number of
users, so that a search can be held against the limit that it must find, at any speed."""

import http.server
import json
import threading
import time
import urllib.parse

COLUMNS = ("Type", "Name", "Request Count", "Failure Count", "Median Response Time",
           "Average Response Time", "Min Response Time", "Max Response Time", "90%", "95%", "99%")


class MasterDouble:
    """Serves on `url` until close(). p95_ms(users): what it says."""

    def __init__(self, p95_ms):
        self.p95_ms = p95_ms
        self.users = 0
        self.tests = []  # the users of each
        self.began_s = None
        self.ended_s = None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self, urllib.parse.urlsplit(self.path).path, None)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answer(self, self.path, urllib.parse.parse_qs(body.decode()))

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def requests(self):
        if self.began_s is None:
            return 0
        return int(10 * self.users * ((self.ended_s or time.monotonic()) - self.began_s))

    def answer(self, handler, path, form):
        routes = {"/swarm": self.swarm, "/stop": self.stop, "/stats/requests": self.look,
                  "/stats/requests/csv": self.csv, "/stats/reset": lambda form: "ok"}
        text = routes[path](form) if path in routes else "no such page"
        text = (text if isinstance(text, str) else json.dumps(text)).encode()
        handler.send_response(200 if path in routes else 404)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def swarm(self, form):
        self.users = int(form["user_count"][0])
        self.tests.append(self.users)
        self.began_s, self.ended_s = time.monotonic(), None
        return {"success": True, "message": "Swarming started"}

    def stop(self, form):
        self.ended_s = time.monotonic()
        return {"success": True, "message": "Test stopped"}

    def look(self, form):
        running = self.began_s is not None and self.ended_s is None
        return {"state": "running" if running else "ready", "user_count": self.users * running,
                "workers": [{"id": "a", "state": "running" if running else "ready"}],
                "stats": [{"name": "Aggregated", "num_requests": self.requests(),
                           "current_rps": 10 * self.users,
                           "median_response_time": self.p95_ms(self.users) / 2}]}

    def csv(self, form):
        p95_ms = self.p95_ms(self.users)
        cells = ("", "Aggregated", self.requests(), 0, p95_ms / 2, p95_ms / 2, 1, 2 * p95_ms,
                 0.9 * p95_ms, p95_ms, 1.5 * p95_ms)
        return ",".join(COLUMNS) + "\n" + ",".join(str(cell) for cell in cells) + "\n"
