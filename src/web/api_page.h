/* SPDX-License-Identifier: MIT
 *
 * api_page - the JSON replies that only our own page needs: what a test can be made of, how it
 * went so far, and how response times are distributed. Locust writes the first two into its page.
 */
#pragma once

#include "run/follow.h"
#include "run/run.h"
#include "web/field.h"

struct json_t;

struct api_page_settings {
	double process_start_wall_s;
	const struct follow *follow;	  /* NULL: no load shape */
	const struct run_start *defaults; /* what a form offers before the first test */
	const struct web_fields *fields;  /* NULL: there are none */
	bool has_full_history;
};

/* The text; mem_free() it. */
char *api_page_settings(const struct run *run, const struct api_page_settings *settings);
struct json_t *api_page_history(const struct run *run);
/* NULL: no request has this method and name. method and name NULL: all requests together. */
struct json_t *api_page_distribution(const struct run *run, const char *method, const char *name);
