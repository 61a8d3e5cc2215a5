/* SPDX-License-Identifier: MIT
 *
 * page - see the header.
 *
 * page.html has {{names}} where values of the run go. They are escaped, and nothing else is ever
 * written into the page: all numbers come later, by its script, as text. */
#include "web/page.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "web/html.h"

#define PAGE_BYTES (256 * 1024)

extern const char embed_page_html[], embed_page_css[], embed_page_js[];

struct value {
	const char *name, *text;
};

/* Copies the page and puts the values where their names stand. */
static void expand(struct buf *out, const char *at, const struct value *values, size_t count)
{
	const char *open;

	while ((open = strstr(at, "{{"))) {
		struct str name = { open + 2, strcspn(open + 2, "}") };

		buf_add(out, at, (size_t)(open - at));
		at = name.p + name.len + 2;
		for (size_t i = 0; i < count; i++)
			if (str_eq(name, values[i].name))
				html_add(out, values[i].text, true);
	}
	buf_add_text(out, at);
}

static void answer(struct serve_request *r, const char *type, const char *bytes, size_t len)
{
	serve_add_header(r, "Content-Security-Policy",
			 "default-src 'none'; style-src 'self'; script-src 'self'; "
			 "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
			 "frame-ancestors 'none'");
	serve_add_header(r, "X-Content-Type-Options", "nosniff");
	serve_add_header(r, "Cache-Control", "no-cache");
	serve_reply(r, 200, type, bytes, len);
}

void page_answer(const struct run *run, const struct follow *follow, struct serve_request *r)
{
	const char *scenario = run->options.scenario_name, *host = run->host;
	char users[32] = "1", rate[32] = "1";
	const struct value values[] = {
		{ "scenario", scenario ? scenario : "" },
		{ "host", host ? host : "" },
		{ "users", users },
		{ "rate", rate },
		{ "version", CICADA_VERSION },
		{ "shape", follow ? follow->shape->name : "" },
		{ "numbers", !follow || follow->shape->wants_numbers ? "" : "disabled" },
	};
	struct buf out;

	if (run->wanted.user_count) {
		snprintf(users, sizeof(users), "%" PRIu64, run->wanted.user_count);
		snprintf(rate, sizeof(rate), "%.6g", run->wanted.spawn_rate);
	}
	buf_init(&out, PAGE_BYTES);
	expand(&out, embed_page_html, values, sizeof(values) / sizeof(values[0]));
	if (out.is_full)
		serve_error(r, 500, "the page does not fit");
	else
		answer(r, "text/html; charset=utf-8", out.p, out.len);
	buf_fini(&out);
}

void page_answer_style(struct serve_request *r)
{
	answer(r, "text/css; charset=utf-8", embed_page_css, strlen(embed_page_css));
}

void page_answer_script(struct serve_request *r)
{
	answer(r, "text/javascript; charset=utf-8", embed_page_js, strlen(embed_page_js));
}
