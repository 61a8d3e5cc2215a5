/* SPDX-License-Identifier: MIT
 *
 * opt_file - the settings in a file, one call for each: Locust's .conf (what ConfigArgParse reads
 * by default) and the table [tool.locust] of a TOML file.
 *
 * .conf: "key = value", "key: value" or "key value" per line; a key alone is "true"; "[a, b]" is a
 * list; quotes around a value are taken off; comments begin with # or ; and sections are passed
 * over. TOML: a value is a text in one line, a number, true, false or a list of these; the other
 * tables are only read as far as it takes to get over them. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

enum opt_file_kind { OPT_FILE_CONF, OPT_FILE_TOML };

/* Changes the bytes: keys and values point into them. name is for messages, which begin with
 * name:line. */
enum err opt_file_read(enum opt_file_kind kind, const char *name, struct buf *bytes,
		       opt_setting_fn fn, void *arg, struct err_text *text) MUST_CHECK;
