# SPDX-License-Identifier: MIT
"""Other programs, which a task starts, ends and waits for."""
import os
import subprocess

from locust import HttpUser, task


class Starting(HttpUser):
    @task
    def run_them(self):
        self.client.get("/before")
        sleeper = subprocess.Popen(["sleep", "30"])
        sleeper.terminate()
        print(sleeper.wait(), os.popen("echo said").read().strip(), os.system("exit 3"))
        print(subprocess.run(["sh", "-c", "echo said; exit 4"], capture_output=True))
        self.client.get("/after")
        self.environment.runner.quit()
