# SPDX-License-Identifier: MIT
"""Many readers of GET /stats/requests, each with a connection of its own, as so many open pages."""

import asyncio
import re
import time

PERIOD_S = 2


async def read(port, number, count, until, times_ms, errors):
    """One reader; the first looks of all are spread over a period."""
    due = time.monotonic() + PERIOD_S * number / count
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        while due < until:
            await asyncio.sleep(max(0, due - time.monotonic()))
            asked = time.monotonic()
            writer.write(b"GET /stats/requests HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
            await reader.readexactly(length)
            times_ms.append((time.monotonic() - asked) * 1000)
            if not head.startswith(b"HTTP/1.1 200"):
                errors.append(head.decode("latin-1"))
            due += PERIOD_S
        writer.close()
    except (OSError, EOFError, TypeError) as error:
        errors.append(repr(error))


async def read_for(port, count, seconds, times_ms, errors):
    until = time.monotonic() + seconds
    await asyncio.gather(*(read(port, i, count, until, times_ms, errors) for i in range(count)))


def read_all(port, count, seconds):
    """Milliseconds of each answer, sorted, and what went wrong."""
    times_ms, errors = [], []
    asyncio.run(read_for(port, count, seconds, times_ms, errors))
    return sorted(times_ms), errors
