/* SPDX-License-Identifier: MIT
 *
 * result_files - the files that a process with a run leaves behind: --csv while it runs, --json,
 * --json-file and --html at its end, --junit when there was a test. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "run/run.h"

struct cicada_options;
struct csv_files;
struct gates;

struct result_files {
	const struct cicada_options *o;
	const struct run *run;
	const struct gates *gates;
	struct csv_files *csv; /* NULL: not wanted */
};

/* All are lent. Files that cannot be written are an error here, before the test. */
enum err result_files_open(struct result_files *f, const struct cicada_options *o,
			   const struct run *run, const struct gates *gates,
			   struct err_text *text) MUST_CHECK;
/* The CSV file with the history of every name, NULL: there is none. Lives until close. */
const char *result_files_history(const struct result_files *f);
/* Call several times a second. */
void result_files_tick(struct result_files *f, uint64_t now_us);
/* Once, at the end; also when open failed or was never called on a struct of zeros. False: what
 * could not be written has been logged. */
bool result_files_close(struct result_files *f);
