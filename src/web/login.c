/* SPDX-License-Identifier: MIT
 *
 * login - see the header. */
#include "web/login.h"

#include "base/clock.h"
#include "web/page.h"

extern const char embed_login_html[];

static void answer_page(struct serve_request *r, unsigned status, const char *note, bool is_known)
{
	const struct page_value values[] = {
		{ "note", note },
		{ "stranger", is_known ? "hidden" : "" },
		{ "known", is_known ? "" : "hidden" },
	};

	page_answer_filled(r, status, embed_login_html, values, sizeof(values) / sizeof(values[0]));
}

/* path: from /login and /logout, for a proxy may have us below a path of its own. */
static void go_to(struct serve_request *r, const char *path)
{
	serve_add_header(r, "Location", path);
	serve_reply(r, 302, NULL, "", 0);
}

void login_answer(const struct serve_guard *g, struct serve_request *r)
{
	if (!g->login)
		go_to(r, "./");
	else if (serve_guard_has_session(g, r))
		answer_page(r, 200, "You are logged in.", true);
	else
		answer_page(r, 200, "", false);
}

void login_answer_form(const struct serve_guard *g, struct serve_request *r)
{
	const char *user = serve_form(r, "username"), *password = serve_form(r, "password");
	enum serve_login_result result;

	if (!g->login) {
		go_to(r, "./");
		return;
	}
	result = user && password
			 ? serve_login_check(g->login, str_of(user), str_of(password), clock_us())
			 : SERVE_LOGIN_WRONG;
	if (result == SERVE_LOGIN_LATER) {
		serve_add_header(r, "Retry-After", "1");
		answer_page(r, 429, "Too many wrong passwords; try again in a second.", false);
	} else if (result == SERVE_LOGIN_WRONG) {
		answer_page(r, 401, "User or password is wrong.", false);
	} else if (serve_guard_log_in(g, r)) {
		answer_page(r, 500, "No random numbers from the system.", false);
	} else {
		go_to(r, "./");
	}
}

void login_answer_logout(const struct serve_guard *g, struct serve_request *r)
{
	serve_guard_log_out(g, r);
	go_to(r, "login");
}
