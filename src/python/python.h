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
#include "base/opt.h"
#include "loop/loop.h"
#include "user/load.h"
#include "user/scenario.h"

struct python;

enum python_role { PYTHON_LOCAL, PYTHON_MASTER, PYTHON_WORKER };

/* What of the command line a locustfile may see. Lent for python_load(), the last three until
 * python_close(). */
struct python_options {
	enum python_role role;
	const char *web_base_path; /* NULL: "" */
	const char *profile;
	const char *host;
	uint64_t users, run_time_s, stop_timeout_s;
	double spawn_rate;
	bool is_headless, has_web, has_guest_login;
	const char *log_level; /* NULL: INFO */
	/* Ratios: python_load() prints them. */
	bool want_task_ratio, want_task_ratio_json, want_equal_weights;
	bool want_reset_stats, want_autostart, want_class_picker, want_print_stats,
		want_only_summary, want_full_history, want_skip_log_setup;
	const char *log_file, *csv_prefix, *html_file, *web_host, *master_host, *master_bind_host;
	const char *web_tls_cert, *web_tls_key;
	uint64_t web_port, master_port, master_bind_port, expect_workers, expect_workers_max_wait_s;
	uint64_t exit_code_on_error, autoquit_s; /* UINT64_MAX: never */
	const char *const *user_classes;
	const char *const *tags;
	const char *const *exclude_tags;
	size_t user_class_count, tag_count, exclude_tag_count;
	/* As those of the load, for what a locustfile asks without verification. */
	const struct tls_options *tls;
	enum http_version http_version;
	const struct http_network *network;
};

/* What the locustfile may ask of the process, in turns of the control loop. Slices are lent. */
struct python_wishes {
	void (*on_quit)(void *arg);  /* runner.quit() */
	void (*on_stop)(void *arg);  /* runner.stop() */
	void (*on_reset)(void *arg); /* stats.reset_all() */
	/* runner.start(), of a new test and of one that runs */
	void (*on_start)(void *arg, uint64_t users, double spawn_rate);
	/* create_web_ui(); host "": all. Only of a locustfile that is run as __main__. */
	void (*on_pages)(void *arg, const char *host, uint16_t port);
	void (*on_shape)(void *arg); /* the shape wants something new; not of a worker */
	/* Only in a cluster. A custom message, msgpack; to: the worker's id, empty: to all, or to
	 * the master. */
	void (*on_send)(void *arg, struct str type, struct str to, struct str data);
	/* A worker: keys and values, msgpack, for the next report. */
	void (*on_extra)(void *arg, struct str pairs, size_t count);
	/* And for all reports that have nothing else, once it has joined. */
	void (*on_usual)(void *arg, struct str pairs, size_t count);
	/* A master: the same of the options that the locustfile has added, for the workers; and
	 * what listens to `test_start` is done. */
	void (*on_options)(void *arg, struct str pairs, size_t count);
	void (*on_begun)(void *arg);
	/* The answer to python_tell_web(): names and values of headers, each with a NUL behind.
	 * Status 0: it has no such path. */
	void (*on_web)(void *arg, uint64_t ticket, unsigned status, struct str headers,
		       struct str body);
	void *arg;
};

/* A worker as a master's locustfile sees it. */
struct python_worker {
	char *id;
	const char *state; /* static */
	uint64_t user_count, memory_usage;
	double cpu_usage;
};

struct python_class_count {
	char *name;
	uint64_t user_count;
};

/* An option that the locustfile has added, for the form of the web interface. */
struct python_field {
	char *name, *help, *value;
	bool is_secret;
	char **choices; /* NULL behind the last; NULL: any text */
};

/* What a master knows of its test. */
struct python_cluster {
	uint64_t user_count, target_user_count;
	size_t worker_count;	       /* that take part */
	size_t count;		       /* of workers */
	struct python_worker *workers; /* on the heap, with their ids */
	size_t class_count;
	struct python_class_count *classes; /* on the heap, with their names */
};

/* Imports the locustfile. What is wrong with it has been written to stderr as Python does; the text
 * says it in one line with FILE:LINE. *argc and *argv, the command line, lose the options that the
 * locustfile has added to it (event init_command_line_parser) and lives until python_close() then;
 * ERR_BAD_OPTION when one of those is wrong; ERR_INTERRUPTED when the file has called sys.exit(),
 * with the program's *exit_code. as_main: it is run as Python does, and goes on beside the test,
 * for which it has made an environment. settings: key, value, key, value of files of options, which
 * the program does not know. */
enum err python_open(const char *path, bool as_main, int *argc, char ***argv,
		     const struct opt_texts *settings, struct python **out, int *exit_code,
		     struct err_text *text) MUST_CHECK;
/* The rest of the command line is known: describes the user classes in *scenario, for
 * scenario_unload() before python_close(). */
enum err python_load(struct python *p, const struct python_options *options,
		     struct scenario *scenario, struct err_text *text) MUST_CHECK;
/* The files that it was imported from, a URL where it was one; NULL behind the last. */
const char *const *python_files(const struct python *p);
/* Keys of those settings that are the locustfile's; NULL behind the last. */
const char *const *python_settings(const struct python *p);
/* Once it is loaded: *count of its options, for the web. */
const struct python_field *python_fields(const struct python *p, size_t *count);
/* What a form says of them: names and values, each with a NUL behind. */
void python_tell_form(struct python *p, struct str pairs);
/* For load_options. */
const struct load_guest *python_guest(const struct python *p);
/* Before the load is created: event `init`, in a worker once it has joined. The wishes are lent
 * until python_end(). */
enum err python_begin(struct python *p, struct loop *control, const struct python_wishes *wishes,
		      struct err_text *text) MUST_CHECK;
/* A worker: its master has taken it; id as it knows it, index -1: unknown. */
void python_tell_joined(struct python *p, const char *id, int64_t index);
/* A message of a cluster, as msgpack: `spawn` (worker), a report (master; from its worker), a
 * custom one. Dropped, and logged, when LIMIT_PYTHON_TOLD_BYTES wait for the locustfile. */
void python_tell_spawn(struct python *p, struct str data);
void python_tell_report(struct python *p, struct str from, struct str data);
void python_tell_custom(struct python *p, struct str from, struct str type, struct str data);
/* A heartbeat of the master's: sent (master) or come (worker), just now. */
void python_tell_heartbeat(struct python *p, struct str worker);
/* A request to the web interface for a path that the locustfile may have added. data: for each
 * parameter 'q', for each header 'h', then name NUL value NUL; then 'b' and the body. False: it is
 * dropped as a message is. */
bool python_tell_web(struct python *p, uint64_t ticket, const char *method, const char *path,
		     struct str data);
/* *given and what it points at become Python's. */
void python_give_cluster(struct python *p, const struct python_cluster *given);
/* All users of the ramp run, for a master: event `spawning_complete`. */
void python_tell_spawned(struct python *p, uint64_t user_count);
/* Event `reset_stats`; and for a master, whose locustfile sees no users, `test_start`,
 * `test_stopping` or `test_stop`. */
void python_tell(struct python *p, const char *event);
/* What all workers have counted, copied; for a master. */
void python_give_stats(struct python *p, const struct stats *stats);
/* All of them that were given: more would pile up. */
bool python_has_taken(const struct python *p);
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
