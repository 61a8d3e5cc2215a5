/* SPDX-License-Identifier: MIT
 *
 * swarm - POST /swarm (reference section 5.3): the form of a start, and Locust's answers.
 *
 * A JSON object with the same names is taken as well as a form. Every answer has status 200
 * and says in `success` what became of it, as programs that know Locust expect. A start without
 * workers is answered as a success, like Locust does, with a warning in the log. */
#pragma once

#include "run/follow.h"
#include "run/run.h"
#include "serve/serve.h"
#include "web/compat.h"

struct web_fields;

/* The base URL that a text of the form means; NULL: it is empty. mem_free() it. */
char *swarm_host(const char *text);
/* fields: see field.h. follow: NULL when tests have no load shape; else number, rate and run time
 * of the form are read only if the shape wants them. */
void swarm_answer(struct run *run, struct follow *follow, const struct web_fields *fields,
		  enum web_compat compat, struct serve_request *r);
