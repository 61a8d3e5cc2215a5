# SPDX-License-Identifier: MIT
"""A small DNS server over UDP on loopback, for tests.

`zone` maps a name to (ttl, [IPv4 and IPv6 addresses]); other names do not exist. `delay_s` maps a name to how long its answers take. `asked` counts A questions."""

import collections
import socket
import struct
import threading


class NameServer:
    def __init__(self, zone):
        self.zone = zone
        self.delay_s = {}
        self.asked = collections.Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                question, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            name, kind, end = self._read(question)
            if kind == 1:
                self.asked[name] += 1
            answer = self._answer(question, name, kind, end)
            timer = threading.Timer(self.delay_s.get(name, 0), self._send, (answer, peer))
            timer.daemon = True
            timer.start()

    def _send(self, answer, peer):
        try:
            self._socket.sendto(answer, peer)
        except OSError:
            pass  # The test is over.

    @staticmethod
    def _read(question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind, = struct.unpack_from("!H", question, at + 1)
        return ".".join(labels).lower(), kind, at + 5

    def _answer(self, question, name, kind, end):
        ttl, addresses = self.zone.get(name, (0, []))
        family, size = {1: (socket.AF_INET, 4), 28: (socket.AF_INET6, 16)}.get(kind, (None, 0))
        packed = [socket.inet_pton(family, a) for a in addresses
                  if (":" in a) == (family == socket.AF_INET6)] if family else []
        flags = 0x8180 if name in self.zone else 0x8183
        head = question[:2] + struct.pack("!HHHHH", flags, 1, len(packed), 0, 0)
        records = b"".join(struct.pack("!HHHIH", 0xc00c, kind, 1, ttl, size) + a for a in packed)
        return head + question[12:end] + records

    def close(self):
        self._socket.close()
