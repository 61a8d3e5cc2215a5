# SPDX-License-Identifier: MIT
"""What a run leaves behind: --csv, --json, --json-file, --html."""

import csv
import json
import pathlib
import signal
import urllib.request

from programs import wait_until
from web_client import WEB_READY

SCENARIO = """
#include <cicada.h>

static void index_page(struct cic_user *u) { cic_get(u, "/"); }
static void odd(struct cic_user *u) { cic_get(u, "/odd", .name = "a \\"b\\", c"); }
static void missing(struct cic_user *u) { cic_get(u, "/missing"); }

CIC_USER(Visitor, .wait = CIC_BETWEEN(0.02, 0.05),
	.tasks = CIC_TASKS(CIC_TASK(index_page, 2), CIC_TASK(odd, 1), CIC_TASK(missing, 1)));
"""

NAMES = {"/": "GET /", 'a "b", c': "GET /odd", "/missing": "GET /missing"}


def start(programs, target, tmp_path, *args, **kw):
    path = tmp_path / "s.c"
    path.write_text(SCENARIO)
    return programs.start("cicada", "-f", path, "--headless", "-H", target.url, "-u", "4", "-r",
                          "10", "-s", "10", "--exit-code-on-error", "0", *args, cwd=tmp_path, **kw)


def rows_of(path):
    text = path.read_bytes()
    assert text.endswith(b"\r\n") and b"\n" not in text.replace(b"\r\n", b"")
    return list(csv.DictReader(text.decode().splitlines()))


def test_csv_files_have_what_the_target_answered(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "-t", "3s", "--csv", "new/folder/run")
    assert program.wait(60) == 0, program.text()
    stats = rows_of(tmp_path / "new/folder/run_stats.csv")
    assert stats[-1]["Name"] == "Aggregated" and stats[-1]["Type"] == ""
    assert int(stats[-1]["Request Count"]) == target.total > 0
    assert {r["Name"]: int(r["Request Count"]) for r in stats[:-1]} == \
        {name: target.counts[key] for name, key in NAMES.items()}
    (failure,) = rows_of(tmp_path / "new/folder/run_failures.csv")
    assert failure["Name"] == "/missing" and "404 Client Error" in failure["Error"]
    assert int(failure["Occurrences"]) == target.counts["GET /missing"]
    assert rows_of(tmp_path / "new/folder/run_exceptions.csv") == []
    history = rows_of(tmp_path / "new/folder/run_stats_history.csv")
    assert {r["Name"] for r in history} == {"Aggregated"}
    times = [int(r["Timestamp"]) for r in history]
    assert times == sorted(set(times)) and len(times) >= 3
    counts = [int(r["Total Request Count"]) for r in history]
    assert counts == sorted(counts) and 0 < counts[-1] <= target.total
    assert history[0]["50%"] == "N/A" and history[-1]["50%"].isdigit()


def test_the_full_history_has_every_name(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "-t", "4s", "--csv", "run", "--csv-full-history")
    assert program.wait(60) == 0, program.text()
    history = rows_of(tmp_path / "run_stats_history.csv")
    assert {r["Name"] for r in history} == {*NAMES, "Aggregated"}
    last = history[-4:]
    assert [r["Name"] for r in last] == [*sorted(NAMES), "Aggregated"]
    assert len({r["Timestamp"] for r in last}) == 1
    assert sum(int(r["Total Request Count"]) for r in last[:3]) == \
        int(last[3]["Total Request Count"])


def test_csv_files_can_be_read_while_the_test_runs(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "--csv", "run", "--csv-full-history",
                    ready="All users spawned")
    stats, history = tmp_path / "run_stats.csv", tmp_path / "run_stats_history.csv"
    wait_until(lambda: history.read_text().count("Aggregated") >= 3, what="three seconds")
    wait_until(lambda: "/missing" in stats.read_text(), what="a row of a name")
    program.signal(signal.SIGTERM)
    assert program.wait() == 0
    assert int(rows_of(stats)[-1]["Request Count"]) == target.total


def test_json_has_every_counter(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "-t", "2s", "--json", "--json-file", "out/all",
                    "--skip-log-setup")
    assert program.wait(60) == 0, program.text()
    said = program.text("stdout")
    assert said == (tmp_path / "out/all.json").read_text() and program.text("stderr") == ""
    rows = {row["name"]: row for row in json.loads(said)}
    assert set(rows) == set(NAMES)
    vector = json.loads((pathlib.Path(__file__).parents[1] / "vectors/locust/2.46.6-json_row.json")
                        .read_text())
    for name, row in rows.items():
        assert list(row) == list(vector), "the keys of Locust, in its order"
        count = target.counts[NAMES[name]]
        assert row["num_requests"] == count == sum(row["response_times"].values())
        assert sum(row["num_reqs_per_sec"].values()) == count
        assert row["num_failures"] == (count if name == "/missing" else 0)


def test_json_file_replaces_the_tables(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "-t", "1s", "--only-summary", "--json-file", "x")
    assert program.wait(60) == 0, program.text()
    assert "Aggregated" not in program.text() and (tmp_path / "x.json").exists()


def test_html_is_a_report_with_the_numbers_in_its_name(programs, target, tmp_path):
    program = start(programs, target, tmp_path, "-t", "2s", "--html", "new/r_{u}_{r}_{t}.html")
    assert program.wait(60) == 0, program.text()
    page = (tmp_path / "new/r_4_10_2.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert target.url in page and "/missing" in page and "404 Client Error" in page


def test_the_web_interface_gives_the_full_history(programs, target, tmp_path):
    (tmp_path / "s.c").write_text(SCENARIO)
    program = programs.start("cicada", "-f", "s.c", "-H", target.url, "--web-host", "127.0.0.1",
                             "--web-port", "0", "--csv", "run", "--csv-full-history", cwd=tmp_path,
                             ready=WEB_READY)
    url = program.ready.group(1) + "/stats/requests_full_history/csv"
    with urllib.request.urlopen(url, timeout=30) as reply:
        assert reply.read().startswith(b"Timestamp,User Count,Type,Name,")
    assert program.stop() == 0, program.text()


def test_files_that_cannot_be_written_are_named(programs, target, tmp_path):
    (tmp_path / "file").write_text("")
    program = start(programs, target, tmp_path, "--csv", "file/run")
    assert program.wait(60) == 1 and "file: cannot" in program.text(), program.text()
    program = start(programs, target, tmp_path, "-t", "1s", "--json-file", "file/x")
    assert program.wait(60) == 1
    assert "file/x.json was not written: file" in program.text(), program.text()
    program = start(programs, target, tmp_path, "--csv-full-history")
    assert program.wait(60) == 2 and "--csv-full-history requires --csv" in program.text()
