# SPDX-License-Identifier: MIT
"""Run first: the package `locust` is the one in the program, whatever is installed, and everything
that blocks gives way to other greenlets, as under Locust."""
import importlib.abc
import importlib.util
import sys

import _cicada


class Importer(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        found = _cicada.module_source(name)
        if not found:
            return None
        return importlib.util.spec_from_loader(name, self, origin=f"cicada:/{name}.py",
                                               is_package=found[1])

    def is_package(self, name):
        return _cicada.module_source(name)[1]

    def get_source(self, name):
        return _cicada.module_source(name)[0]

    def get_code(self, name):
        return compile(self.get_source(name), f"cicada:/{name}.py", "exec")


sys.meta_path.insert(0, Importer())

import gevent.monkey  # noqa: E402

gevent.monkey.patch_all()
