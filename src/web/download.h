/* SPDX-License-Identifier: MIT
 *
 * download - an answer that a browser saves as a file, under Locust's name for it. */
#pragma once

#include "run/run.h"
#include "serve/serve.h"

/* Adds the header to the coming answer. kind: "requests" and the like; extension: "csv". The name
 * is Locust_<start of the test>_<scenario>[_<host>][_<kind>].<extension>. kind may be NULL. */
void download_add_name(const struct run *run, struct serve_request *r, const char *kind,
		       const char *extension);
