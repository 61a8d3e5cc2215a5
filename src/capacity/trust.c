/* SPDX-License-Identifier: MIT
 *
 * trust - see the header. */
#include "capacity/trust.h"

#include <math.h>

#include "base/err.h"

static const struct {
	const char *text;
	enum trust_level level;
} reasons[TRUST_REASONS] = {
#define TRUST(name, level, text) [TRUST_##name] = { text, TRUST_##level },
#include "capacity/trust.def"
#undef TRUST
};

static bool is_met(const struct trust_facts *f, enum trust_reason reason)
{
	switch (reason) {
	case TRUST_REPLICAS_CHANGED:
		return f->has_lost_replicas;
	case TRUST_WORKERS_LOST:
		return f->has_lost_workers;
	case TRUST_COUNTS_DIFFER:
		return f->has_counts_differing;
	case TRUST_LAW_BROKEN:
		return f->law.verdict == LAW_BROKEN;
	case TRUST_GENERATOR_LIMITED:
		return f->is_generator_limited;
	case TRUST_DROPPED:
		return f->dropped_ratio > TRUST_DROPPED_MAX;
	case TRUST_LAW_OFF:
		return f->law.verdict == LAW_OFF;
	case TRUST_NO_STEADY_STATE:
		return f->is_unsteady;
	case TRUST_FEW_SAMPLES:
		return f->samples < f->samples_min;
	case TRUST_FAILURES:
		return f->failure_ratio > TRUST_FAILURES_MAX;
	case TRUST_UNWATCHED:
		return f->law.verdict == LAW_UNKNOWN && !f->is_generator_known;
	case TRUST_REASONS:
		break;
	}
	return false;
}

struct trust trust_judge(const struct trust_facts *facts)
{
	struct trust trust = { TRUST_VALID, 0 };

	for (enum trust_reason i = 0; i < TRUST_REASONS; i++) {
		if (!is_met(facts, i))
			continue;
		trust.reasons |= 1u << i;
		if (reasons[i].level > trust.level)
			trust.level = reasons[i].level;
	}
	return trust;
}

const char *trust_level_name(enum trust_level level)
{
	static const char *const names[] = { "valid", "suspect", "invalid" };

	return names[level];
}

/* What is known beyond the reason itself, in brackets. */
static void say_detail(enum trust_reason reason, const struct trust_facts *f, struct buf *out)
{
	switch (reason) {
	case TRUST_LAW_BROKEN:
	case TRUST_LAW_OFF:
		buf_printf(out,
			   " (%.4g follow from throughput and times, %.1f %% %s than there were)",
			   f->law.expected, fabs(f->law.error_pct),
			   f->law.error_pct < 0 ? "fewer" : "more");
		break;
	case TRUST_GENERATOR_LIMITED:
		if (f->generator)
			buf_printf(out, " (%s)", f->generator);
		break;
	case TRUST_NO_STEADY_STATE:
		if (f->unsteady)
			buf_printf(out, " (%s)", f->unsteady);
		break;
	case TRUST_DROPPED:
		buf_printf(out, " (%.3g %%)", f->dropped_ratio * 100);
		break;
	case TRUST_FAILURES:
		buf_printf(out, " (%.3g %%)", f->failure_ratio * 100);
		break;
	case TRUST_FEW_SAMPLES:
		buf_printf(out, " (%llu, at least %llu are needed)", (unsigned long long)f->samples,
			   (unsigned long long)f->samples_min);
		break;
	default:
		break;
	}
}

void trust_say(const struct trust *trust, const struct trust_facts *facts, struct buf *out)
{
	const char *before = ": ";

	buf_add_text(out, trust_level_name(trust->level));
	for (enum trust_reason i = 0; i < TRUST_REASONS; i++) {
		if (!(trust->reasons & 1u << i))
			continue;
		buf_printf(out, "%s%s", before, reasons[i].text);
		say_detail(i, facts, out);
		before = "; ";
	}
}
