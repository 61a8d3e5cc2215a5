/* SPDX-License-Identifier: MIT
 *
 * calibrate - what this machine can generate, measured against a sink in this process: requests
 * per second of one load thread, lag, speed of spawning, memory of a waiting user. */
#pragma once

#include "base/err.h"

/* Takes some seconds and prints a table. Signals keep their default, so Ctrl-C ends it. */
enum err calibrate_run(struct err_text *text) MUST_CHECK;
