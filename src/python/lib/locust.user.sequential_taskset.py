# SPDX-License-Identifier: MIT
from locust.user.task import SequentialTaskSet, SequentialTaskSetMeta

__all__ = ["SequentialTaskSet", "SequentialTaskSetMeta"]
