/* SPDX-License-Identifier: MIT
 *
 * fuzz_h2 - what a server may send on an HTTP/2 connection. The first byte of the input chooses
 * the request, the second how the rest is cut and how often the client's own bytes are taken
 * away. Requests go on as long as the connection does. */
#include "base/limits.h"
#include "fuzz.h"
#include "http/h2.h"
#include "http/http_int.h"

/* So many follow one another at most. */
#define REQUESTS_MAX 8

struct exchange {
	struct h2 *h;
	struct http_response r;
	struct buf in, text;
	unsigned requests;
};

static void begin(struct exchange *x, uint8_t kind)
{
	static const char *const heads[] = {
		"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
	};

	static const char block[1000];

	buf_clear(&x->in);
	buf_clear(&x->text);
	buf_add_text(&x->text, heads[kind & 3]);
	for (int i = 0; (kind & 3) == 3 && i < 100; i++)
		buf_add(&x->text, block, sizeof(block));
	http_response_init(&x->r, (kind & 3) == 1);
	FUZZ_CHECK(h2_request(x->h, buf_str(&x->text), kind & 4, &x->r, &x->in));
	x->requests++;
}

static void drain(struct exchange *x)
{
	struct str bytes;

	while ((bytes = h2_output(x->h)).len)
		h2_sent(x->h, bytes.len);
}

static void check_head(const struct exchange *x)
{
	struct str name, value;
	size_t at = 0;

	FUZZ_CHECK(x->r.is_head_done && x->r.status >= 200 && x->r.status <= 999);
	FUZZ_CHECK(x->r.head_bytes <= LIMIT_RESPONSE_HEAD_BYTES);
	FUZZ_CHECK(x->in.len == x->r.head_bytes + x->r.body_bytes);
	while (http_response_next_header(&x->r, x->in.p, &at, &name, &value))
		FUZZ_CHECK(name.p >= x->in.p && name.len &&
			   value.p + value.len <= x->in.p + x->r.head_bytes);
}

/* False: nothing more can be asked. */
static bool go_on(struct exchange *x, uint8_t kind)
{
	enum h2_state state = h2_state(x->h);
	char why[FAILURE_BYTES] = "";

	if (state == H2_WAITING)
		return true;
	if (state == H2_DONE) {
		check_head(x);
	} else {
		h2_failure(x->h, why);
		FUZZ_CHECK(why[0]);
	}
	if (!h2_can_request(x->h) || x->requests == REQUESTS_MAX)
		return false;
	begin(x, kind);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct h2_place *place;
	struct exchange x = { 0 };
	bool is_alive = true;

	if (len < 2)
		return 0;
	place = h2_place_create();
	x.h = h2_create(place);
	buf_init(&x.in, LIMIT_RESPONSE_HEAD_BYTES + LIMIT_RESPONSE_BODY_BYTES);
	buf_init(&x.text, LIMIT_REQUEST_BYTES);
	begin(&x, input[0]);
	drain(&x);
	for (size_t at = 2, n; at < len && is_alive; at += n) {
		size_t part = input[1] & 15 ? input[1] & 15 : len;
		char *copy;

		n = len - at < part ? len - at : part;
		copy = fuzz_copy(input + at, n);
		h2_take(x.h, copy, n);
		if (!(input[1] & 16) || at & 1)
			drain(&x);
		free(copy);
		is_alive = go_on(&x, input[0]);
	}
	h2_eof(x.h);
	FUZZ_CHECK(h2_state(x.h) != H2_WAITING && !h2_can_request(x.h));
	h2_destroy(&x.h);
	h2_place_destroy(&place);
	buf_fini(&x.in);
	buf_fini(&x.text);
	return 0;
}
