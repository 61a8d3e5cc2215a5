# SPDX-License-Identifier: MIT
"""The mix of bench/mix.c for Locust, and its GetOnly."""

from locust import FastHttpUser, HttpUser

BODY = '"' + "x" * 6998 + '"'
JSON = {"Content-Type": "application/json"}


def predict(user):
    user.client.post("/predict", data=BODY, headers=JSON)


def health_check(user):
    user.client.get("/healthz")


def metrics_check(user):
    user.client.get("/metrics")


MIX = {predict: 8, health_check: 1, metrics_check: 1}


class Fast(FastHttpUser):
    tasks = MIX


class Plain(HttpUser):
    tasks = MIX


class FastGet(FastHttpUser):
    tasks = [health_check]


class PlainGet(HttpUser):
    tasks = [health_check]
