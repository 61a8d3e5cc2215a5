# SPDX-License-Identifier: MIT
"""Ports of another address that lead to the same ports of 127.0.0.1, until the wire is cut.

Cut, nothing passes and nobody is told: connections stay, and new ones get no answer. What was sent
meanwhile arrives once it is mended, as TCP has it."""

import socket
import threading


class Relay:
    near = "127.0.0.1"

    def __init__(self, address, ports):
        self.address = address
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._sockets = []
        self._lock = threading.Lock()
        for port in ports:
            listener = socket.create_server((address, port))
            self._keep(listener)
            self._begin(self._accept, listener, port)

    def start(self, programs, name, *args):
        """A program on the far side, which is this one."""
        return programs.start(name, *args)

    def cut(self):
        self._is_whole.clear()

    def mend(self):
        self._is_whole.set()

    def close(self):
        self.mend()
        with self._lock:
            for each in self._sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                each.close()

    def _keep(self, *sockets):
        with self._lock:
            self._sockets += sockets

    @staticmethod
    def _begin(run, *args):
        threading.Thread(target=run, args=args, daemon=True).start()

    def _accept(self, listener, port):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._is_whole.wait()
            try:
                far = socket.create_connection(("127.0.0.1", port))
            except OSError:
                near.close()
                continue
            self._keep(near, far)
            self._begin(self._pump, near, far)
            self._begin(self._pump, far, near)

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                self._is_whole.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
