# SPDX-License-Identifier: MIT
"""Keys on a terminal: users more and less."""

import os
import pty
import termios

from programs import wait_until
from web_client import WEB_READY
from test_cluster import get_json

SCENARIO = """
#include <cicada.h>

static void rest(struct cic_user *u) { (void)u; }

CIC_USER(Alpha, .wait = CIC_CONSTANT(60), .tasks = CIC_TASKS(CIC_TASK(rest, 1)));
CIC_USER(Beta, .wait = CIC_CONSTANT(60), .tasks = CIC_TASKS(CIC_TASK(rest, 1)));
"""


def test_keys_change_the_number_of_users_and_nothing_else(programs, tmp_path):
    (tmp_path / "two.c").write_text(SCENARIO)
    keyboard, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    cicada = programs.start("cicada", "-f", tmp_path / "two.c", "--web-host", "127.0.0.1", "-P",
                            "0", stdin=terminal, ready=WEB_READY)
    url = cicada.ready.group(1)
    get_json(url + "/swarm", {"user_count": 2, "spawn_rate": 100, "user_classes": "Beta"})

    def wait_for(users):
        def is_there():
            now = get_json(url + "/stats/window")
            return now["state"] == "running" and now["user_count"] == users
        wait_until(is_there, 60, f"{users} users")

    wait_for(2)
    for key, users in (("w", 3), ("W", 13), ("x", 13), ("S", 3), ("s", 2)):
        os.write(keyboard, key.encode())
        wait_for(users)
    # Those of the classes that take part, still.
    assert get_json(url + "/tasks")["per_class"]["Beta"]["ratio"] == 1.0
    assert cicada.stop() == 0
    assert termios.tcgetattr(terminal) == before
