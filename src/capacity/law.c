/* SPDX-License-Identifier: MIT
 *
 * law - see the header. */
#include "capacity/law.h"

#include <math.h>

static struct law judge(double expected, double measured)
{
	struct law law = { expected, 100 * (expected - measured) / measured, LAW_KEPT };

	if (isnan(law.error_pct))
		law.verdict = LAW_UNKNOWN;
	else if (fabs(law.error_pct) > LAW_BROKEN_PCT)
		law.verdict = LAW_BROKEN;
	else if (fabs(law.error_pct) > LAW_SUSPECT_PCT)
		law.verdict = LAW_OFF;
	return law;
}

struct law law_interactive(double users, double rps, double response_s, double wait_s)
{
	return judge(rps * (response_s + wait_s), users);
}

struct law law_little(double in_flight, double arrivals_per_s, double response_s)
{
	return judge(arrivals_per_s * response_s, in_flight);
}
