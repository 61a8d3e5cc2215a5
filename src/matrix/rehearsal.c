/* SPDX-License-Identifier: MIT
 *
 * rehearsal - see the header. */
#include "matrix/rehearsal.h"

#include <inttypes.h>

#include "base/err.h"
#include "matrix/checklist.h"
#include "matrix/master_api.h"
#include "matrix/plan.h"
#include "matrix/platform.h"

#define MASTER_TIMEOUT_MS 10000 /* it shall be there already */

/* Where the platform does not know how many there are, the plan says how many there must be. */
static bool is_workers_expected(const struct rehearsal *r, uint64_t found, uint64_t expected)
{
	if (expected != UINT64_MAX)
		return found == expected;
	for (size_t i = 0; i < r->plan->workers.count; i++)
		if (r->plan->workers.value[i] == found)
			return true;
	return false;
}

static void check_master(const struct rehearsal *r, uint64_t workers, struct checklist *out)
{
	const char *url = r->platform->ops->master_url(r->platform);
	struct master_api *master = master_api_create(url, r->master_access, r->pause);
	struct master_api_live live;
	struct err_text text = { "" };
	uint64_t found;
	enum err err = master_api_open(master, MASTER_TIMEOUT_MS, &text);

	if (!err)
		err = master_api_look(master, &live, &text);
	master_api_destroy(&master);
	if (err) {
		checklist_fail(out, "the master: %s", err_say(&text, err));
		return;
	}
	found = live.workers_ready + live.workers_busy;
	if (live.state == MASTER_IDLE || live.state == MASTER_STOPPING)
		checklist_pass(out, "the master answers and no test runs");
	else if (r->has_leftover)
		checklist_pass(out, "a test runs at the master that an earlier driver has left; "
				    "the next one stops it");
	else
		checklist_fail(out, "a test runs at the master: stop it, or wait for its end");
	if (is_workers_expected(r, found, workers))
		checklist_pass(out, "the master has %" PRIu64 " workers", found);
	else if (workers != UINT64_MAX)
		checklist_fail(out,
			       "the master has %" PRIu64 " workers of %" PRIu64
			       ": do they reach its ports 5557 and 5558 (NetworkPolicy, name)?",
			       found, workers);
	else
		checklist_fail(out, "the master has %" PRIu64 " workers, which no scenario wants",
			       found);
}

void rehearsal_run(const struct rehearsal *r, struct checklist *out)
{
	uint64_t workers = UINT64_MAX;

	if (r->platform->ops->rehearse)
		r->platform->ops->rehearse(r->platform, &workers, out);
	check_master(r, workers, out);
}
