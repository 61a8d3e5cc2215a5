# SPDX-License-Identifier: MIT
from locust import HttpUser, task
from locust.exception import RescheduleTask, ResponseError


class Catching(HttpUser):
    count = 0

    def get(self, path, **kwargs):
        return self.client.get(path, catch_response=True, **kwargs)

    @task
    def all(self):
        if self.count:
            self.environment.runner.quit()
            raise RescheduleTask()
        self.count += 1
        with self.get("/status/404", name="pardoned") as r:
            r.success()
        with self.get("/", name="failed by text") as r:
            r.failure("not what it should be")
        with self.get("/", name="failed by exception") as r:
            r.failure(ValueError("odd"))
        with self.get("/status/500", name="left to the status"):
            pass
        with self.get("/", name="fine"):
            pass
        with self.get("/", name="raised") as r:
            raise ResponseError("in the block")
        with self.get("/", name="last word") as r:
            r.failure("first")
            r.success()
        with self.get("/", name="outer") as outer:
            with self.get("/", name="inner") as inner:
                inner.failure("only this")
            outer.success()
        with self.get("/", name="before", context={"a": 1}) as r:
            meta = r.request_meta
            print(meta["request_type"], meta["name"], meta["url"][-1], meta["context"],
                  meta["response_length"] == len(r.content), meta["exception"])
            meta["name"] = "renamed"
            r.failure("and failed")
        self.get("/", name="never entered")
        try:
            self.get("/", name="without with").success()
        except Exception as e:
            print(type(e).__name__, str(e)[:40])
        with self.get("/", name="escaped"):
            raise RuntimeError("not counted")
