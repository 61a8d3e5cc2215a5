/* SPDX-License-Identifier: MIT
 *
 * python_int - what the files behind python.h share.
 *
 * Two threads: control (python.c), and the one that runs Python (all other files), which alone
 * holds CPython's lock, ever. They meet in two mailboxes and, where control has to wait, under
 * `lock`. */
#pragma once

/* Before everything else: it sets feature macros of the C library. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/list.h"
#include "loop/loop.h"
#include "loop/mailbox.h"
#include "net/tls.h"
#include "python/python.h"
#include "stat/stats.h"
#include "user/user.h"

/* What control tells, and how long the texts are that Python knows it by. */
enum tell_kind {
	TELL_RUN,
	TELL_EVENT,
	TELL_MESSAGE,
	TELL_STATS,
	TELL_CLUSTER,
	TELL_PING,
	TELL_CLOSE
};

struct tell {
	struct mail mail;
	enum tell_kind kind;
	void *(*main)(void *); /* of TELL_RUN */
	void *main_arg;
	const char *event;	       /* of TELL_EVENT and TELL_MESSAGE: the name, static */
	long long value;	       /* its argument; of TELL_PING its number */
	struct stats *stats;	       /* of TELL_STATS: given */
	struct python_cluster cluster; /* of TELL_CLUSTER: given */
	/* Of TELL_MESSAGE, given; the texts may be NULL. */
	char *from, *type, *data;
	size_t data_len, cost; /* in python.told_bytes */
};

enum wish_kind {
	WISH_QUIT,
	WISH_STOP,
	WISH_QUIT_DONE,
	WISH_RESET,
	WISH_SEND,
	WISH_BEGUN,
	WISH_START,
	WISH_SHAPE,
	WISH_PAGES,
	WISH_EXTRA,
	WISH_USUAL,
	WISH_OPTIONS,
	WISH_WEB
};

struct wish {
	struct mail mail;
	enum wish_kind kind;
	int code;	 /* of WISH_QUIT_DONE; of WISH_PAGES the port */
	char *type, *to; /* of WISH_SEND; type: of WISH_WEB the headers, of WISH_PAGES the host */
	size_t type_len;
	char *data; /* of these and those between them */
	size_t data_len, count;
	uint64_t ticket; /* of WISH_WEB; its code is the status */
	uint64_t users;	 /* of WISH_START */
	double spawn_rate;
};

struct lane;	   /* python_client.c */
struct python_way; /* python_way.c */

/* A greenlet that waits for something of a loop. On the heap: its stack is moved away meanwhile. */
struct python_wait {
	struct list node; /* in python.ready, or alone */
	PyObject *greenlet;
	bool is_over;
};

struct python {
	const char *path;
	bool as_main;
	int argc; /* of the command line, while it is imported */
	char **argv;
	char **own_argv;		  /* what the locustfile has left of it; NULL: all */
	const struct opt_texts *settings; /* of files of options, while it is imported */
	char **own_settings;		  /* the keys of those that are its own */
	char **files;
	struct python_field *fields;
	size_t field_count;
	struct load_guest guest;
	pthread_t thread;

	pthread_mutex_t lock; /* guards these */
	pthread_cond_t changed;
	bool is_imported, is_loaded, is_closing, is_main_running, is_ended;
	const struct python_options *options; /* NULL: not known yet */
	bool is_heard;			      /* replies is open */
	bool is_final;			      /* no nudges any more */
	bool nudge_ends;
	struct cic_tick shape_tick; /* what the locustfile's shape wanted last */
	char *shape_classes;	    /* of it; NULL: all */
	bool shape_is_over;
	struct cic_now shape_now; /* as the shape was told last */
	uint64_t users_foreseen;
	int exit_code; /* of ERR_INTERRUPTED */
	enum err load_error;
	struct err_text load_text;

	/* Control's. */
	struct cic_shape *shapes; /* the scenario's, if the locustfile has any */
	size_t shape_count;
	size_t shape_chosen;  /* of them, for the next test */
	char *tick_classes;   /* of the tick that was given last */
	struct loop *control; /* NULL: not begun */
	const struct python_wishes *wishes;
	struct mailbox replies;
	struct loop_timer quit_timer;
	void (*quit_done)(void *arg, int code); /* NULL: not quitting */
	void *quit_arg;
	int quit_code;
	uint64_t pinged_us;
	long long ping_number;
	bool has_warned;
	atomic_llong pong_number;

	atomic_bool is_nudging;
	atomic_size_t told_bytes;  /* of messages that wait for the locustfile */
	atomic_size_t given_count; /* of statistics that do */
	atomic_bool wants_reports, wants_heartbeats;
	bool has_dropped; /* control's: the last message */

	/* Of the thread that runs Python. */
	bool is_forked; /* this is a child that the locustfile has made; python_fork.c */
	PyThreadState *state;
	unsigned long state_thread; /* its name in Python */
	PyObject *greenlet_exit;    /* gevent's */
	struct scenario *scenario;  /* lent until it is loaded */
	struct python_class **classes;
	size_t class_count;
	struct loop loop; /* sleeps, and what control tells */
	struct mailbox told;
	struct list tells;	 /* of struct tell: taken out of the mailbox, not acted upon */
	struct list users;	 /* of struct python_user: that are to begin, stop or be cut */
	struct list ready;	 /* of struct python_wait: over, their greenlets still to run */
	struct list clients;	 /* of struct python_client */
	struct list held;	 /* of requests: to be sent (http/client.h) */
	bool is_running_ready;	 /* it is not empty for long */
	struct lane *idle_lanes; /* python_client.c's */
	struct buf json;	 /* python_json.c's; empty between calls */
	void *(*main)(void *);	 /* to be run by python_guest_run() */
	void *main_arg;
	struct python_wait load_wait; /* for the end of the load */
	struct user_place *place;     /* NULL: no load */
	struct load_thread *load_thread;
	struct python_way *ways[LIMIT_PYTHON_WAYS]; /* python_way.c's; number 1 is the first */
	unsigned way_count;
	struct python_memo *memo; /* python_memo.c's; NULL: nothing to remember yet */
	uint64_t turn;		  /* how many there have been */
	struct loop_watch timer_watch;
	int timer_fd;	     /* fires when the next timer of the loops is due */
	uint64_t armed_us;   /* when that is */
	struct stats *given; /* of a master: what it has counted, as last told; NULL: nothing */
	struct python_cluster cluster; /* likewise */
	struct stats counted;	       /* since the test began, but for what place->tally holds */
	PyObject *hub, *switch_to, *current; /* gevent's hub, greenlet.switch and getcurrent */
	PyObject *host;			     /* module locust_host */
};

/* The module that is run first, of lib/. */
extern const char embed_locust_importer_py[];

/* A user class: the engine's, and what it stands for. */
struct python_class {
	struct cic_user_class class;
	struct python *python;
	size_t index; /* in locust_host's list */
	struct cic_task tasks[];
};

/* Lies behind a struct cic_user of such a class. */
struct python_user {
	struct list node;  /* in python.users */
	PyObject *capsule; /* what Python knows the user by; NULL: it has not begun */
	bool begins, stops, is_cut;
};

/* CPython lets there be one. */
struct python *python_self(void);

/* python_thread.c: what the thread runs. */
void *python_thread_main(void *arg);

/* python_fork.c: processes that the locustfile forks have no load, and no control thread. Once. */
void python_fork_init(void);
/* In such a process: of a wait that would never end. Always NULL, with an exception. */
PyObject *python_fork_refuse(struct python *p);

/* python_nudge.c: for control, when the other thread gives no sign of life. Logs where its Python
 * code is, or ends the greenlet that runs (`ends`). */
void python_nudge(struct python *p, bool ends);
/* There are no nudges any more; before the interpreter ends. */
void python_nudge_fini(struct python *p);

/* python_turn.c: greenlets that wait, and the turns that wake them. */
enum err python_turn_init(struct python *p, struct err_text *text) MUST_CHECK;
void python_turn_fini(struct python *p);
void python_wait_init(struct python_wait *w);
/* Gives way until python_wait_end() was called. False: an exception came instead; w may be freed.
 */
bool python_wait_for(struct python *p, struct python_wait *w) MUST_CHECK;
/* Within a turn of a loop: the greenlet runs after it. */
void python_wait_end(struct python *p, struct python_wait *w);
/* After a timer of the loop was set outside of a turn. */
void python_turn_arm(struct python *p);
/* There will be a turn, even if nothing else comes. */
void python_turn_soon(struct python *p);
/* _cicada.turn(): both loops, then who is ready. */
PyObject *python_turn(PyObject *module, PyObject *unused);

/* python_guest.c: what a load asks of us (user/load.h), but for run and join. */
void python_guest_init_ops(struct load_guest *guest);
/* Acts on what was told since the last turn. */
void python_guest_act(struct python *p);
/* What control says goes to python.tells. */
void python_guest_told(void *arg, struct mail *mail);
void python_guest_leave(PyObject *capsule);
/* With what it holds. */
void python_guest_forget(struct python *p, struct tell *tell);
/* What was given and is still there. */
void python_guest_fini(struct python *p);
/* In a greenlet of its own: the load's main function, from its begin to its end. */
void python_guest_run(struct python *p);

/* python_client.c */
bool python_client_register(PyObject *module) MUST_CHECK;
/* No connection of a client is used any more, for its place is going. */
void python_client_detach_all(struct python *p);
void python_client_fini(struct python *p);

/* python_way.c: _cicada.way(is_insecure, ca, cert, key, proxy for http, for https, is_any_host) ->
 * its number for requests. Number 0 is the load's own. */
#define PYTHON_WAY_INSECURE 1
PyObject *python_way(PyObject *module, PyObject *args);
/* Once the options are known. */
void python_way_init(struct python *p);
/* While there is a load. */
struct http_client *python_way_client(struct python *p, unsigned number);
/* Their connections since the last time. */
void python_way_count(struct python *p, struct health *health);
/* Their clients go with the load; no connection may be open. */
void python_way_detach_all(struct python *p);
void python_way_fini(struct python *p);

/* python_json.c: _cicada.json_text(value, allow_nan) -> what json.dumps(value, allow_nan=allow_nan)
 * returns; None: only json.dumps can say. */
PyObject *python_json_text(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* python_memo.c: texts of dicts. */
struct python_memo_slot {
	uint64_t state; /* of a dict */
	char *text;	/* NULL: it is to come */
	size_t len;
};

/* NULL: the dict was not seen yet as it is now, or is not worth it. */
struct python_memo_slot *python_memo_find(struct python *p, PyObject *dict);
/* Its text, of values that cannot change; slot: found since, and no other dict was looked for. */
void python_memo_keep(struct python *p, struct python_memo_slot *slot, struct str text);
void python_memo_fini(struct python *p);

/* python_sleeper.c */
bool python_sleeper_register(PyObject *module) MUST_CHECK;

/* python_module.c: the module _cicada, which locust's modules are written against. */
PyObject *python_module_init(void);

/* python.c: asks the locustfile's shape that was chosen last. */
bool python_ask_shape(const struct cic_now *now, struct cic_tick *tick);
void python_choose_shape(size_t index);

/* python_classes.c: *p->scenario from what locust_host.load() found in the file. */
enum err python_classes_describe(struct python *p, PyObject *described,
				 struct err_text *text) MUST_CHECK;
void python_classes_free(struct python *p);
