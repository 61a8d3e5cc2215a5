# SPDX-License-Identifier: MIT
"""Between the engine and a locustfile: it loads the file and makes users what they are there. Its
functions are called by the engine (src/python), in the hub: what may wait gets a greenlet."""
import argparse
import atexit
import collections
import functools
import http.client
import importlib.util
import inspect
import logging
import os
import resource
import runpy
import shutil
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

import _cicada
import gevent
import gevent.event
import gevent.exceptions
import gevent.monkey

import locust
from locust import log, stats
from locust.argument_parser import LocustArgumentParser, ParserError
from locust.clients import basic_auth, without_secret
from locust.env import Environment
from locust.rpc import pack, pack_pairs, unpack
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner, \
    ScriptRunner, WorkerRunner
from locust.shape import LoadTestShape
from locust.stats import RequestStats
from locust.user.inspectuser import print_task_ratio, print_task_ratio_json
from locust.user.task import filter_tasks_by_tags
from locust.user.users import PytestUser, User
from locust.util.load_locustfile import is_shape_class, is_user_class
from locust.web import WebUI

logger = logging.getLogger("locust.runners")

_RUNNERS = {"local": LocalRunner, "master": MasterRunner, "worker": WorkerRunner}

REPORT_S, USAGE_S, CPU_HIGH, HISTORY_MAX = 3, 5, 90, 10000
HOLD_S = 2  # users and engine wait so long for listeners of test_stopping, of test_stop
HEARD_MAX, HEARD_EACH = 64 * 1024 * 1024, 4096  # bytes; what a greenlet takes besides
FETCH_S, SOURCE_MAX = 30, 4 * 1024 * 1024

environment = None
_path = None  # as it may be shown
_modules = []
files = []  # paths and URLs
_shown = []  # options of its own, for the web interface
_own_options = argparse.Namespace()
# Options of Locust's that are not among those of _parsed(), as they are there when nobody gives them.
_NOT_GIVEN = {"config": None, "enable_rebalancing": False, "headful": False, "list_commands": False,
              "web_auth": None, "web_login": False, "processes": None,
              "json": False, "profile": None, "config_users": None}
# Of a test that has nothing to do with them, too.
_DEFAULTS = {"master_host": "127.0.0.1", "master_port": 5557, "master_bind_host": "*", "web_host": ""}
_classes = []
_task_names = []  # of each class, as the engine knows them
_end = gevent.event.Event()
_watchers = []


class LoadError(Exception):
    pass


class Exit(Exception):
    """What sys.exit() was given, as the code of the process; a text is written to stderr."""

    def __init__(self, code):
        super().__init__(code)
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
        self.code = code or 0


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
    except SystemExit as e:
        _leave_if_forked(e.code)
        raise Exit(e.code) from None
    except BaseException as e:
        where = _report(e, path)
        _leave_if_forked(where)
        raise LoadError(where) from None
    _leave_if_forked(0)
    return module


def _find_files(part):
    if "://" in part or os.path.isfile(part):
        return [part]
    if os.path.isfile(part + ".py"):
        return [part + ".py"]
    if not os.path.isdir(part):
        raise LoadError(f"{part}: there is no such file")
    found = [os.path.join(folder, name) for folder, _, names in os.walk(part) for name in names
             if name.endswith(".py") and not name.startswith("_")]
    if not found:
        raise LoadError(f"{part}: there is no locustfile in this folder: no .py whose name begins "
                        "without a _")
    return sorted(found)


def _as_shown(part):
    """A URL may have secrets in its user, password and query."""
    return without_secret(part).partition("?")[0] if "://" in part else part


def _forget_folder(folder):
    if _forker is None:
        shutil.rmtree(folder, ignore_errors=True)


def _import_url(url):
    shown, parts = _as_shown(url), urllib.parse.urlsplit(url)
    try:
        request = urllib.request.Request(without_secret(url))
        if parts.username is not None:
            request.add_unredirected_header("Authorization", basic_auth(
                *map(urllib.parse.unquote, (parts.username, parts.password or ""))))
        with urllib.request.urlopen(request, timeout=FETCH_S) as reply:
            source = reply.read(SOURCE_MAX + 1)
    except (OSError, ValueError, http.client.HTTPException) as e:
        raise LoadError(f"{shown}: the locustfile cannot be fetched: {e}") from None
    if len(source) > SOURCE_MAX:
        raise LoadError(f"{shown}: a locustfile has at most {SOURCE_MAX} bytes")
    # An address need not end as a file of Python does.
    name = os.path.basename(parts.path).removesuffix(".py") or "locustfile"
    folder = tempfile.mkdtemp(prefix="cicada-")
    atexit.register(_forget_folder, folder)
    path = os.path.join(folder, name + ".py")
    with open(path, "wb") as file:
        file.write(source)
    return _import_file(path)


def _report(e, path):
    """Shows the traceback without what is ours, and says where it was."""
    trace = e.__traceback__
    while trace and not os.path.exists(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(e), e, trace)
    line = None
    if isinstance(e, SyntaxError) and os.path.abspath(e.filename or "") == os.path.abspath(path):
        line = e.lineno
    for frame in traceback.extract_tb(trace):
        if os.path.abspath(frame.filename) == os.path.abspath(path):
            line = frame.lineno
    return f"{path}:{line or 1}: {type(e).__name__}: {e}"


def _words(options, key):
    """Tags may come as one text, `[a,b]`."""
    words = {word for text in options[key]
             for word in text.replace(",", " ").strip("[]").split()}
    return words or None


def _parsed(options):
    common = dict(
        locustfile=_path, host=options["host"], num_users=options["num_users"],
        spawn_rate=options["spawn_rate"], run_time=options["run_time"] or None,
        stop_timeout=options["stop_timeout"], headless=options["headless"],
        loglevel=options["loglevel"] or "INFO", master=options["role"] == "master",
        worker=options["role"] == "worker", tags=options["tags"] or None,
        exclude_tags=options["exclude_tags"] or None, user_classes=options["user_classes"],
        **options["others"])
    common.update((name, value) for name, value in _DEFAULTS.items() if not common[name])
    for name in vars(_own_options):
        if name in common:
            raise LoadError(f"{_path}: cicada has an option {name} already; give the one that is "
                            "added in init_command_line_parser another name")
    return argparse.Namespace(**{**_NOT_GIVEN, **vars(_own_options), **common})


def _name_of(task):
    return getattr(task, "__name__", repr(task))


def _tags_of(task, seen):
    """Those of a TaskSet are those of all that is in it."""
    if task in seen:
        return set()
    seen.add(task)
    tags = set(getattr(task, "locust_tag_set", ()))
    return tags.union(*(_tags_of(inner, seen) for inner in getattr(task, "tasks", ())))


def _describe(cls):
    """What python_classes.c reads."""
    for name in ("weight", "fixed_count"):
        value = getattr(cls, name)
        if not isinstance(value, (int, float)) or not 0 <= value < 1e15:
            raise LoadError(f"{_path}: class {cls.__name__}: {name} is {value!r}; give a number "
                            "from 0 on")
    counts, tags = {}, {}
    for task in cls.tasks:
        name = _name_of(task)
        counts[name] = counts.get(name, 0) + 1
        tags.setdefault(name, set()).update(_tags_of(task, set()))
    _task_names.append(list(counts))
    is_paced = getattr(cls.wait_time, "is_paced", False)
    return (cls.__name__, cls.host, float(cls.weight), int(cls.fixed_count or 0), is_paced,
            [(name, count, " ".join(sorted(map(str, tags[name])))) for name, count in counts.items()]
            or [("(none)", 1, "")])


own_settings = []  # their keys


def open_file(path, argv, settings):
    """Imports the locustfile, or several: with commas between, of folders, or by their URLs. Returns
    the command line without the options that they have added, None when they have not. settings: key,
    value, key, value of files of options."""
    global _path, _own_options
    sys.stdout.reconfigure(line_buffering=True)
    parts = [part.strip() for part in path.split(",")]
    _path = ",".join(map(_as_shown, parts))
    for part in parts:
        files.extend(_find_files(part))
    for file in files:
        _modules.append(_import_url(file) if "://" in file else _import_file(file))
    parser = LocustArgumentParser(prog="cicada", add_help=False, allow_abbrev=False)
    try:
        locust.events.init_command_line_parser.fire(parser=parser)
    except SystemExit as e:
        _leave_if_forked(e.code)
        raise Exit(e.code) from None
    _leave_if_forked(0)
    if not parser.has_options():
        return None
    _shown.extend(parser.args_included_in_web_ui.values())
    end = argv.index("--") if "--" in argv else len(argv)
    try:
        given = {}
        for key, value in zip(settings[::2], settings[1::2]):
            given.setdefault(key, []).append(value)
        words, own_settings[:] = parser.words_of(given, argv[1:end])
        _own_options, rest = parser.parse_known_args(argv[1:end] + words)
    except ParserError as e:
        raise OptionError(str(e)) from None
    return [argv[0], *rest, *argv[end:]]


# ---- a program that uses Locust as a library: it is run as __main__, beside the engine ----

_script = None  # its greenlet
_script_env = None  # for which it wants a runner
_script_asks = gevent.event.Event()  # for one, or it is over
_script_goes_on = gevent.event.Event()  # requests can be made
_script_code = 0


def _run_script(path):
    global _script_code
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as e:
        _script_code = Exit(e.code).code
    except gevent.GreenletExit:
        pass  # the program ends
    except BaseException as e:
        _report(e, path)
        _script_code = 1
    _leave_if_forked(_script_code)
    _script_asks.set()
    if environment is not None:
        environment.process_exit_code = _script_code
        _cicada.wish("quit")


def open_script(path, argv, settings):
    """Runs it until it wants a runner. What comes without one has nothing to do with the engine."""
    global _path, _script
    sys.stdout.reconfigure(line_buffering=True)
    if not os.path.isfile(path):
        raise LoadError(f"{path}: there is no such file")
    _path = path
    files.append(path)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.argv[:] = [path]
    _script = gevent.spawn(_run_script, path)
    _script_asks.wait()
    if _script_env is None:
        raise Exit(_script_code)


def give_runner(env):
    """To the script: once, for a process has one engine."""
    global _script_env
    if _script is None:
        raise NotImplementedError("cicada runs the test itself, its runner is environment.runner; for "
                                  "a program that does so there is cicada --as-main -f FILE")
    if _script_env not in (None, env):
        raise NotImplementedError("a process has one runner, and another Environment has it")
    _script_env = env
    _script_asks.set()
    _script_goes_on.wait()
    return env.runner


def give_pages(env, host, port):
    give_runner(env)
    _cicada.pages(host, port)
    return WebUI(env)


def _load_script(options):
    """What its environment is here."""
    global environment, _given_host
    environment = _script_env
    _given_host = environment.host
    _classes.extend(environment.user_classes)
    for cls in _classes:
        if environment.host:
            cls.host = environment.host
    _filter_by_tags(*(set(words or ()) for words in (environment.tags, environment.exclude_tags)))
    environment.stop_timeout = environment.stop_timeout or options["stop_timeout"]
    if environment.parsed_options is None:
        environment.parsed_options = _parsed(options)
    environment.stats = RequestStats.of_process()
    environment.runner = ScriptRunner(environment)
    return [_describe(cls) for cls in _classes], [], os.fsencode(os.path.basename(_path))


def _classes_of_files(is_wanted, what):
    """{name: class} of all files; one that two of them import counts once."""
    found = {}
    for module in _modules:
        for value in vars(module).values():
            if not is_wanted(value):
                continue
            other = found.setdefault(value.__name__, value)
            if inspect.getfile(other) != inspect.getfile(value):
                raise LoadError(f"Duplicate {what} class names: {value.__name__} is defined in both "
                                f"{inspect.getfile(other)} and {inspect.getfile(value)}")
    return found


def _users_of_tests():
    """A class for each test of a file that pytest runs as well, with the sessions that it asks for."""
    return {name: type(name, (PytestUser,), {"function": staticmethod(value)})
            for module in _modules for name, value in vars(module).items()
            if name.startswith("test") and inspect.isfunction(value) and
            {"session", "fastsession"}.issuperset(inspect.signature(value).parameters)}


def _show_ratios(num_users, show_task_ratio, show_task_ratio_json, **others):
    if not (show_task_ratio or show_task_ratio_json):
        return
    classes = [cls for cls in environment.user_classes if cls.weight or cls.fixed_count]
    if not classes:
        raise LoadError(f"{_path}: there are no users with a weight above 0")
    if show_task_ratio:
        for title, is_total in ("Task ratio per User class", False), ("Total task ratio", True):
            print(f"\n {title}\n{80 * '-'}")
            print_task_ratio(classes, num_users, is_total)
    else:
        print_task_ratio_json(classes, num_users)


def _filter_by_tags(tags, exclude_tags):
    """Without tags, too: a TaskSet without tasks is never begun."""
    for cls in _classes:
        if not issubclass(cls, PytestUser):
            filter_tasks_by_tags(cls, tags or None, exclude_tags)


_shapes = []  # one of each class of the files; the first rules unless a start names another
_choice = None, None  # tags and exclude_tags of the master
_drawn = {}  # class: names of the tasks that its users draw, where POST /user says so
_all_tasks = {}  # of each class, and of each TaskSet in them, whatever the master says


def _note_tasks(holder):
    if holder not in _all_tasks:
        _all_tasks[holder] = holder.tasks
        for inner in holder.tasks:
            if hasattr(inner, "tasks"):
                _note_tasks(inner)


def _choose_tasks():
    """Users that run draw from what is left, too, as soon as their task is over."""
    for cls in _classes:
        _note_tasks(cls)
    for holder, tasks in _all_tasks.items():
        holder.tasks = tasks
    _filter_by_tags(*(set(words or ()) for words in _choice))
    for cls, names in _drawn.items():
        cls.tasks = [task for task in cls.tasks if _name_of(task) in names] or cls.tasks


def _on_draw(_from, _type, data, index):
    _drawn[_classes[index]] = {name for name, is_drawn in zip(_task_names[index], data) if is_drawn}
    _choose_tasks()


def _show_as_said(is_late=False):
    """What the file has set in locust.stats is also for the tables, files and pages of the program."""
    try:
        _cicada.shown(
            stats.PERCENTILES_TO_REPORT, stats.PERCENTILES_TO_STATISTICS, stats.PERCENTILES_TO_CHART,
            stats.CONSOLE_STATS_INTERVAL_SEC, stats.CSV_STATS_INTERVAL_SEC,
            stats.HISTORY_STATS_INTERVAL_SEC, stats.CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW,
            stats.STATS_TYPE_WIDTH, stats.STATS_NAME_WIDTH, is_late)
    except (TypeError, ValueError, OverflowError) as e:
        raise LoadError(f"{_path}: what it sets in locust.stats cannot be used: {e}") from None


def load(options):
    """Returns what the classes of the file are, in their order there, of each of its shapes the name
    and whether it uses common options, and the name of the file as bytes."""
    global environment, _given_host
    if _script is not None:
        _show_as_said()
        return _load_script(options)
    if not options["others"]["skip_log_setup"]:
        log.setup_logging(options["loglevel"])
    found = _classes_of_files(is_user_class, "user") or _users_of_tests()
    if not found:
        raise LoadError(f"{_path}: No User class found! Define one, such as "
                        "class Visitor(HttpUser), with a @task")
    name = ",".join(os.path.basename(part.rstrip("/")) for part in _path.split(","))
    _shapes.extend(cls() for cls in _classes_of_files(is_shape_class, "shape").values())
    tags, exclude_tags = _words(options, "tags"), _words(options, "exclude_tags")
    _classes.extend(found.values())
    _filter_by_tags(tags, exclude_tags)
    wanted = options["user_classes"]
    environment = Environment(
        user_classes=[cls for cls in _classes if not wanted or cls.__name__ in wanted],
        shape_class=_shapes[0] if _shapes else None, reset_stats=options["others"]["reset_stats"],
        locustfile=name, events=locust.events, host=options["host"],
        stop_timeout=options["stop_timeout"], parsed_options=_parsed(options),
        available_user_classes=found, available_shape_classes={
            "Default": None, **{type(shape).__name__: shape for shape in _shapes}})
    _show_as_said()
    _given_host = options["host"]
    environment.stats = RequestStats.of_process()
    environment.runner = _RUNNERS[options["role"]](environment)
    environment.web_ui = WebUI(environment) if options["has_web"] else None
    LoadTestShape.runner = environment.runner
    if options["others"]["equal_weights"]:
        environment.assign_equal_weights()
    _show_ratios(options["num_users"], **options["others"])
    return ([_describe(cls) for cls in _classes],
            [(type(shape).__name__, bool(shape.use_common_options)) for shape in _shapes],
            os.fsencode(name))


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
        except (SystemExit, KeyboardInterrupt, gevent.exceptions.LoopExit) as e:
            _leave_if_forked(getattr(e, "code", 1))
            # gevent raises here what ended a greenlet that way: sys.exit() in a task.
            if environment.process_exit_code is None and getattr(e, "code", None) is not None:
                environment.process_exit_code = Exit(e.code).code
            _cicada.wish("quit")
    _unwatch()


def close():
    _end.set()


# ---- processes that the locustfile forks (python_fork.c) ----

_forker = None  # in such a process: the greenlet that has forked it


def _begin_child():
    global _forker
    _forker = gevent.getcurrent()
    while _watchers:
        _unwatch()
    if isinstance(_forker, gevent.Greenlet):
        _forker.rawlink(lambda _: _leave_if_forked(0))


def _leave_if_forked(code):
    """What was to be done here is done, and what comes next is the parent's."""
    if _forker is None:
        return
    code = Exit(code).code
    atexit._run_exitfuncs()
    for file in sys.stdout, sys.stderr:
        file.flush()
    os._exit(code)


def refuse_in_child():
    """Users of the parent are users only there."""
    if gevent.getcurrent() is not _forker and gevent.getcurrent() in \
            environment.runner.user_greenlets:
        gevent.event.Event().wait()
    raise SystemExit("A process that a locustfile forks is no user, its self.client makes no requests: "
                     "end it by os._exit(), or give multiprocessing.Process a function of its own")


os.register_at_fork(after_in_child=_begin_child)


# ---- and those that it starts without a fork: not with the signals that this thread holds back ----

def _without_mask(spawn):
    @functools.wraps(spawn)
    def spawn_as_asked(*args, **kwargs):
        kwargs.setdefault("setsigmask", ())
        return spawn(*args, **kwargs)
    return spawn_as_asked


def _system(command):
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ)
    return gevent.monkey.get_original("os", "waitpid")(pid, 0)[1]


os.posix_spawn, os.posix_spawnp = map(_without_mask, (os.posix_spawn, os.posix_spawnp))
os.system = functools.wraps(os.system)(_system)


def run_load():
    gevent.spawn(_cicada.run_main)


def begin_load(fd):
    _watch(fd)
    _script_goes_on.set()


def end_load():
    environment.runner.user_greenlets.kill(timeout=1)
    _unwatch()


# ---- users ----

_hosts = {}  # of each class, as the engine gave it first


def _host_for(cls, host):
    """The engine's; as long as that is the same, what the locustfile has set environment.host to."""
    if environment.host != _given_host and host == _hosts.setdefault(cls, host):
        return environment.host
    return host


class _Life:
    """A user from its beginning to its end, which comes exactly once."""

    def __init__(self, capsule, cls, host):
        self.capsule, self.cls, self.host = capsule, cls, host
        self.user = None
        self.is_over = False

    def begin(self):
        global _unborn
        if self.is_over:
            return
        host = _host_for(self.cls, self.host)
        if host and self.cls.host != host:
            self.cls.host = host
        try:
            user = self.cls(environment)
            assert hasattr(user, "environment"), (
                f"Attribute 'environment' is missing on user {self.cls.__name__}. Perhaps you "
                "defined your own __init__ and forgot to call the base constructor? "
                "(super().__init__(*args, **kwargs))")
            if self.is_over:
                return
            self.user = user
            user.start(environment.runner.user_greenlets)
            user.greenlet.rawlink(self.end)
        except Exception:
            logger.error("A %s could not be started:\n%s", self.cls.__name__,
                         traceback.format_exc())
            log.unhandled_greenlet_exception = True
            _unborn += 1
            self.end()

    def end(self, _greenlet=None):
        if not self.is_over:
            self.is_over = True
            _lives.pop(self.capsule, None)
            _cicada.leave(self.capsule)
            if environment.runner.quitter is not None:
                gevent.spawn(release_quitter)


_lives = {}
_waiting = collections.deque()  # lives that are to begin, once the test has; the first one does
_unborn = 0  # those of this step of the ramp whose __init__ has failed; the next one makes up for them
_beginner = None  # the greenlet that begins them, one after the other: __init__ may wait
_test = None  # the greenlet that begins it, then until the test is over
_ending = _ended = None  # the greenlet that ends it, and which that is: settled again, it is the same
_has_begun = False
_wanted = 0  # users, at this step of the ramp
_is_settled = False  # the engine has them
_init = None  # the greenlet of event init


def begin_user(capsule, index, host):
    global _beginner
    _lives[capsule] = _Life(capsule, _classes[index], host)
    _waiting.append(_lives[capsule])
    if _has_begun and (_beginner is None or _beginner.dead):
        _beginner = gevent.spawn(_begin_waiting)


def _begin_waiting():
    global _beginner
    _beginner = gevent.getcurrent()
    while _waiting:
        try:
            _waiting[0].begin()
        finally:
            _waiting.popleft()
    _beginner = None  # listeners may take their time
    _check_spawned()


_stopping = None  # the greenlet in which listeners hear that the test is about to stop
_is_holding = False  # they have not yet
_held = []  # stops of users, until then


def _is_held(function, capsule):
    if _is_holding:
        _held.append((function, capsule))
    return _is_holding


def stop_user(capsule):
    life = _lives.get(capsule)
    if not life or _is_held(stop_user, capsule):
        return
    if not life.user:
        life.end()
    elif life.user._state is None:
        life.user.greenlet.kill(block=False)  # it has not run yet
    else:
        is_own = type(life.user).stop is not User.stop
        (life.user.stop if is_own else life.user._leave)()


def cut_user(capsule):
    life = _lives.get(capsule)
    if not life or _is_held(cut_user, capsule):
        return
    if life.user:
        life.user.greenlet.kill(block=False)
    else:
        life.end()


# ---- what happens to the test ----

def _begin_test():
    global _has_begun
    # Whatever came before is over: event init, messages of the master, the end of the last test.
    for before in (_last, _ending):
        if before is not None:
            before.join()
    _cicada.clear_stats()
    environment.stats.history.clear()
    environment.runner.exceptions.clear()
    environment.runner.begin_test()
    _has_begun = True
    _begin_waiting()


def _end_test():
    """The users are gone. Listeners that take their time are not waited for by the engine, but by what
    comes next here."""
    global _test, _has_begun
    _test.join()
    listeners = gevent.spawn(_tell_end, _stopping)
    listeners.join(HOLD_S)
    _send_report()
    _test = None
    _has_begun = False
    _forget_shape()
    _cicada.settle()
    listeners.join()


def _tell_end(stopping):
    if stopping is not None:
        stopping.join()
    environment.runner.fire_stop()


def _is_stop(count):
    """Nobody is wanted any more, and that is not what the shape wants for a while."""
    return not count and _test is not None and _shaped_users != 0


def _on_want(count):
    global _test, _is_settled, _wanted, _unborn, _stopping, _is_holding
    runner = environment.runner
    _is_settled = False
    _wanted, _unborn = count, 0
    runner.target_user_count = count if isinstance(runner, WorkerRunner) else _cicada.foreseen()
    if count and _test is None:
        _test = gevent.spawn(_begin_test)
    elif _is_stop(count):
        _is_holding = True
        _stopping = gevent.spawn(_stop_test)
        _stopping.link(_stop_held)
        gevent.spawn_later(HOLD_S, _stop_held, _stopping)


def _stop_test():
    environment.runner.fire_stopping()
    release_quitter()


def _stop_held(stopping):
    global _is_holding
    if stopping is not _stopping:  # of an earlier test
        return
    _is_holding = False
    held = list(_held)
    _held.clear()
    for function, capsule in held:
        function(capsule)


def release_quitter():
    """The user that has asked for the end ends when it is the last one."""
    runner = environment.runner
    if runner.quitter is not None and len(_lives) <= 1 and not runner.quitter.is_set():
        runner.fire_stop()
        runner.quitter.set()


def _on_settle(_value):
    global _is_settled, _ending, _ended
    if _is_stop(_wanted):
        if _ended is not _test:
            _ended, _ending = _test, gevent.spawn(_end_test)
        return
    _is_settled = True
    gevent.spawn(_check_spawned)


def _check_spawned():
    """All users of a step of the ramp have begun, as the engine will say when it knows. The last step is
    the end of the ramp; a worker knows of its own part only."""
    global _is_settled
    runner = environment.runner
    if not _is_settled or _wanted and (not _has_begun or _waiting):
        return
    _is_settled = False
    _cicada.settle()
    if _wanted and (isinstance(runner, WorkerRunner) or _wanted == runner.target_user_count):
        _fire_spawned(_wanted - _unborn)


def _fire_spawned(count):
    environment.runner.state = STATE_RUNNING
    environment.events.spawning_complete.fire(user_count=count)


def _on_spawned(count):
    _in_turn(_fire_spawned, count=count)


_shaping = _shaped_users = None  # the greenlet that asks the shape, and the users it wanted last


def _on_shape(index):
    """A test by this shape begins."""
    global _shaping
    _forget_shape()
    environment.shape_class = _shapes[index]
    _shaping = gevent.spawn(_follow_shape)


def _forget_shape():
    global _shaped_users
    _shaped_users = None
    if _shaping is not None:
        _shaping.kill(block=False)


def _take_common_options():
    options = environment.parsed_options
    _, options.num_users, options.spawn_rate, run_time = _cicada.shape_now()
    options.users, options.run_time = options.num_users, int(run_time) or None


def _read_tick(tick):
    if tick is None:
        return -1, 0, None
    users, rate, *classes = tick
    if not float(rate) > 0:
        raise ValueError(f"the spawn rate of tick() is {rate!r}; give a number above 0")
    if not classes or classes[0] is None:
        return int(users), float(rate), None
    return int(users), float(rate), " ".join(cls.__name__ for cls in classes[0])


def _follow_shape():
    global _shaped_users
    shape = environment.shape_class
    if shape.use_common_options:
        _take_common_options()
    shape.reset_time()
    last, is_new = None, False
    while True:
        # As under Locust the next one comes at once after one that is new; but not again and again.
        was_new, is_new = is_new, False
        try:
            tick = shape.tick()
            users, rate, classes = _read_tick(tick)
            is_new, last = tick != last, tick
        except Exception:
            logger.error("The load shape %s ends the test:\n%s", type(shape).__name__,
                         traceback.format_exc())
            log.unhandled_greenlet_exception = True
            users, rate, classes = -1, 0, None
        _shaped_users = None if users < 0 else users
        if is_new or users < 0:
            _cicada.shape(users, rate, classes)
        if users < 0:
            return
        if was_new or not is_new:
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


def _fire_init():
    environment.events.init.fire(environment=environment, runner=environment.runner,
                                 web_ui=environment.web_ui)
    try:
        _show_as_said(is_late=True)  # listeners set it too
    except LoadError as e:
        logger.error("%s", e)


def _on_init(_value):
    global _init
    if _script is None:  # which fires it when it likes
        _init = _in_turn(_fire_init)
    if environment.web_ui:
        _in_turn(environment.web_ui.check_login)
    _spawn_forever(_watch_usage)
    _spawn_forever(_keep_history)
    if isinstance(environment.runner, WorkerRunner):
        _in_turn(_begin_reports)


# ---- other processes ----

def _begin_test_of_master():
    try:
        environment.runner.begin_test()
        _cicada.options(*pack_pairs(_own_values()))
    finally:
        _cicada.wish("begun")


def _on_joined(client_id, _type, _data, index):
    runner = environment.runner
    is_first = runner.client_id is None
    runner.client_id, runner.worker_index = client_id, index
    if is_first:
        _on_init(0)


def _on_spawn(_from, _type, data, _value):
    _in_turn(_take_options, data=data)


_heard_bytes = 0  # of messages that wait for their turn


def _hear(data, function):
    """A listener may wait for as long as it likes, while other processes go on talking."""
    global _heard_bytes
    size = len(data) + HEARD_EACH
    if _heard_bytes + size > HEARD_MAX:
        _warn_of_dropped()
        return
    _heard_bytes += size

    def hear():
        global _heard_bytes
        try:
            function()
        finally:
            _heard_bytes -= size
    _in_turn(hear)


_has_dropped = False


def _warn_of_dropped():
    global _has_dropped
    if not _has_dropped:
        logger.error("A listener of the locustfile waits while messages of other processes pile up: "
                     "some are dropped from here on")
    _has_dropped = True


def _on_report(client_id, _type, data, _value):
    def hear():
        said = unpack(data)
        # Of a worker of ours what report_to_master adds comes in reports of its own, without a number.
        if "number" not in said or not environment.events.report_to_master._handlers:
            environment.events.worker_report.fire(client_id=client_id, data=said)
    _hear(data, hear)


def _on_custom(node_id, msg_type, data, _value):
    _hear(data, lambda: environment.runner.take_message(msg_type, unpack(data), node_id))


def _on_heartbeat(client_id, _type, data, value):
    events = environment.events
    is_ours = isinstance(environment.runner, MasterRunner)
    event = events.heartbeat_sent if is_ours else events.heartbeat_received
    _hear(data, lambda: event.fire(client_id=client_id, timestamp=value / 1e6))


def _on_web(method, path, said, ticket):
    def answer():
        _init.join()
        try:
            reply = environment.web_ui.answer(method, path, said)
        except Exception:
            logger.error("The locustfile's answer to %s %s failed:\n%s", method, path,
                         traceback.format_exc())
            reply = 500, [("Content-Type", "text/plain")], b"Internal Server Error"
        status, headers, body = reply or (0, [], b"")
        text = "".join(f"{name}\0{value}\0" for name, value in headers)
        _cicada.web(ticket, status, text.encode("latin-1", "replace"), body)
    gevent.spawn(answer)


_MESSAGES = {"web": _on_web, "form": lambda _from, _type, data, _value: _take_form(data),
             "joined": _on_joined, "spawn": _on_spawn, "report": _on_report, "custom": _on_custom,
             "heartbeat": _on_heartbeat, "draw": _on_draw}


def on_message(event, sender, msg_type, data, value):
    _MESSAGES[event](sender, msg_type, data, value)


_seen = set()  # workers


def on_cluster():
    clients = environment.runner.clients
    _seen.intersection_update(clients)
    for client_id in clients:
        if client_id not in _seen:
            _seen.add(client_id)
            _in_turn(environment.events.worker_connect.fire, client_id=client_id)


def _send_report():
    """What listeners add to the reports of a worker."""
    data = {}
    if environment.events.report_to_master._handlers and isinstance(environment.runner,
                                                                    WorkerRunner):
        environment.events.report_to_master.fire(client_id=environment.runner.client_id, data=data)
    if data:
        _cicada.extra(*pack_pairs(data))
    return data


def _begin_reports():
    _spawn_forever(_report_now_and_then)
    _cicada.usual(*pack_pairs(_send_report()))


def _report_now_and_then():
    while True:
        gevent.sleep(REPORT_S)
        _send_report()


def _note_history():
    """An item of stats.history, as Locust 2.46 has it."""
    runner, history = environment.runner, environment.stats.history
    if runner.state not in (STATE_SPAWNING, STATE_RUNNING):
        return
    total = environment.stats.total
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    values = {"current_rps": total.current_rps, "current_fail_per_sec": total.current_fail_per_sec,
              **{f"response_time_percentile_{share}": total.get_response_time_percentile(share)
                 for share in stats.PERCENTILES_TO_CHART},
              "total_avg_response_time": round(total.avg_response_time, 2),
              "user_count": runner.user_count}
    history.append({"time": now, **{key: [now, value] for key, value in values.items()}})
    del history[:-HISTORY_MAX]


def _keep_history():
    while True:
        gevent.sleep(stats.HISTORY_STATS_INTERVAL_SEC)
        _note_history()


def _watch_usage():
    """Events usage_monitor and cpu_warning."""
    runner, events = environment.runner, environment.events
    while True:
        began, used = time.monotonic(), time.process_time()
        gevent.sleep(USAGE_S)
        runner.current_cpu_usage = 100 * (time.process_time() - used) / (time.monotonic() - began)
        with open("/proc/self/statm") as statm:
            runner.current_memory_usage = int(statm.read().split()[1]) * resource.getpagesize()
        if runner.current_cpu_usage > CPU_HIGH:
            events.cpu_warning.fire(environment=environment, cpu_usage=runner.current_cpu_usage)
        events.usage_monitor.fire(environment=environment, cpu_usage=runner.current_cpu_usage,
                                  memory_usage=runner.current_memory_usage)


def _spawn_forever(function):
    greenlet = gevent.spawn(function)
    greenlet.link_exception(log.greenlet_exception_logger(logger))


# ---- options of the locustfile's own ----

def _own_values():
    """Those that others can be told."""
    values = {}
    for name in vars(_own_options):
        value = getattr(environment.parsed_options, name)
        try:
            pack(value)
        except TypeError:
            logger.warning("Option %s does not reach the workers: a value of type %s is no plain one",
                           name, type(value).__name__)
        else:
            values[name] = value
    return values


def fields():
    """(name, help, value, is secret, choices or None) of those that the web interface shows."""
    rows = []
    for action in _shown:
        value = getattr(environment.parsed_options, action.dest)
        if isinstance(value, bool):
            choices = ["true", "false"]
        else:
            choices = [str(choice) for choice in action.choices] if action.choices else None
        rows.append((action.dest, action.help or "", _to_text(value), action.is_secret, choices))
    return rows


def _to_text(value):
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _from_text(text, present):
    """By Locust's rule a value keeps the type that it has."""
    if isinstance(present, bool):
        return text == "true"
    if isinstance(present, (list, tuple)):
        return [part for part in text.split(",") if part]
    return text if present is None else type(present)(text)


def _take_form(data):
    options = environment.parsed_options
    parts = data.decode("utf-8", "replace").split("\0")
    for name, text in zip(parts[::2], parts[1::2]):
        present = getattr(options, name)
        if text == _to_text(present):
            continue
        try:
            setattr(options, name, _from_text(text, present))
        except Exception:  # whatever its type raises
            logger.warning("Option %s of the form is left as it is: its value must be like the "
                           "present one, %s", name, type(present).__name__)
    if isinstance(environment.runner, MasterRunner):
        _cicada.options(*pack_pairs(_own_values()))


def _take_options(data):
    """What a master says of them."""
    global _choice
    given = unpack(data).get("parsed_options") or {}
    options = environment.parsed_options
    for name in vars(_own_options):
        if name in given:
            setattr(options, name, given[name])
    choice = given.get("tags"), given.get("exclude_tags")
    if choice != _choice:
        _choice = choice
        options.tags, options.exclude_tags = choice
        _choose_tasks()


# ---- what control does with a test ----

def _on_reset():
    _cicada.clear_stats()
    environment.runner.exceptions.clear()
    environment.stats.history.clear()
    environment.events.reset_stats.fire()


def _of_control(name):
    functions = {"reset_stats": _on_reset,
                 "test_start": _begin_test_of_master,
                 "test_stopping": environment.runner.fire_stopping,
                 "test_stop": environment.runner.fire_stop}
    return _in_turn(functions[name])


def _on_quitting(code):
    def quitting():
        if _ending is not None:
            _ending.join()
        try:
            environment.events.quitting.fire(environment=environment, reverse=True)
        except SystemExit as e:
            environment.process_exit_code = Exit(e.code).code
        final = code
        if environment.process_exit_code is not None:
            final = environment.process_exit_code
        elif log.unhandled_greenlet_exception and not code:
            final = 2
        try:
            environment.events.quit.fire(exit_code=final)
        except SystemExit as e:
            final = Exit(e.code).code
        if not sys.stdout.closed:
            sys.stdout.flush()
        _cicada.wish("quit_done", int(final))
    _in_turn(quitting)


_EVENTS = {"want": _on_want, "settle": _on_settle, "spawning_complete": _on_spawned,
           "shape": _on_shape, "init": _on_init, "quitting": _on_quitting}


def on_event(name, value):
    if name in _EVENTS:
        _EVENTS[name](value)
    else:
        _of_control(name)
