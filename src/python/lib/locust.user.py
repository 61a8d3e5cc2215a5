# SPDX-License-Identifier: MIT
from locust.user.task import SequentialTaskSet, TaskSet, tag, task
from locust.user.users import HttpUser, User

__all__ = ["HttpUser", "SequentialTaskSet", "TaskSet", "User", "tag", "task"]
