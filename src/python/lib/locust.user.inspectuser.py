# SPDX-License-Identifier: MIT
"""The shares of user classes and of their tasks."""
import json

from locust.user.task import TaskSet


def get_ratio(user_classes, user_spawned, total):
    """{class: {"ratio": of the users, "tasks": {task: {"ratio": ...}}}}; total: tasks as shares of
    everything, else of their class."""
    count = sum(user_spawned.values()) or 1
    shares = {cls: user_spawned.get(cls.__name__, 0) / count for cls in user_classes}
    return {cls.__name__: {"ratio": share, "tasks": _of_tasks(cls.tasks, total, share)}
            for cls, share in shares.items()}


def _of_tasks(tasks, total, share):
    ratios = {}
    for task in dict.fromkeys(tasks):
        part = tasks.count(task) / len(tasks) * (share if total else 1)
        row = ratios[task.__name__] = {"ratio": part}
        if isinstance(task, type) and issubclass(task, TaskSet):
            row["tasks"] = _of_tasks(task.tasks, total, part)
    return ratios


def _spread(user_classes, num_users):
    """How many users of each class there would be."""
    fixed = sum(cls.fixed_count for cls in user_classes)
    weights = sum(cls.weight for cls in user_classes if not cls.fixed_count)
    left = max((num_users or (1 if fixed else weights)) - fixed, 0)
    return {cls.__name__: cls.fixed_count or round(cls.weight / weights * left)
            for cls in user_classes}


def _print(ratios, depth=0):
    for name, row in ratios.items():
        indent = "  " * depth
        print(f" {indent + format(100 * row['ratio'], '<6.1f'):<10} {indent + name:<50}")
        _print(row.get("tasks", {}), depth + 1)


def print_task_ratio(user_classes, num_users, total):
    _print(get_ratio(user_classes, _spread(user_classes, num_users), total))


def print_task_ratio_json(user_classes, num_users):
    spread = _spread(user_classes, num_users)
    print(json.dumps({"per_class": get_ratio(user_classes, spread, False),
                      "total": get_ratio(user_classes, spread, True)}, indent=4))
