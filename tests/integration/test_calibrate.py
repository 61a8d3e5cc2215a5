# SPDX-License-Identifier: MIT
"""cicada --calibrate: what it prints is of the right kind; what a waiting user costs is held to its bound.

Memory does not depend on how fast the machine is, the other figures do and are only checked for sense."""

import re


def test_calibrate_says_what_the_machine_can_generate(programs):
    program, code = programs.run("cicada", "--calibrate", timeout_s=120)
    text = program.text()
    assert code == 0, text
    figures = {name.strip(): float(value)
               for name, value in re.findall(r"^(.{40,60}?)\s+([\d.]+)$", text, re.M)}
    assert len(figures) == 6, text
    assert figures["GET requests/s of one load thread, as it came"] > 0
    assert figures["per CPU-second of the load thread"] > 0
    assert figures["lag p99 at half of these requests/s, ms"] >= 0
    assert figures["users started per second"] > 0
    assert 0.1 < figures["kB per waiting user without a connection"] <= 0.512
    assert 0.1 < figures["kB per waiting user with an open, idle connection"] <= 2.0
