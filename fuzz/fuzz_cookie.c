/* SPDX-License-Identifier: MIT
 *
 * fuzz_cookie - Set-Cookie lines of any bytes, one per line of the input, and dates. What comes out
 * can stand in a request head, stays within the limits, and goes to no host but the right ones. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/cookie.h"

#define NOW 1000000000

static void check_sent(struct cookie_jar *jar, const char *host, const char *target)
{
	struct cookie_site site = { str_of(host), str_of(target), true, true };
	struct buf out;

	buf_init(&out, 2 * LIMIT_COOKIE_JAR_BYTES);
	cookie_jar_write(jar, &site, NOW, &out);
	FUZZ_CHECK(!out.is_full && out.len <= LIMIT_COOKIE_JAR_BYTES + 3 * LIMIT_COOKIES);
	for (size_t i = 0; i < out.len; i++)
		FUZZ_CHECK((unsigned char)out.p[i] >= ' ' || out.p[i] == '\t');
	if (strcmp(host, "elsewhere.net") == 0)
		FUZZ_CHECK(!out.len);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static const char *const hosts[] = { "www.example.org", "localhost", "10.0.0.1", "::1" };
	char *bytes = fuzz_copy(input, len);
	struct str rest = { bytes, len }, line;
	struct cookie_jar jar = { 0 };
	int64_t at_s;

	for (size_t i = 0; str_cut(&rest, '\n', &line); i++) {
		struct cookie_site site = { str_of(hosts[i % 4]), str_of("/a/b?c"), i / 4 % 2,
					    true };

		cookie_jar_set(&jar, &site, line, NOW);
		(void)cookie_parse_date(line, &at_s);
	}
	for (size_t i = 0; i < 4; i++)
		check_sent(&jar, hosts[i], "/a/b");
	check_sent(&jar, "example.org", "/");
	check_sent(&jar, "elsewhere.net", "/a/b");
	cookie_jar_clear(&jar);
	free(bytes);
	return 0;
}
