/* SPDX-License-Identifier: MIT
 *
 * fuzz_gate - gates that are accepted can be judged and printed. */
#include "fuzz.h"

#include <math.h>

#include "run/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *text = malloc(len + 1);
	struct err_text why = { "" };
	struct gate gate;
	struct buf out;

	FUZZ_CHECK(text);
	if (len)
		memcpy(text, input, len);
	text[len] = '\0';
	if (gate_parse(text, &gate, &why)) {
		FUZZ_CHECK(why.text[0]);
	} else {
		FUZZ_CHECK(isfinite(gate.bound.limit) && gate.bound.limit >= 0);
		FUZZ_CHECK(gate.bound.share >= 0 && gate.bound.share <= 1);
		FUZZ_CHECK(!gate.bound.who.len ||
			   (gate.bound.who.p > text && gate.bound.who.len < strlen(text)));
		buf_init(&out, 4096);
		gate.is_known = true;
		gate.value = gate.bound.limit;
		gate_add_value(&gate, &out);
		FUZZ_CHECK(out.len && !out.is_full);
		buf_fini(&out);
	}
	free(text);
	return 0;
}
