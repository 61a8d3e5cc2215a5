# SPDX-License-Identifier: MIT
"""Locustfiles under the real Locust and under cicada, against the same server: the same requests,
statistics, errors, exit code and output.

Each file in locustfiles/ ends by itself. A line may have options, `# args: -u 3`; `# users` says that
several users run, so only the set of requests, and of what is logged, is the same and not their
order."""

import difflib
import json
import pathlib
import re
import subprocess

import pytest

import recorder
from programs import find

LOCUST = "/usr/bin/locust"
FOLDER = pathlib.Path(__file__).parent / "locustfiles"
FILES = sorted(FOLDER.glob("*.py"))


@pytest.fixture
def server():
    recording = recorder.Recorder()
    yield recording
    recording.close()


def run(program, path, server, tmp_path):
    """What the server saw, stdout, final statistics, errors, exit code."""
    args = re.search(r"^# args: (.*)", path.read_text(), re.M)
    done = subprocess.run([program, "-f", path.name, "--headless", "--only-summary", "-H",
                           server.url, *(args[1].split() if args else [])],
                          cwd=path.parent, capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1",
                               "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)})
    record = [json.dumps(asked, sort_keys=True) for asked in server.take()]
    said = logged(done.stderr, server)
    if "# users" in path.read_text():
        record.sort()
        said.sort()
    return {"record": record, "stdout": plain(done.stdout, server), "rows": rows(done.stderr),
            "logged": said, "errors": errors(done.stderr, server),
            "code": done.returncode}, done


def plain(text, server):
    """Without what is different from run to run: ports, addresses of objects, times."""
    return text.replace(server.url, "").replace(server.url[7:], "HOST")


# Of Locust's own, by its loggers or by the root one as a file's lines are, and of what is below it.
LOCUSTS = re.compile(r"(locust|urllib3)\b|root: (Uncaught exception in event handler|"
                     r".* had no tasks left after|.* event deprecated)")


def logged(said, server):
    """What the file has logged, each line with its level and logger."""
    said = said.replace("\0", "\\x00")  # C has no text with a NUL in it
    lines = re.findall(r"^\[[\d :,-]+\] [^\s/]+/(\w+)/((?:[\w.]+): .*)$", said, re.M)
    return [f"{level} {plain(line, server)}" for level, line in lines if not LOCUSTS.match(line)]


def rows(said):
    """{row: (requests, failures)} of the final table, whose columns are Locust's."""
    table = said[said.index("Type     Name"):said.index("Response time percentiles")]
    found = re.findall(r"^(\S* +\S.*?) +(\d+) +(\d+)\([\d.]+%\) \|", table, re.M)
    return {" ".join(name.split()): (int(requests), int(failures))
            for name, requests, failures in found}


def errors(said, server):
    """Of the error report: how often, and what. Locust 2.12 shows the server's address in a status's
    error, and of a failure by text the exception that was made of it; 2.46 and we do not. Of what the
    libraries below say only the kind is compared."""
    said = re.sub(r"(ReadTimeout|RemoteDisconnected|InvalidHeader)\(.*\)", r"\1", said)
    said = re.sub(r"CatchResponseError\((['\"])(.*)\1\)", r"\2", said)
    report = said[said.index("Error report"):] if "Error report" in said else ""
    return sorted((int(count), " ".join(plain(text, server).split())) for count, text in
                  re.findall(r"^(\d+) +((?:\w+ +)?\S+ .*: .*)$", report, re.M))


def difference(what, theirs, ours):
    def lines(seen):
        value = seen[what]
        if isinstance(value, str):
            return value.splitlines()
        return [f"{what}: {item}" for item in (sorted(value.items()) if isinstance(value, dict) else
                                               value if isinstance(value, list) else [value])]
    return [line for line in difflib.ndiff(lines(theirs), lines(ours)) if line[0] in "-+"]


@pytest.mark.parametrize("args", [["--show-task-ratio"], ["--show-task-ratio-json", "-u", "10"]])
@pytest.mark.parametrize("name", ["forum", "weighted_classes"])
def test_the_same_ratios(name, args, tmp_path):
    shown = [subprocess.run([program, "-f", FOLDER / f"{name}.py", *args], capture_output=True,
                            text=True, timeout=60, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"})
             for program in (LOCUST, find("cicada"))]
    assert "atio" in shown[0].stdout and [done.returncode for done in shown] == [0, 0]
    assert shown[0].stdout == shown[1].stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_as_under_locust(path, server, tmp_path):
    theirs, their_run = run(LOCUST, path, server, tmp_path)
    ours, our_run = run(find("cicada"), path, server, tmp_path)
    assert theirs["record"], f"nothing was asked:\n{their_run.stderr}"
    differences = [line for what in theirs for line in difference(what, theirs, ours)]
    assert not differences, "\n".join(["- Locust, + cicada", *differences, our_run.stderr])
