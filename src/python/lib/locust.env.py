# SPDX-License-Identifier: MIT
from locust.event import Events
from locust.stats import RequestStats


# Of create_web_ui(), in all releases.
_GUARDS = "auth_credentials", "web_login", "tls_cert", "tls_key"


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

    def create_local_runner(self):
        """For a program that uses Locust as a library: cicada --as-main."""
        import locust_host
        return locust_host.give_runner(self)

    def _refuse(self, *args, **kwargs):
        raise NotImplementedError(
            "cicada has masters and workers of its own (--master, --worker); a program that uses "
            "Locust as a library has Environment.create_local_runner()")

    create_master_runner = create_worker_runner = _refuse

    def create_web_ui(self, host="", port=8089, *args, **kwargs):
        """cicada's own, for such a program; what else there is to say about it is said by its options."""
        if any(args) or any(kwargs.get(name) for name in _GUARDS):
            raise NotImplementedError(
                "create_web_ui(): who may see the pages is said by --web-login, --tls-cert and "
                "--tls-key; leave it out there, lest they are thought to be protected and are not")
        import locust_host
        self.web_ui = locust_host.give_pages(self, "" if host == "*" else host, port)
        return self.web_ui

    def assign_equal_weights(self):
        """One user of each class, one of each task; those of TaskSets are as the class's own."""
        for cls in self.user_classes:
            cls.weight = 1
            cls.tasks = list(dict.fromkeys(_flat(cls.tasks)))

    @property
    def user_classes_by_name(self):
        return {cls.__name__: cls for cls in self.user_classes}
