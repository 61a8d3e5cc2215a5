# SPDX-License-Identifier: MIT
"""The program is in C."""
from locust_absent import absent
from locust.util.load_locustfile import (is_shape_class, is_user_class,  # noqa: F401
                                         load_locustfile)

main, create_environment = absent(__name__, "main", "create_environment")
