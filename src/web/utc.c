/* SPDX-License-Identifier: MIT
 *
 * utc - see the header. */
#include "web/utc.h"

#include <time.h>

#define YEAR_9999_S 253402300800.0

void utc_add(struct buf *out, double unix_s)
{
	char text[32];
	time_t seconds;
	struct tm tm;

	if (!(unix_s > 0 && unix_s < YEAR_9999_S))
		return;
	seconds = (time_t)unix_s;
	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf_add_text(out, text);
}
