# SPDX-License-Identifier: MIT
"""Where settings of the load tester come from, and options of Locust that show or change little."""

import json
import re

import pytest

from programs import ROOT, free_port

SCENARIO = """
#include <cicada.h>

static void one(struct cic_user *u) { cic_get(u, "/one"); }
static void two(struct cic_user *u) { cic_get(u, "/two"); }

CIC_USER(Alpha, .weight = 3, .wait = CIC_CONSTANT(0.01),
	.tasks = CIC_TASKS(CIC_TASK(one, 3), CIC_TASK(two, 1)));
CIC_USER(Beta, .wait = CIC_CONSTANT(0.01), .tasks = CIC_TASKS(CIC_TASK(two, 1)));
"""

LOCUSTFILE = """
from locust import HttpUser, TaskSet, task


class Alpha(HttpUser):
    weight = 3

    @task(3)
    def one(self): pass

    @task
    def two(self): pass

    @task(5)
    class Set(TaskSet):
        @task(2)
        def inner(self): pass


class Beta(HttpUser):
    @task
    def two(self): pass
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
    (folder / "lf.py").write_text("""
from locust import User, events
class Nobody(User):
    pass
events.init_command_line_parser.add_listener(lambda parser, **kw: parser.add_argument("--own"))
""")
    (folder / "locust.conf").write_text("own = 3\nowm = 4\n")
    code, _, err = run(programs, folder, "-f", "lf.py")
    assert code == 2 and "locust.conf:2: owm: no such option; --help lists them" in err
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


def test_equal_weights_of_a_locustfile(programs, folder):
    (folder / "lf.py").write_text(LOCUSTFILE)
    equal = ratios(programs, folder, "-f", "lf.py", "--equal-weights")
    assert equal["Alpha"]["ratio"] == equal["Beta"]["ratio"] == 0.5
    assert set(equal["Alpha"]["tasks"]) == {"one", "two", "inner"}
    assert {task["ratio"] for task in equal["Alpha"]["tasks"].values()} == {0.5 / 3}


def test_what_has_no_effect_gets_one_warning(programs, folder):
    code, _, err = run(programs, folder, "-f", "s.c", "--list", "--class-picker",
                       env={"LOCUST_ENABLE_OPENTELEMETRY": "true", "LOCUST_PLAYWRIGHT": "1"})
    assert code == 0
    (warning,) = re.findall(r"/WARNING/locust.main: (.*)", err)
    assert sorted(warning.split(": ")[1].split(", ")) == \
        ["--class-picker", "--otel", "LOCUST_PLAYWRIGHT"]


@pytest.mark.parametrize("version", ["2.12.1", "2.46.6"])
def test_every_option_of_locust_is_known(programs, folder, version):
    page = (ROOT / f"tests/vectors/locust/{version}-help.txt").read_text()
    names = set(re.findall(r"^ {2}(?:-\w[^,]*, )?(--[a-z-]+)", page, re.M))
    assert len(names) > 40
    for name in sorted(names):
        _, _, err = run(programs, folder, f"{name}=x", "--help")
        assert "no such option" not in err, name


@pytest.mark.parametrize("args, said", [
    (["--web-auth", "a:b"], "--web-auth: is not supported; --web-login protects"),
    (["--web-login", "./nobody"], "--web-login: ./nobody: "),
    (["--profile", "x" * 257], "--profile: profile is longer than 256 bytes"),
    (["--slave"], "--slave: say --worker"),
    (["--expect-slaves", "3"], "--expect-slaves: say --expect-workers"),
])
def test_what_would_be_another_test_is_refused(programs, folder, args, said):
    code, _, err = run(programs, folder, "-f", "s.c", *args)
    assert code == 2 and said in err


def test_config_users_sets_shares_of_classes(programs, target, folder):
    (folder / "more.json").write_text('[{"user_class_name": "Zeta", "fixed_count": 1}]')
    (folder / "z.c").write_text(SCENARIO.replace("Alpha", "Zeta"))
    code, _, err = run(programs, folder, "-f", "z.c", "--headless", "-u", "6", "-r", "100", "-t",
                       "1s", "-H", target.url, "-s", "10", "--config-users", "more.json",
                       '{"user_class_name": "Beta", "weight": 5}')
    assert code == 0 and 'All users spawned: {"Beta": 5, "Zeta": 1}' in err, err


@pytest.mark.parametrize("mode", [[], ["--processes", "1"]])
@pytest.mark.parametrize("compat, users", [("2.46", '{"Alpha": 1, "Beta": 1}'),
                                           ("2.12", '{"Alpha": 2, "Beta": 0}')])
def test_users_come_in_the_order_of_either_locust(programs, target, folder, mode, compat, users):
    code, _, err = run(programs, folder, "-f", "s.c", "--headless", "-u", "2", "-r", "100", "-t",
                       "1s", "-H", target.url, "-s", "10", "--master-bind-port",
                       str(free_port()), "--api-compat", compat, *mode)
    assert code == 0 and "All users spawned: " + users in err, err


@pytest.mark.parametrize("config, said", [
    ("nowhere.json", "--config-users nowhere.json: nowhere.json: No such file"),
    ("{", "--config-users {: line 1: "),
    ('{"user_class_name": "Nobody"}', "no user class is called 'Nobody'"),
    ("[1]", "give a JSON object with user_class_name"),
])
def test_wrong_config_users_are_named(programs, folder, config, said):
    code, _, err = run(programs, folder, "-f", "s.c", "--headless", "--config-users", config)
    assert code == 1 and said in err, err


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
