# SPDX-License-Identifier: MIT
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import programs as programs_module  # noqa: E402


@pytest.fixture
def programs():
    """Starts real programs; see programs.py."""
    started = programs_module.Programs()
    yield started
    started.close()
