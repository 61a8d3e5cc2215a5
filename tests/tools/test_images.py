# SPDX-License-Identifier: MIT
"""tools/images against tools that play docker, podman and buildah: which one it takes, what it asks it for,
and what it says when none works or a base cannot be had."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = """#!/bin/sh
[ "$1" != info ] || { %(info)s; }
printf '%%s\\n' "${0##*/} $*" >> %(calls)s
%(build)s
"""
NO_DAEMON = """echo Client:; echo ERROR: Cannot connect to the daemon.
echo errors pretty printing info >&2; exit 1"""


@pytest.fixture(name="run")
def fixture_run(tmp_path):
    """Runs it where the tools are those given, each with what it does on `info` and on `build`."""
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("sh", "sed", "grep", "head", "tail", "dirname", "git"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=False).stdout.strip()
        if found:
            (path / name).symlink_to(found)

    def run(tools, *args, **env):
        calls = tmp_path / "calls"
        calls.write_text("")
        for name, (info, build) in tools.items():
            (path / name).write_text(TOOL % {"info": info, "build": build, "calls": calls})
            (path / name).chmod(0o755)
        said = subprocess.run([ROOT / "tools" / "images", *args], capture_output=True, text=True,
                              env={"PATH": str(path), **env}, timeout=60, check=False)
        return said, calls.read_text().splitlines()
    return run


def test_each_image_is_built_from_its_file_and_labelled(run):
    said, calls = run({"podman": ("exit 0", "exit 0")}, "1.2", DEBIAN="localhost/mine")
    assert said.returncode == 0, said.stderr
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text()).group(1)
    for call, name, file in zip(calls, ("cicada", "locust-driver", "inference"),
                                ("Dockerfile", "Dockerfile.driver", "Dockerfile.inference"), strict=True):
        assert call.startswith("podman build --build-arg DEBIAN=localhost/mine ")
        assert f" --label org.opencontainers.image.version={version} " in call
        assert re.search(r" --label org\.opencontainers\.image\.revision=(\w{40}(-dirty)?|unknown) ", call)
        assert call.endswith(f" -t {name}:1.2 -f deploy/docker/{file} .")
        assert (ROOT / "deploy" / "docker" / file).exists()


def test_a_tool_that_does_not_answer_is_passed_over(run):
    said, calls = run({"docker": (NO_DAEMON, "exit 0"), "buildah": ("exit 0", "exit 0")})
    assert said.returncode == 0, said.stderr
    assert [c.split()[:2] for c in calls] == [["buildah", "build"]] * 3


def test_none_works(run):
    said, calls = run({"docker": (NO_DAEMON, "exit 0")})
    assert (said.returncode, calls) == (1, [])
    for part in ("docker: ERROR: Cannot connect to the daemon.", "podman is not here", "buildah is not here",
                 "apt-get install"):
        assert part in said.stderr


def test_the_one_that_was_named_is_not_replaced(run):
    said, calls = run({"docker": (NO_DAEMON, "exit 0"), "podman": ("exit 0", "exit 0")}, IMAGE_TOOL="docker")
    assert (said.returncode, calls) == (1, [])
    assert "docker: ERROR: Cannot connect" in said.stderr and "podman is" not in said.stderr
    said, calls = run({}, IMAGE_TOOL="kaniko")
    assert said.returncode == 1 and "kaniko is not here" in said.stderr


def test_a_base_that_cannot_be_had(run):
    said, calls = run({"docker": ("exit 0", "echo no such host >&2; exit 125")}, DEBIAN="nowhere/debian")
    assert said.returncode == 1 and len(calls) == 1
    assert "no such host" in said.stderr and "nowhere/debian" in said.stderr
    heading = re.search(r"docs/HACKING\.md, (.*?)\)", said.stderr).group(1)
    assert f"## {heading}" in (ROOT / "docs" / "HACKING.md").read_text()
