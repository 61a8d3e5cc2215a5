/* SPDX-License-Identifier: MIT
 *
 * sizing - see the header. Fewer replicas than the smallest measured number are not considered. */
#include "capacity/sizing.h"

#include <math.h>

#include "base/limits.h"

/* How far a law is believed beyond what was measured. */
#define LAW_REACH 2

struct known {
	const struct sizing_level *levels;
	size_t count;
	const struct usl *law;
};

static uint64_t reach(const struct known *k)
{
	return k->levels[k->count - 1].replicas * (k->law ? LAW_REACH : 1);
}

static double between(double x, double y, double share)
{
	return x + (y - x) * share;
}

static struct interval capacity_of(const struct known *k, uint64_t replicas,
				   enum sizing_basis *out_basis)
{
	const struct sizing_level *at = k->levels;
	double share;

	*out_basis = SIZING_MEASURED;
	while (at < k->levels + k->count && at->replicas < replicas)
		at++;
	if (at == k->levels + k->count) {
		*out_basis = SIZING_LAW;
		return usl_rps(k->law, (double)replicas);
	}
	if (at->replicas == replicas)
		return at->rps;
	*out_basis = SIZING_BETWEEN;
	share = (double)(replicas - at[-1].replicas) / (double)(at->replicas - at[-1].replicas);
	return (struct interval){ between(at[-1].rps.value, at->rps.value, share),
				  between(at[-1].rps.low, at->rps.low, share),
				  between(at[-1].rps.high, at->rps.high, share) };
}

static enum err check(const struct known *k, double target_rps, double head_room,
		      struct err_text *why)
{
	if (!(target_rps > 0) || !isfinite(target_rps) || !(head_room >= 0 && head_room < 1))
		return err_set(
			why, ERR_BAD_INPUT,
			"the target rate must be above 0, the head-room at least 0 and below 1");
	if (!k->count)
		return err_set(why, ERR_NOT_FOUND, "no capacity was measured");
	for (size_t i = 0; i < k->count; i++)
		if (!k->levels[i].replicas || k->levels[i].replicas > LIMIT_REPLICAS ||
		    !(k->levels[i].rps.value > 0) ||
		    (i && k->levels[i].replicas <= k->levels[i - 1].replicas))
			return err_set(
				why, ERR_BAD_INPUT,
				"capacity %zu: replicas must ascend, and requests/s be above 0",
				i + 1);
	return OK;
}

static enum err refuse(const struct known *k, double needed_rps, struct err_text *why)
{
	uint64_t most = reach(k);
	enum sizing_basis basis;
	double best = 0, at = 0;
	bool is_floor = false;

	for (uint64_t i = k->levels[0].replicas; i <= most; i++) {
		double rps = capacity_of(k, i, &basis).value;

		if (rps > best) {
			best = rps;
			at = (double)i;
		}
	}
	for (size_t i = 0; i < k->count; i++)
		is_floor |= k->levels[i].is_floor;
	return err_set(why, ERR_NOT_FOUND,
		       "%.6g requests/s of capacity are needed, and the most that is known is %.4g "
		       "with %.0f replica%s; %s",
		       needed_rps, best, at, at > 1 ? "s" : "",
		       is_floor ? "the load did not reach the limit: measure with more of it (more "
				  "users, no think time, or a search for objectives)"
		       : k->law ? "measure more replicas"
				: "measure more replicas (six numbers of them allow a law that "
				  "looks further)");
}

enum err sizing_find(const struct sizing_level *levels, size_t count, double target_rps,
		     double head_room, const struct usl *law, struct sizing *out,
		     struct err_text *why)
{
	struct known known = { levels, count, law };
	struct sizing s = { 0 };
	double needed_rps = target_rps / (1 - head_room);
	enum err err = check(&known, target_rps, head_room, why);

	if (err)
		return err;
	for (uint64_t i = levels[0].replicas; i <= reach(&known); i++) {
		enum sizing_basis basis;
		struct interval rps = capacity_of(&known, i, &basis);

		if (!s.replicas_low && rps.high >= needed_rps)
			s.replicas_low = i;
		if (!s.replicas_high && rps.low >= needed_rps)
			s.replicas_high = i;
		if (s.replicas || rps.value < needed_rps)
			continue;
		s.replicas = i;
		s.basis = basis;
		s.rps = rps.value;
	}
	if (!s.replicas)
		return refuse(&known, needed_rps, why);
	*out = s;
	return OK;
}

double sizing_efficiency(const struct sizing_level *levels, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (levels[i].replicas == 1 && !levels[i].is_floor && !levels[index].is_floor)
			return levels[index].rps.value / (double)levels[index].replicas /
			       levels[i].rps.value;
	return NAN;
}

double sizing_cost_per_million(uint64_t replicas, double rps, double cost_per_replica_hour)
{
	return cost_per_replica_hour * (double)replicas / (rps * 3600) * 1e6;
}
