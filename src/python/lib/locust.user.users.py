# SPDX-License-Identifier: MIT
"""Users: User for any protocol, HttpUser with a client like Python's requests."""
import logging
import re
import time
import traceback
from contextlib import contextmanager
from inspect import signature

import _cicada
import gevent
from gevent import GreenletExit

from locust.clients import HttpSession
from locust.exception import CatchResponseError, LocustError, StopTest, StopUser
from locust.user.task import (LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING,
                              DefaultTaskSet, collect_tasks)
from locust.user.wait_time import constant
from locust.util.deprecation import check_for_deprecated_task_set_attribute

logger = logging.getLogger(__name__)


class UserMeta(type):
    def __new__(mcs, name, bases, members):
        check_for_deprecated_task_set_attribute(members)
        members["tasks"] = collect_tasks(bases, members)
        members.setdefault("abstract", False)
        return type.__new__(mcs, name, bases, members)


class User(metaclass=UserMeta):
    host = None
    wait_time = constant(0)
    # Of old locustfiles.
    min_wait = max_wait = wait_function = None
    tasks = []
    weight = 1
    fixed_count = 0
    abstract = True

    def __init__(self, environment):
        self.environment = environment
        self._state = None
        self._greenlet = self._group = None
        self._taskset_instance = None
        self._sleeper = _cicada.Sleeper()

    def on_start(self):
        pass

    def on_stop(self):
        pass

    def run(self):
        self._state = LOCUST_STATE_RUNNING
        self._taskset_instance = DefaultTaskSet(self)
        try:
            self.on_start()
            self._taskset_instance.run()
        except (GreenletExit, StopUser):
            self.on_stop()
        except StopTest as e:
            self.on_stop()
            logger.error("The test is stopped: %s", e)
            runner = self.environment.runner
            is_worker = getattr(self.environment.parsed_options, "worker", False)
            # Without the web interface nobody starts another one.
            (runner.stop if self.environment.web_ui or is_worker else runner.quit)()

    def wait(self):
        self._taskset_instance.wait()

    def start(self, group):
        self._greenlet = group.spawn(User._run, self)
        self._group = group
        return self._greenlet

    # A function of its argument: greenlet.args[0] is how locustfiles find the user of a greenlet.
    @staticmethod
    def _run(user):
        user.run()

    def stop(self, force=False):
        """True: it is over. False: it ends after its task; a wait ends now."""
        if force:
            self._group.killone(self._greenlet)
            return True
        is_waiting = self._leave()
        current = gevent.getcurrent()
        if is_waiting and isinstance(current, gevent.Greenlet) and current is not self._greenlet:
            self._greenlet.join()
        return is_waiting

    def _leave(self):
        """What the engine, which stops many, does not wait for. True: a wait ends now."""
        is_waiting = self._state == LOCUST_STATE_WAITING
        if is_waiting or self._state == LOCUST_STATE_RUNNING:
            self._state = LOCUST_STATE_STOPPING
        if is_waiting:
            self._sleeper.wake()
        return is_waiting

    @property
    def group(self):
        return self._group

    @property
    def greenlet(self):
        return self._greenlet

    def context(self):
        """Goes with the request event as `context`."""
        return {}

    @classmethod
    def fullname(cls):
        path = f"{cls.__module__}.{cls.__qualname__}".split(".")
        return ".".join(part for part in path if part != "<locals>")


NO_HOST = ("You must specify the base host. Either in the host attribute in the User class, or on "
           "the command line using the --host option.")


_HOME = re.compile(r"\A/(home|Users)/\w*/")


class RestCalls:
    """Of users whose client can catch_response."""

    @contextmanager
    def rest(self, method, url, headers=None, **kwargs):
        """A call with JSON both ways; response.js is the answer. Errors in the block fail it."""
        headers = {"Content-Type": "application/json", "Accept": "application/json",
                   **(headers or {})}
        with self.client.request(method, url, catch_response=True, headers=headers,
                                 **kwargs) as response:
            self._parse(response)
            try:
                yield response
            except AssertionError as e:
                text = str(e) or "Assertion failed"
                if text.endswith(","):
                    text += f" response was {response.text[:200]}"
                response.failure(text)
            except Exception as e:
                places = ", ".join(f"{_HOME.sub('~/', frame.filename)}:{frame.lineno} in {frame.name}"
                                   for frame in traceback.extract_tb(e.__traceback__)
                                   if frame.filename[0] == "/")
                response.failure(f"{type(e).__name__}: {e} at {places}. Response was "
                                 f"{response.text[:200]}")

    @staticmethod
    def _parse(response):
        response.js = None
        if response.error:
            response.failure(response.error)
        elif response._content:
            try:
                response.js = response.json()
            except ValueError as e:
                response.failure(f"Could not parse response as JSON. {response.text[:250]}, "
                                 f"response code {response.status_code}, error {e}")
        elif response.status_code >= 400:
            response.failure(response._error_of_status())

    @contextmanager
    def rest_(self, method, url, name=None, **kwargs):
        """The same with a parameter that no cache has seen."""
        mark = "&" if "?" in url else "?"
        with self.rest(method, f"{url}{mark}_={int(time.time() * 1000)}",
                       name=name or f"{url}{mark}_=...", **kwargs) as response:
            yield response


class HttpUser(RestCalls, User):
    abstract = True
    pool_manager = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.host is None:
            raise LocustError(NO_HOST)
        self.client = HttpSession(base_url=self.host,
                                  request_event=self.environment.events.request, user=self,
                                  pool_manager=self.pool_manager)


class PytestUser(User):
    """Of a file of pytest without user classes: one of its tests, again and again."""
    abstract = True
    function = None

    def _session(self, name):
        from locust.contrib.fasthttp import FastHttpSession
        if name == "fastsession":
            return FastHttpSession(self.environment, self.host, self)
        return HttpSession(self.host, self.environment.events.request, self)

    def run(self):
        self._state = LOCUST_STATE_RUNNING
        sessions = {name: self._session(name) for name in signature(type(self).function).parameters}
        try:
            while self._state != LOCUST_STATE_STOPPING:
                self._once(sessions)
                gevent.sleep(0)
        except (GreenletExit, StopUser):
            pass

    def _once(self, sessions):
        from locust.contrib.fasthttp import LocustBadStatusCode
        try:
            type(self).function(**sessions)
        except (OSError, CatchResponseError, LocustBadStatusCode) as e:
            # What raise_for_status() raises has been counted.
            logger.debug("%s\n%s", e, traceback.format_exc())
        except Exception as e:
            self.environment.events.user_error.fire(user_instance=self, exception=e,
                                                    tb=e.__traceback__)
            logger.error("%s\n%s", e, traceback.format_exc())
