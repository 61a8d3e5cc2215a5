# SPDX-License-Identifier: MIT
"""The documents say what the programs do: options, variables, links, and C that compiles and
runs."""

import re
import subprocess

import pytest

from programs import ROOT, wait_until
from target import Target
from test_cicada import final_row

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


def failure_classes():
    text = (ROOT / "src/base/failure_class.def").read_text(encoding="utf-8")
    return re.findall(r'^FAILURE\(\w+, "(\w+)"\)', text, re.M)


def test_the_manual_has_every_class_of_failure():
    page = (ROOT / "docs/cicada.md").read_text(encoding="utf-8")
    section = page.split("\n## Failures\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", section, re.M)
    assert len(rows) > 20 and rows == failure_classes()


def test_every_class_of_failure_comes_from_the_table():
    words = "|".join(failure_classes())
    for path in [*ROOT.glob("src/**/*.c"), *ROOT.glob("src/**/*.h")]:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        found = re.search(rf'"(?:{words})(?:\(|")', text)
        assert not found, f"{path.relative_to(ROOT)} has {found[0]} of its own"


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


# What the examples' targets answer; a shop where the rest of the paths is a plain "ok".
SHOP = {"/short/1": (301, "/news", b""),
        "/item": (200, None, b'{"price": 3}'),
        "/search": (200, None, b'{"items": [{"id": "lamp", "price": 9.5, "stock": 2}]}')}


def write_feeds(folder):
    """The files of the manual's feeds, as it shows them."""
    page = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    for name, begin in (("accounts.csv", "login,password"), ("searches.jsonl", '{"word"')):
        block = re.search(rf"^```\n({re.escape(begin)}.*?)^```", page, re.M | re.S)
        (folder / name).write_text(block[1], encoding="utf-8")


@pytest.mark.parametrize("text", scenarios())
def test_examples_run(programs, text, tmp_path):
    """Until some requests are answered, none of which fails."""
    (tmp_path / "scenario.c").write_text(text)
    write_feeds(tmp_path)
    target = Target(pages=SHOP)
    try:
        program = programs.start("cicada", "-f", tmp_path / "scenario.c", "-H", target.url,
                                 "--headless", "--only-summary", "-u", "4", "-r", "100",
                                 "--stop-timeout", "20")
        wait_until(lambda: target.total >= 8, what="eight answers")
        assert program.stop() == 0, program.text()
        requests, failures = final_row(program.text(), "Aggregated")
        assert requests >= 8 and failures == 0, program.text()
    finally:
        target.close()
