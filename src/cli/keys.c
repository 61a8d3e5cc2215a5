/* SPDX-License-Identifier: MIT
 *
 * keys - see the header. */
#include "cli/keys.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"

#define LOGGER	   "locust.runners"
#define SPAWN_RATE 100 /* Locust's, of users that keys make */
#define KEYS	   64  /* read at once */

static void change_users(struct keys *k, int64_t change)
{
	struct run *run = k->run;
	int64_t now = (int64_t)run_user_count(run), wanted = now + change > 0 ? now + change : 0;
	struct run_start start = { .spawn_rate = SPAWN_RATE };
	struct err_text text = { "" };
	enum err err;

	run_tick(run, loop_now(k->loop));
	if (k->has_shape) {
		log_line(LOG_WARNING, LOGGER, "The load shape says how many users there are");
		return;
	}
	if (run->state == RUN_SPAWNING) {
		log_line(LOG_WARNING, LOGGER, "Already spawning users, can't spawn more right now");
		return;
	}
	start.user_count = (uint64_t)wanted;
	if (run_is_busy(run))
		start.classes = run->wanted.classes;
	err = run_start(run, &start, &text);
	if (err)
		log_line(LOG_WARNING, LOGGER, "%" PRId64 " users: %s", wanted, err_say(&text, err));
}

static void on_key(void *arg, uint32_t events)
{
	static const struct {
		char key;
		int change;
	} changes[] = { { 'w', 1 }, { 'W', 10 }, { 's', -1 }, { 'S', -10 } };
	struct keys *k = arg;
	char keys[KEYS];
	ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));

	(void)events;
	if (count <= 0) {
		loop_unwatch(k->loop, &k->watch);
		return;
	}
	for (ssize_t i = 0; i < count; i++)
		for (size_t j = 0; j < sizeof(changes) / sizeof(changes[0]); j++)
			if (keys[i] == changes[j].key)
				change_users(k, changes[j].change);
}

/* A process in the background that touched the terminal would be stopped. */
static bool is_in_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

enum err keys_open(struct keys *k, struct loop *loop, struct run *run, bool has_shape,
		   struct err_text *text)
{
	struct termios raw;
	enum err err;

	*k = (struct keys){ .loop = loop, .run = run, .has_shape = has_shape };
	k->watch.fd = -1;
	if (!isatty(STDIN_FILENO) || !is_in_foreground() ||
	    tcgetattr(STDIN_FILENO, &k->before) != 0)
		return OK;
	/* Keys come one by one and are not shown; Ctrl-C stays what it is. */
	raw = k->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	err = loop_watch(loop, &k->watch, STDIN_FILENO, EPOLLIN, on_key, k);
	if (err)
		return err_set(text, err, "cannot watch the terminal; raise `ulimit -n`");
	k->is_open = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	return OK;
}

void keys_close(struct keys *k)
{
	if (!k->loop)
		return;
	loop_unwatch(k->loop, &k->watch);
	if (k->is_open)
		tcsetattr(STDIN_FILENO, TCSANOW, &k->before);
	k->is_open = false;
}
