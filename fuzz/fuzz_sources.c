/* SPDX-License-Identifier: MIT
 *
 * fuzz_sources - a list of addresses that is accepted has some, and none of them twice. */
#include "fuzz.h"

#include "net/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct sources sources;
	char *list = malloc(len + 1);
	struct err_text why = { 0 };

	FUZZ_CHECK(list);
	if (len)
		memcpy(list, input, len);
	list[len] = '\0';
	if (sources_parse(list, &sources, &why)) {
		FUZZ_CHECK(why.text[0]);
	} else {
		FUZZ_CHECK(sources.v4_count + sources.v6_count > 0);
		for (size_t i = 1; i < sources.v4_count; i++)
			FUZZ_CHECK(sources.v4[i].s_addr != sources.v4[i - 1].s_addr);
		for (size_t i = 1; i < sources.v6_count; i++)
			FUZZ_CHECK(memcmp(&sources.v6[i], &sources.v6[i - 1],
					  sizeof(sources.v6[i])) != 0);
	}
	FUZZ_CHECK(sources.v4_count + sources.v6_count <= LIMIT_SOURCE_ADDRESSES);
	free(list);
	return 0;
}
