/* SPDX-License-Identifier: MIT
 *
 * cpus: quotas of both versions of cgroups, laid out in a folder of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cpus.h"
#include "base/mem.h"

static char mount[] = "/tmp/cicada-cgroup-XXXXXX";

static void make_folder(const char *path)
{
	char *full = mem_printf("%s%s", mount, path);

	assert_int_equal(mkdir(full, 0700), 0);
	mem_free(full);
}

static void write_text(const char *path, const char *text)
{
	char *full = mem_printf("%s%s", mount, path);
	FILE *f = fopen(full, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	mem_free(full);
}

static void the_smallest_quota_on_the_way_up_counts(void **state)
{
	(void)state;
	assert_int_equal(cpus_of_quota("0::/a/b\n", mount), 0);
	write_text("/a/b/cpu.max", "max 100000\n");
	assert_int_equal(cpus_of_quota("0::/a/b\n", mount), 0);
	write_text("/a/b/cpu.max", "350000 100000\n");
	assert_int_equal(cpus_of_quota("0::/a/b\n", mount), 4);
	write_text("/a/cpu.max", "150000 100000\n");
	assert_int_equal(cpus_of_quota("0::/a/b\n", mount), 2);
	write_text("/cpu.max", "10000 100000\n");
	assert_int_equal(cpus_of_quota("0::/a/b\n", mount), 1);
	assert_int_equal(cpus_of_quota("0::/../elsewhere\n", mount), 1);
	assert_int_equal(cpus_of_quota("0::/", mount), 1);
	write_text("/cpu.max", "junk");
	assert_int_equal(cpus_of_quota("0::/", mount), 0);
}

static void version_1_is_read_by_its_controller(void **state)
{
	(void)state;
	write_text("/cpu,cpuacct/pod/cpu.cfs_quota_us", "-1\n");
	write_text("/cpu,cpuacct/pod/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cpus_of_quota("4:cpu,cpuacct:/pod\n3:memory:/pod\n", mount), 0);
	write_text("/cpu,cpuacct/pod/cpu.cfs_quota_us", "250000\n");
	assert_int_equal(cpus_of_quota("3:memory:/pod\n4:cpu,cpuacct:/pod\n", mount), 3);
	assert_int_equal(cpus_of_quota("3:memory:/pod\n", mount), 0);
}

static void nonsense_is_no_quota(void **state)
{
	(void)state;
	assert_int_equal(cpus_of_quota("", mount), 0);
	assert_int_equal(cpus_of_quota("\n\n::::\n0\n0:\n0::", mount), 0);
}

static void at_least_one_is_available(void **state)
{
	(void)state;
	assert_in_range(cpus_available(), 1, 4096);
}

static int make_tree(void **state)
{
	(void)state;
	if (!mkdtemp(mount))
		return -1;
	make_folder("/a");
	make_folder("/a/b");
	make_folder("/cpu,cpuacct");
	make_folder("/cpu,cpuacct/pod");
	return 0;
}

static int drop_tree(void **state)
{
	static const char *const paths[] = { "/a/b/cpu.max",
					     "/a/b",
					     "/a/cpu.max",
					     "/a",
					     "/cpu.max",
					     "/cpu,cpuacct/pod/cpu.cfs_quota_us",
					     "/cpu,cpuacct/pod/cpu.cfs_period_us",
					     "/cpu,cpuacct/pod",
					     "/cpu,cpuacct",
					     "" };
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *full = mem_printf("%s%s", mount, paths[i]);

		failures += remove(full) != 0;
		mem_free(full);
	}
	return failures;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_quota_on_the_way_up_counts),
		cmocka_unit_test(version_1_is_read_by_its_controller),
		cmocka_unit_test(nonsense_is_no_quota),
		cmocka_unit_test(at_least_one_is_available),
	};

	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
