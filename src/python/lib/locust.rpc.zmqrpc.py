# SPDX-License-Identifier: MIT
"""The way to other processes is the engine's (src/cluster/link.c)."""
from locust_absent import absent

BaseSocket, Client, Server = absent(__name__, "BaseSocket", "Client", "Server")
