/* SPDX-License-Identifier: MIT
 *
 * fuzz_opt_file - settings in files, both kinds: the first byte says which. */
#include "fuzz.h"

#include "base/limits.h"
#include "base/opt_file.h"

static enum err on_setting(void *arg, const struct opt_setting *setting, struct err_text *why)
{
	const unsigned *lines = arg;
	size_t len = strlen(setting->key);

	(void)why;
	FUZZ_CHECK(setting->line >= 1 && setting->line <= *lines);
	for (size_t i = 0; i < setting->values.count; i++)
		len += strlen(setting->values.value[i]);
	FUZZ_CHECK(len <= LIMIT_CONFIG_FILE_BYTES);
	return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct err_text text = { "" };
	unsigned lines = 1;
	struct buf bytes;
	enum err err;

	if (!len)
		return 0;
	buf_init(&bytes, LIMIT_CONFIG_FILE_BYTES);
	buf_add(&bytes, input + 1, len - 1);
	for (size_t i = 1; i < len; i++)
		lines += input[i] == '\n';
	err = opt_file_read(*input == 't' ? OPT_FILE_TOML : OPT_FILE_CONF, "f", &bytes, on_setting,
			    &lines, &text);
	FUZZ_CHECK(!err || !strncmp(text.text, "f:", 2));
	buf_fini(&bytes);
	return 0;
}
