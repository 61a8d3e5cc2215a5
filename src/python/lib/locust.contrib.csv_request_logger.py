# SPDX-License-Identifier: MIT
"""CsvRequestLogger(PATH).register(environment), in a listener of init: a line for each request."""
import csv
import time

CSV_COLUMNS = ("timestamp", "request_type", "name", "response_time_ms", "response_length",
               "status_code", "exception")


class CsvRequestLogger:
    def __init__(self, filepath, *, flush_interval=1):
        self.filepath = filepath
        self.flush_interval = max(1, flush_interval)
        self._file = self._writer = None
        self._unflushed = 0

    def register(self, environment):
        self.close()
        self._file = open(self.filepath, "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(CSV_COLUMNS)
        self._file.flush()
        environment.events.request.add_listener(self._on_request)
        environment.events.quitting.add_listener(lambda **_: self.close())

    def close(self):
        if self._file:
            self._file.close()
        self._file = self._writer = None

    def _on_request(self, request_type, name, response_time, response_length, response=None,
                    exception=None, start_time=None, **kwargs):
        if not self._writer:
            return
        self._writer.writerow([
            round(start_time or time.time(), 6), request_type, name, round(response_time or 0, 2),
            response_length, getattr(response, "status_code", None) or 0,
            "" if exception is None else str(exception)])
        self._unflushed += 1
        if self._unflushed >= self.flush_interval:
            self._file.flush()
            self._unflushed = 0
