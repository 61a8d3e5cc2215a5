/* SPDX-License-Identifier: MIT
 *
 * predict - POST /predict with 7,000 bytes that the service can compute, as fast as it goes, for
 * bench/inference.py. Each user has one body, drawn once: what is measured is the service. */
#include <cicada.h>

#include <stdio.h>
#include <string.h>

#define ROWS	   30
#define BODY_BYTES 7000
#ifndef PATH
#define PATH "/predict"
#define WAIT CIC_CONSTANT(0)
#endif

struct client {
	char body[BODY_BYTES + 1];
};

/* Without blanks but before the end, where they fill it up to BODY_BYTES. */
static void write_body(struct cic_user *u)
{
	struct client *c = cic_data(u);
	size_t at = (size_t)snprintf(c->body, sizeof(c->body), "{\"data\":[");

	for (int row = 0; row < ROWS; row++)
		at += (size_t)snprintf(
			c->body + at, sizeof(c->body) - at,
			"%s{\"timestamp\":\"2024-01-15T10:00:%02d\",\"features\":{"
			"\"down\":%.2f,\"up\":%.2f,\"rnti_count\":%d,\"mcs_down\":%d,"
			"\"mcs_up\":%d,\"bler_down\":%.3f,\"bler_up\":%.3f,"
			"\"prb_down\":%d,\"prb_up\":%d,\"sinr_down\":%.1f,\"sinr_up\":%.1f}}",
			row ? "," : "", row, cic_random(u) * 2000, cic_random(u) * 1000,
			(int)cic_random_int(u, 1, 40), (int)cic_random_int(u, 0, 28),
			(int)cic_random_int(u, 0, 28), cic_random(u) * 0.1, cic_random(u) * 0.1,
			(int)cic_random_int(u, 0, 100), (int)cic_random_int(u, 0, 100),
			cic_random(u) * 35 - 5, cic_random(u) * 35 - 5);
	memset(c->body + at, ' ', BODY_BYTES - at);
	memcpy(c->body + BODY_BYTES - 2, "]}", 3);
}

static void predict(struct cic_user *u)
{
	struct client *c = cic_data(u);

	cic_post(u, PATH, .json = c->body, .body_len = BODY_BYTES);
}

CIC_USER(Predict, .wait = WAIT, .data_bytes = sizeof(struct client), .on_start = write_body,
	 .tasks = CIC_TASKS(CIC_TASK(predict, 1)));
