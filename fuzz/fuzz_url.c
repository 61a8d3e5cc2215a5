/* SPDX-License-Identifier: MIT
 *
 * fuzz_url - what is accepted as a URL can stand in a request head. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/url.h"

static void check_url(const struct http_url *url, const char *bytes, size_t len)
{
	FUZZ_CHECK(url->host.len > 0 && url->host.len <= LIMIT_HOST_BYTES && url->port);
	FUZZ_CHECK(url->host.p >= bytes && url->host.p + url->host.len <= bytes + len);
	FUZZ_CHECK(url->target.p >= url->host.p + url->host.len);
	FUZZ_CHECK(url->target.p + url->target.len <= bytes + len);
	FUZZ_CHECK(!url->target.len || *url->target.p == '/' || *url->target.p == '?');
	for (size_t i = 0; i < url->host.len; i++)
		FUZZ_CHECK(!strchr("/?#@[] \r\n", url->host.p[i]));
	for (size_t i = 0; i < url->target.len; i++)
		FUZZ_CHECK((unsigned char)url->target.p[i] > ' ' && url->target.p[i] != '#');
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct err_text why = { 0 };
	struct http_url url;

	if (http_url_parse((struct str){ bytes, len }, &url, &why) == OK)
		check_url(&url, bytes, len);
	else
		FUZZ_CHECK(why.text[0]);
	free(bytes);
	return 0;
}
