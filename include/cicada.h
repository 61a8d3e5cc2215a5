/* SPDX-License-Identifier: MIT
 *
 * cicada.h - the API for native scenarios.
 *
 * A scenario is C source given to `cicada -f scenario.c` (compiled on the fly) or a shared
 * object built from it. It says which kinds of users there are and what each of them does.
 * A task is a plain function that may block: only cic_* calls give way to other users, so
 * no lock is needed between tasks of one load thread. Users of one class may run on several
 * load threads at once: keep what changes in the user (cic_data) and not in globals.
 *
 *	static void index_page(struct cic_user *u) { cic_get(u, "/"); }
 *
 *	CIC_USER(Visitor,
 *		.wait = CIC_BETWEEN(1, 2),
 *		.tasks = CIC_TASKS({ index_page, 1 }));
 *
 * Functions that take a user may be called only from that user's on_start, task or on_stop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* Version of the structures below; a scenario compiled for another one is refused. */
#define CIC_ABI 5u

struct cic_user;

/* Where the scenario defines something, so that messages can say it. */
struct cic_place {
	const char *file;
	int line;
};

#define CIC_HERE \
	{ \
		__FILE__, __LINE__ \
	}

/* --- Requests ------------------------------------------------------------------------- */

/* What came back. Belongs to the user and is valid until its next request, which may still be
 * made of it, or the end of the task. A response with status 400 or above, or none at all, is a
 * failure unless a check says otherwise. */
struct cic_response {
	int status;	   /* HTTP status, 0 when there was no response */
	const char *error; /* NULL: success; else why it counts as failed */
	const char *body;  /* decoded body, followed by a NUL byte */
	size_t body_len;
	uint64_t time_us; /* from the call to the last byte */
};

/* Everything that is not the method and the path; all fields are optional. */
struct cic_request {
	uint32_t abi;
	const char *name;    /* row in the statistics; default: the path */
	const char *headers; /* "Name: value" lines separated by \n */
	const char *json;    /* body; sets Content-Type: application/json */
	const char *body;    /* body of another type, instead of json */
	size_t body_len;     /* of json or body; 0: up to its NUL */
	double timeout_s;    /* for the whole request; default 60. A redirect has it anew. */
	bool no_redirects;   /* an answer that leads elsewhere is the answer */
};

/* Sends one request over the user's own keep-alive connection and waits for the response.
 * path: appended to the host, or an absolute http(s):// URL; no blanks (write %20). Redirects are
 * followed (not of HEAD) and cookies kept as Python's requests does; all of it is one row, the
 * response is the last one, its time_us that of the whole. Never returns NULL; request may be
 * NULL. What cannot be sent (a bad URL or header) is a failed request. */
struct cic_response *cic_request(struct cic_user *u, const char *method, const char *path,
				 const struct cic_request *request);

#define CIC_REQUEST(u, method, path, ...) \
	cic_request((u), (method), (path), &(struct cic_request){ .abi = CIC_ABI, ##__VA_ARGS__ })
#define cic_get(u, path, ...)	  CIC_REQUEST(u, "GET", path, ##__VA_ARGS__)
#define cic_post(u, path, ...)	  CIC_REQUEST(u, "POST", path, ##__VA_ARGS__)
#define cic_put(u, path, ...)	  CIC_REQUEST(u, "PUT", path, ##__VA_ARGS__)
#define cic_patch(u, path, ...)	  CIC_REQUEST(u, "PATCH", path, ##__VA_ARGS__)
#define cic_delete(u, path, ...)  CIC_REQUEST(u, "DELETE", path, ##__VA_ARGS__)
#define cic_head(u, path, ...)	  CIC_REQUEST(u, "HEAD", path, ##__VA_ARGS__)
#define cic_options(u, path, ...) CIC_REQUEST(u, "OPTIONS", path, ##__VA_ARGS__)

/* Says whether the response is what it should be: !ok marks the request as failed with the
 * text (copied), also when the status was fine. The first failed check stands, whatever is said
 * later; why there was no response at all is never hidden by a check. */
void cic_check(struct cic_response *r, bool ok, const char *failure_text);
/* The request counts as a success whatever its status, unless a check failed. */
void cic_success(struct cic_response *r);
/* True when the body is a JSON object (at most 64 deep) with this key at its top level. */
bool cic_json_has(const struct cic_response *r, const char *key);
/* Values of a JSON body by path: "$.items[0].price", "user.id", "[2]", "['odd key'].x". The body is
 * checked as a whole (at most 64 deep); of a key that stands twice the last one counts. A path that
 * is none fails the request with a text that says where.
 *
 * As text: a string decoded, anything else as it stands; NULL for null, for what is not there, and
 * when the body is no JSON. Valid until the user's next request or the end of the task; all texts
 * of one response have 64 kB, one that is beyond fails the request. */
const char *cic_json_text(struct cic_response *r, const char *path);
/* False, and *out as it was, when there is no such number, or it is not finite. */
bool cic_json_number(struct cic_response *r, const char *path, double *out);
/* The same for digits without point and exponent that fit. */
bool cic_json_int(struct cic_response *r, const char *path, int64_t *out);
/* Value of a response header, NULL when absent. Valid until the next cic_header() of this
 * response; cut at 8 kB. */
const char *cic_header(struct cic_response *r, const char *name);

/* --- Operations that are not requests --------------------------------------------------- */

/* Something that takes time, with a row of its own in the statistics: of that type (where a request
 * has its method) and name. There may be requests and other operations inside. */
struct cic_op {
	const char *type, *name;
	uint64_t begun_us;
};

/* type and name must be valid until cic_end(). An operation that is never ended is not counted. */
struct cic_op cic_begin(struct cic_user *u, const char *type, const char *name);
/* Counts it with the time since cic_begin(). error: NULL for success; bytes: the length shown. */
void cic_end(struct cic_user *u, const struct cic_op *op, const char *error, uint64_t bytes);
/* The same for a time that you have measured. */
void cic_record(struct cic_user *u, const char *type, const char *name, uint64_t time_us,
		uint64_t bytes, const char *error);

/* --- Rows of a file ----------------------------------------------------------------------- */

/* Which row cic_row() gives. All users of a process share a feed, on all its threads. */
enum {
	CIC_FEED_CYCLE,	 /* in the order of the file, then again from its beginning */
	CIC_FEED_RANDOM, /* any, by the user's random numbers */
	/* Each row once in a test. When all are used the task ends there, and the user as by
	 * cic_stop_user(); the first time a line in the log says so. */
	CIC_FEED_ONCE
};

struct cic_feed_state;
struct cic_row;

struct cic_feed {
	uint32_t abi;
	const char *name;
	struct cic_place place;
	const char *file;    /* .csv, .jsonl or .ndjson; beside the scenario unless absolute */
	int mode;	     /* CIC_FEED_... */
	const char *columns; /* names that must be there, separated by blanks */
	struct cic_feed_state *state; /* cicada's */
};

/* Defines a feed: CIC_FEED(accounts, "accounts.csv", .mode = CIC_FEED_ONCE); the file is read and
 * checked before the test. */
#define CIC_FEED(feed_name, file_path, ...) \
	__attribute__((visibility( \
		"default"))) struct cic_feed cic_feed_##feed_name = { .abi = CIC_ABI, \
								      .name = #feed_name, \
								      .place = CIC_HERE, \
								      .file = (file_path), \
								      ##__VA_ARGS__ }

/* The next row for this user: cic_row(u, accounts). Never NULL; rows stay valid. */
#define cic_row(u, feed_name) cic_feed_row((u), &cic_feed_##feed_name)
const struct cic_row *cic_feed_row(struct cic_user *u, struct cic_feed *feed);
/* Text of a column; NULL when there is no such column, or a JSON row lacks it. */
const char *cic_field(const struct cic_row *row, const char *column);

/* --- The user ------------------------------------------------------------------------- */

/* The user's own memory of the class's data_bytes, zeroed when the user is made. */
void *cic_data(struct cic_user *u);
/* Number of the user in this process, from 0, never given twice in a test. */
uint64_t cic_user_number(const struct cic_user *u);
/* The user's own random numbers, from --seed: uniform in [0, 1) and in [low, high], both included;
 * their order does not matter. */
double cic_random(struct cic_user *u);
int64_t cic_random_int(struct cic_user *u, int64_t low, int64_t high);
/* Waits without a request. */
void cic_sleep(struct cic_user *u, double seconds);
/* Ends this user after the running task; another one comes only with the next change of the
 * number of users. */
void cic_stop_user(struct cic_user *u);
/* A line in the log, at level INFO; cut at 1 kB. */
void cic_log(struct cic_user *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- What a scenario consists of -------------------------------------------------------- */

/* Time between two tasks of a user. */
struct cic_wait {
	int kind;
	double a, b;
};

enum { CIC_WAIT_CONSTANT, CIC_WAIT_BETWEEN, CIC_WAIT_PACING };

#define CIC_CONSTANT(seconds) \
	{ \
		CIC_WAIT_CONSTANT, (seconds), 0 \
	}
#define CIC_BETWEEN(low_s, high_s) \
	{ \
		CIC_WAIT_BETWEEN, (low_s), (high_s) \
	}
/* Tasks start every `seconds`, however long they take (at once when late). */
#define CIC_CONSTANT_PACING(seconds) \
	{ \
		CIC_WAIT_PACING, (seconds), 0 \
	}
/* Task starts per second and user. */
#define CIC_CONSTANT_THROUGHPUT(per_s) \
	{ \
		CIC_WAIT_PACING, 1.0 / (per_s), 0 \
	}

/* An open class: tasks start when their time comes, not when an earlier one has ended. Each user
 * (-u) stands for per_s starts per second, made by as many sessions as are needed: each a
 * struct cic_user with its own connection, cookies and data. A start that finds max_in_flight
 * sessions of this process busy waits, in order; when max_waiting wait it is dropped and counted.
 * No .wait beside it. */
struct cic_arrivals {
	int kind;
	double per_s;		/* default 1 */
	uint64_t max_in_flight; /* default 10000 */
	uint64_t max_waiting;	/* default 0: none waits */
};

enum { CIC_ARRIVALS_KIND_NONE, CIC_ARRIVALS_KIND_EVEN, CIC_ARRIVALS_KIND_POISSON };

/* With equal gaps, or with random ones as of callers who do not know of each other. Behind per_s
 * fields may follow: CIC_ARRIVALS_EVEN(2, .max_in_flight = 100) */
#define CIC_ARRIVALS_EVEN(per_second, ...) \
	{ \
		.kind = CIC_ARRIVALS_KIND_EVEN, .per_s = (per_second), ##__VA_ARGS__ \
	}
#define CIC_ARRIVALS_POISSON(per_second, ...) \
	{ \
		.kind = CIC_ARRIVALS_KIND_POISSON, .per_s = (per_second), ##__VA_ARGS__ \
	}

typedef void (*cic_task_fn)(struct cic_user *u);

struct cic_task {
	cic_task_fn run;
	double weight;	  /* default 1 */
	const char *name; /* shown in /tasks; set by CIC_TASK */
	const char *tags; /* words for --tags and --exclude-tags, separated by blanks */
};

/* The next task is drawn by weight. The list ends with an empty row. */
#define CIC_TASKS(...) \
	(const struct cic_task[]) \
	{ \
		__VA_ARGS__, \
		{ \
			0 \
		} \
	}
/* CIC_TASK(function, weight) or CIC_TASK(function, weight, .tags = "slow write") */
#define CIC_TASK(function, w, ...) \
	{ \
		.run = (function), .weight = (w), .name = #function, ##__VA_ARGS__ \
	}

struct cic_user_class {
	uint32_t abi;
	const char *name;
	struct cic_place place;
	const char *host; /* base URL unless -H gives one */
	double weight;	  /* share among the classes; default 1 */
	uint64_t fixed_count;
	struct cic_wait wait; /* default: none */
	const struct cic_task *tasks;
	/* Before the first task and after the last one. When the time to stop is over, on_stop
	 * still runs, but ends at its first request or sleep. */
	void (*on_start)(struct cic_user *u);
	void (*on_stop)(struct cic_user *u);
	size_t data_bytes;
	bool decode;		      /* ask for gzip, deflate or br, and decode what comes so */
	struct cic_arrivals arrivals; /* default: none, users with waits */
};

/* Defines a user class; any number per scenario. cicada finds them by their symbols' names:
 * tcc, the compiler of the container image, has no constructor functions. */
#define CIC_USER(class_name, ...) \
	__attribute__((visibility("default"))) \
	const struct cic_user_class cic_user_##class_name = { \
		.abi = CIC_ABI, .name = #class_name, .place = CIC_HERE, __VA_ARGS__ \
	}

/* --- Load shapes ------------------------------------------------------------------------ */

/* A test with a shape takes its number of users from it, and ends with it. */
struct cic_now {
	double run_time_s;   /* since the start of the test */
	uint64_t user_count; /* running now */
	/* With .use_common_options only: what -u, -r and -t say, or the form of the page. */
	uint64_t asked_users;
	double asked_spawn_rate;
	double asked_run_time_s; /* 0: no end */
};

struct cic_tick {
	uint64_t users;
	double spawn_rate; /* users that come or go per second */
	/* Names, separated by blanks, of the classes that new users are of: "Buyer Visitor". Users
	 * of others stay as they are. NULL: all classes. */
	const char *classes;
};

/* Asked by the process that drives the test (alone or the master) when it starts, then every
 * second: fills *tick, which holds what was wanted last, and returns true; false ends the test.
 * Must not block. */
typedef bool (*cic_shape_fn)(const struct cic_now *now, struct cic_tick *tick);

struct cic_stage {
	double seconds;
	uint64_t users;
	double spawn_rate;
	const char *classes; /* as in cic_tick */
};

struct cic_shape {
	uint32_t abi;
	const char *name;
	struct cic_place place;
	cic_shape_fn ask;
	const struct cic_stage *stages; /* instead of ask */
	size_t stage_count;
	bool use_common_options; /* ask wants to be told of -u, -r and -t */
};

#define CIC_SHAPE_DEFINE(...) \
	__attribute__((visibility("default"))) \
	const struct cic_shape cic_shape = { .abi = CIC_ABI, __VA_ARGS__ }

/* At most one of the two in a scenario: CIC_SHAPE(function), behind which fields of struct
 * cic_shape may follow, or CIC_STAGES({ seconds, users, spawn_rate }, ...). */
#define CIC_SHAPE(function, ...) \
	CIC_SHAPE_DEFINE(.name = #function, .place = CIC_HERE, .ask = (function), ##__VA_ARGS__)
#define CIC_STAGES(...) \
	CIC_SHAPE_DEFINE(.name = "CIC_STAGES", .place = CIC_HERE, \
			 .stages = (const struct cic_stage[]){ __VA_ARGS__ }, \
			 .stage_count = sizeof((const struct cic_stage[]){ __VA_ARGS__ }) / \
					sizeof(struct cic_stage))

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
