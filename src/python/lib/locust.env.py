# SPDX-License-Identifier: MIT
from locust.event import Events
from locust.stats import RequestStats


def _flat(tasks):
    for task in reversed(tasks):  # the order of Locust
        yield from _flat(task.tasks) if getattr(task, "tasks", None) else [task]


class Environment:
    """What a test consists of. The one of this process is locust_host's; others can be made, for a
    user to be run by hand."""

    def __init__(self, *, user_classes=None, shape_class=None, tags=None, locustfile=None,
                 exclude_tags=None, events=None, host=None, reset_stats=False, stop_timeout=None,
                 catch_exceptions=True, parsed_options=None, available_user_classes=None,
                 available_shape_classes=None):
        self.user_classes = user_classes or []
        self.shape_class = shape_class
        self.tags, self.exclude_tags = tags, exclude_tags
        self.locustfile = locustfile
        self.events = events or Events()
        self.host = host
        self.reset_stats = reset_stats
        self.stop_timeout = stop_timeout
        self.catch_exceptions = catch_exceptions
        self.parsed_options = parsed_options
        self.available_user_classes = available_user_classes
        self.available_shape_classes = available_shape_classes
        self.stats = RequestStats()
        self.runner = self.web_ui = self.process_exit_code = None

    def _refuse(self, *args, **kwargs):
        raise NotImplementedError(
            "Environment.create_...() is for programs that use Locust as a library; cicada runs the "
            "test itself, its runner is environment.runner")

    create_local_runner = create_master_runner = create_worker_runner = create_web_ui = _refuse

    def assign_equal_weights(self):
        """One user of each class, one of each task; those of TaskSets are as the class's own."""
        for cls in self.user_classes:
            cls.weight = 1
            cls.tasks = list(dict.fromkeys(_flat(cls.tasks)))

    @property
    def user_classes_by_name(self):
        return {cls.__name__: cls for cls in self.user_classes}
