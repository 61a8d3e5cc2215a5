/* SPDX-License-Identifier: MIT
 *
 * opt_write - options as the YAML file from which opt_yaml.h reads them again. */
#pragma once

#include "base/buf.h"
#include "base/opt.h"

/* A line for each option that has a value. but: names that are left out, ended by NULL. */
void opt_write_yaml(const struct opt_table *table, const void *options, const char *const *but,
		    struct buf *out);
