#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does what cicada-driver recommends keep what it was asked for?

Searches the most users within an objective on one local replica of cicada-inference, as users do
(--slo), takes the load that the report says to plan for (Planned_Users: the limit less the
head-room), and measures that load again and again in runs of their own. Prints how many of the runs
keep the objective; 19 of 20 are wanted.

    bench/confirm.py                                  # 4 searches x 5 runs, about 20 minutes
    bench/confirm.py --searches 1 --confirmations 2   # is all well?

The code is 1 when more than a twentieth of the runs break the objective."""

import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

from peers import BUILD, HERE

DRIVER = BUILD / "cicada-driver"
SCENARIO = HERE / "confirm.c"
SHARE_WANTED = 0.95
FACTOR = 2.5


def drive(results, *args):
    """A matrix of one replica and one worker. Users come ten at a time: what the last of them ask at
    once is no more than a hundredth of a window."""
    done = subprocess.run(
        [DRIVER, "--scenario", SCENARIO, "--replicas", "1", "--workers", "1", "--cooldown", "1",
         "--spawn-rate", "10", "--results", results, *map(str, args)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode not in (0, 1, 99):
        sys.exit(f"{done.args}: code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads((results / "report.json").read_text())


def search_once(results, options):
    """Users to plan for, and users at the limit; what was said of the search. None: no limit."""
    report = drive(results, "--users", options.users, "--duration", options.seconds, "--slo",
                   options.slo, "--tolerance", options.tolerance, "--head-room", options.head_room)
    answers = {a["question"]: a for a in report["answers"]}
    figures = answers.get("capacity", {}).get("figures", {})
    said = answers["slo"]["text"]
    if "Planned_Users" not in figures:
        print(f"a search has found no limit: {said}", flush=True)
        return None
    return int(figures["Planned_Users"]["value"]), int(figures["Users"]["value"]), said


def search(folder, options):
    """As long as the machine lets the load generator down, at most three times."""
    for i in range(3):
        if found := search_once(folder / f"search-{i}", options):
            return found
    return sys.exit("no search has found a limit; is the machine quiet?")


def confirm(results, users, options):
    """Whether the objective is kept by a row of so many users, and the row."""
    bounds = [option for o in options.slo.split(",") for option in ("--fail-if", opposite(o))]
    report = drive(results, "--users", users, "--duration", options.seconds, *bounds)
    with open(results / "auto_summary.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return row["Status"] == "ok" and report["rows"][0]["limits_not_met"] is None, row


def choose_objective(results, options):
    """p95 below so many times the median of a service that has next to nothing to do."""
    report = drive(results, "--users", 5, "--duration", options.seconds)
    return f"p95<{FACTOR * report['rows'][0]['figures']['Median_ms']['value']:.0f}ms,fail_ratio<1%"


def opposite(objective):
    """p95<25ms as what must not be: p95>=25ms."""
    return objective.replace("<", ">=") if "<=" not in objective else objective.replace("<=", ">")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=4)
    parser.add_argument("--confirmations", type=int, default=5, help="after each search")
    parser.add_argument("--slo", help=f"objectives (default: p95 below {FACTOR:g} times the median of "
                        "an idle service, fail_ratio<1%%)")
    parser.add_argument("--seconds", type=int, default=15, help="the window of a run")
    parser.add_argument("--users", type=int, default=40, help="where a search begins")
    parser.add_argument("--tolerance", type=float, default=10, help="of a search, percent")
    parser.add_argument("--head-room", type=float, default=20, help="percent")
    options = parser.parse_args()
    kept = runs = 0
    if not options.slo:
        with tempfile.TemporaryDirectory() as folder:
            options.slo = choose_objective(pathlib.Path(folder) / "idle", options)
    for i in range(options.searches):
        with tempfile.TemporaryDirectory() as folder:
            planned, limit, said = search(pathlib.Path(folder), options)
            print(f"search {i + 1}: {said} Plan for {planned} users, {options.head_room:g} % below "
                  f"{limit}.", flush=True)
            for k in range(options.confirmations):
                is_kept, row = confirm(pathlib.Path(folder) / f"run-{k}", planned, options)
                kept, runs = kept + is_kept, runs + 1
                print(f"  {'kept  ' if is_kept else 'BROKEN'} {options.slo}: p95 {row['P95_ms']} ms, "
                      f"{row['Failures_Pct']} % failed, {row['RPS']} requests/s, {row['Verdict']}"
                      f"{': ' + row['Reason'] if row['Reason'] else ''}", flush=True)
    print(f"{kept} of {runs} runs at the recommended load keep {options.slo}")
    return 0 if kept >= SHARE_WANTED * runs else 1


if __name__ == "__main__":
    sys.exit(main())
