# SPDX-License-Identifier: MIT
"""Reads an interval log of HdrHistogram, from the description of its encoding."""

import base64
import struct
import zlib


def read_count(data, at):
    """A ZigZag LEB128 of at most nine bytes, and where the next one is."""
    number = 0
    for i in range(9):
        byte = data[at + i]
        number |= (byte if i == 8 else byte & 0x7F) << 7 * i
        if i == 8 or byte < 0x80:
            break
    return (number >> 1) ^ -(number & 1), at + i + 1


def lowest_of(index):
    """The smallest value of a bucket: 2048 of them of one unit, then 1024 for each power of two."""
    if index < 2048:
        return index
    power = index // 1024 - 1
    return (index - 1024 * power) << power


def read(log):
    """{microseconds: count} of the one interval."""
    line, = (line for line in log.splitlines() if line and line[0] not in '#"')
    packed = base64.b64decode(line.split(",")[3], validate=True)
    cookie, length = struct.unpack(">II", packed[:8])
    assert cookie == 0x1C849314 and length == len(packed) - 8
    data = zlib.decompress(packed[8:])
    cookie, length, offset, digits, lowest, highest, ratio = struct.unpack(">IIIIQQd", data[:40])
    assert (cookie, offset, digits, lowest, highest, ratio) == (0x1C849313, 0, 3, 1, 3600000000, 1.0)
    assert length == len(data) - 40
    counts, index, at = {}, 0, 40
    while at < len(data):
        count, at = read_count(data, at)
        if count > 0:
            counts[lowest_of(index)] = count
        index += -count if count < 0 else 1
    return counts
