# SPDX-License-Identifier: MIT
"""MarkovTaskSet: which task comes next is drawn by the weights of the one before."""
import logging
import random

from locust.exception import LocustError
from locust.user.task import TaskSet, TaskSetMeta, check_task_name

logger = logging.getLogger(__name__)


class NoMarkovTasksError(LocustError):
    pass


class InvalidTransitionError(LocustError):
    """A transition leads to what is not there."""


class NonMarkovTaskTransitionError(LocustError):
    """A transition leads to a task from which none goes on."""


class MarkovTaskTagError(LocustError):
    pass


def transition(func_name, weight=1):
    """After the task func_name may follow."""
    return transitions({func_name: weight})


def transitions(weights):
    """Several of them: {name: weight}, or a list of names and of (name, weight)."""
    if not isinstance(weights, dict):
        weights = dict(item if isinstance(item, tuple) else (item, 1) for item in weights)

    def decorate(function):
        check_task_name(function)
        function.transitions = {**getattr(function, "transitions", {}), **weights}
        return function
    return decorate


def _check(tasks, members, classname):
    for inner in tasks:
        if hasattr(inner, "locust_tag_set"):
            raise MarkovTaskTagError(
                "Tags are unsupported for MarkovTaskSet since they can make the markov chain "
                f"invalid. Tags detected on {classname}.{inner.__name__}: {inner.locust_tag_set}")
        for name in inner.transitions:
            if not members.get(name):
                raise InvalidTransitionError(
                    f"Transition to {name} from {inner.__name__} is invalid since no such element "
                    f"exists on class {classname}")
            if not hasattr(members[name], "transitions"):
                raise NonMarkovTaskTransitionError(
                    f"{classname}.{name} cannot be used as a target for a transition since it does "
                    "not define any transitions of its own. Used as a transition from "
                    f"{inner.__name__}.")


def _warn_of_unreachable(tasks, members, classname):
    reached, ahead = set(), [tasks[0].__name__]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += [other for other, n in members[name].transitions.items() if n > 0]
    missing = {inner.__name__ for inner in tasks} - reached
    if missing:
        logger.warning("The following markov tasks are unreachable in class %s: %s", classname,
                       missing)


class MarkovTaskSetMeta(TaskSetMeta):
    def __new__(mcs, name, bases, members):
        if not members.get("abstract"):
            tasks = [value for value in members.values() if hasattr(value, "transitions")]
            if not tasks:
                raise NoMarkovTasksError(f"No Markov tasks defined in class {name}. Use the "
                                         "@transition(s) decorators to define some.")
            _check(tasks, members, name)
            _warn_of_unreachable(tasks, members, name)
            members["current"] = tasks[0]
            members["tasks"] = tasks
        return type.__new__(mcs, name, bases, members)


class MarkovTaskSet(TaskSet, metaclass=MarkovTaskSetMeta):
    """Begins with the first of its tasks."""
    abstract = True

    def get_next_task(self):
        now = self.current
        (name,) = random.choices(list(now.transitions), list(now.transitions.values()))
        self.current = getattr(type(self), name)
        return now
