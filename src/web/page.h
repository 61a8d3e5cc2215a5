/* SPDX-License-Identifier: MIT
 *
 * page - an embedded page with values in it. The page of a test is none: see ui/. */
#pragma once

#include <stddef.h>

#include "serve/serve.h"

/* What stands in the place of {{name}}. */
struct page_value {
	const char *name, *text;
};

/* Answers with the page; the values, short ones of ours, are escaped. */
void page_answer_filled(struct serve_request *r, unsigned status, const char *html,
			const struct page_value *values, size_t count);
