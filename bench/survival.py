#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How soon a test goes on when a worker is killed, cut off or frozen, and when its master is killed
and started again: tests/integration/test_survival.py several times, with its clock.

    bench/survival.py --rounds 5"""

import argparse
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))

import test_survival as survival  # noqa: E402
from programs import Programs  # noqa: E402
from target import Target  # noqa: E402

COURSES = (
    ("worker killed", survival.kill_a_worker),
    ("worker cut off", survival.cut_a_worker_off),
    ("worker frozen", lambda *place: survival.cut_a_worker_off(*place, is_frozen=True)),
    ("master killed", survival.kill_the_master),
)


def run(course):
    programs, target = Programs(), Target()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return course(programs, target, pathlib.Path(folder))
        finally:
            programs.close()
            target.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    print("| what happens | then | median s | most s |\n|---|---|---|---|", flush=True)
    for name, course in COURSES:
        rounds = [run(course) for _ in range(args.rounds)]
        for step in rounds[0]:
            times = sorted(seen[step] for seen in rounds)
            print(f"| {name} | {step} | {times[len(times) // 2]:.2f} | {times[-1]:.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
