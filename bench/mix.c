/* SPDX-License-Identifier: MIT
 *
 * mix - the order's mix as fast as it goes, for bench/peers.py: 80 % POST /predict with 7,000
 * bytes, 10 % GET /healthz, 10 % GET /metrics, no waits. GetOnly is what wrk does by default. */
#include <cicada.h>
#include <string.h>

#define BODY_BYTES 7000

static char body[BODY_BYTES + 1];

static void fill_body(struct cic_user *u)
{
	(void)u;
	memset(body, 'x', BODY_BYTES);
	body[0] = body[BODY_BYTES - 1] = '"';
}

static void predict(struct cic_user *u)
{
	cic_post(u, "/predict", .json = body, .body_len = BODY_BYTES);
}

static void health_check(struct cic_user *u)
{
	cic_get(u, "/healthz");
}

static void metrics_check(struct cic_user *u)
{
	cic_get(u, "/metrics");
}

CIC_USER(Mix, .on_start = fill_body,
	 .tasks = CIC_TASKS(CIC_TASK(predict, 8), CIC_TASK(health_check, 1),
			    CIC_TASK(metrics_check, 1)));

CIC_USER(GetOnly, .tasks = CIC_TASKS(CIC_TASK(health_check, 1)));
