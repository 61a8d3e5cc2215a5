/* SPDX-License-Identifier: MIT
 *
 * platform_remote - a master that runs already, ours or Locust's, and a target somebody
 * else looks after. Nothing is scaled: the replicas of a scenario are taken as the user
 * states them, the workers must be connected in the wanted number before a test. */
#pragma once

#include "matrix/platform.h"

/* The strings are lent until destroy. */
struct platform *platform_remote_create(const char *master_url, const char *target_url);
