# SPDX-License-Identifier: MIT
"""Where settings of the load tester come from, and options of Locust that show or change little."""

import json
import re

import pytest

SCENARIO = """
#include <cicada.h>

static void one(struct cic_user *u) { cic_get(u, "/one"); }
static void two(struct cic_user *u) { cic_get(u, "/two"); }

CIC_USER(Alpha, .weight = 3, .wait = CIC_CONSTANT(0.01),
	.tasks = CIC_TASKS(CIC_TASK(one, 3), CIC_TASK(two, 1)));
CIC_USER(Beta, .wait = CIC_CONSTANT(0.01), .tasks = CIC_TASKS(CIC_TASK(two, 1)));
"""


@pytest.fixture
def folder(tmp_path):
    """A folder to run in, with the scenario, and a home beside it."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    (work / "s.c").write_text(SCENARIO)
    return work


def run(programs, folder, *args, env=None, timeout_s=60):
    program, code = programs.run("cicada", *args, cwd=folder, timeout_s=timeout_s,
                                 env={"HOME": str(folder.parent / "home"), **(env or {})})
    return code, program.text("stdout"), program.text("stderr")


def ratios(programs, folder, *args, **kw):
    code, out, err = run(programs, folder, "--show-task-ratio-json", *args, **kw)
    assert code == 0, err
    return json.loads(out)["total"]


def test_files_environment_and_line_in_their_order(programs, folder):
    (folder.parent / "home" / ".locust.conf").write_text("locustfile = nowhere.c\nusers = 1\n")
    (folder / "locust.conf").write_text("locustfile = s.c\nheadless\n")
    assert set(ratios(programs, folder)) == {"Alpha", "Beta"}
    (folder / "pyproject.toml").write_text('[tool.locust]\nlocustfile = "other.c"\n')
    (folder / "other.c").write_text(SCENARIO.replace("Beta", "Gamma"))
    assert set(ratios(programs, folder)) == {"Alpha", "Gamma"}
    (folder / "more.conf").write_text("locustfile = s.c\n")
    assert set(ratios(programs, folder, "--config", "more.conf")) == {"Alpha", "Beta"}
    env = {"LOCUST_LOCUSTFILE": "other.c"}
    assert set(ratios(programs, folder, "--config=more.conf", env=env)) == {"Alpha", "Gamma"}
    assert set(ratios(programs, folder, "-f", "s.c", env=env)) == {"Alpha", "Beta"}


def test_a_wrong_line_is_named(programs, folder):
    (folder / "locust.conf").write_text("# x\nspawn-rat = 3\n")
    code, _, err = run(programs, folder, "-f", "s.c")
    assert code == 2 and "locust.conf:2: spawn-rat: no such option. Did you mean spawn-rate?" in err
    (folder / "locust.conf").unlink()
    code, _, err = run(programs, folder, "--config", "nowhere.conf")
    assert code == 2 and "nowhere.conf: No such file" in err


def test_task_ratios_are_printed_as_locust_does(programs, folder):
    code, out, err = run(programs, folder, "-f", "s.c", "--show-task-ratio")
    assert code == 0, err
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines == ["", " Task ratio per User class", "-" * 80,
                     " 75.0       Alpha", "   75.0       one", "   25.0       two",
                     " 25.0       Beta", "   100.0      two",
                     "", " Total task ratio", "-" * 80,
                     " 75.0       Alpha", "   56.2       one", "   18.8       two",
                     " 25.0       Beta", "   25.0       two", ""]


def test_equal_weights_and_names_of_classes(programs, folder):
    equal = ratios(programs, folder, "-f", "s.c", "--equal-weights")
    assert equal["Alpha"]["ratio"] == 0.5
    assert equal["Alpha"]["tasks"] == {"one": {"ratio": 0.25}, "two": {"ratio": 0.25}}
    env = {"LOCUST_USER_CLASSES": " Beta  "}
    assert set(ratios(programs, folder, "-f", "s.c", env=env)) == {"Beta"}
    assert set(ratios(programs, folder, "-f", "s.c", "Alpha", env=env)) == {"Alpha"}


def test_what_has_no_effect_gets_one_warning(programs, folder):
    code, _, err = run(programs, folder, "-f", "s.c", "--list", "--class-picker", "--profile", "p",
                       env={"LOCUST_ENABLE_OPENTELEMETRY": "true", "LOCUST_PLAYWRIGHT": "1"})
    assert code == 0
    (warning,) = re.findall(r"/WARNING/locust.main: (.*)", err)
    assert sorted(warning.split(": ")[1].split(", ")) == \
        ["--class-picker", "--otel", "--profile", "LOCUST_PLAYWRIGHT"]


@pytest.mark.parametrize("args, said", [
    (["--web-login"], "--web-login: is not supported: there is no login"),
    (["--slave"], "--slave: say --worker"),
    (["--expect-slaves", "3"], "--expect-slaves: say --expect-workers"),
    (["--config-users", "x.json"], "POST /user"),
])
def test_what_would_be_another_test_is_refused(programs, folder, args, said):
    code, _, err = run(programs, folder, "-f", "s.c", *args)
    assert code == 2 and said in err


def test_a_log_file_has_the_lines_and_the_terminal_the_tables(programs, target, folder):
    code, _, err = run(programs, folder, "-f", "s.c", "--headless", "-t", "1s", "-H", target.url,
                       "-s", "10", "--logfile", "run.log")
    log = (folder / "run.log").read_text()
    assert code == 0 and "Shutting down (exit code 0)" in log
    assert "locust.main" not in err and "Aggregated" in err and "Aggregated" not in log


def test_skip_log_setup_is_quiet(programs, target, folder):
    code, out, err = run(programs, folder, "-f", "s.c", "--headless", "-t", "1s", "-H", target.url,
                         "-s", "10", "--skip-log")
    assert (code, out, err) == (0, "", "") and target.total > 0
