# SPDX-License-Identifier: MIT
"""Keys that are pressed on the terminal are the engine's."""
from locust_absent import absent

input_listener, get_poller = absent(__name__, "input_listener", "get_poller")
