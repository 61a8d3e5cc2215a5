# SPDX-License-Identifier: MIT
"""Tasks and sets of tasks, and the life of a user between them."""
import logging
import random
import traceback

from gevent import GreenletExit

from locust.exception import (InterruptTaskSet, LocustError, MissingWaitTimeError, RescheduleTask,
                              RescheduleTaskImmediately, StopTest, StopUser)

logger = logging.getLogger(__name__)

LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING, LOCUST_STATE_STOPPING = "running", "waiting", "stopping"


def task(weight=1):
    """@task, or @task(3) for one that is three times as likely."""
    if callable(weight):
        return task(1)(weight)

    def decorate(function):
        check_task_name(function)
        function.locust_task_weight = weight
        return function
    return decorate


def check_task_name(function):
    if function.__name__ in ("on_start", "on_stop"):
        logger.warning("%s is decorated as a task, so it is called as a task as well",
                       function.__name__)
    if function.__name__ == "run":
        raise Exception("run() is the user's own; give the task another name")


def tag(*tags):
    """@tag("slow", "write") on a task or a TaskSet, for --tags and --exclude-tags."""
    if not tags or callable(tags[0]):
        raise ValueError("No tag name was supplied")

    def decorate(tagged):
        if hasattr(tagged, "tasks"):
            tagged.tasks = [decorate(inner) for inner in tagged.tasks]
        else:
            tagged.locust_tag_set = tagged.__dict__.get("locust_tag_set", set()) | set(tags)
        return tagged
    return decorate


def _repeated(tasks):
    """The list of [(task, n), ...] or {task: n}, each task n times."""
    for item in tasks.items() if isinstance(tasks, dict) else tasks:
        if isinstance(item, tuple):
            yield from [item[0]] * item[1]
        else:
            yield item


def _inherited(bases):
    return [inner for base in bases for inner in getattr(base, "tasks", None) or ()]


def _declared(value):
    return [value] * getattr(value, "locust_task_weight", 0)


def collect_tasks(bases, members):
    """Those of the base classes, those of `tasks`, those decorated with @task."""
    tasks = _inherited(bases) + list(_repeated(members.get("tasks") or ()))
    for value in members.values():
        tasks += _declared(value)
    return tasks


get_tasks_from_base_classes = collect_tasks  # its name in Locust


def filter_tasks_by_tags(holder, tags=None, exclude_tags=None, seen=None):
    """Takes the tasks out of a user class or TaskSet that shall not run."""
    seen = {} if seen is None else seen
    for inner in holder.tasks:
        if inner in seen:
            continue
        if hasattr(inner, "tasks"):
            filter_tasks_by_tags(inner, tags, exclude_tags, seen)
            seen[inner] = bool(inner.tasks)
            continue
        own = getattr(inner, "locust_tag_set", set())
        seen[inner] = (tags is None or bool(own & tags)) and not own & (exclude_tags or set())
    holder.tasks = [inner for inner in holder.tasks if seen[inner]]
    if not holder.tasks:
        logging.warning("%s had no tasks left after filtering, instantiating it will fail!",
                       holder.__name__)


class TaskSetMeta(type):
    def __new__(mcs, name, bases, members):
        members["tasks"] = collect_tasks(bases, members)
        return type.__new__(mcs, name, bases, members)


class TaskSet(metaclass=TaskSetMeta):
    tasks = []
    # Of old locustfiles, in milliseconds.
    min_wait = max_wait = wait_function = None

    def __init__(self, parent):
        self._task_queue = []
        self._parent = parent
        self._user = parent.user if isinstance(parent, TaskSet) else parent

    @property
    def user(self):
        return self._user

    @property
    def parent(self):
        return self._parent

    @property
    def client(self):
        return self._user.client

    def on_start(self):
        pass

    def on_stop(self):
        pass

    def run(self):
        user = self._user
        try:
            self.on_start()
        except InterruptTaskSet as e:
            raise self._reschedule(e) from e
        while True:
            try:
                if not self._task_queue:
                    self.schedule_task(self.get_next_task())
                try:
                    if user._state == LOCUST_STATE_STOPPING:
                        raise StopUser()
                    self.execute_next_task()
                except RescheduleTaskImmediately:
                    pass
                except RescheduleTask:
                    self.wait()
                else:
                    self.wait()
            except InterruptTaskSet as e:
                self.on_stop()
                raise self._reschedule(e) from e
            except (StopUser, StopTest, GreenletExit):
                self.on_stop()
                raise
            except Exception as e:
                environment = user.environment
                environment.events.user_error.fire(user_instance=self, exception=e,
                                                   tb=e.__traceback__)
                if not environment.catch_exceptions:
                    raise
                logger.error("%s\n%s", e, traceback.format_exc())
                self.wait()

    @staticmethod
    def _reschedule(interrupt):
        kind = RescheduleTaskImmediately if interrupt.reschedule else RescheduleTask
        return kind(interrupt.reschedule)

    def execute_next_task(self):
        self.execute_task(self._task_queue.pop(0))

    def execute_task(self, inner):
        if isinstance(inner, type) and issubclass(inner, TaskSet):
            inner(self).run()
        elif getattr(inner, "__self__", None) is self:
            inner()
        else:
            inner(self)

    def schedule_task(self, task_callable, first=False):
        self._task_queue.insert(0 if first else len(self._task_queue), task_callable)

    def get_next_task(self):
        if not self.tasks:
            hint = (", but you have set a 'task' attribute - maybe you meant to set 'tasks'?"
                    if getattr(self, "task", None) else ".")
            raise Exception(f"No tasks defined on {type(self).__name__}{hint} use the @task "
                            "decorator or set the 'tasks' attribute of the TaskSet")
        return random.choice(self.tasks)

    def wait_time(self):
        if self.min_wait is not None and self.max_wait is not None:
            return random.randint(self.min_wait, self.max_wait) / 1000
        if self._user.wait_time:
            return self._user.wait_time()
        raise MissingWaitTimeError("You must define a wait_time method on either the "
                                   f"{type(self._user).__name__} or {type(self).__name__} class")

    def wait(self):
        """Sleeps by wait_time; a user that is to stop ends here."""
        user = self._user
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_WAITING
        self._sleep(self.wait_time())
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_RUNNING

    def _sleep(self, seconds):
        self._user._sleeper.sleep(seconds)

    def interrupt(self, reschedule=True):
        raise InterruptTaskSet(reschedule)


class DefaultTaskSet(TaskSet):
    """Runs the tasks of the user class itself, with the user as their argument."""

    def get_next_task(self):
        if not self._user.tasks:
            hint = (", but you have set a 'task' attribute on your class - maybe you meant to set "
                    "'tasks'?" if getattr(self._user, "task", None) else ".")
            raise Exception(f"No tasks defined on {type(self._user).__name__}{hint} Use the @task "
                            "decorator or set the 'tasks' attribute of the User (or mark it as "
                            "abstract = True if you only intend to subclass it)")
        return random.choice(self._user.tasks)

    def execute_task(self, inner):
        if isinstance(inner, type) and issubclass(inner, TaskSet):
            inner(self._user).run()
        else:
            inner(self._user)


class SequentialTaskSetMeta(TaskSetMeta):
    def __new__(mcs, name, bases, members):
        # A list `tasks` stands where it is declared.
        tasks = _inherited(bases)
        for key, value in members.items():
            if key == "tasks":
                if not isinstance(value, list):
                    raise ValueError(
                        "On SequentialTaskSet the task attribute can only be set to a list")
                tasks += value
            tasks += _declared(value)
        members["tasks"] = tasks
        return type.__new__(mcs, name, bases, members)


class SequentialTaskSet(TaskSet, metaclass=SequentialTaskSetMeta):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._task_index = 0

    def get_next_task(self):
        if not self.tasks:
            raise LocustError("No tasks defined. Use the @task decorator or set the 'tasks' "
                              "attribute of the SequentialTaskSet")
        self._task_index += 1
        return self.tasks[(self._task_index - 1) % len(self.tasks)]
