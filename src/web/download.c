/* SPDX-License-Identifier: MIT
 *
 * download - see the header. The host goes in as it is, which is what Locust does; bytes that may
 * not stand in a header are serve_add_header()'s to replace. */
#include "web/download.h"

#include <stdio.h>
#include <time.h>

void download_add_name(const struct run *run, struct serve_request *r, const char *kind,
		       const char *extension)
{
	time_t start = (time_t)run->stats.total.start_time;
	const char *scenario = run->options.scenario_name ? run->options.scenario_name : "";
	char when[32] = "", disposition[512];
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d-%Hh%M", &tm);
	snprintf(disposition, sizeof(disposition),
		 "attachment;filename=Locust_%s_%.100s%s%.200s%s%s.%s", when, scenario,
		 run->host ? "_" : "", run->host ? run->host : "", kind ? "_" : "",
		 kind ? kind : "", extension);
	serve_add_header(r, "Content-disposition", disposition);
}
