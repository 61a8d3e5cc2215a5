# SPDX-License-Identifier: MIT
"""The web interface is in C; what locustfiles may add to it is in WebUI."""


class WebUI:
    pass
