/* SPDX-License-Identifier: MIT
 *
 * keys - Locust's keys on a terminal: w and W make 1 and 10 users more, s and S as many less.
 *
 * Only when standard input is a terminal and this process is in its foreground. */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"
#include "loop/loop.h"
#include "run/run.h"

struct keys {
	struct loop *loop;
	struct run *run;
	bool has_shape; /* which alone says how many users there are */
	bool is_open;
	struct termios before;
	struct loop_watch watch;
};

/* Does nothing without such a terminal. run is lent. */
enum err keys_open(struct keys *k, struct loop *loop, struct run *run, bool has_shape,
		   struct err_text *text) MUST_CHECK;
/* Gives the terminal back as it was; also a struct of zeros. */
void keys_close(struct keys *k);
