# SPDX-License-Identifier: MIT
"""The runner as locustfiles see it. What it does is done by the engine: locust_host tells this
object what happens, and passes on what it is asked for."""
import logging
import traceback

import _cicada
import gevent
from gevent.event import Event
from gevent.pool import Group

from locust import log
from locust.event import plain
from locust.rpc import pack
from locust.rpc.protocol import Message

logger = logging.getLogger(__name__)

STATE_INIT, STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP, STATE_STOPPING, STATE_STOPPED, \
    STATE_MISSING = "ready", "spawning", "running", "cleanup", "stopping", "stopped", "missing"
# What files read; the engine has its own.
WORKER_REPORT_INTERVAL, HEARTBEAT_INTERVAL, HEARTBEAT_LIVENESS = 3.0, 1, 3
HEARTBEAT_DEAD_INTERNAL, FALLBACK_INTERVAL, CONNECT_TIMEOUT, CONNECT_RETRY_COUNT = -60, 5, 5, 60
CPU_MONITOR_INTERVAL, CPU_WARNING_THRESHOLD = 5.0, 90

# For greenlet.link_exception().
greenlet_exception_handler = log.greenlet_exception_logger(logger)


class Runner:
    state_of_stopping = STATE_CLEANUP
    target_user_count = 0
    current_cpu_usage = current_memory_usage = 0

    def __init__(self, environment):
        self.environment = environment
        self.user_greenlets = Group()
        self.greenlet = Group()
        self.state = STATE_INIT
        self.exceptions = {}
        self.custom_messages = {}
        self.quitter = None  # an Event: a user's greenlet that asked for the end waits for it
        self._is_stopping = False
        environment.events.user_error.add_listener(self._on_user_error)

    def _on_user_error(self, user_instance, exception, tb, **kwargs):
        self.log_exception("local", str(exception), "".join(traceback.format_tb(tb)))

    def log_exception(self, node_id, msg, formatted_tb):
        row = self.exceptions.setdefault(hash(formatted_tb), {
            "count": 0, "msg": msg, "traceback": formatted_tb, "nodes": set()})
        row["count"] += 1
        row["nodes"].add(node_id)
        _cicada.exception(plain(msg), plain(formatted_tb))

    @property
    def user_classes(self):
        return self.environment.user_classes

    @property
    def user_classes_by_name(self):
        return self.environment.user_classes_by_name

    @property
    def stats(self):
        return self.environment.stats

    @property
    def errors(self):
        return self.stats.errors

    @property
    def user_count(self):
        return len(self.user_greenlets)

    @property
    def user_classes_count(self):
        counts = {cls.__name__: 0 for cls in self.user_classes}
        for greenlet in self.user_greenlets:
            if greenlet.args:
                counts[type(greenlet.args[0]).__name__] += 1
        return counts

    def update_state(self, new_state):
        self.state = new_state

    def start(self, user_count, spawn_rate, wait=False, user_classes=None):
        """A new test, or another number of users in the one that runs; wait: until they are there."""
        if self.environment.shape_class:
            raise RuntimeError("runner.start(): the load shape says how many users there are")
        if user_count < 0 or not spawn_rate > 0:
            raise ValueError(f"runner.start({user_count}, {spawn_rate}): give a number of users from 0 "
                             "on, and a spawn rate above 0")
        if user_classes:
            raise NotImplementedError("runner.start(): users are of all classes; a load shape may choose")
        _cicada.start(int(user_count), float(spawn_rate))
        while wait and self.user_count != user_count:
            gevent.sleep(0.1)

    def spawn_users(self, user_classes_spawn_count, wait=False):
        raise NotImplementedError("runner.spawn_users(): users are begun by the engine, which counts "
                                  "them; runner.start(USERS, SPAWN_RATE) says how many there are, a "
                                  "LoadTestShape also of which classes")

    def stop_users(self, user_classes_stop_count):
        raise NotImplementedError("runner.stop_users(): users are ended by the engine; "
                                  "runner.start(USERS, SPAWN_RATE) with fewer users, or user.stop()")

    def start_shape(self):
        """A new test, of the load shape; while one runs, nothing."""
        if not self.environment.shape_class:
            raise RuntimeError("runner.start_shape(): there is no load shape")
        _cicada.start(0, 1.0)

    def quit(self):
        """The test and the process end."""
        self._end("quit")

    def stop(self):
        """The test ends."""
        self._end("stop")

    def _end(self, what):
        # A user that asks for it is its last one to end, as under Locust: when the others have.
        is_user = gevent.getcurrent() in self.user_greenlets
        waits = is_user and self.quitter is None
        if waits:
            self.quitter = Event()
            if self._is_stopping:  # nothing more comes that would look whether it is the last one
                import locust_host
                locust_host.release_quitter()
        if is_user:
            self.fire_stopping()
        _cicada.wish(what)
        if waits:
            self.quitter.wait()
        if is_user:
            raise gevent.GreenletExit()

    def begin_test(self):
        """Event test_start."""
        self._is_stopping = False
        self.quitter = None
        self.environment.events.test_start.fire(environment=self.environment)
        self.state = STATE_SPAWNING

    def fire_stopping(self):
        """Event test_stopping, once per test."""
        if self._is_stopping or self.state in (STATE_STOPPED, STATE_INIT):
            return
        self._is_stopping = True
        self.environment.events.test_stopping.fire(environment=self.environment)
        self.state = self.state_of_stopping

    def fire_stop(self):
        """Event test_stop, once per test."""
        if self.state != STATE_STOPPED:
            self.state = STATE_STOPPED
            self.environment.events.test_stop.fire(environment=self.environment)

    def register_message(self, msg_type, listener, concurrent=False):
        """listener(environment=, msg=) hears messages of this type; one after the other, unless
        concurrent."""
        self.custom_messages[msg_type] = listener, concurrent

    def take_message(self, msg_type, data, node_id):
        """Calls the listener."""
        if msg_type not in self.custom_messages:
            logger.warning("Unknown message type received: %s (from %s)", msg_type, node_id)
            return
        listener, concurrent = self.custom_messages[msg_type]
        message = {"environment": self.environment, "msg": Message(msg_type, data, node_id)}
        if concurrent:
            gevent.spawn(listener, **message)
        else:
            listener(**message)

    def send_message(self, msg_type, data=None, client_id=None):
        """Without other processes it goes to the own listener."""
        logger.debug("Running locally: sending %s message to self", msg_type)
        self.take_message(msg_type, data, "local")


class LocalRunner(Runner):
    worker_index = 0
    worker_count = 1


class ScriptRunner(LocalRunner):
    """Of a program that uses Locust as a library: that goes on when the test is over."""

    def __init__(self, environment):
        super().__init__(environment)
        self._is_over = Event()
        self.greenlet.spawn(self._is_over.wait)  # for runner.greenlet.join()

    def stop(self):
        super().stop()
        while self.state not in (STATE_INIT, STATE_STOPPED):
            gevent.sleep(0.05)

    def quit(self):
        try:
            self.stop()
        finally:
            self._is_over.set()


class DistributedRunner(Runner):
    def take_message(self, msg_type, data, node_id):
        try:
            super().take_message(msg_type, data, node_id)
        except Exception:
            logger.error("Uncaught exception in the listener of message %s\n%s", msg_type,
                         traceback.format_exc())
            log.unhandled_greenlet_exception = True

    def send_message(self, msg_type, data=None, client_id=None):
        """A worker's goes to the master, a master's to the worker client_id, or to all of them."""
        _cicada.send(msg_type, client_id or "", pack(data))


class WorkerNode:
    def __init__(self, id, state, user_count, cpu_usage, memory_usage):
        self.id, self.state, self.user_count = id, state, user_count
        self.cpu_usage, self.memory_usage = cpu_usage, memory_usage


class WorkerNodes(dict):
    """{id: WorkerNode}, as last heard of."""

    def __init__(self):
        super().__init__((row[0], WorkerNode(*row)) for row in _cicada.cluster()[3])

    def _in(self, *states):
        return [node for node in self.values() if node.state in states]

    def get_by_state(self, state):
        return self._in(state)

    @property
    def all(self):
        return list(self.values())

    @property
    def ready(self):
        return self._in(STATE_INIT)

    @property
    def spawning(self):
        return self._in(STATE_SPAWNING)

    @property
    def running(self):
        return self._in(STATE_RUNNING)

    @property
    def missing(self):
        return self._in(STATE_MISSING)


class MasterRunner(DistributedRunner):
    state_of_stopping = STATE_STOPPING

    @property
    def clients(self):
        return WorkerNodes()

    @property
    def worker_count(self):
        return _cicada.cluster()[2]

    @property
    def user_count(self):
        """Of all workers."""
        return _cicada.cluster()[0]

    @property
    def target_user_count(self):
        return _cicada.cluster()[1]

    @property
    def reported_user_classes_count(self):
        """{class: users} of all workers."""
        return _cicada.cluster()[4]


class WorkerRunner(DistributedRunner):
    worker_index = -1
    client_id = None
