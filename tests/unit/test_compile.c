/* SPDX-License-Identifier: MIT
 *
 * A compiler that hangs is killed with all it started; one that says much is read to the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/limits.h"

/* The real one is a minute. */
#undef LIMIT_COMPILER_S
#define LIMIT_COMPILER_S 1

/* With that limit. */
#include "user/compile.c"

#define PATIENCE_S 20

static char folder[64], script[128], source[128];

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static enum err compile_with(const char *text, struct err_text *why)
{
	char *object = NULL;
	enum err err;

	*why = (struct err_text){ 0 };
	write_file(script, text, 0700);
	assert_int_equal(setenv("CC", script, 1), 0);
	err = compile_scenario(source, &object, why);
	mem_free(object);
	return err;
}

static void a_compiler_that_hangs_is_killed(void **state)
{
	char pid_path[128], text[256];
	struct err_text why;
	long pid = 0;
	FILE *f;

	(void)state;
	snprintf(pid_path, sizeof(pid_path), "%s/pid", folder);
	snprintf(text, sizeof(text), "#!/bin/sh\nsleep 600 &\necho $! >%s\nwait\n", pid_path);
	assert_int_equal(compile_with(text, &why), ERR_TIMEOUT);
	assert_non_null(strstr(why.text, "not done within 1 s"));
	f = fopen(pid_path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &pid), 1);
	fclose(f);
	/* Its grandchild, too; somebody else reaps it. */
	for (int i = 0; i < PATIENCE_S * 100 && kill((pid_t)pid, 0) == 0; i++) {
		char stat_path[64], state_letter = '?';

		snprintf(stat_path, sizeof(stat_path), "/proc/%ld/stat", pid);
		f = fopen(stat_path, "r");
		if (f && fscanf(f, "%*d (%*[^)]) %c", &state_letter) != 1)
			state_letter = '?';
		if (f)
			fclose(f);
		if (state_letter == 'Z')
			return;
		clock_sleep_us(10 * CLOCK_MS);
	}
	assert_int_not_equal(kill((pid_t)pid, 0), 0);
}

static void a_talkative_compiler_does_not_block(void **state)
{
	struct err_text why;

	(void)state;
	assert_int_equal(compile_with("#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' 'x'\n"
				      "echo; echo an error here; exit 1\n",
				      &why),
			 ERR_BAD_INPUT);
	assert_int_equal(compile_with("#!/bin/sh\necho talk; echo an error here; exit 1\n", &why),
			 ERR_BAD_INPUT);
	assert_string_equal(why.text, "an error here");
}

static void an_object_that_is_not_there_is_an_error(void **state)
{
	struct err_text why;

	(void)state;
	assert_int_equal(compile_with("#!/bin/sh\nexit 0\n", &why), ERR_IO);
	assert_non_null(strstr(why.text, "cannot write"));
}

static void words_of_cc_are_bounded(void **state)
{
	char words[4 * LIMIT_COMPILER_WORDS + 16];
	struct err_text why = { 0 };
	char *object;

	(void)state;
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = i % 2 ? ' ' : 'a';
	words[sizeof(words) - 1] = '\0';
	assert_int_equal(setenv("CC", words, 1), 0);
	assert_int_equal(compile_scenario(source, &object, &why), ERR_TOO_BIG);
	assert_null(object);
}

static void includes_are_seen(void **state)
{
	(void)state;
	assert_true(includes_own_files(str_of("int a;\n #  include\t\"b.h\"\n")));
	assert_true(includes_own_files(str_of("#include MACRO")));
	assert_false(
		includes_own_files(str_of("#include <a.h>\n//include \"b.h\"\n#define x\n#\n")));
}

static bool has_own_mounts(void)
{
	unsigned user = geteuid();
	char map[64];
	int fd, length = snprintf(map, sizeof(map), "%u %u 1", user, user);
	bool is_done;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_done = write(fd, map, (size_t)length) == length;
	(void)close(fd);
	return is_done;
}

/* In a child; 77 where the kernel has no mounts for us. */
static int without_execution(void)
{
	struct err_text why = { 0 };
	char *cache = NULL, *expected;

	if (!has_own_mounts() || mount("none", folder, "tmpfs", MS_NOEXEC, NULL) < 0)
		return 77;
	if (find_cache(&cache, &why))
		return 1;
	expected = mem_printf("/tmp/cicada-%u", (unsigned)geteuid());
	(void)rmdir(expected); /* Stays when it is in use. */
	if (strcmp(cache, expected) != 0)
		return 2;
	mem_free(expected);
	mem_free(cache);
	if (mount("none", "/tmp", "tmpfs", MS_NOEXEC, NULL) < 0)
		return 77;
	return find_cache(&cache, &why) == ERR_IO && strstr(why.text, "noexec") ? 0 : 3;
}

/* As Docker's --tmpfs is mounted, and /tmp of hardened machines. */
static void a_folder_whose_files_may_not_run_is_passed_over(void **state)
{
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(unsetenv("HOME"), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(without_execution());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_compile.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	snprintf(script, sizeof(script), "%s/compiler", folder);
	snprintf(source, sizeof(source), "%s/test.c", folder);
	write_file(source, "int x;\n", 0600);
	return setenv("XDG_CACHE_HOME", folder, 1);
}

static int finish(void **state)
{
	char *command = mem_printf("rm -rf %s", folder);
	int status = system(command);

	(void)state;
	mem_free(command);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_compiler_that_hangs_is_killed),
		cmocka_unit_test(a_talkative_compiler_does_not_block),
		cmocka_unit_test(an_object_that_is_not_there_is_an_error),
		cmocka_unit_test(words_of_cc_are_bounded),
		cmocka_unit_test(includes_are_seen),
		cmocka_unit_test(a_folder_whose_files_may_not_run_is_passed_over),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
