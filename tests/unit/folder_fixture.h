/* SPDX-License-Identifier: MIT
 *
 * A test's own folder, as cmocka's setup and teardown; *state is its path. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int make_folder(void **state)
{
	char template[] = "/tmp/cicada-test-XXXXXX";
	const char *path = mkdtemp(template);

	*state = path ? strdup(path) : NULL;
	return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(*state);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(*state);
	free(*state);
	return 0;
}
