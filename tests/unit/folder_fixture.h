/* SPDX-License-Identifier: MIT
 *
 * A test's own folder, as cmocka's setup and teardown; *state is its path. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int make_folder(void **state)
{
	char template[] = "/tmp/cicada-test-XXXXXX";
	const char *path = mkdtemp(template);

	*state = path ? strdup(path) : NULL;
	return *state ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline int remove_tree(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int remove_folder(void **state)
{
	int failed = remove_tree(*state);

	free(*state);
	return failed;
}
