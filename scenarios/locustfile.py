# SPDX-License-Identifier: MIT
"""The load test of the LSTM inference service, as inference.c: predictions, health checks and
metrics 8:1:1, with 1 to 2 s between a user's requests.

Each user is one radio cell that is measured once a second; the body of /predict is its last 30
measurements."""
import random
from collections import deque

from locust import HttpUser, between, task

ROWS = 30


class InferenceUser(HttpUser):
    wait_time = between(1, 2)

    def on_start(self):
        self.measured_s = random.randrange(86400)
        self.rows = deque(maxlen=ROWS)
        for _ in range(ROWS):
            self.measure()

    def measure(self):
        """What a cell reports: throughput in kbit/s, users, modulation, block errors, resource
        blocks and signal to noise ratio."""
        s = self.measured_s % 86400
        self.measured_s += 1
        self.rows.append({
            "timestamp": f"2024-01-15T{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}",
            "features": {
                "down": round(random.uniform(0, 2000), 2),
                "up": round(random.uniform(0, 1000), 2),
                "rnti_count": random.randint(1, 40),
                "mcs_down": random.randint(0, 28),
                "mcs_up": random.randint(0, 28),
                "bler_down": round(random.uniform(0, 0.1), 3),
                "bler_up": round(random.uniform(0, 0.1), 3),
                "prb_down": random.randint(0, 100),
                "prb_up": random.randint(0, 100),
                "sinr_down": round(random.uniform(-5, 30), 1),
                "sinr_up": round(random.uniform(-5, 30), 1),
            }})

    @task(8)
    def predict(self):
        self.measure()
        with self.client.post("/predict", json={"data": list(self.rows)},
                              catch_response=True) as response:
            if response.status_code != 200 or "predictions" not in response.json():
                response.failure("reply without predictions")

    @task(1)
    def health_check(self):
        self.client.get("/healthz")

    @task(1)
    def metrics_check(self):
        self.client.get("/metrics")
