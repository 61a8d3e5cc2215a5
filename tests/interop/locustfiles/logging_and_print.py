# SPDX-License-Identifier: MIT
import logging
import sys

from locust import HttpUser, events, task
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

logging.getLogger("mine").setLevel("DEBUG")
logging.info("before logging is set up: not there")
logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))


class Logs(HttpUser):
    @task
    def all(self):
        self.client.get("/")
        logging.info("by the root")
        logging.getLogger("mine").warning("with %s", "arguments")
        logging.getLogger("mine").debug("its own level lets it through")
        logging.debug("not there")
        logging.error("long %s", 10000 * "x")
        print("to stdout")
        print("to stderr", file=sys.stderr)
        print(__name__, __file__.rsplit("/", 1)[-1])
        runner = self.environment.runner
        print(isinstance(runner, LocalRunner), isinstance(runner, (MasterRunner, WorkerRunner)))
        runner.quit()


@events.init.add_listener
def show(environment, **kwargs):
    logging.info("nothing on stdout")
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    logging.warning("this on stdout")
    logging.getLogger("locust.user.task").warning("not this")
    print(environment.host == environment.parsed_options.host, environment.stop_timeout or None,
          environment.parsed_options.headless, environment.reset_stats)
