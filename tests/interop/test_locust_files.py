# SPDX-License-Identifier: MIT
"""Locust and cicada run the same test with --csv: the files have the same layout."""

import csv
import pathlib
import re

from programs import LOCUST

LOCUSTFILE = """
from locust import HttpUser, constant, task


class Visitor(HttpUser):
    wait_time = constant(0.1)

    @task
    def index_page(self):
        self.client.get("/")

    @task
    def missing(self):
        self.client.get("/missing")
"""

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void missing(struct cic_user *u) { cic_get(u, "/missing"); }

CIC_USER(Visitor, .wait = CIC_CONSTANT(0.1),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 1), CIC_TASK(missing, 1)));
"""

VECTOR = pathlib.Path(__file__).parents[1] / "vectors/locust/2.46.6-stats_history.csv"
FILES = ["stats", "stats_history", "failures", "exceptions"]
# What came after 2.12.
LATER = {"failures": ["First Seen", "Last Seen"]}
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?|N/A")


def run(programs, program, tmp_path, name, scenario, target, seconds=5):
    """(exit code, {kind: rows})"""
    path = tmp_path / name
    path.write_text(scenario)
    prefix = tmp_path / program.rsplit("/", 1)[-1]
    done, code = programs.run(program, "-f", path, "--headless", "-u", "3", "-r", "3", "-t", f"{seconds}s",
                              "-s", "5", "-H", target.url, "--csv", prefix, "--csv-full-history",
                              timeout_s=90)
    assert code in (0, 1), done.text()
    tables = {}
    for kind in FILES:
        data = prefix.with_name(f"{prefix.name}_{kind}.csv").read_bytes().decode()
        assert data.endswith("\r\n"), kind
        tables[kind] = list(csv.reader(data.splitlines()))
    return code, tables


def run_locust(programs, tmp_path, target):
    """On a machine that is busy with other things it writes little in five seconds."""
    for seconds in (5, 15, 45):
        code, tables = run(programs, LOCUST, tmp_path, "lf.py", LOCUSTFILE, target, seconds)
        if len(tables["stats"]) == 4 and len(tables["failures"]) == 2:
            break
    assert code == 1
    return tables


def kind_of(cell):
    return "number" if NUMBER.fullmatch(cell) else "text"


def test_csv_files_have_the_layout_of_locust(programs, target, tmp_path):
    theirs = run_locust(programs, tmp_path, target)
    code, ours = run(programs, "cicada", tmp_path, "s.c", SCENARIO, target)
    assert code == 1
    for kind in FILES:
        head = theirs[kind][0]
        assert ours[kind][0] == head + [name for name in LATER.get(kind, []) if name not in head]
        assert all(len(row) == len(ours[kind][0]) for row in ours[kind]), kind
    for table in theirs, ours:
        assert [row[:2] for row in table["stats"][1:]] == \
            [["GET", "/"], ["GET", "/missing"], ["", "Aggregated"]]
        assert [row[:2] for row in table["failures"][1:]] == [["GET", "/missing"]]
    assert {tuple(row[2:4]) for row in ours["stats_history"][1:]} == \
        {("GET", "/"), ("GET", "/missing"), ("", "Aggregated")}
    # 2.12.1 leaves the rows of its last ten seconds out: those of a newer one are beside them.
    newer = list(csv.reader(VECTOR.read_text().splitlines()))
    assert newer[0] == ours["stats_history"][0]
    theirs["stats_history"] += newer[1:]
    for kind in "stats", "stats_history":
        shapes = [{tuple(map(kind_of, row)) for row in table[kind][1:]} for table in (theirs, ours)]
        assert shapes[0] == shapes[1], kind


def test_nobody_asks(programs, target, tmp_path):
    """What 0 users leave behind, except of times."""
    left = []
    (tmp_path / "lf.py").write_text(LOCUSTFILE)
    for program in LOCUST, "cicada":
        done, code = programs.run(program, "-f", "lf.py", "--headless", "-u", "0", "-t", "1s", "-H",
                                  target.url, "--csv", program.rsplit("/", 1)[-1], cwd=tmp_path)
        assert code == 0 and '{"Visitor": 0} (0 total users)' in done.text(), done.text()
        prefix = tmp_path / program.rsplit("/", 1)[-1]
        left.append([prefix.with_name(f"{prefix.name}_{kind}.csv").read_text()
                     for kind in ("stats", "exceptions")])
    assert left[0] == left[1] and target.total == 0
