# SPDX-License-Identifier: MIT
"""A double of Cicada's master, as far as cicada-driver sees it, whose clock runs faster than ours:
a window of seconds is over in a fraction of one. Its workers are the ready pods of a Deployment; p95
is P95_MS for each user of a replica.

`tests` has every test that was started. Its number is also its max_response_time, so that a row
tells which test it is made of; `spoiled` says why that test must not count as measured."""

import http.server
import json
import threading
import time
import urllib.parse


P95_MS = 0.7


class Test:
    def __init__(self, number, users, shape):
        self.number, self.users, self.shape = number, users, shape
        self.started = time.monotonic()
        self.stopped = None
        self.spoiled = None

    def p95_ms(self):
        return P95_MS * self.users / max(self.shape[0], 1)

    def window_s(self, speed):
        return ((self.stopped or time.monotonic()) - self.started) * speed


class FastMaster:
    def __init__(self, cluster, speed=10):
        self.cluster, self.speed = cluster, speed
        self.tests = []
        self.running = self.last = None
        self.is_down = False
        self._lock = threading.RLock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if outer.is_down:
                    self.close_connection = True
                    return
                with outer._lock:
                    said = json.dumps(outer.say(self.path, body.decode())).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = answer

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a driver that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def spoil(self, why, happen):
        """happen() does something to the world and says whether it did: a test that runs then is no
        measurement. It is over before a stop is heard and before the API server tells anything."""
        with self._lock, self.cluster.changed:
            if happen() and self.running and not self.running.spoiled:
                self.running.spoiled = why

    def restart(self, seconds):
        """It is gone for a while and knows nothing when it comes back."""
        def fall():
            self.is_down = True
            return True

        with self._lock:
            self.spoil("the master restarts", fall)
            self.running = self.last = None
        time.sleep(seconds)
        self.is_down = False

    def _ready(self, deployment):
        return sum(self.cluster.is_ready(p) and "deletionTimestamp" not in p["metadata"]
                   for p in self.cluster.pods_of(deployment))

    def say(self, path, body):
        if path == "/swarm":
            form = dict(urllib.parse.parse_qsl(body))
            shape = (self._ready("inference"), self._ready("locust-worker"))
            self.running = Test(len(self.tests) + 1, int(form["user_count"]), shape)
            self.tests.append(self.running)
            return {"success": True, "message": "started"}
        if path == "/stop":
            if self.running:
                self.running.stopped = time.monotonic()
                self.last, self.running = self.running, None
            return {"success": True, "message": "stopped"}
        if path == "/stats/requests":
            state = "running" if self.running else "ready"
            return {"state": state, "user_count": self.running.users if self.running else 0,
                    "stats": [self.row()],
                    "workers": [{"state": state}] * self._ready("locust-worker")}
        if path == "/stats/window":
            test = self.running or self.last
            return {"window": {"is_open": bool(self.running),
                               "duration_s": test.window_s(self.speed) if test else None},
                    "stats": [self.row()],
                    "total": {"num_requests": self.row()["num_requests"], "num_failures": 0},
                    "generator": {"limited": False}, "model": "closed"}
        return {}

    def row(self):
        test = self.running or self.last
        requests = int(100 * test.window_s(self.speed)) + 1 if test else 0
        return {"name": "Aggregated", "num_requests": requests, "requests_per_s": 100,
                "median_response_time": 5, "response_time_percentile_0.9": 6,
                "response_time_percentile_0.95": test.p95_ms() if test else 0, "response_time_percentile_0.99": 8,
                "min_response_time": 1, "max_response_time": test.number if test else 0,
                "avg_response_time": 5}
