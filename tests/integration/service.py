# SPDX-License-Identifier: MIT
"""A started cicada-inference and the ways to talk to it."""

import http.client
import json
import pathlib
import re
import signal
import socket

import metrics_page
from programs import wait_until

READY = r"ready on \S+:(\d+)(?: admin \S+:(\d+))?$"
JSON = {"Content-Type": "application/json"}


class Service:
    def __init__(self, programs, *args, admin=True, **options):
        extra = ["--admin-port", "0"] if admin else []
        self.program = programs.start("cicada-inference", "--host", "127.0.0.1", *extra, *args,
                                      ready=READY, **options)
        self.port, self.admin_port = (int(p) if p else None
                                      for p in self.program.ready.groups())

    def connection(self, is_admin=False):
        return http.client.HTTPConnection("127.0.0.1", self.admin_port if is_admin else self.port,
                                          timeout=20)

    def ask(self, method, path, body=None, headers=JSON, is_admin=False):
        """Status, headers and body of a request on a connection of its own."""
        connection = self.connection(is_admin)
        try:
            return exchange(connection, method, path, body, headers)
        finally:
            connection.close()

    def metrics(self):
        """The samples, without being counted."""
        return metrics_page.samples(self.ask("GET", "/metrics", is_admin=True)[2].decode())

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.program.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def post(self, path, body):
        """Status and decoded answer of a body that is made JSON of."""
        status, _, reply = self.ask("POST", path, json.dumps(body))
        return status, json.loads(reply)

    def raw(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def exchange(connection, method, path, body=None, headers=JSON):
    connection.request(method, path, body, headers if body is not None else {})
    reply = connection.getresponse()
    return reply.status, reply.headers, reply.read()


def is_stopped(pid):
    """Every thread of it: the signal alone does not mean that yet."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for task in tasks)


def ask_at_once(service, body, count):
    """Status, headers and answer of requests that are all there when the service looks."""
    connections = [service.connection() for _ in range(count)]
    for connection in connections:
        assert exchange(connection, "GET", "/healthz")[0] == 200
    service.program.signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(service.program.pid))
    for connection in connections:
        connection.request("POST", "/predict", body, JSON)
    service.program.signal(signal.SIGCONT)
    replies = [connection.getresponse() for connection in connections]
    return [(reply.status, reply.headers, json.loads(reply.read())) for reply in replies]
