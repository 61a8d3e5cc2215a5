/* SPDX-License-Identifier: MIT
 *
 * fuzz_stages - stages that are accepted can all be run. */
#include "fuzz.h"

#include "run/run.h"
#include "run/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct shape_stages stages;
	char *list = malloc(len + 1);
	struct err_text why = { 0 };

	FUZZ_CHECK(list);
	if (len)
		memcpy(list, input, len);
	list[len] = '\0';
	if (shape_parse(list, &stages, &why)) {
		FUZZ_CHECK(why.text[0]);
	} else {
		FUZZ_CHECK(stages.count > 0 && stages.count <= LIMIT_STAGES);
		for (size_t i = 0; i < stages.count; i++)
			FUZZ_CHECK(stages.stage[i].seconds > 0 &&
				   stages.stage[i].users <= LIMIT_USERS &&
				   stages.stage[i].spawn_rate >= RUN_SPAWN_RATE_MIN);
	}
	free(list);
	return 0;
}
