# SPDX-License-Identifier: MIT
import gevent

from locust import HttpUser, task


class Closer(HttpUser):
    @task
    def all(self):
        asked = gevent.spawn(self.client.get, "/slow")
        gevent.sleep(0.3)
        self.client.close()
        asked.join(30)
        print(asked.value.status_code if asked.value is not None else "no answer")
        print(self.client.get("/").status_code)
        self.environment.runner.quit()
