/* SPDX-License-Identifier: MIT
 *
 * fuzz_proxy - an environment that is accepted names proxies that can be used, for any target. The
 * input is lines: each is a variable, but the last, which is the URL of a target. */
#include "fuzz.h"

#include "http/proxy.h"

#define LINES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct proxies proxies;
	char *text = malloc(len + 1), *environment[LINES_MAX + 1] = { NULL };
	const char *target;
	struct err_text why = { "" };
	const struct proxy *proxy;
	struct http_url url;
	size_t count = 0;

	FUZZ_CHECK(text);
	if (len)
		memcpy(text, input, len);
	text[len] = '\0';
	for (char *rest = text, *line; count < LINES_MAX && (line = strsep(&rest, "\n"));)
		environment[count++] = line;
	target = environment[--count];
	environment[count] = NULL;
	if (proxy_read(&proxies, environment, &why)) {
		FUZZ_CHECK(why.text[0]);
	} else if (http_url_parse(str_of(target), &url, NULL) == OK) {
		proxy = proxy_choose(&proxies, &url);
		if (proxy) {
			url = proxy_url(proxy);
			FUZZ_CHECK(url.host.len > 0 && url.port && !url.is_tls);
		}
	}
	free(text);
	return 0;
}
