# SPDX-License-Identifier: MIT
import time


class LoadTestShape:
    """tick() says how many users there shall be: (users, spawn_rate), of which classes the new ones
    are: (users, spawn_rate, [class, ...]), or None to end the test."""
    runner = None
    use_common_options = False  # users, spawn rate and run time as they were asked for

    def __init__(self):
        self.start_time = time.perf_counter()

    def reset_time(self):
        self.start_time = time.perf_counter()

    def get_run_time(self):
        return time.perf_counter() - self.start_time

    def get_current_user_count(self):
        return self.runner.user_count

    def tick(self):
        return None
