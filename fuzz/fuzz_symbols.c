/* SPDX-License-Identifier: MIT
 *
 * fuzz_symbols - names found in a shared object lie inside it and end there. */
#include "fuzz.h"

#include "user/symbols.h"

struct file {
	const char *bytes;
	size_t len;
};

static enum err check_name(void *arg, const char *name)
{
	const struct file *file = arg;

	FUZZ_CHECK(name >= file->bytes && name < file->bytes + file->len);
	FUZZ_CHECK(memchr(name, '\0', (size_t)(file->bytes + file->len - name)));
	FUZZ_CHECK(strncmp(name, "cic_user_", 9) == 0);
	return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct file file = { bytes, len };
	struct err_text why = { 0 };

	if (symbols_each((struct str){ bytes, len }, "cic_user_", check_name, &file, &why) != OK)
		FUZZ_CHECK(why.text[0]);
	free(bytes);
	return 0;
}
