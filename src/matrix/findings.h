/* SPDX-License-Identifier: MIT
 *
 * findings - what was concluded, as people and programs read it: in words, as Markdown and as JSON,
 * with the cost, the knees and objects of Kubernetes that keep to it. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct conclude;
struct conclude_questions;
struct result_row;

/* What the figures of the answers mean, up to one without a name. */
extern const struct findings_term {
	const char *name, *unit, *meaning;
} findings_terms[];

/* The three sentences of capacity/answer.h, a line each. */
void findings_say(const struct conclude_questions *q, const struct conclude *c,
		  const struct result_row *rows, size_t count, struct buf *out);
/* A Markdown section: capacities, laws, searches, snippets. */
void findings_add_markdown(const struct conclude_questions *q, const struct conclude *c,
			   const struct result_row *rows, size_t count, struct buf *out);
/* The elements of "answers" in report.json, in brackets. */
void findings_add_json(const struct conclude_questions *q, const struct conclude *c,
		       const struct result_row *rows, size_t count, struct buf *out);
