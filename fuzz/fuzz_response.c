/* SPDX-License-Identifier: MIT
 *
 * fuzz_response - replies in one piece and in many: the outcome must be the same. The first
 * two bytes of the input choose the method and how the rest is cut. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "fuzz.h"
#include "http/response.h"

struct outcome {
	enum io io;
	struct http_response r;
	char *body;
	size_t body_len, used;
};

/* Takes `part` bytes at a time (0: random parts) into a buffer of exactly that many, so that
 * the sanitizers see a read or write past what was received. */
static void run(struct outcome *o, const char *bytes, size_t len, bool is_head, size_t part)
{
	size_t at = 0, kept = 0;
	char *in = NULL;
	struct rng rng;

	rng_init(&rng, len, 0);
	*o = (struct outcome){ .io = IO_AGAIN };
	http_response_init(&o->r, is_head);
	while (o->io == IO_AGAIN && at < len) {
		size_t n = part ? part : 1 + rng_below(&rng, 40), fresh, used = 0, body_len = 0;

		n = n < len - at ? n : len - at;
		in = realloc(in, kept + n);
		memcpy(in + kept, bytes + at, n);
		at += n;
		kept += n;
		fresh = n;
		if (!o->r.is_head_done) {
			o->io = http_response_head(&o->r, in, kept);
			if (o->io != IO_OK)
				continue;
			fresh = kept - o->r.head_bytes;
			o->used = o->r.head_bytes;
		}
		o->io = http_response_body(&o->r, in + kept - fresh, fresh, &used, &body_len);
		FUZZ_CHECK(used <= fresh && body_len <= used);
		FUZZ_CHECK(o->io != IO_AGAIN || used == fresh);
		o->used += used;
		kept = kept - fresh + body_len;
	}
	if (o->io == IO_AGAIN)
		o->io = http_response_eof(&o->r);
	if (o->io == IO_OK) {
		o->body_len = kept - o->r.head_bytes;
		FUZZ_CHECK(o->body_len == o->r.body_bytes);
	}
	o->body = in;
}

static void visit_headers(const struct outcome *o)
{
	struct str name, value;

	for (size_t at = 0; http_response_next_header(&o->r, o->body, &at, &name, &value);)
		FUZZ_CHECK(name.p >= o->body && name.len &&
			   value.p + value.len <= o->body + o->r.head_bytes);
}

static void compare(const struct outcome *a, const struct outcome *b)
{
	FUZZ_CHECK(a->io == b->io);
	FUZZ_CHECK(a->r.fault == b->r.fault);
	if (a->io != IO_OK)
		return;
	FUZZ_CHECK(a->r.status == b->r.status && a->r.can_reuse == b->r.can_reuse);
	FUZZ_CHECK(a->r.framing == b->r.framing && a->r.head_bytes == b->r.head_bytes);
	FUZZ_CHECK(a->r.status >= 200 && a->r.status <= 999);
	FUZZ_CHECK(a->used == b->used && a->body_len == b->body_len);
	FUZZ_CHECK(memcmp(a->body + a->r.head_bytes, b->body + b->r.head_bytes, a->body_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct outcome whole, cut;
	bool is_head;

	if (len < 2)
		return 0;
	is_head = input[0] == 'h';
	run(&whole, (const char *)input + 2, len - 2, is_head, SIZE_MAX);
	run(&cut, (const char *)input + 2, len - 2, is_head, input[1] & 7);
	compare(&whole, &cut);
	if (whole.io == IO_OK)
		visit_headers(&whole);
	free(whole.body);
	free(cut.body);
	return 0;
}
