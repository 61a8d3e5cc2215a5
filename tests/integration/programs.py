# SPDX-License-Identifier: MIT
"""Real programs for the integration tests: found, started, waited for and ended.

A test asks the fixture `programs` (conftest.py):

    service = programs.start("cicada-inference", "--port", "0", ready=r"ready on \\S+:(\\d+)")
    port = int(service.ready.group(1))

start() returns when a line of the program's stdout or stderr matches `ready`, and fails the
test with everything the program said when that does not happen within `timeout_s`. What a test
started is ended (SIGTERM, then SIGKILL, by pid) when the test is over.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The real one, on the other side.
LOCUST = os.environ.get("CICADA_LOCUST", "/usr/bin/locust")
BUILD = pathlib.Path(os.environ.get("CICADA_BUILD", ROOT / "build" / "release")).resolve()


def find(name):
    """The program of this name in the build folder."""
    for path in (BUILD / name, BUILD / "src" / "cli" / name):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"{name} is not in {BUILD}: build it, or set CICADA_BUILD")


def wait_until(condition, timeout_s=30, what="the condition"):
    """Polls until condition() is true and returns its value; AssertionError at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s")
        time.sleep(0.02)


class Program:
    """One running program. `ready` is the match of the ready line."""

    def __init__(self, args, env, cwd, stdin=subprocess.DEVNULL):
        self.args = [str(a) for a in args]
        self.ready = None
        self._said = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            self.args, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=env, cwd=cwd, start_new_session=True)
        self._readers = [threading.Thread(target=self._read, args=(name, stream), daemon=True)
                         for name, stream in (("stdout", self.process.stdout),
                                              ("stderr", self.process.stderr))]
        for reader in self._readers:
            reader.start()

    def _read(self, name, stream):
        for line in iter(stream.readline, b""):
            with self._changed:
                self._said.append((name, line.decode("utf-8", "replace")))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def text(self, stream=None):
        """What was said so far: on "stdout", "stderr", or on both in order of arrival."""
        with self._changed:
            return "".join(line for name, line in self._said if stream in (None, name))

    def wait_line(self, pattern, timeout_s=30):
        """The first match of pattern in a line said so far or within timeout_s."""
        deadline = time.monotonic() + timeout_s
        seen = 0
        with self._changed:
            while True:
                while seen < len(self._said):
                    match = re.search(pattern, self._said[seen][1])
                    if match:
                        return match
                    seen += 1
                left = deadline - time.monotonic()
                if left <= 0 or not any(r.is_alive() for r in self._readers):
                    break
                self._changed.wait(left)
        raise AssertionError(f"{self.args} never said {pattern!r} (exit {self.process.poll()}); "
                             f"it said:\n{self.text()}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=20):
        """The exit code (negative: the signal), once everything it said has been read."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.args} did not end within {timeout_s} s; "
                                 f"it said:\n{self.text()}") from None
        for reader in self._readers:
            reader.join(10)
        return code

    def stop(self, timeout_s=20):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


class Programs:
    """Starts programs and ends, at the latest in close(), all it has started."""

    def __init__(self):
        self._running = []

    def start(self, name, *args, ready=None, timeout_s=30, env=None, cwd=None,
              stdin=subprocess.DEVNULL):
        """name: a program of ours, or a path. env: added to the environment."""
        path = name if os.sep in str(name) else find(name)
        program = Program([path, *args], {**os.environ, **(env or {})}, cwd, stdin)
        self._running.append(program)
        if ready:
            program.ready = program.wait_line(ready, timeout_s)
        return program

    def run(self, name, *args, timeout_s=20, env=None, cwd=None):
        """Starts a program that ends by itself; returns it with its exit code."""
        program = self.start(name, *args, env=env, cwd=cwd)
        return program, program.wait(timeout_s)

    def close(self):
        for program in self._running:
            if program.process.poll() is None:
                program.signal(signal.SIGTERM)
        for program in self._running:
            try:
                program.process.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
            # It led its own process group: children it may have left end here.
            try:
                os.killpg(program.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def start_server(programs, make_args):
    """Starts a server that takes its port as an argument; another port when it was taken."""
    for _ in range(5):
        port = free_port()
        server = programs.start(*make_args(port))
        wait_until(lambda: is_listening(port) or server.process.poll() is not None, what="a server")
        if server.process.poll() is None:
            return port
    raise AssertionError(server.text())
