# SPDX-License-Identifier: MIT
"""Events: lists of functions that are called when something happens."""
import logging
import re
import time
from contextlib import contextmanager

import _cicada
from locust import log
from locust.exception import (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest,
                              StopUser)

_address = re.compile(r"(object at 0x)[0-9a-f]+")


def error_text(error):
    """What stands in the statistics: the same text for the same error, wherever its objects lie."""
    text = error if isinstance(error, str) else repr(error)
    return _address.sub(r"\1....", text) if " at 0x" in text else text

# What a listener of `request` may raise to steer the user that asked.
_STEERING = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser)


class EventHook:
    def __init__(self):
        self._handlers = []

    def add_listener(self, handler):
        """As a decorator, too."""
        self._handlers.append(handler)
        return handler

    def remove_listener(self, handler):
        self._handlers.remove(handler)

    def fire(self, *, reverse=False, **kwargs):
        for handler in reversed(self._handlers) if reverse else list(self._handlers):
            self._call(handler, kwargs)

    @staticmethod
    def _call(handler, kwargs):
        try:
            handler(**kwargs)
        except _STEERING:
            raise
        except Exception:
            logging.error("Uncaught exception in event handler:", exc_info=True)
            log.unhandled_greenlet_exception = True


def plain(value):
    """As text that UTF-8 can hold."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def count_request(request_type, name, response_time, response_length, exception, status_code):
    error = error_text(exception) if exception else None
    try:
        _cicada.record(request_type, name, response_time, response_length, error, status_code != 0)
    except (TypeError, ValueError):  # a name that is a number, text that UTF-8 cannot hold
        _cicada.record(plain(request_type), plain(name), response_time, response_length,
                       error and plain(error), status_code != 0)


def _count_fired(request_type, name, response_time, response_length, exception=None, response=None,
                 **kwargs):
    count_request(request_type, name, response_time, response_length or 0, exception,
                  getattr(response, "status_code", 0) or 0)


# What listeners of the old events are told.
_OLD_FIELDS = ("request_type", "name", "response_time", "response_length", "exception")


class OldRequestHook(EventHook):
    """request_success and request_failure of Locust before 2.15: they hear of requests before the
    listeners of `request` do, and what is fired here is counted."""

    def __init__(self, name):
        super().__init__()
        self._name = name

    def add_listener(self, handler):
        logging.warning("%s event deprecated. Use the request event.", self._name)
        return super().add_listener(handler)

    def fire(self, *, response_length=0, **kwargs):
        kwargs["response_length"] = response_length
        self._call(_count_fired, kwargs)
        self.tell(**kwargs)

    def tell(self, exception=None, **kwargs):
        super().fire(**kwargs, **({"exception": exception} if exception else {}))


class RequestHook(EventHook):
    """What is fired here is counted; listeners come after that."""

    def __init__(self):
        super().__init__()
        self.success = OldRequestHook("request_success")
        self.failure = OldRequestHook("request_failure")

    def has_listeners(self):
        return bool(self._handlers or self.success._handlers or self.failure._handlers)

    def fire(self, *, reverse=False, **kwargs):
        self._call(_count_fired, kwargs)
        if self.has_listeners():
            (self.failure if kwargs.get("exception") else self.success).tell(
                **{name: kwargs[name] for name in _OLD_FIELDS if name in kwargs})
            super().fire(reverse=reverse, **kwargs)

    @contextmanager
    def measure(self, request_type, name, response_length=0, context=None):
        """Counts the block with the time it takes; an exception is its failure and goes no further."""
        meta = {"request_type": request_type, "name": name, "response_length": response_length,
                "context": context or {}, "response": None, "exception": None,
                "start_time": time.time(), "url": None}
        began = time.perf_counter()
        try:
            yield meta
        except Exception as e:
            meta["exception"] = e
        meta["response_time"] = (time.perf_counter() - began) * 1000
        self.fire(**meta)


class WantedHook(EventHook):
    """Of what comes often, and is told only where somebody listens."""

    def __init__(self, what):
        super().__init__()
        self._what = what

    def add_listener(self, handler):
        _cicada.want(self._what)
        return super().add_listener(handler)


class Events:
    def __init__(self):
        self.request = RequestHook()
        self.request_success, self.request_failure = self.request.success, self.request.failure
        self.worker_report = WantedHook("reports")
        self.heartbeat_sent = WantedHook("heartbeats")
        self.heartbeat_received = WantedHook("heartbeats")
        for name in ("user_error", "report_to_master", "worker_connect",
                     "spawning_complete", "quitting", "quit", "init", "init_command_line_parser",
                     "test_start", "test_stopping", "test_stop", "reset_stats", "cpu_warning",
                     "usage_monitor"):
            setattr(self, name, EventHook())
