/* SPDX-License-Identifier: MIT
 *
 * fuzz_counter_text - a page of metrics: a sum without a sample or # TYPE is zero. */
#include "fuzz.h"

#include "matrix/counter_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	const struct str page = { bytes, len };
	uint64_t sum = 1;

	if (counter_text_sum(page, COUNTER_OF_REQUESTS, &sum) &&
	    !counter_text_has(page, COUNTER_OF_REQUESTS))
		FUZZ_CHECK(sum == 0);
	free(bytes);
	return 0;
}
