/* SPDX-License-Identifier: MIT
 *
 * config_users - see the header. */
#include "cli/config_users.h"

#include "base/file.h"
#include "base/limits.h"
#include "web/user_class.h"

#define SUFFIX ".json"

static bool is_file(const char *config)
{
	size_t len = strlen(config), suffix = sizeof(SUFFIX) - 1;

	return len > suffix && !strcmp(config + len - suffix, SUFFIX);
}

static enum err apply(const char *config, struct run *run, struct err_text *text)
{
	struct err_text why = { "" };
	struct buf bytes;
	enum err err = OK;

	buf_init(&bytes, LIMIT_CONFIG_FILE_BYTES);
	if (is_file(config))
		err = file_read(config, &bytes, &why);
	if (!err)
		err = user_class_configure(run, is_file(config) ? buf_str(&bytes) : str_of(config),
					   &why);
	buf_fini(&bytes);
	return err ? err_set(text, err, "--config-users %.100s: %s", config, err_say(&why, err))
		   : OK;
}

enum err config_users_apply(const struct opt_texts *configs, struct run *run, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; i < configs->count && !err; i++)
		err = apply(configs->value[i], run, text);
	return err;
}
