# SPDX-License-Identifier: MIT
"""The modules that locustfiles import, and what they take from them."""
import warnings

import locust
import locust.dispatch
import locust.html
import locust.input_events
import locust.main
from locust import Events as TopEvents, dispatch
from locust.rpc import Message
from locust.rpc.protocol import Message as ProtocolMessage
from locust.user.task import get_tasks_from_base_classes
from locust.util.load_locustfile import is_shape_class, is_user_class
from locust.util.exception_handler import retry
from locust import (FastHttpUser, HttpUser, LoadTestShape, SequentialTaskSet, TaskSet, User,
                    between, constant, constant_pacing, constant_throughput, events,
                    run_single_user, tag, task, wait_time)
from locust import argument_parser, clients, env, event, exception, log, runners, stats, web
from locust.argument_parser import LocustArgumentParser
from locust.clients import HttpSession, LocustResponse, ResponseContextManager
from locust.contrib import fasthttp
from locust.contrib.fasthttp import FastHttpSession, FastHttpUser as Fast, FastResponse
from locust.debug import run_single_user as debug
from locust.env import Environment
from locust.event import EventHook, Events
from locust.exception import (CatchResponseError, InterruptTaskSet, LocustError,
                              MissingWaitTimeError, RescheduleTask, RescheduleTaskImmediately,
                              ResponseError, RPCError, StopUser)
from locust.log import greenlet_exception_logger, setup_logging
from locust.shape import LoadTestShape as Shape
from locust.stats import (PERCENTILES_TO_REPORT, calculate_response_time_percentile,
                          stats_history, stats_printer)
from locust.user import HttpUser as UserHttp, TaskSet as UserTaskSet
from locust.user.sequential_taskset import SequentialTaskSet as Sequential
from locust.user.task import TaskSet as TaskTaskSet
from locust.user.users import HttpUser as UsersHttp, User as UsersUser
from locust.user.wait_time import between as wait_between
from locust.argument_parser import parse_options
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, insecure_ssl_context_factory
from locust.log import HOSTNAME
from locust.main import load_locustfile
from locust.runners import (CONNECT_RETRY_COUNT, CONNECT_TIMEOUT, CPU_MONITOR_INTERVAL,
                            CPU_WARNING_THRESHOLD, FALLBACK_INTERVAL, HEARTBEAT_DEAD_INTERNAL,
                            greenlet_exception_handler)
from locust.stats import CachedResponseTimes, RequestStatsAdditionError
from locust.util.deprecation import (check_for_deprecated_task_set_attribute,
                                     deprecated_locust_meta_class)
from locust.util.timespan import parse_timespan
from locust.web import DEFAULT_CACHE_TIME
from locust.util.rounding import proper_round


class Importing(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        print(Fast is FastHttpUser, UserHttp is HttpUser is UsersHttp, Sequential is SequentialTaskSet)
        print(TaskTaskSet is TaskSet is UserTaskSet, wait_between is between, Shape is LoadTestShape)
        print(parse_timespan("1h2m3s"), proper_round(2.5), locust.events is events)
        print(calculate_response_time_percentile({1: 5, 2: 3, 100: 2}, 10, 0.8))
        print(issubclass(ResponseError, Exception), issubclass(HttpUser, User))
        print(TopEvents is Events, Message is ProtocolMessage, is_user_class(Importing),
              is_user_class(HttpUser), is_shape_class(Shape), dispatch is locust.dispatch)
        print(repr(Message.unserialize(Message("kind", {"a": [1, None]}, "me").serialize())))
        for package in ("mongodb", "postgres", "socketio", "no_such"):
            try:
                __import__(f"locust.contrib.{package}")
            except ModuleNotFoundError as e:
                print(type(e).__name__)
        print(CONNECT_RETRY_COUNT, CONNECT_TIMEOUT, CPU_MONITOR_INTERVAL, CPU_WARNING_THRESHOLD,
              FALLBACK_INTERVAL, HEARTBEAT_DEAD_INTERNAL, DEFAULT_CACHE_TIME, len(HOSTNAME) > 0)
        print(parse_options().host == self.environment.parsed_options.host,
              CachedResponseTimes({1: 2}, 2), issubclass(OSError, FAILURE_EXCEPTIONS),
              insecure_ssl_context_factory().verify_mode, issubclass(RequestStatsAdditionError, Exception))
        doc, users, shape = load_locustfile("forum.py")
        print(doc, sorted(users), shape, callable(greenlet_exception_handler))
        print(locust.util.timespan.parse_timespan("1m"), locust.util.rounding.proper_round(0.5))
        try:
            deprecated_locust_meta_class("old")("New", (Importing,), {})
        except (ImportError, TypeError) as e:
            print(type(e).__name__)
        with warnings.catch_warnings(record=True) as warned:
            check_for_deprecated_task_set_attribute({"task_set": UserTaskSet, "a": 1})
            check_for_deprecated_task_set_attribute({})
        print([str(w.message) for w in warned])
        attempts = []

        @retry(delays=(0, 0))
        def fail():
            attempts.append(1)
            raise KeyError("again")
        try:
            fail()
        except KeyError:
            print(len(attempts))
        self.environment.runner.quit()
