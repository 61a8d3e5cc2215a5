/* SPDX-License-Identifier: MIT
 *
 * inference - the load test of the LSTM inference service: predictions, health checks and
 * metrics 8:1:1, with 1 to 2 s between a user's requests.
 *
 * Each user is one radio cell that is measured once a second. The body of /predict is its last
 * 30 measurements; with every prediction a new one comes in and the oldest drops out, as in a
 * client that watches its cell. All rows are equally long, for short numbers are padded with
 * blanks; so the next body is made by moving 29 rows and writing one. */
#include <cicada.h>

#include <stdio.h>
#include <string.h>

#define ROWS 30
#define HEAD "{\"data\":["
#define TAIL "]}"
/* The widest row; all are padded to this. */
#define WIDEST \
	"{\"timestamp\":\"2024-01-15T10:00:00\",\"features\":{\"down\":1234.56,\"up\":1234.56," \
	"\"rnti_count\":12,\"mcs_down\":12,\"mcs_up\":12,\"bler_down\":0.123,\"bler_up\":0.123," \
	"\"prb_down\":123,\"prb_up\":123,\"sinr_down\":12.3,\"sinr_up\":12.3}},"
#define ROW_BYTES (sizeof(WIDEST) - 1)
/* The comma of the last row is overwritten by the tail. */
#define TAIL_AT (sizeof(HEAD) - 1 + ROWS * ROW_BYTES - 1)

struct cell {
	long measured_s; /* time of its next measurement, in seconds of the day */
	char body[TAIL_AT + sizeof(TAIL)];
};

/* What a cell reports: throughput in kbit/s, users, modulation, block errors, resource blocks and
 * signal to noise ratio. */
static void measure(struct cic_user *u)
{
	struct cell *cell = cic_data(u);
	char *rows = cell->body + sizeof(HEAD) - 1, row[ROW_BYTES + 64];
	long s = cell->measured_s++ % 86400;

	snprintf(row, sizeof(row),
		 "{\"timestamp\":\"2024-01-15T%02ld:%02ld:%02ld\",\"features\":{\"down\":%7.2f,"
		 "\"up\":%7.2f,\"rnti_count\":%2d,\"mcs_down\":%2d,\"mcs_up\":%2d,"
		 "\"bler_down\":%5.3f,\"bler_up\":%5.3f,\"prb_down\":%3d,\"prb_up\":%3d,"
		 "\"sinr_down\":%4.1f,\"sinr_up\":%4.1f}},",
		 s / 3600, s / 60 % 60, s % 60, cic_random(u) * 2000, cic_random(u) * 1000,
		 (int)cic_random_int(u, 1, 40), (int)cic_random_int(u, 0, 28),
		 (int)cic_random_int(u, 0, 28), cic_random(u) * 0.1, cic_random(u) * 0.1,
		 (int)cic_random_int(u, 0, 100), (int)cic_random_int(u, 0, 100),
		 cic_random(u) * 35 - 5, cic_random(u) * 35 - 5);
	cell->body[TAIL_AT] = ',';
	memmove(rows, rows + ROW_BYTES, (ROWS - 1) * ROW_BYTES);
	memcpy(rows + (ROWS - 1) * ROW_BYTES, row, ROW_BYTES);
	memcpy(cell->body + TAIL_AT, TAIL, sizeof(TAIL));
}

static void first_window(struct cic_user *u)
{
	struct cell *cell = cic_data(u);

	memcpy(cell->body, HEAD, sizeof(HEAD) - 1);
	cell->measured_s = (long)cic_random_int(u, 0, 86399);
	for (int i = 0; i < ROWS; i++)
		measure(u);
}

static void predict(struct cic_user *u)
{
	struct cell *cell = cic_data(u);
	struct cic_response *r;

	measure(u);
	r = cic_post(u, "/predict", .json = cell->body, .body_len = sizeof(cell->body) - 1);
	cic_check(r, r->status == 200 && cic_json_has(r, "predictions"),
		  "reply without predictions");
}

static void health_check(struct cic_user *u)
{
	cic_get(u, "/healthz");
}

static void metrics_check(struct cic_user *u)
{
	cic_get(u, "/metrics");
}

CIC_USER(InferenceUser, .wait = CIC_BETWEEN(1, 2), .on_start = first_window,
	 .data_bytes = sizeof(struct cell),
	 .tasks = CIC_TASKS(CIC_TASK(predict, 8), CIC_TASK(health_check, 1),
			    CIC_TASK(metrics_check, 1)));
