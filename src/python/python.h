/* SPDX-License-Identifier: MIT
 *
 * python - locustfile.py on the engine: CPython, embedded, on one thread of its own.
 *
 * The control thread opens it, which imports the locustfile, and gives its guest to a load
 * (user/load.h): then the users of that load are greenlets of this thread. No function here waits
 * for Python code except python_open(), python_load() and, within limits, load_destroy() and
 * python_close(); so a locustfile that blocks holds up its own users and nobody else. One per
 * process, and once: CPython allows no more. All functions belong to the control thread.
 *
 * Without CPython at build time absent.c stands here, and python_open() says what to install. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/loop.h"
#include "user/load.h"
#include "user/scenario.h"

struct python;

enum python_role { PYTHON_LOCAL, PYTHON_MASTER, PYTHON_WORKER };

/* What of the command line a locustfile may see. Lent for python_load(), the last three until
 * python_close(). */
struct python_options {
	enum python_role role;
	const char *host;
	uint64_t users, run_time_s, stop_timeout_s;
	double spawn_rate;
	bool is_headless;
	const char *log_level; /* NULL: INFO */
	const char *const *user_classes;
	const char *const *tags;
	const char *const *exclude_tags;
	size_t user_class_count, tag_count, exclude_tag_count;
	/* As those of the load, for what a locustfile asks without verification. */
	const struct tls_options *tls;
	enum http_version http_version;
	const struct http_network *network;
};

/* What the locustfile may ask of the process, in turns of the control loop. */
struct python_wishes {
	void (*on_quit)(void *arg); /* runner.quit() */
	void (*on_stop)(void *arg); /* runner.stop() */
	void *arg;
};

/* Imports the locustfile. What is wrong with it has been written to stderr as Python does; the text
 * says it in one line with FILE:LINE. *argc and *argv, the command line, lose the options that the
 * locustfile has added to it (event init_command_line_parser) and lives until python_close() then;
 * ERR_BAD_OPTION when one of those is wrong. */
enum err python_open(const char *path, int *argc, char ***argv, struct python **out,
		     struct err_text *text) MUST_CHECK;
/* The rest of the command line is known: describes the user classes in *scenario, for
 * scenario_unload() before python_close(). */
enum err python_load(struct python *p, const struct python_options *options,
		     struct scenario *scenario, struct err_text *text) MUST_CHECK;
/* For load_options. */
const struct load_guest *python_guest(const struct python *p);
/* Before the load is created: events `init`. The wishes are lent until python_end(). */
enum err python_begin(struct python *p, struct loop *control, const struct python_wishes *wishes,
		      struct err_text *text) MUST_CHECK;
/* All users of the ramp run: event `spawning_complete`. */
void python_tell_spawned(struct python *p, uint64_t user_count);
/* For a master, whose locustfile sees no users: event `test_start`, `test_stopping` or `test_stop`.
 */
void python_tell(struct python *p, const char *event);
/* What all workers have counted, copied; for a master. */
void python_give_stats(struct python *p, const struct stats *stats);
/* Events `quitting` and `quit`: `code` is what the process is about to exit with, unless the
 * locustfile sets another one. done(arg, code) comes in a later turn, also when the locustfile does
 * not answer within LIMIT_PYTHON_QUIT_S. */
void python_quit(struct python *p, int code, void (*done)(void *arg, int code), void *arg);
/* The control loop is going: nobody hears the locustfile any more. NULL is fine. */
void python_end(struct python *p);
/* From time to time: logs where a locustfile keeps its thread for long. */
void python_watch(struct python *p);
/* The load is destroyed before. A locustfile that never gives way is interrupted; where that cannot
 * be, this ends the process with the code of python_quit(). */
void python_close(struct python **p);
