/* SPDX-License-Identifier: MIT
 *
 * download - see the header. The host goes in as it is, which is what Locust does; bytes that may
 * not stand in a header are serve_add_header()'s to replace. */
#include "web/download.h"

#include <stdio.h>
#include <time.h>

#define NAME_BYTES 512

/* Locust_2026-01-31-12h00_some.c_http://target:8000 */
static void describe(const struct run *run, char out[NAME_BYTES])
{
	time_t start = (time_t)run->stats.total.start_time;
	const char *scenario = run->options.scenario_name ? run->options.scenario_name : "";
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d-%Hh%M", &tm);
	snprintf(out, NAME_BYTES, "Locust_%s_%.100s%s%.200s", when, scenario, run->host ? "_" : "",
		 run->host ? run->host : "");
}

void download_add_name(const struct run *run, enum web_compat compat, struct serve_request *r,
		       const char *kind)
{
	bool is_report = strcmp(kind, "report") == 0;
	const char *extension = is_report ? "html" : "csv";
	char name[NAME_BYTES], disposition[2 * NAME_BYTES];

	describe(run, name);
	if (compat == WEB_COMPAT_2_12)
		snprintf(disposition, sizeof(disposition), "attachment;filename=%s_%.6f.%s", kind,
			 run_wall_s(run), extension);
	else
		snprintf(disposition, sizeof(disposition), "attachment;filename=%s%s%s.%s", name,
			 is_report ? "" : "_", is_report ? "" : kind, extension);
	serve_add_header(r, "Content-disposition", disposition);
}
