/* SPDX-License-Identifier: MIT
 *
 * fuzz_safetensors - every accepted tensor can be copied out of the file's bytes. */
#include "fuzz.h"

#include "infer/safetensors.h"

static void check_tensor(const struct tensor *t, const char *bytes, size_t len)
{
	size_t count = 1;
	float *out;

	FUZZ_CHECK(t->name && t->rank <= SAFETENSORS_RANK_MAX);
	for (size_t i = 0; i < t->rank; i++)
		count *= t->shape[i];
	FUZZ_CHECK(count == t->count && count <= len / sizeof(float));
	FUZZ_CHECK(t->bytes >= bytes && t->bytes + count * sizeof(float) <= bytes + len);
	out = malloc(count * sizeof(float) + 1);
	tensor_copy(t, out);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct safetensors *s = NULL;
	struct err_text why = { 0 };

	if (safetensors_create(&s, (struct str){ bytes, len }, &why) == OK)
		for (size_t i = 0; i < safetensors_count(s); i++)
			check_tensor(safetensors_at(s, i), bytes, len);
	else
		FUZZ_CHECK(why.text[0]);
	safetensors_destroy(&s);
	free(bytes);
	return 0;
}
