# SPDX-License-Identifier: MIT
"""run_single_user(): one user in the foreground, each of its requests as a line, for cicada --as-main."""
import datetime

import locust
from locust.exception import CatchResponseError


class PrintListener:
    def __init__(self, env, include_length=False, include_time=False, include_context=False,
                 include_payload=False):
        self.length, self.time = include_length, include_time
        self.context, self.payload = include_context, include_payload
        env.events.request.add_listener(self.on_request)
        self._print("time".ljust(24), "type", "name".ljust(50), "resp_ms", "length", "exception",
                    "context", "payload")

    def _print(self, when, kind, name, response_time, length, error, context, payload):
        print(*([when] if self.time else []), kind, name, response_time,
              *([length] if self.length else []), error, *([context] if self.context else []),
              *([payload] if self.payload else []), sep="\t")

    def on_request(self, request_type, name, response_time, response_length, exception, context,
                   start_time=None, response=None, **kwargs):
        caught = isinstance(exception, CatchResponseError)
        error = str(exception) if caught else repr(exception) if exception else ""
        when = datetime.datetime.fromtimestamp(start_time, datetime.timezone.utc) if start_time \
            else datetime.datetime.now()
        self._print(when, request_type, str(name).ljust(50),
                    str(round(-1 if response_time is None else response_time)).ljust(7),
                    response_length, error[:500].replace("\n", " ").ljust(9), context or "",
                    getattr(getattr(response, "request", None), "body", None))


_env = None


def run_single_user(user_class, include_length=False, include_time=False, include_context=False,
                    include_payload=False, loglevel=None):
    global _env
    if loglevel:
        locust.log.setup_logging(loglevel)
    if _env is None:
        env = locust.Environment(events=locust.events, user_classes=[user_class])
        env.create_local_runner()
        _env = env
        PrintListener(env, include_length, include_time, include_context, include_payload)
        env.events.init.fire(environment=env, runner=None, web_ui=None)
    _env.user_classes = [user_class]
    _env.events.test_start.fire(environment=_env)
    _env.single_user_instance = user = user_class(_env)
    user.run()
