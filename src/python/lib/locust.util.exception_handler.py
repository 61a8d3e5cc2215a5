# SPDX-License-Identifier: MIT
import functools
import logging
import time

logger = logging.getLogger(__name__)


def retry(delays=(1, 3, 5), exception=Exception):
    """Calls again after each of the delays, while the exception comes."""
    def decorate(function):
        @functools.wraps(function)
        def tried(*args, **kwargs):
            for number, delay in enumerate(delays, 1):
                try:
                    return function(*args, **kwargs)
                except exception as e:
                    logger.info("Exception found on retry %d: -- retry after %ds", number, delay)
                    logger.exception(e)
                time.sleep(delay)
            return function(*args, **kwargs)
        return tried
    return decorate
