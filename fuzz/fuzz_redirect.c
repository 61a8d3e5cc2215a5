/* SPDX-License-Identifier: MIT
 *
 * fuzz_redirect - any Location, resolved against a URL: what comes out is within its limit, can
 * stand in a request line, has no dot segments left and means itself when resolved again. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/redirect.h"
#include "http/url.h"

static void check_url(struct str text)
{
	struct err_text why = { 0 };
	struct http_url url;
	struct str path, segment;
	const char *query;
	struct buf again;

	for (size_t i = 0; i < text.len; i++)
		FUZZ_CHECK(text.p[i] > ' ' && text.p[i] < 0x7f && text.p[i] != '#');
	if (http_url_parse(text, &url, &why) != OK)
		return;
	path = url.target;
	query = path.len ? memchr(path.p, '?', path.len) : NULL;
	if (query)
		path.len = (size_t)(query - path.p);
	while (str_cut(&path, '/', &segment))
		FUZZ_CHECK(!str_eq(segment, ".") && !str_eq(segment, ".."));
	buf_init(&again, LIMIT_URL_BYTES);
	redirect_resolve(str_of("http://other/x"), text, &again);
	FUZZ_CHECK(again.len == text.len && memcmp(again.p, text.p, text.len) == 0);
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct buf out;

	buf_init(&out, LIMIT_URL_BYTES);
	redirect_resolve(str_of("http://host:8080/a/b/c?d"), (struct str){ bytes, len }, &out);
	FUZZ_CHECK(out.len <= LIMIT_URL_BYTES);
	if (!out.is_full)
		check_url(buf_str(&out));
	buf_fini(&out);
	free(bytes);
	return 0;
}
