/* SPDX-License-Identifier: MIT
 *
 * driver_settings - what the options of the driver come to: files and addresses, and the line by
 * which a journal knows its plan. */
#pragma once

#include <linux/limits.h>

#include "base/buf.h"
#include "base/err.h"

struct driver_options;

/* The folder of our own executable: the sibling programs are there, and from there the tree or the
 * installation is found. */
enum err driver_folder(char out[PATH_MAX], struct err_text *text) MUST_CHECK;
/* What the users do on platform local. */
enum err driver_find_scenario(const struct driver_options *o, char out[PATH_MAX],
			      struct err_text *text) MUST_CHECK;
const char *driver_master_url(const struct driver_options *o);
const char *driver_target_url(const struct driver_options *o);
/* Everything that makes rows comparable, and so a journal one that may be continued. */
enum err driver_describe(const struct driver_options *o, struct buf *out,
			 struct err_text *text) MUST_CHECK;
