/* SPDX-License-Identifier: MIT
 *
 * fuzz_opt_yaml - settings in YAML: what is given stays readable to the end, as keys that differ.
 */
#include "fuzz.h"

#include "base/limits.h"
#include "base/opt_yaml.h"

struct seen {
	struct opt_setting settings[LIMIT_OPTIONS];
	size_t count;
};

static enum err on_setting(void *arg, const struct opt_setting *setting, struct err_text *why)
{
	struct seen *seen = arg;

	(void)why;
	FUZZ_CHECK(setting->line >= 1 && seen->count < LIMIT_OPTIONS);
	FUZZ_CHECK(setting->is_list || setting->values.count == 1);
	seen->settings[seen->count++] = *setting;
	return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static struct seen seen;
	struct err_text text = { "" };
	struct buf bytes;
	size_t sum = 0;

	seen.count = 0;
	buf_init(&bytes, LIMIT_CONFIG_FILE_BYTES);
	buf_add(&bytes, input, len);
	if (opt_yaml_read("f", &bytes, on_setting, &seen, &text))
		FUZZ_CHECK(!strncmp(text.text, "f:", 2));
	for (size_t i = 0; i < seen.count; i++) {
		sum += strlen(seen.settings[i].key) + 1;
		for (size_t k = 0; k < seen.settings[i].values.count; k++)
			sum += strlen(seen.settings[i].values.value[k]) + 1;
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(strcmp(seen.settings[i].key, seen.settings[k].key) != 0);
	}
	FUZZ_CHECK(sum <= bytes.len);
	buf_fini(&bytes);
	return 0;
}
