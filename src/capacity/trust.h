/* SPDX-License-Identifier: MIT
 *
 * trust - valid, suspect or invalid: may a measured row be believed, and if not, why?
 *
 * The reasons stand in one table, trust.def. What is not known is no reason, except when nothing is
 * known that could have told. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "capacity/law.h"

/* Ratios above which a row is not what it says. */
#define TRUST_DROPPED_MAX  0.01
#define TRUST_FAILURES_MAX 0.01

enum trust_level { TRUST_VALID, TRUST_SUSPECT, TRUST_INVALID };

enum trust_reason {
#define TRUST(name, level, text) TRUST_##name,
#include "capacity/trust.def"
#undef TRUST
	TRUST_REASONS
};

/* What is known of a row. Zero is what speaks for it, but for the law (LAW_UNKNOWN). Texts are
 * lent, and may be NULL. */
struct trust_facts {
	struct law law;
	bool is_generator_known, is_generator_limited;
	const char *generator; /* why it was limited */
	bool has_lost_replicas, has_lost_workers;
	bool has_counts_differing;
	bool is_unsteady;
	const char *unsteady; /* steady_find()'s reason */
	double failure_ratio, dropped_ratio;
	uint64_t samples, samples_min; /* requests of the window, and what the figures need */
};

struct trust {
	enum trust_level level;
	uint32_t reasons; /* 1u << enum trust_reason */
};

struct trust trust_judge(const struct trust_facts *facts);
/* "valid", "suspect", "invalid". */
const char *trust_level_name(enum trust_level level);
/* "invalid: users, throughput and times contradict each other (465 users follow from them, 41.9 %
 * fewer than there were); no steady state (...)"; "valid". */
void trust_say(const struct trust *trust, const struct trust_facts *facts, struct buf *out);
