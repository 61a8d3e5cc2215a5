# SPDX-License-Identifier: MIT
"""Stands for the users of other protocols that Locust has and cicada has not. Where the package that
they need is missing the error is the same as there."""
import importlib

_NEEDS = {"dns": "dns", "milvus": "pymilvus", "mongodb": "pymongo", "mqtt": "paho",
          "oai": "openai", "postgres": "psycopg", "qdrant": "qdrant_client",
          "socketio": "socketio"}

importlib.import_module(_NEEDS[__name__.rpartition(".")[2]])
raise ImportError(f"{__name__} is not part of cicada; a User whose client fires events.request serves "
                  "any protocol")
