# SPDX-License-Identifier: MIT
"""What is no more since version 1.0."""
import warnings

warnings.filterwarnings("always", category=DeprecationWarning, module="locust")


def check_for_deprecated_task_set_attribute(class_dict):
    from locust.user.task import TaskSet
    task_set = class_dict.get("task_set")
    if task_set and issubclass(task_set, TaskSet) and not hasattr(task_set, "locust_task_weight"):
        warnings.warn("Usage of User.task_set is deprecated since version 1.0. Set the tasks attribute "
                      f"instead (tasks = [{task_set.__name__}])", DeprecationWarning)


def deprecated_locust_meta_class(deprecation_message):
    """Of a class of which no other one can be made any more."""
    class MetaClass(type):
        def __new__(mcs, name, bases, members):
            if bases:
                raise ImportError(deprecation_message)
            return super().__new__(mcs, name, bases, members)
    return MetaClass
