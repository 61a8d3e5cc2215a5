/* SPDX-License-Identifier: MIT
 *
 * evidence - what the figures of a row rest on: its window point by point, and the distribution of
 * its service times.
 *
 * A master of ours has counted every second of the window. With a Locust master the points are the
 * slopes between the driver's looks, and there is no distribution. It is kept beside the journal,
 * two files for each row (JSON, and a log for tools of HdrHistogram), and in report.json, thinned
 * to what a chart can show. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "stat/hist.h"

#define EVIDENCE_FOLDER "rows"

struct result_row;

/* What happened from at_s on, in seconds after the window's begin. NAN: not known. */
struct evidence_point {
	double at_s, requests_per_s, failures_per_s, mean_ms, users;
};

struct evidence {
	struct evidence_point *points; /* in the order of at_s */
	size_t count, cap;
	bool is_polled;	   /* slopes between looks, not counts of each second */
	double interval_s; /* else, from point to point */
	struct hist times; /* service times; empty: not known */
	/* The same in parts of part_s seconds, from parts_at_s on; not kept with the rest. */
	struct hist *parts;
	size_t part_count; /* 0: not known */
	double parts_at_s, part_s;
	double waited_s; /* of all users together, between tasks; NAN: not known */
};

void evidence_init(struct evidence *e);
void evidence_fini(struct evidence *e);
/* LIMIT_SERIES: when they are there, every second one is dropped. */
void evidence_add(struct evidence *e, const struct evidence_point *point);
/* Adds the service times of the parts that begin then or later to *out. */
void evidence_times_from(const struct evidence *e, double at_s, struct hist *out);

/* Two members of a JSON object, "series" and "percentile_curve", with at most points_max points. */
void evidence_add_json(const struct evidence *e, const struct result_row *row, size_t points_max,
		       struct buf *out);
/* The other way round, from anything; *out is init'ed. ERR_BAD_INPUT names the member. */
enum err evidence_read_json(const json_t *object, struct evidence *out,
			    struct err_text *why) MUST_CHECK;

/* As <folder>/rows/<number>.json and .hlog, which are whole or not there. number: of the row, from
 * 1. */
enum err evidence_save(const char *folder, size_t number, const struct evidence *e,
		       const struct result_row *row, struct err_text *text) MUST_CHECK;
/* *out is init'ed and stays empty after an error, which names the file. */
enum err evidence_load(const char *folder, size_t number, struct evidence *out,
		       struct err_text *text) MUST_CHECK;
