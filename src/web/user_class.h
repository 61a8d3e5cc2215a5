/* SPDX-License-Identifier: MIT
 *
 * user_class - POST /user (reference section 5): a JSON object with user_class_name and what shall
 * change: host, weight, fixed_count, and tasks, the names of those that users draw.
 *
 * Answered as by Locust, 201 and {}; what cannot be changed is a 400 that names the field. A null
 * is as good as a field that is not given. */
#pragma once

#include "run/run.h"
#include "serve/serve.h"

/* The same from the command line: such an object, or a list of them. */
enum err user_class_configure(struct run *run, struct str json, struct err_text *text) MUST_CHECK;
void user_class_answer(struct run *run, struct serve_request *r);
