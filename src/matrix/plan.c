/* SPDX-License-Identifier: MIT
 *
 * plan - see the header. */
#include "matrix/plan.h"

#include <math.h>
#include <inttypes.h>

#include "base/limits.h"
#include "base/rng.h"
#include "capacity/search.h"

struct plan plan_defaults(void)
{
	return (struct plan){
		.replicas = { { 1, 2, 4, 8 }, 4 },
		.workers = { { 4, 8 }, 2 },
		.users = { { 200, 400, 800 }, 3 },
		.duration_s = 120,
		.cooldown_s = 15,
		.poll_s = 2,
		.ready_timeout_s = 60,
		.stop_timeout_s = 10,
		.repeats = 1,
		.users_max = LIMIT_USERS,
		.tolerance = 0.05,
	};
}

static enum err check_axis(const struct opt_counts *axis, const char *option, uint64_t max,
			   struct err_text *text)
{
	if (!axis->count)
		return err_set(text, ERR_BAD_OPTION, "--%s: no value; give a list such as 1,2,4",
			       option);
	for (size_t i = 0; i < axis->count; i++) {
		if (axis->value[i] < 1 || axis->value[i] > max)
			return err_set(text, ERR_BAD_OPTION,
				       "--%s: %" PRIu64 " is out of bounds; give 1 to %" PRIu64,
				       option, axis->value[i], max);
		for (size_t k = 0; k < i; k++)
			if (axis->value[k] == axis->value[i])
				return err_set(text, ERR_BAD_OPTION,
					       "--%s: %" PRIu64 " is there twice; remove one",
					       option, axis->value[i]);
	}
	return OK;
}

enum err plan_check(const struct plan *plan, struct err_text *text)
{
	enum err err = check_axis(&plan->replicas, "replicas", LIMIT_REPLICAS, text);

	if (!err)
		err = check_axis(&plan->workers, "workers", LIMIT_WORKERS, text);
	if (!err)
		err = check_axis(&plan->users, "users", LIMIT_USERS, text);
	if (err)
		return err;
	if (!plan->repeats || plan->repeats > LIMIT_SCENARIOS)
		return err_set(text, ERR_BAD_OPTION, "--repeats: give 1 to %d", LIMIT_SCENARIOS);
	if (plan_count(plan) > LIMIT_SCENARIOS)
		return err_set(text, ERR_BAD_OPTION,
			       "--replicas, --workers, --users, --repeats: %zu scenarios are more "
			       "than %d; give fewer values",
			       plan_count(plan), LIMIT_SCENARIOS);
	if (plan->is_search && plan->repeats > 1)
		return err_set(
			text, ERR_BAD_OPTION,
			"--repeats: a search (--slo) repeats by itself what it has to; leave "
			"it out");
	if (plan->is_search && plan->users.value[0] > plan->users_max)
		return err_set(text, ERR_BAD_OPTION,
			       "--max-users: less than the %" PRIu64 " of --users to begin with",
			       plan->users.value[0]);
	if (!plan->duration_s)
		return err_set(text, ERR_BAD_OPTION,
			       "--duration: 0 measures nothing; give 1 s or "
			       "more");
	if (plan->poll_s <= 0)
		return err_set(text, ERR_BAD_OPTION, "--poll: must be above 0 s");
	if (plan->spawn_rate < 0)
		return err_set(text, ERR_BAD_OPTION,
			       "--spawn-rate: must be above 0 users per second");
	if (!plan->ready_timeout_s)
		return err_set(text, ERR_BAD_OPTION,
			       "--ready-timeout: with 0 s nothing can become ready");
	return OK;
}

static size_t count_listed(const struct plan *plan)
{
	size_t users = plan->is_search ? SEARCH_PROBES : plan->users.count;

	return plan->replicas.count * plan->workers.count * users;
}

size_t plan_count(const struct plan *plan)
{
	return count_listed(plan) * plan->repeats;
}

bool plan_may_end_early(const struct plan *plan)
{
	return plan->is_search || plan->until_interval > 0;
}

/* Every pass on its own (Fisher, Yates), so that after each all scenarios have been measured
 * equally often. */
void plan_shuffle(struct plan *plan, uint64_t seed)
{
	size_t listed = count_listed(plan);

	plan->is_random = true;
	plan->seed = seed;
	for (size_t pass = 0; pass < plan->repeats; pass++) {
		uint16_t *order = plan->order + pass * listed;
		struct rng rng;

		rng_init(&rng, seed, pass);
		for (size_t i = 0; i < listed; i++) {
			size_t k = rng_below(&rng, i + 1);

			order[i] = order[k];
			order[k] = (uint16_t)i;
		}
	}
}

struct scenario plan_scenario(const struct plan *plan, size_t i)
{
	size_t users = plan->is_search ? SEARCH_PROBES : plan->users.count,
	       workers = plan->workers.count, listed = count_listed(plan), place;

	ensure(i < plan_count(plan));
	place = plan->is_random ? plan->order[i] : i % listed;
	return (struct scenario){ .index = i,
				  .replicas = plan->replicas.value[place / users / workers],
				  .workers = plan->workers.value[place / users % workers],
				  .users = plan->users.value[plan->is_search ? 0 : place % users],
				  .repeat = i / listed + 1,
				  .duration_s = plan->duration_s };
}

double plan_spawn_rate(const struct plan *plan, uint64_t users)
{
	if (plan->spawn_rate > 0)
		return plan->spawn_rate;
	return (double)users / fmax((double)plan->duration_s * PLAN_RAMP_SHARE, PLAN_RAMP_MIN_S);
}

double plan_scenario_s(const struct plan *plan, const struct scenario *s)
{
	return (double)s->users / plan_spawn_rate(plan, s->users) + (double)s->duration_s;
}

double plan_rest_s(const struct plan *plan, size_t first)
{
	size_t count = plan_count(plan);
	double sum_s = 0;

	for (size_t i = first; i < count; i++) {
		struct scenario s = plan_scenario(plan, i);

		sum_s += plan_scenario_s(plan, &s);
		if (i + 1 < count)
			sum_s += (double)plan->cooldown_s;
	}
	return sum_s;
}

static void describe_axis(const struct opt_counts *axis, const char *name, struct buf *out)
{
	buf_printf(out, "%s=", name);
	for (size_t i = 0; i < axis->count; i++)
		buf_printf(out, "%s%" PRIu64, i ? "," : "", axis->value[i]);
	buf_add_char(out, ' ');
}

/* Not the ready timeout, the retries and the budget: who waits longer measures the same. */
void plan_describe(const struct plan *plan, struct buf *out)
{
	describe_axis(&plan->replicas, "replicas", out);
	describe_axis(&plan->workers, "workers", out);
	describe_axis(&plan->users, "users", out);
	buf_printf(out,
		   "duration=%" PRIu64 " cooldown=%" PRIu64
		   " poll=%g spawn-rate=%g stop-timeout=%" PRIu64,
		   plan->duration_s, plan->cooldown_s, plan->poll_s, plan->spawn_rate,
		   plan->stop_timeout_s);
	buf_printf(out, " repeats=%" PRIu64, plan->repeats);
	if (plan->until_interval > 0)
		buf_printf(out, " until-interval=%g", plan->until_interval);
	if (plan->is_search)
		buf_printf(out, " max-users=%" PRIu64 " tolerance=%g", plan->users_max,
			   plan->tolerance);
	if (plan->is_random)
		buf_printf(out, " order=random seed=%" PRIu64, plan->seed);
}
