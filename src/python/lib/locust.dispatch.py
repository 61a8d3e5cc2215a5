# SPDX-License-Identifier: MIT
"""How users are spread is the engine's (src/user/dispatch.c)."""
from locust_absent import absent

UsersDispatcher, = absent(__name__, "UsersDispatcher")
