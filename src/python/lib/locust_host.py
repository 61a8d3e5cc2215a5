# SPDX-License-Identifier: MIT
"""Between the engine and a locustfile: it loads the file and makes users what they are there. Its
functions are called by the engine (src/python), in the hub: what may wait gets a greenlet."""
import argparse
import collections
import importlib.util
import inspect
import logging
import os
import sys
import traceback

import _cicada
import gevent
import gevent.event

import locust
from locust import log
from locust.argument_parser import ArgumentParser, ParserError
from locust.env import Environment
from locust.runners import (STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED, LocalRunner,
                            MasterRunner, WorkerRunner)
from locust.shape import LoadTestShape
from locust.user.task import filter_tasks_by_tags
from locust.user.users import User

logger = logging.getLogger("locust.runners")

_RUNNERS = {"local": LocalRunner, "master": MasterRunner, "worker": WorkerRunner}

environment = None
_path = None
_modules = []
_own_options = argparse.Namespace()
_classes = []
_end = gevent.event.Event()
_watchers = []


class LoadError(Exception):
    pass


class OptionError(Exception):
    """An option of the locustfile's own is wrong."""


# ---- the file ----

def _import_file(path):
    """The module; LoadError with FILE:LINE, the traceback is on stderr."""
    folder, name = os.path.split(os.path.abspath(path))
    for place in (os.getcwd(), folder):
        if place not in sys.path:
            sys.path.insert(0, place)
    name = os.path.splitext(name)[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as e:
        raise LoadError(_report(e, path)) from None
    return module


def _report(e, path):
    """Shows the traceback without what is ours, and says where it was."""
    trace = e.__traceback__
    while trace and not os.path.exists(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(e), e, trace)
    line = e.lineno if isinstance(e, SyntaxError) and e.filename == path else None
    for frame in traceback.extract_tb(trace):
        if os.path.abspath(frame.filename) == os.path.abspath(path):
            line = frame.lineno
    return f"{path}:{line or 1}: {type(e).__name__}: {e}"


def _is_user_class(value):
    return inspect.isclass(value) and issubclass(value, User) and not value.abstract


def _is_shape(value):
    return (inspect.isclass(value) and issubclass(value, LoadTestShape) and
            value is not LoadTestShape and not getattr(value, "abstract", False))


def _words(options, key):
    """Tags may come as one text, `[a,b]`."""
    words = {word for text in options[key]
             for word in text.replace(",", " ").strip("[]").split()}
    return words or None


def _parsed(options):
    return argparse.Namespace(
        **vars(_own_options), locustfile=_path, host=options["host"], num_users=options["num_users"],
        spawn_rate=options["spawn_rate"], run_time=options["run_time"] or None,
        stop_timeout=options["stop_timeout"], headless=options["headless"],
        loglevel=options["loglevel"] or "INFO", master=options["role"] == "master",
        worker=options["role"] == "worker", tags=options["tags"] or None,
        exclude_tags=options["exclude_tags"] or None, user_classes=options["user_classes"],
        reset_stats=False)


def _describe(cls):
    """What python_classes.c reads."""
    for name in ("weight", "fixed_count"):
        value = getattr(cls, name)
        if not isinstance(value, (int, float)) or not 0 <= value < 1e15:
            raise LoadError(f"{_path}: class {cls.__name__}: {name} is {value!r}; give a number "
                            "from 0 on")
    counts = {}
    for task in cls.tasks:
        name = getattr(task, "__name__", repr(task))
        counts[name] = counts.get(name, 0) + 1
    is_paced = getattr(cls.wait_time, "is_paced", False)
    return (cls.__name__, cls.host, float(cls.weight), int(cls.fixed_count or 0), is_paced,
            list(counts.items()) or [("(none)", 1)])


def open_file(path, argv):
    """Imports the locustfile, or several with commas between. Returns the command line without the options that it has added, None
    when it has not."""
    global _path, _own_options
    sys.stdout.reconfigure(line_buffering=True)
    _path = path
    for file in path.split(","):
        if not os.path.isfile(file.strip()):
            raise LoadError(f"{file.strip()}: there is no such file")
        _modules.append(_import_file(file.strip()))
    parser = ArgumentParser()
    locust.events.init_command_line_parser.fire(parser=parser)
    if not parser.has_options():
        return None
    end = argv.index("--") if "--" in argv else len(argv)
    try:
        _own_options, rest = parser.parse_known_args(argv[1:end])
    except ParserError as e:
        raise OptionError(str(e)) from None
    return [argv[0], *rest, *argv[end:]]


def _user_classes():
    """{name: class} of all files; one that two of them import counts once."""
    found = {}
    for module in _modules:
        for value in vars(module).values():
            if not _is_user_class(value):
                continue
            other = found.setdefault(value.__name__, value)
            if inspect.getfile(other) != inspect.getfile(value):
                raise LoadError(f"Duplicate user class names: {value.__name__} is defined in both "
                                f"{inspect.getfile(other)} and {inspect.getfile(value)}")
    return found


def load(options):
    """Returns what the classes of the file are, in the order of their names, and the name of its
    shape."""
    global environment
    log.setup_logging(options["loglevel"])
    found = _user_classes()
    if not found:
        raise LoadError(f"{_path}: No User class found! Define one, such as "
                        "class Visitor(HttpUser), with a @task")
    shapes = [value for module in _modules for value in vars(module).values() if _is_shape(value)]
    tags, exclude_tags = _words(options, "tags"), _words(options, "exclude_tags")
    _classes.extend(found[name] for name in sorted(found))
    if tags or exclude_tags:
        for cls in _classes:
            filter_tasks_by_tags(cls, tags, exclude_tags)
    wanted = options["user_classes"]
    environment = Environment(
        user_classes=[cls for cls in _classes if not wanted or cls.__name__ in wanted],
        shape_class=shapes[0]() if shapes else None, tags=tags, exclude_tags=exclude_tags,
        locustfile=os.path.basename(_path), events=locust.events, host=options["host"],
        stop_timeout=options["stop_timeout"], parsed_options=_parsed(options),
        available_user_classes=found)
    environment.runner = _RUNNERS[options["role"]](environment)
    LoadTestShape.runner = environment.runner
    shape = type(environment.shape_class).__name__ if shapes else None
    return [_describe(cls) for cls in _classes], shape


# ---- the hub ----

def _watch(fd):
    watcher = gevent.get_hub().loop.io(fd, 1)
    watcher.start(_cicada.turn)
    _watchers.append(watcher)


def _unwatch():
    watcher = _watchers.pop()
    watcher.stop()
    watcher.close()


def serve(fd):
    """Until the program ends. fd becomes readable when the engine has something to do."""
    _watch(fd)
    while not _end.is_set():
        try:
            _end.wait()
        except (SystemExit, KeyboardInterrupt) as e:
            # gevent raises here what ended a greenlet that way: sys.exit() in a task.
            if environment.process_exit_code is None and isinstance(getattr(e, "code", None), int):
                environment.process_exit_code = e.code
            _cicada.wish("quit")
    _unwatch()


def close():
    _end.set()


def run_load():
    gevent.spawn(_cicada.run_main)


def begin_load(fd):
    _watch(fd)


def end_load():
    environment.runner.user_greenlets.kill(timeout=1)
    _unwatch()


# ---- users ----

class _Life:
    """A user from its beginning to its end, which comes exactly once."""

    def __init__(self, capsule, cls):
        self.capsule, self.cls = capsule, cls
        self.user = None
        self.is_over = False

    def begin(self):
        if self.is_over:
            return
        try:
            user = self.cls(environment)
            if self.is_over:
                return
            self.user = user
            user.start(environment.runner.user_greenlets)
            user.greenlet.rawlink(self.end)
        except Exception:
            logger.error("A %s could not be started:\n%s", self.cls.__name__,
                         traceback.format_exc())
            log.unhandled_greenlet_exception = True
            self.end()

    def end(self, _greenlet=None):
        if not self.is_over:
            self.is_over = True
            _lives.pop(self.capsule, None)
            _cicada.leave(self.capsule)


_lives = {}
_waiting = collections.deque()  # lives that are to begin, once the test has
_beginner = None  # the greenlet that begins them, one after the other: __init__ may wait
_test = None  # the greenlet that begins it, then until the test is over
_has_begun = False
_init = None


def begin_user(capsule, index, host):
    global _beginner
    cls = _classes[index]
    if host and cls.host != host:
        cls.host = host
    _lives[capsule] = _Life(capsule, cls)
    _waiting.append(_lives[capsule])
    if _has_begun and (_beginner is None or _beginner.dead):
        _beginner = gevent.spawn(_begin_waiting)


def _begin_waiting():
    while _waiting:
        _waiting.popleft().begin()


def stop_user(capsule):
    life = _lives.get(capsule)
    if not life:
        return
    if not life.user:
        life.end()
    elif life.user._state is None:
        life.user.greenlet.kill(block=False)  # it has not run yet
    else:
        life.user.stop()


def cut_user(capsule):
    life = _lives.get(capsule)
    if not life:
        return
    if life.user:
        life.user.greenlet.kill(block=False)
    else:
        life.end()


# ---- what happens to the test ----

def _begin_test():
    global _has_begun
    if _init is not None:
        _init.join()
    _cicada.clear_stats()
    environment.runner.exceptions.clear()
    environment.runner.state = STATE_SPAWNING
    environment.events.test_start.fire(environment=environment)
    _has_begun = True
    _begin_waiting()


def _end_test():
    global _test, _has_begun
    _test.join()
    environment.runner.state = STATE_STOPPED
    environment.events.test_stop.fire(environment=environment)
    _test = None
    _has_begun = False
    _forget_shape()
    _cicada.settle()


def _is_stop(count):
    """Nobody is wanted any more, and that is not what the shape wants for a while."""
    return not count and _test is not None and _shaped_users != 0


def _on_want(count):
    global _test
    runner = environment.runner
    runner.target_user_count = count
    if count and _test is None:
        _test = gevent.spawn(_begin_test)
    elif _is_stop(count):
        gevent.spawn(runner.fire_stopping)


def _on_settle(_value):
    runner = environment.runner
    if _is_stop(runner.target_user_count):
        gevent.spawn(_end_test)
        return
    _cicada.settle()
    if runner.target_user_count and isinstance(runner, WorkerRunner):
        _on_spawned(runner.target_user_count)


def _on_spawned(count):
    test = _test

    def fire():
        if test is not None:
            test.join()
        environment.runner.state = STATE_RUNNING
        environment.events.spawning_complete.fire(user_count=count)
    if test is not None or isinstance(environment.runner, MasterRunner):
        _in_turn(fire)


_shaping = _shaped_users = None  # the greenlet that asks the shape, and the users it wanted last


def _on_shape(_value):
    """A test by the shape begins."""
    global _shaping
    _forget_shape()
    _shaping = gevent.spawn(_follow_shape)


def _forget_shape():
    global _shaped_users
    _shaped_users = None
    if _shaping is not None:
        _shaping.kill(block=False)


def _follow_shape():
    global _shaped_users
    shape = environment.shape_class
    shape.reset_time()
    while True:
        try:
            tick = shape.tick()
            users, rate = (-1, 0) if tick is None else (int(tick[0]), float(tick[1]))
        except Exception:
            logger.error("The load shape %s ends the test:\n%s", type(shape).__name__,
                         traceback.format_exc())
            log.unhandled_greenlet_exception = True
            users, rate = -1, 0
        _shaped_users = None if users < 0 else users
        _cicada.shape(users, rate)
        if users < 0:
            return
        gevent.sleep(1)


_last = None


def _in_turn(function, **kwargs):
    """In a greenlet, after all that came before has ended."""
    global _last

    def run(before):
        if before is not None:
            before.join()
        function(**kwargs)
    _last = gevent.spawn(run, _last)
    return _last


def _on_init(_value):
    global _init
    _init = _in_turn(environment.events.init.fire, environment=environment,
                     runner=environment.runner, web_ui=None)


def _of_master(name):
    """An event of a test whose users run elsewhere."""
    state = {"test_start": STATE_SPAWNING, "test_stop": STATE_STOPPED}.get(name)

    def fire():
        if name == "test_stopping":
            environment.runner.fire_stopping()
            return
        environment.runner.state = state
        getattr(environment.events, name).fire(environment=environment)
    return lambda _value: _in_turn(fire)


def _on_quitting(code):
    def quitting():
        environment.events.quitting.fire(environment=environment, reverse=True)
        final = code
        if environment.process_exit_code is not None:
            final = environment.process_exit_code
        elif log.unhandled_greenlet_exception and not code:
            final = 2
        environment.events.quit.fire(exit_code=final)
        sys.stdout.flush()
        _cicada.wish("quit_done", int(final))
    _in_turn(quitting)


_EVENTS = {"want": _on_want, "settle": _on_settle, "spawning_complete": _on_spawned,
           "shape": _on_shape, "init": _on_init, "test_start": _of_master("test_start"),
           "test_stopping": _of_master("test_stopping"), "test_stop": _of_master("test_stop"), "quitting": _on_quitting}


def on_event(name, value):
    _EVENTS[name](value)
