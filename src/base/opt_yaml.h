/* SPDX-License-Identifier: MIT
 *
 * opt_yaml - the settings in a YAML file, an opt_reader_fn: a mapping of keys to scalars or lists
 * of scalars, and nothing deeper. A value is the text that stands there; the option knows what it
 * may be. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

/* Exchanges the bytes for those of the keys and values. Messages begin with name:line. */
enum err opt_yaml_read(const char *name, struct buf *bytes, opt_setting_fn fn, void *arg,
		       struct err_text *text) MUST_CHECK;
