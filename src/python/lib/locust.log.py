# SPDX-License-Identifier: MIT
"""Python's logging goes into cicada's log."""
import logging
import socket

import _cicada

HOSTNAME = socket.gethostname()

# An exception outside of all tasks makes the exit code 2.
unhandled_greenlet_exception = False


class Handler(logging.Handler):
    def emit(self, record):
        try:
            level = min(max(record.levelno // 10 - 1, 0), 4)
            text = self.format(record)
            try:
                _cicada.log(level, record.name, text)
            except ValueError:  # what is no text to C
                text = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
                _cicada.log(level, record.name, text)
        except Exception:
            self.handleError(record)


def setup_logging(level, logfile=None):
    """Handlers that the file, or the first logging.info() of it, has given the root go, as under Locust:
    a line comes once."""
    logging.getLogger("locust").propagate = False
    for logger in logging.getLogger(), logging.getLogger("locust"):
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
        logger.setLevel((level or "INFO").upper())
        logger.addHandler(logging.FileHandler(logfile) if logfile else Handler())


def greenlet_exception_logger(logger, level=logging.CRITICAL):
    """For greenlet.link_exception()."""
    def log(greenlet):
        global unhandled_greenlet_exception
        logger.log(level, "Unhandled exception in greenlet: %s", greenlet, exc_info=greenlet.exc_info)
        unhandled_greenlet_exception = True
    return log
