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
            logging.getLogger(__name__).error("Uncaught exception in event handler:", exc_info=True)
            log.unhandled_greenlet_exception = True


class RequestHook(EventHook):
    """What is fired here is counted; listeners come after that."""

    def has_listeners(self):
        return bool(self._handlers)

    @staticmethod
    def count(request_type, name, response_time, response_length, exception, status_code):
        _cicada.record(request_type, name, response_time, response_length,
                       None if exception is None else error_text(exception), status_code != 0)

    def fire(self, *, reverse=False, **kwargs):
        self._call(self._count_fired, kwargs)
        if self._handlers:
            super().fire(reverse=reverse, **kwargs)

    def _count_fired(self, request_type, name, response_time, response_length, exception=None,
                     response=None, **kwargs):
        self.count(request_type, name, response_time, response_length or 0, exception,
                   getattr(response, "status_code", 0) or 0)

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


class ReportHook(EventHook):
    """Reports of workers are told of only where somebody listens."""

    def add_listener(self, handler):
        _cicada.want_reports()
        return super().add_listener(handler)


class OldRequestHook(EventHook):
    """request_success and request_failure of Locust before 2.15: `request` with fewer arguments."""

    def __init__(self, request, is_failure):
        super().__init__()
        self._request, self._is_failure = request, is_failure

    def add_listener(self, handler):
        def listen(exception=None, **kwargs):
            if (exception is not None) == self._is_failure:
                kept = {name: kwargs[name] for name in ("request_type", "name", "response_time",
                                                        "response_length")}
                handler(**kept, **({"exception": exception} if self._is_failure else {}))
        self._request.add_listener(listen)
        return handler


class Events:
    def __init__(self):
        self.request = RequestHook()
        self.request_success = OldRequestHook(self.request, False)
        self.request_failure = OldRequestHook(self.request, True)
        self.worker_report = ReportHook()
        for name in ("user_error", "report_to_master", "worker_connect",
                     "spawning_complete", "quitting", "quit", "init", "init_command_line_parser",
                     "test_start", "test_stopping", "test_stop", "reset_stats", "cpu_warning",
                     "heartbeat_sent", "heartbeat_received", "usage_monitor"):
            setattr(self, name, EventHook())
