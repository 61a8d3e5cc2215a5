# SPDX-License-Identifier: MIT
"""Fixtures of the integration and interop tests."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "integration"))

import programs as programs_module  # noqa: E402
import target as target_module  # noqa: E402


@pytest.fixture
def programs():
    """Starts real programs; see programs.py."""
    started = programs_module.Programs()
    yield started
    started.close()


@pytest.fixture
def target():
    """A counting HTTP server; see target.py."""
    server = target_module.Target()
    yield server
    server.close()
