/* SPDX-License-Identifier: MIT
 *
 * probe - see the header. */
#include "web/probe.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

static void answer(struct serve_request *r, unsigned status, char *text)
{
	serve_reply(r, status, "application/json", text, strlen(text));
	mem_free(text);
}

void probe_answer_health(struct serve_request *r)
{
	answer(r, 200, mem_printf("{\n  \"status\": \"ok\"\n}\n"));
}

void probe_answer_ready(const struct run *run, struct serve_request *r)
{
	const char *asked = serve_query(r, "workers");
	uint64_t wanted = 0, workers;

	if (asked && !num_parse_u64(str_of(asked), LIMIT_WORKERS, &wanted)) {
		serve_error(r, 400, "workers must be a whole number from 0 to %d", LIMIT_WORKERS);
		return;
	}
	workers = run->mode->is_distributed ? run->mode->worker_count(run) : 0;
	answer(r, workers < wanted ? 503 : 200,
	       mem_printf("{\n  \"state\": \"%s\",\n  \"status\": \"%s\",\n"
			  "  \"worker_count\": %" PRIu64 "\n}\n",
			  run_state_name(run->state),
			  workers < wanted ? "waiting for workers" : "ready", workers));
}
