# SPDX-License-Identifier: MIT
"""The documents say what the programs do: options, variables, links, and C that compiles."""

import re
import subprocess

import pytest

from programs import ROOT

PAGES = {"cicada": "docs/cicada.md", "cicada-driver": "docs/driver.md",
         "cicada-inference": "docs/inference.md"}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_a_manual_has_every_option(programs, name):
    program, code = programs.run(name, "--help")
    page = (ROOT / PAGES[name]).read_text(encoding="utf-8")
    assert code == 0
    rows = [line for line in program.text().splitlines() if re.match(r" +(-\w, )?--", line)]
    assert len(rows) > 5
    for row in rows:
        option = re.search(r"--[\w-]+", row)[0]
        assert re.search(rf"{option}\b(?!-)", page), f"{PAGES[name]} lacks {option}"
        variables = re.search(r"\[([A-Z_ ]+)\]$", row)
        for variable in variables[1].split() if variables else []:
            assert f"`{variable}" in page, f"{PAGES[name]} lacks {variable} of {option}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not re.match(r"\w+://", target):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def scenarios():
    for path in DOCUMENTS:
        blocks = re.findall(r"^```c\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        for number, block in enumerate(blocks, 1):
            if "#include <cicada.h>" in block:
                yield pytest.param(block, id=f"{path.relative_to(ROOT)}:{number}")


@pytest.mark.parametrize("compiler", ["gcc", "clang", "tcc"])
@pytest.mark.parametrize("text", scenarios())
def test_examples_compile(text, compiler, tmp_path):
    source = tmp_path / "scenario.c"
    source.write_text(text)
    done = subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", f"-I{ROOT}/include",
                           "-o", str(tmp_path / "scenario.so"), str(source)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
