/* SPDX-License-Identifier: MIT
 *
 * download - an answer that a browser saves as a file, under Locust's name for it. */
#pragma once

#include "run/run.h"
#include "serve/serve.h"
#include "web/compat.h"

/* Adds the header to the coming answer. The name is Locust_<start of the test>_<scenario>[_<host>],
 * _<kind>.csv behind it, or .html when kind is "report"; in 2.12 <kind>_<unix time> and the same.
 */
void download_add_name(const struct run *run, enum web_compat compat, struct serve_request *r,
		       const char *kind);
