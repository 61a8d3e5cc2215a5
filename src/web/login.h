/* SPDX-License-Identifier: MIT
 *
 * login - /login and /logout: where people say their passwords. Where there are no users whoever
 * comes here has been let in, so that there is nothing to be shown. */
#pragma once

#include "serve/serve.h"
#include "serve/serve_guard.h"

/* GET /login */
void login_answer(const struct serve_guard *g, struct serve_request *r);
/* POST /login: username and password, as Locust's form has them. */
void login_answer_form(const struct serve_guard *g, struct serve_request *r);
/* POST /logout */
void login_answer_logout(const struct serve_guard *g, struct serve_request *r);
