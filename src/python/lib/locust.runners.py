# SPDX-License-Identifier: MIT
"""The runner as locustfiles see it. What it does is done by the engine: locust_host tells this
object what happens, and passes on what it is asked for."""
import logging
import traceback

import _cicada
import gevent
from gevent.pool import Group

logger = logging.getLogger(__name__)

STATE_INIT, STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP, STATE_STOPPING, STATE_STOPPED = (
    "ready", "spawning", "running", "cleanup", "stopping", "stopped")


class Message:
    def __init__(self, message_type, data, node_id):
        self.type, self.data, self.node_id = message_type, data, node_id


class Runner:
    def __init__(self, environment):
        self.environment = environment
        self.user_greenlets = Group()
        self.greenlet = Group()
        self.state = STATE_INIT
        self.target_user_count = 0
        self.exceptions = {}
        self.custom_messages = {}
        environment.events.user_error.add_listener(self._on_user_error)

    def _on_user_error(self, user_instance, exception, tb, **kwargs):
        self.log_exception("local", str(exception), "".join(traceback.format_tb(tb)))

    def log_exception(self, node_id, msg, formatted_tb):
        row = self.exceptions.setdefault(hash(formatted_tb), {
            "count": 0, "msg": msg, "traceback": formatted_tb, "nodes": set()})
        row["count"] += 1
        row["nodes"].add(node_id)
        _cicada.exception(msg, formatted_tb)

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

    def quit(self):
        """The test and the process end."""
        self._end("quit")

    def stop(self):
        """The test ends."""
        self._end("stop")

    def _end(self, what):
        # A user that asks for it is its first one to end, as under Locust: here.
        is_user = gevent.getcurrent() in self.user_greenlets
        if is_user:
            self.fire_stopping()
        _cicada.wish(what)
        if is_user:
            raise gevent.GreenletExit()

    def fire_stopping(self):
        """Event test_stopping, once per test."""
        if self.state not in (STATE_CLEANUP, STATE_STOPPED, STATE_INIT):
            self.state = STATE_CLEANUP
            self.environment.events.test_stopping.fire(environment=self.environment)

    def register_message(self, msg_type, listener):
        self.custom_messages[msg_type] = listener

    def send_message(self, msg_type, data=None, client_id=None):
        """Without other processes it goes to the own listener."""
        logger.debug("Running locally: sending %s message to self", msg_type)
        listener = self.custom_messages.get(msg_type)
        if listener:
            listener(environment=self.environment, msg=Message(msg_type, data, "local"))
        else:
            logger.warning("Unknown message type recieved: %s", msg_type)


class LocalRunner(Runner):
    pass


class DistributedRunner(Runner):
    def send_message(self, msg_type, data=None, client_id=None):
        raise NotImplementedError(
            f"message {msg_type!r}: messages between master and workers are not there yet")


class MasterRunner(DistributedRunner):
    @property
    def user_count(self):
        """Of all workers; known in a test that follows a shape."""
        return _cicada.users_running()


class WorkerRunner(DistributedRunner):
    worker_index = -1
