# SPDX-License-Identifier: MIT
"""What counts as a user class and as a load shape."""
import inspect

from locust.shape import LoadTestShape
from locust.user.users import User


def is_user_class(item):
    return inspect.isclass(item) and issubclass(item, User) and not item.abstract


def is_shape_class(item):
    return (inspect.isclass(item) and issubclass(item, LoadTestShape) and
            item is not LoadTestShape and not vars(item).get("abstract", False))
