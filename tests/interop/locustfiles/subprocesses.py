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
        # What they are told by signals they hear.
        print(os.system("kill $$"), os.system(b"exit 5"))
        ended = os.posix_spawn("/bin/sh", ["sh", "-c", "kill $$"], os.environ)
        print(os.waitpid(ended, 0)[1])
        self.client.get("/after")
        self.environment.runner.quit()
