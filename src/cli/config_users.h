/* SPDX-License-Identifier: MIT
 *
 * config_users - --config-users: what POST /user can change of a class, before the first test. */
#pragma once

#include "base/err.h"
#include "base/opt.h"
#include "run/run.h"

/* Each is JSON, or the name of a file of it that ends in .json. */
enum err config_users_apply(const struct opt_texts *configs, struct run *run,
			    struct err_text *text) MUST_CHECK;
