/* SPDX-License-Identifier: MIT
 *
 * page - the page of a test and its files, as they are embedded. Everything comes from this
 * server: the page works without any other. */
#pragma once

#include "run/follow.h"
#include "run/run.h"
#include "serve/serve.h"

/* follow: NULL when tests have no load shape. */
void page_answer(const struct run *run, const struct follow *follow, struct serve_request *r);
/* GET /assets/page.css and /assets/page.js. */
void page_answer_style(struct serve_request *r);
void page_answer_script(struct serve_request *r);
