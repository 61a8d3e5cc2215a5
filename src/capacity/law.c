/* SPDX-License-Identifier: MIT
 *
 * law - see the header. */
#include "capacity/law.h"

#include <math.h>

struct law law_interactive(double users, double rps, double response_s, double wait_s)
{
	double expected = rps * (response_s + wait_s);
	struct law law = { expected, 100 * (expected - users) / users, LAW_KEPT };

	if (isnan(law.error_pct))
		law.verdict = LAW_UNKNOWN;
	else if (fabs(law.error_pct) > LAW_BROKEN_PCT)
		law.verdict = LAW_BROKEN;
	else if (fabs(law.error_pct) > LAW_SUSPECT_PCT)
		law.verdict = LAW_OFF;
	return law;
}
