# SPDX-License-Identifier: MIT
"""tools/check_layers catches each kind of forbidden include, and says where and why."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(root):
    done = subprocess.run([ROOT / "tools" / "check_layers", root], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path):
    """A tree with our rules; write(path, line) adds a file that consists of one line."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "layers.txt", tmp_path / "tools")

    def write(path, line):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* first line */\n{line}\n")
        return tmp_path
    return write


def test_this_tree_is_clean():
    code, said = check(ROOT)
    assert code == 0, said


@pytest.mark.parametrize("path, line, why", [
    ("src/base/buf.c", '#include "stat/hist.h"', "base may include nothing of ours"),
    ("src/matrix/drive.c", '#include "run/run.h"', "matrix may include base capacity fetch kube serve stat"),
    ("src/stat/hist.c", '  #  include "loop/loop.h"', "stat may include base"),
    ("src/new/thing.c", '#include "base/err.h"', "src/new has no row in tools/layers.txt"),
    ("src/stat/hist.c", '#include "hist.h"', 'write "folder/file.h"'),
    ("src/web/web.c", '#include "serve/serve_int.h"', "serve/serve_int.h is for src/serve only"),
    ("src/cluster/msg.c", "#include <zmq.h>", "<zmq.h> is for src/cluster/link.c src/cluster/link_door.c only"),
    ("src/cli/cicada.c", "#include <curl/curl.h>", "<curl/> is for src/fetch/ only"),
    ("src/http/client.c", "#include <cicada.h>", "<cicada.h> is for src/user/ scenarios/ only"),
    ("scenarios/inference.c", '#include "base/buf.h"', "a scenario includes <cicada.h>"),
    ("scenarios/inference.c", "#include <jansson.h>", "<jansson.h> is for"),
])
def test_a_bad_include_is_caught(tree, path, line, why):
    code, said = check(tree(path, line))
    assert code == 1
    assert f"{path}:2: " in said and why in said


@pytest.mark.parametrize("path, line", [
    ("src/stat/hist.c", '#include "base/err.h"'),
    ("src/stat/hist.c", '#include "stat/hist.h"'),
    ("src/serve/serve.c", '#include "serve/serve_int.h"'),
    ("src/cli/driver.c", '#include "matrix/drive.h"'),
    ("src/cluster/link.c", "#include <zmq.h>"),
    ("src/user/scenario.h", '#include "cicada.h"'),
    ("scenarios/inference.c", "#include <cicada.h>"),
    ("tests/unit/test_link.c", "#include <zmq.h>"),
    ("tests/unit/test_link.c", '#include "cluster/link.c"'),
])
def test_a_good_include_passes(tree, path, line):
    code, said = check(tree(path, line))
    assert code == 0, said


def test_no_files_is_no_success(tmp_path):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "layers.txt", tmp_path / "tools")
    assert check(tmp_path)[0] == 1
