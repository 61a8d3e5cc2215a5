# SPDX-License-Identifier: MIT
"""What counts as a user class and as a load shape."""
import importlib.util
import inspect
import os
import sys

from locust.shape import LoadTestShape
from locust.user.users import User


def is_user_class(item):
    return inspect.isclass(item) and issubclass(item, User) and not item.abstract


def is_shape_class(item):
    return (inspect.isclass(item) and issubclass(item, LoadTestShape) and
            item is not LoadTestShape and not vars(item).get("abstract", False))


def load_locustfile(path):
    """Imports it: its docstring, {name: user class}, its load shape or None."""
    folder, name = os.path.split(os.path.abspath(path))
    name = os.path.splitext(name)[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    members = vars(module).items()
    shapes = [value for _, value in members if is_shape_class(value)]
    return (module.__doc__, {name: value for name, value in members if is_user_class(value)},
            shapes[0]() if shapes else None)
