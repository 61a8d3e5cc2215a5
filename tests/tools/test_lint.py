# SPDX-License-Identifier: MIT
"""tools/lint catches what it is there for, and words that only look like it pass."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "/* SPDX-License-Identifier: MIT\n *\n * thing - for the test. */\n"


def lint(root):
    done = subprocess.run([ROOT / "tools" / "lint", root], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path):
    """write(path, text) adds a file; its README names it."""
    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        (file.parent / "README").write_text("thing.[ch]  for the test\n")
        return tmp_path
    return write


@pytest.mark.parametrize("line, why", [
    ("	sprintf(a, b);", "sprintf() is banned; use snprintf"),
    ("	n = atoi (text);", "atoi() is banned"),
    ("	x = (rand() % 3);", "rand() is banned"),
    ("	sleep(1);", "sleep() is banned"),
    ("	p = malloc(3);", "malloc() is for mem.c only"),
    ("	free(p);", "free() is for mem.c only"),
])
def test_a_banned_call_is_caught(tree, line, why):
    code, said = lint(tree("src/base/thing.c", HEAD + line + "\n"))
    assert code == 1
    assert "src/base/thing.c:4: " + why in said


@pytest.mark.parametrize("line", [
    "	snprintf(a, 3, b);",
    "	mem_free(p);",
    "	rng_rand(p);",
    "	ops->sleep(1);",
    "	ops.free(p);",
    '	text = "sprintf(a, b)";',
    "	/* like sleep(1) */",
    "	// like sleep(1)",
    "	c = '\"'; /* gets(c) */ d = '\\'';",
])
def test_what_only_looks_like_one_passes(tree, line):
    code, said = lint(tree("src/base/thing.c", HEAD + line + "\n"))
    assert code == 0, said


def test_raw_memory_is_free_in_mem_c_and_in_tests(tree):
    tree("src/base/mem.c", HEAD + "	free(p);\n")
    root = tree("tests/unit/test_thing.c", HEAD + "	free(p);\n")
    (root / "src/base/README").write_text("mem.[ch]  memory\n")
    code, said = lint(root)
    assert code == 0, said


@pytest.mark.parametrize("path, text, why", [
    ("src/base/thing.c", "int x;\n", "the first line must be"),
    ("src/base/thing.c", "/* SPDX-License-Identifier: MIT */\nint x;\n", "the first line must be"),
    ("src/base/thing.c", "/* SPDX-License-Identifier: MIT\n *\n */\n", "say what the file is for"),
    ("src/base/thing.h", HEAD + "int x;\n", "#pragma once"),
    ("src/base/other.c", HEAD + "int x;\n", "src/base/README does not say what it is"),
    ("src/base/meson.build", "x = 1\n", "'# SPDX-License-Identifier: MIT' is missing"),
])
def test_a_bad_file_is_caught(tree, path, text, why):
    tree("src/base/thing.c", HEAD + "int x;\n")
    code, said = lint(tree(path, text))
    assert code == 1
    assert why in said


def test_long_parts_are_told_but_no_fault(tree):
    body = "int thing(void)\n{\n" + "	x();\n" * 71 + "}\n" + "int y;\n" * 800
    code, said = lint(tree("src/base/thing.c", HEAD + body))
    assert code == 0
    assert "src/base/thing.c:5: function of 71 lines" in said
    assert "src/base/thing.c: 877 lines" in said
