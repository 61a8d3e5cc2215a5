# SPDX-License-Identifier: MIT
"""The main job: cicada-driver walks a matrix over real replicas, master and workers."""

import csv
import json
import os
import pathlib
import re
import signal

import jsonschema
import pytest

import hdr_log
from programs import ROOT, wait_until

HEADER = "Replicas,Workers,Users,RPS,Median_ms,P95_ms,P99_ms,Failures_Pct,Total_Requests,Duration_s"
# Users wait 1 to 2 s: a window of 2 s has a request of each, and one makes at most this many requests
# per second on average.
CEILING = 1 / 1.5


def rows_of(folder):
    with open(folder / "auto_summary.csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def report_of(folder):
    """report.json, held against its schema, whose figures all have a unit."""
    report = json.loads((folder / "report.json").read_text())
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    return report


def processes_with(word):
    """pids of the processes that have `word` on their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if word.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def scenario_of(tmp_path):
    """The shipped scenario under a path of this test, by which its processes are known."""
    path = tmp_path / "inference.c"
    path.write_text((ROOT / "scenarios" / "inference.c").read_text())
    return path


def start_driver(programs, tmp_path, *args, ready=r"\[1/", env=None):
    return programs.start("cicada-driver", "--results", tmp_path / "results", "--scenario",
                          scenario_of(tmp_path), "--cooldown", "0", "--poll", "0.5", *args,
                          ready=ready, env=env)


def test_a_whole_matrix(programs, tmp_path):
    driver = start_driver(programs, tmp_path, "--replicas", "1,2", "--workers", "1,2", "--users",
                          "20", "--duration", "3")
    assert driver.wait(120) == 0, driver.text()
    text, results = driver.text("stdout"), tmp_path / "results"

    header = (results / "auto_summary.csv").read_text().splitlines()[0]
    assert header.startswith(HEADER + ",")
    rows = rows_of(results)
    assert [(r["Replicas"], r["Workers"], r["Users"]) for r in rows] == [
        (a, b, "20") for a in "12" for b in "12"]
    for row in rows:
        assert row["Generator"] in ("ok", "limited") and float(row["Lag_P99_ms"]) >= 0
        assert float(row["Generator_CPU_Pct"]) > 0
        assert (row["Model"], row["Response_P95_ms"]) == ("closed", "")
        assert row["Status"] == "ok" and float(row["Failures_Pct"]) == 0
        assert row["Total_Requests"] == row["Server_Requests"]
        assert 0 < int(row["Window_Requests"]) <= int(row["Total_Requests"])
        requests, duration_s = int(row["Window_Requests"]), float(row["Duration_s"])
        assert 3 <= duration_s
        # Rates and durations are rounded to two digits.
        assert (requests / (duration_s + 0.006) - 0.006 <= float(row["RPS"]) <=
                requests / (duration_s - 0.006) + 0.006)
        # What a closed loop with these waits cannot exceed by more than chance.
        assert float(row["RPS"]) < 2 * 20 * CEILING
        assert float(row["Median_ms"]) <= float(row["P95_ms"]) <= float(row["P99_ms"])

    assert re.search(r"\[\d+s/3s\] RPS: [\d.]+ \| Median: [\d.]+ms \| P90: [\d.]+ms", text)
    report = report_of(results)
    assert [r["scenario"] for r in report["rows"]] == [1, 2, 3, 4]
    assert report["plan"]["replicas"]["values"] == [1, 2] and report["rows_measured"] == 4
    for row, cells in zip(report["rows"], rows):
        assert f'{row["figures"]["RPS"]["value"]:.2f}' == cells["RPS"]
        assert row["words"]["Status"] == "ok"
        assert len(row["series"]["at"]["values"]) == len(row["series"]["requests"]["values"]) > 0
        curve = row["percentile_curve"]
        assert curve["source"] == "histogram"
        assert curve["time"]["values"] == sorted(curve["time"]["values"])
        assert row["series"]["source"] == "master"
        # Whole seconds only, so a part of the window at either end is in none of them.
        assert sum(row["series"]["requests"]["values"]) <= int(cells["Window_Requests"])
        log = (results / "rows" / f"{row['scenario']:04}.hlog").read_text()
        assert sum(hdr_log.read(log).values()) == int(cells["Window_Requests"])
        assert cells["Verdict"] in ("suspect", "invalid") and cells["Reason"]  # 3 s are short
        assert 500 < float(cells["Wait_ms"]) < 2500
        assert float(cells["Server_CPU_ms"]) >= 0 and float(cells["Server_Compute_ms"]) > 0
        assert 100 / int(cells["Replicas"]) <= float(cells["Server_Share_Max_Pct"]) <= 100
    assert set(rows[0]) == {entry["name"] for entry in report["glossary"]}
    terms = {t["name"]: t["unit"] for t in report["glossary"] + report["glossary_of_answers"]}
    for answer in report["answers"]:
        for name, figure in answer["figures"].items():
            assert terms[name] == figure["unit"], name
    markdown = (results / "auto_summary.md").read_text()
    for said in (markdown, text):
        assert re.search(r"Best Throughput:?\W+[\d.]+ RPS with \d replicas?, \d workers?, 20 users",
                         said, re.I), said
    assert re.search(r"Best Latency", markdown, re.I)
    assert str(results / "auto_summary.csv") in text
    assert not processes_with(str(tmp_path / "inference.c"))


def test_no_proxy_stands_between_the_processes_of_this_machine(programs, tmp_path):
    driver = start_driver(programs, tmp_path, "--replicas", "1", "--workers", "1", "--users", "5",
                          "--duration", "2", env={"CICADA_TRUST_ENV": "1",
                                                  "all_proxy": "http://127.0.0.1:9"})
    assert driver.wait(120) == 0, driver.text()
    row, = rows_of(tmp_path / "results")
    assert row["Status"] == "ok" and float(row["Failures_Pct"]) == 0


def test_ctrl_c_stops_the_test_keeps_the_rows_and_leaves_nobody(programs, tmp_path):
    driver = start_driver(programs, tmp_path, "--replicas", "1", "--workers", "1", "--users", "5,6",
                          "--duration", "2")
    driver.wait_line(r"users=6 .*RPS: ", 60)
    driver.signal(signal.SIGINT)
    assert driver.wait(30) == 105, driver.text()
    rows = rows_of(tmp_path / "results")
    assert [(r["Users"], r["Status"]) for r in rows] == [("5", "ok"), ("6", "interrupted")]
    assert not processes_with(str(tmp_path / "inference.c"))


def test_kill_9_leaves_whole_rows_and_nobody(programs, tmp_path):
    driver = start_driver(programs, tmp_path, "--replicas", "2", "--workers", "2", "--users", "5,6",
                          "--duration", "2")
    driver.wait_line(r"users=6 .*RPS: ", 60)
    scenario = str(tmp_path / "inference.c")
    assert len(processes_with(scenario)) == 4  # driver, master, two workers
    children = [int(p) for t in pathlib.Path(f"/proc/{driver.pid}/task").iterdir()
                for p in (t / "children").read_text().split()]
    assert len(children) == 5
    driver.signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    wait_until(lambda: not processes_with(scenario), what="master and workers to be gone")
    wait_until(lambda: not [p for p in children if pathlib.Path(f"/proc/{p}").exists()],
               what="all children to be gone")
    rows = rows_of(tmp_path / "results")
    assert [(r["Users"], r["Status"]) for r in rows] == [("5", "ok")]
    assert "interrupted" not in (tmp_path / "results" / "auto_summary.md").read_text()


def without_time(report):
    return re.sub(r'Written \S+|"written":\S+', "", report)


def journal_of(folder):
    return [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("moment", [r"users=6   spawning", r"users=7 .*RPS: "])
def test_after_kill_9_the_same_plan_goes_on(programs, tmp_path, moment):
    plan = ("--replicas", "1", "--workers", "1", "--users", "5,6,7", "--duration", "2")
    driver = start_driver(programs, tmp_path, *plan)
    driver.wait_line(moment, 60)
    driver.signal(signal.SIGKILL)
    driver.wait()
    results = tmp_path / "results"
    before = journal_of(results)
    done = sum(line["record"] == "row" for line in before)
    assert done >= 1

    driver = start_driver(programs, tmp_path, *plan, ready=r"Continuing .*run\.jsonl: "
                          rf"{done} of 3 scenarios have their rows")
    assert driver.wait(120) == 0, driver.text()
    lines = journal_of(results)
    assert lines[:len(before)] == before and lines[-1]["how"] == "done"
    rows = [line for line in lines if line["record"] == "row"]
    assert [(row["scenario"], row["Users"]) for row in rows] == [(1, 5), (2, 6), (3, 7)]
    assert [(r["Users"], r["Status"]) for r in rows_of(results)] == [(u, "ok") for u in "567"]
    for row, cells in zip(rows, rows_of(results)):
        assert cells["RPS"] == f"{row['RPS']:.2f}"
        assert cells["Total_Requests"] == str(row["Total_Requests"])

    # As if the kill had come between the last row of the journal and its report.
    assert [row["series"] is not None for row in report_of(results)["rows"]] == [True] * 3
    reports = {name: (results / name).read_text()
               for name in ("auto_summary.csv", "auto_summary.md", "report.json")}
    for name in reports:
        (results / name).unlink()
    again, code = programs.run("cicada-driver", *driver.args[1:])
    assert code == 0 and "Nothing to measure" in again.text() and "Master:" not in again.text()
    assert journal_of(results) == lines
    for name, text in reports.items():
        assert without_time((results / name).read_text()) == without_time(text)


def test_another_plan_sets_the_earlier_results_aside(programs, tmp_path):
    plan = ("--replicas", "1", "--workers", "1", "--duration", "2", "--users")
    assert start_driver(programs, tmp_path, *plan, "3").wait(60) == 0
    driver = start_driver(programs, tmp_path, *plan, "4")
    assert driver.wait(60) == 0 and "of another plan and are set aside" in driver.text()
    results = tmp_path / "results"
    assert [r["Users"] for r in rows_of(results)] == ["4"]
    driver = start_driver(programs, tmp_path, *plan, "4", "--fresh")
    assert driver.wait(60) == 0, driver.text()
    for name in ("run.*.jsonl", "auto_summary.*.csv", "auto_summary.*.md", "report.*.json", "rows.*",
                 "plan.*.yaml"):
        assert len(list(results.glob(name))) == 2, name


def test_a_journal_that_cannot_be_read_is_an_error_with_its_place(programs, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "run.jsonl").write_text("hello\n")
    driver = start_driver(programs, tmp_path, ready=r"run\.jsonl:1: .*--fresh")
    assert driver.wait(30) == 111
    assert (tmp_path / "results" / "run.jsonl").read_text() == "hello\n"


def test_a_folder_of_results_has_one_driver(programs, tmp_path):
    start_driver(programs, tmp_path, "--replicas", "1", "--workers", "1", "--users", "3")
    other = start_driver(programs, tmp_path, ready=r"another cicada-driver is at work")
    assert other.wait(30) == 111


def test_replicas_that_do_not_come_up_are_never_measured(programs, tmp_path):
    empty = tmp_path / "no-model"
    empty.mkdir()
    driver = start_driver(programs, tmp_path, "--replicas", "1", "--workers", "1", "--users", "5",
                          "--duration", "1", "--model", empty, ready=None)
    assert driver.wait(60) == 1, driver.text()
    (row,) = rows_of(tmp_path / "results")
    assert row["Status"] == "target_not_ready" and row["RPS"] == row["Total_Requests"] == ""
    assert "model.json" in row["Note"]
    assert not processes_with(str(tmp_path / "inference.c"))


def test_an_existing_master_is_driven_by_its_api(programs, target, tmp_path):
    """Platform remote: what the driver does with a master somebody else started."""
    scenario = scenario_of(tmp_path)
    master = programs.start("cicada", "--master", "-f", scenario, "--web-host", "127.0.0.1",
                            "--web-port", "0", "--master-bind-host", "127.0.0.1",
                            "--master-bind-port", "0", "-s", "10",
                            ready=r"Starting web interface at (\S+)")
    port = master.wait_line(r"Listening for workers on tcp://127\.0\.0\.1:(\d+)").group(1)
    programs.start("cicada", "--worker", "-f", scenario, "--master-host", "127.0.0.1",
                   "--master-port", port)
    host = target.url.replace("://", "://somebody:sesame@")
    args = ["cicada-driver", "--master", master.ready.group(1), "--host", host, "--replicas", "1",
            "--workers", "1", "--users", "4", "--cooldown", "0"]
    driver = programs.start(*args, "--duration", "3", "--results", tmp_path / "results")
    assert driver.wait(60) == 0, driver.text()
    (row,) = rows_of(tmp_path / "results")
    assert f" host={target.url}" in journal_of(tmp_path / "results")[0]["plan"]
    for path in (tmp_path / "results").rglob("*"):
        assert path.is_dir() or "sesame" not in path.read_text()
    assert "sesame" not in driver.text()
    # The target is no inference service: its replies lack "predictions".
    assert row["Total_Requests"] == str(target.total) and row["Status"] == "ok"
    assert int(row["Failures"]) == target.counts["POST /predict"] > 0
    # A driver that is killed leaves its test to the master. Only who knows its journal stops it.
    driver = programs.start(*args, "--duration", "60", "--results", tmp_path / "killed")
    driver.wait_line("RPS: ", 60)
    driver.signal(signal.SIGKILL)
    driver.wait()
    driver, code = programs.run(*args, "--duration", "1", "--results", tmp_path / "other")
    assert code == 111 and not rows_of(tmp_path / "other"), driver.text()
    assert f"stop it with: curl {master.ready.group(1)}/stop\n" in driver.text("stderr")
    driver, code = programs.run(*args, "--duration", "1", "--results", tmp_path / "killed",
                                "--fresh")
    assert code == 0 and rows_of(tmp_path / "killed")[0]["Status"] == "ok", driver.text()


@pytest.mark.parametrize("args, code, said", [
    (["--user", "1", "--bogus"], 2, "--bogus: no such option"),
    (["--duration", "soon"], 2, "--duration: 'soon' is not a time"),
    (["--platform", "remote"], 2, "needs --master URL and --host URL"),
    (["--users", "0"], 2, "--users: '0' is out of bounds, give 1 to 10000000"),
    (["--platform", "moon"], 2, "--platform: 'moon' is unknown; give one of local|remote|kubernetes"),
    (["--fail-if", "p99.5>1s"], 2,
     "--fail-if 'p99.5>1s': a row has p50, p90, p95, p99 and p99.9 only"),
    (["--fail-if", "p99>1"], 2, "needs a unit"),
    (["matrix"], 2, "matrix: the only words without dashes are 'plan', 'rerun FOLDER'"),
    (["plan", "plan"], 2, "the only words without dashes are 'plan'"),
    (["plan", "--repeats", "417"], 104, "10008 scenarios are more than 10000"),
    (["--plan", "nowhere.yaml"], 104, "nowhere.yaml: No such file"),
    (["--replicas", "2,2"], 104, "--replicas: 2 is there twice"),
    (["--results", "/proc/nowhere", "--platform", "remote", "--master", "http://127.0.0.1:9",
      "--host", "http://127.0.0.1:9"], 111, "/proc/nowhere: cannot make the folder"),
    (["--results", "/proc/version", "--platform", "remote", "--master", "http://127.0.0.1:9",
      "--host", "http://127.0.0.1:9"], 111, "/proc/version: cannot write into: Not a directory"),
])
def test_what_went_wrong_is_told_by_the_code(programs, tmp_path, args, code, said):
    driver, ended = programs.run("cicada-driver", *args, cwd=tmp_path)
    assert ended == code, driver.text()
    assert said in driver.text("stderr")
    assert not list(tmp_path.iterdir())


def test_a_budget_ends_the_walk_and_the_same_command_goes_on(programs, tmp_path):
    # In 3 s each user asks at least once.
    plan = ("--replicas", "1", "--workers", "1", "--users", "2,3", "--order", "random", "--repeats",
            "2", "--duration", "3")
    listed, code = programs.run("cicada-driver", "plan", *plan)
    assert code == 0 and "4 scenarios" in listed.text()
    order = re.findall(r"users=(\d+) .* repeat (\d)", listed.text())
    assert sorted(order) == [(u, r) for u in "23" for r in "12"]
    driver = start_driver(programs, tmp_path, *plan, "--budget", "3s", ready=None)
    assert driver.wait(60) == 1
    assert "Stopped: scenario 1 of 4 does not fit" in driver.text("stdout")
    driver = start_driver(programs, tmp_path, *plan)
    assert driver.wait(120) == 0, driver.text()
    assert "Continuing" in driver.text()
    assert [(r["Users"], r["Repeat"]) for r in rows_of(tmp_path / "results")] == order


def test_a_plan_file_is_weaker_than_variables_and_these_than_options(programs, tmp_path):
    manual = (ROOT / "docs" / "driver.md").read_text()
    file = tmp_path / "matrix.yaml"
    file.write_text(re.search(r"^```yaml\n(.*?)^```", manual, re.M | re.S)[1])

    def plan_of(*args, **env):
        plan, code = programs.run("cicada-driver", "plan", *args, cwd=tmp_path,
                                  env={"CICADA_PLAN": str(file), **env})
        assert code == 0, plan.text()
        return plan.text()

    assert "18 scenarios" in plan_of() and "36m00s are measured" in plan_of()
    by_variable = plan_of(CICADA_USERS="7", CICADA_REPEATS="1")
    assert "3 scenarios" in by_variable and by_variable.count("users=7 ") == 3
    by_option = plan_of("--users", "8", "--order", "listed", CICADA_USERS="7", CICADA_REPEATS="1")
    assert re.findall(r"replicas=(\d) .*users=(\d) ", by_option) == [(r, "8") for r in "124"]
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.yaml"]


def test_the_default_plan_is_told_with_its_time(programs, tmp_path):
    plan, code = programs.run("cicada-driver", "plan", cwd=tmp_path)
    assert code == 0 and "24 scenarios, about 56m09s" in plan.text()
    assert len(re.findall(r"^ +\d+  replicas=", plan.text(), re.M)) == 24
    assert "48m00s are measured, 5m45s are cool-downs" in plan.text()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text, said", [
    ("users: [1]\nduratoin: 5\n", "matrix.yaml:2: duratoin: no such option. Did you mean duration?"),
    ("users: [1, 0]\n", "matrix.yaml:1: users: '0' is out of bounds"),
    ("users: [1, 1]\n", "--users: 1 is there twice"),
    ("users: []\n", "--users: no value"),
    ("users:\n  a: 1\n", "matrix.yaml:2: a value is"),
    ("users: [\n", "matrix.yaml:2: "),
])
def test_a_wrong_plan_file_is_told_with_its_line(programs, tmp_path, text, said):
    (tmp_path / "matrix.yaml").write_text(text)
    driver, code = programs.run("cicada-driver", "--plan", "matrix.yaml", cwd=tmp_path)
    assert code == 104 and said in driver.text("stderr"), driver.text()
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.yaml"]


def test_a_matrix_from_a_plan_file(programs, tmp_path):
    (tmp_path / "matrix.yaml").write_text("replicas: 1\nworkers: 1\nusers: [2, 3]\nduration: 2\n")
    driver = start_driver(programs, tmp_path, "--plan", tmp_path / "matrix.yaml", "--users", "4")
    assert driver.wait(60) == 0, driver.text()
    assert [r["Users"] for r in rows_of(tmp_path / "results")] == ["4"]


def test_a_row_that_breaks_a_limit_is_told_and_ends_with_99(programs, tmp_path):
    plan = ("--replicas", "1", "--workers", "1", "--users", "2,30", "--duration", "2")
    driver = start_driver(programs, tmp_path, *plan, "--fail-if", "rps>5", "--fail-if", "p99>60s")
    assert driver.wait(60) == 99, driver.text()
    said = r"- 1 replica, 1 worker, 30 users: rps>5: [\d.]+/s$"
    report = (tmp_path / "results" / "auto_summary.md").read_text()
    for text in (driver.text("stdout"), report):
        assert re.findall(r"^- 1 replica.*: rps.*", text, re.M) == re.findall(said, text, re.M) != []
    # Judged again by other limits, not measured again.
    driver = start_driver(programs, tmp_path, *plan, "--fail-if", "failures>0",
                          ready="Nothing to measure")
    assert driver.wait(30) == 0, driver.text()
    assert "Limits" not in (tmp_path / "results" / "auto_summary.md").read_text()
