/* SPDX-License-Identifier: MIT
 *
 * Scenarios compiled and loaded with the compilers that are installed, and files that are none.
 * CICADA_INCLUDE is set by the build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "user/scenario.h"
#include "user/symbols.h"

#define PROLOGUE "#include <cicada.h>\nstatic void t(struct cic_user *u) { cic_get(u, \"/\"); }\n"
#define ONE_TASK ".tasks = CIC_TASKS({ t, 1 })"

static char folder[64];

static char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *write_bytes(const char *name, const void *bytes, size_t len)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	return path;
}

static const char *write_text(const char *name, const char *text)
{
	return write_bytes(name, text, strlen(text));
}

static enum err load_text(const char *text, struct scenario *out, struct err_text *why)
{
	*why = (struct err_text){ 0 };
	return scenario_load(write_text("test.c", text), out, why);
}

/* Loading the source fails and the text says each of the words. */
static void assert_refused(const char *source, const char *word, const char *other)
{
	struct scenario s;
	struct err_text why;

	assert_int_not_equal(load_text(source, &s, &why), OK);
	if (!strstr(why.text, word) || !strstr(why.text, other))
		fail_msg("neither '%s' nor '%s' in: %s", word, other, why.text);
	assert_null(s.handle);
	assert_null(s.classes);
}

/* Path of the only object in the cache folder, its inode in *inode. */
static char *cached_object(ino_t *inode)
{
	char *cache = mem_printf("%s/cicada", folder), *found = NULL;
	DIR *dir = opendir(cache);
	struct dirent *entry;
	struct stat st;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_null(found);
		assert_non_null(strstr(entry->d_name, ".so"));
		found = mem_printf("%s/%s", cache, entry->d_name);
	}
	closedir(dir);
	mem_free(cache);
	assert_non_null(found);
	assert_int_equal(stat(found, &st), 0);
	*inode = st.st_ino;
	return found;
}

static void empty_cache(void)
{
	char *command = mem_printf("rm -rf %s/cicada", folder);

	assert_int_equal(system(command), 0);
	mem_free(command);
}

static void every_compiler_will_do(void **state)
{
	static const char *const compilers[] = { "gcc -Wall -Werror", "clang -Wall", "tcc", "cc" };
	char *path = mem_printf("%s/../scenarios/inference.c", getenv("CICADA_INCLUDE"));

	(void)state;
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++) {
		struct err_text why = { 0 };
		char command[64];
		struct scenario s;
		enum err err;

		snprintf(command, sizeof(command), "command -v %.*s >/dev/null",
			 (int)strcspn(compilers[i], " "), compilers[i]);
		if (system(command) != 0)
			continue;
		assert_int_equal(setenv("CC", compilers[i], 1), 0);
		err = scenario_load(path, &s, &why);
		if (err)
			fail_msg("%s: %s", compilers[i], why.text);
		assert_int_equal(s.class_count, 1);
		assert_string_equal(s.file_name, "inference.c");
		assert_string_equal(s.classes[0]->name, "InferenceUser");
		assert_int_equal(s.classes[0]->wait.kind, CIC_WAIT_BETWEEN);
		assert_string_equal(s.classes[0]->tasks[0].name, "predict");
		assert_true(s.classes[0]->tasks[0].weight == 8);
		scenario_unload(&s);
	}
	unsetenv("CC");
	mem_free(path);
}

static void classes_are_sorted_and_hold_defaults(void **state)
{
	struct err_text why;
	struct scenario s;

	(void)state;
	assert_int_equal(load_text(PROLOGUE "CIC_USER(Zebra, " ONE_TASK ");\n"
					    "CIC_USER(Ant, " ONE_TASK ", .weight = 2.5);\n"
					    "CIC_USER(Mule, " ONE_TASK
					    ", .host = \"http://h:1\");\n"
					    "int cic_user_count = 99;\n",
				   &s, &why),
			 ERR_UNSUPPORTED);
	assert_int_equal(load_text(PROLOGUE "CIC_USER(Zebra, " ONE_TASK ");\n"
					    "CIC_USER(Ant, " ONE_TASK ", .weight = 2.5);\n"
					    "CIC_USER(Mule, " ONE_TASK
					    ", .host = \"http://h:1\");\n",
				   &s, &why),
			 OK);
	assert_int_equal(s.class_count, 3);
	assert_string_equal(s.classes[0]->name, "Ant");
	assert_string_equal(s.classes[1]->name, "Mule");
	assert_string_equal(s.classes[2]->name, "Zebra");
	assert_true(s.classes[0]->weight == 2.5);
	assert_int_equal(s.classes[2]->wait.kind, CIC_WAIT_CONSTANT);
	scenario_unload(&s);
	scenario_unload(&s);
}

static void an_object_is_compiled_once(void **state)
{
	ino_t first, second;
	struct err_text why;
	struct scenario s;
	char *path;

	(void)state;
	empty_cache();
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");", &s, &why), OK);
	scenario_unload(&s);
	mem_free(cached_object(&first));
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");", &s, &why), OK);
	scenario_unload(&s);
	path = cached_object(&second);
	assert_int_equal(first, second);
	/* The object can be given by itself, too. */
	assert_int_equal(scenario_load(path, &s, &why), OK);
	assert_string_equal(s.classes[0]->name, "A");
	scenario_unload(&s);
	mem_free(path);
}

static void what_is_included_may_change(void **state)
{
	static const char source[] = PROLOGUE "#include \"own.h\"\n"
					      "CIC_USER(A, " ONE_TASK ", .weight = WEIGHT);\n";
	struct err_text why;
	struct scenario s;

	(void)state;
	write_text("own.h", "#define WEIGHT 2\n");
	assert_int_equal(load_text(source, &s, &why), OK);
	assert_true(s.classes[0]->weight == 2);
	scenario_unload(&s);
	write_text("own.h", "#define WEIGHT 3\n");
	assert_int_equal(load_text(source, &s, &why), OK);
	assert_true(s.classes[0]->weight == 3);
	scenario_unload(&s);
}

static void a_bad_source_is_refused_with_the_compilers_words(void **state)
{
	(void)state;
	assert_refused(PROLOGUE "\nCIC_USER(A, .tasks = nonsense);\n", "test.c:4", "error");
	/* Inside a macro of cicada.h: its line in the scenario, whatever compiler says it. */
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ");\nCIC_USER(A, " ONE_TASK ");\n",
		       "test.c:4", "redefinition");
	assert_refused(PROLOGUE "static void x(struct cic_user *u) { cic_get(u, 5); }\n"
				"CIC_USER(A, " ONE_TASK ");\n",
		       "test.c:3", "error");
	assert_refused(PROLOGUE "void gone(void);\nstatic void x(struct cic_user *u) { gone(); }\n"
				"CIC_USER(A, .tasks = CIC_TASKS({ x, 1 }));\n",
		       "test.c: undefined symbol: gone", "CC=");
	assert_int_equal(setenv("CC", "no-such-compiler", 1), 0);
	assert_refused(PROLOGUE, "no-such-compiler", "No such file");
	assert_int_equal(setenv("CC", "false", 1), 0);
	assert_refused(PROLOGUE, "without a word", "compiler");
	unsetenv("CC");
}

static void a_bad_class_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .abi = 77);", "cic_user_A", "77");
	assert_refused(PROLOGUE, "no user class", "CIC_USER");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .abi = 0);", "cic_user_A", "no .abi");
	assert_refused(PROLOGUE "CIC_USER(A, .weight = 1);", "/test.c:3: class A has", "no task");
	assert_refused(PROLOGUE "\n#line 77 \"part.h\"\nCIC_USER(A, .weight = 1);",
		       "part.h:77: class A has", "no task");
	assert_refused(PROLOGUE "CIC_FEED(rows, \"rows.csv\", .mode = 9);\nCIC_USER(A, " ONE_TASK
				");",
		       "/test.c:3: feed rows", "unknown mode 9");
	assert_refused(PROLOGUE "CIC_USER(A, .tasks = CIC_TASKS({ 0 }));", "class A", "no task");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .weight = -1);", "class A", "-1");
	assert_refused(PROLOGUE "CIC_USER(A, .tasks = CIC_TASKS({ t, 1 }, { t, -2 }));", "task 2",
		       "-2");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .weight = __builtin_nan(\"\"));",
		       "class A", "nan");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .wait = CIC_BETWEEN(2, 1));", "class A",
		       "wait");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .wait = { 9, 2, 1 });", "class A",
		       "wait 9");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .wait = CIC_CONSTANT_THROUGHPUT(0.0));",
		       "class A", "inf");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK
				", .wait = CIC_CONSTANT(1), .arrivals = CIC_ARRIVALS_EVEN(1));",
		       "class A", "both .wait and .arrivals");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .arrivals = CIC_ARRIVALS_EVEN(-3));",
		       "class A", "-3 arrivals");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .arrivals = { 7 });", "class A",
		       "arrivals 7");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK
				", .arrivals = CIC_ARRIVALS_POISSON(1, .max_in_flight = 2000000));",
		       "class A", ".max_in_flight");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .host = \"nowhere\");", "class A",
		       ".host");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .data_bytes = 1u << 30);", "class A",
		       "1073741824");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ", .name = \"\");", "cic_user_A",
		       "no name");
	assert_refused(PROLOGUE "CIC_USER(A, " ONE_TASK ");CIC_USER(B, " ONE_TASK
				", .name = \"A\");",
		       "two user classes", "A");
}

static void a_missing_file_of_rows_is_said_with_its_line(void **state)
{
	struct err_text why;
	struct scenario s;

	(void)state;
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");\n"
					    "CIC_FEED(rows, \"no.csv\");\n",
				   &s, &why),
			 OK);
	assert_int_equal(scenario_open_feeds(&s, (struct feed_slice){ 0 }, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "/test.c:4: "));
	assert_non_null(strstr(why.text, "/no.csv: No such file"));
	scenario_unload(&s);
}

static void other_files_are_refused(void **state)
{
	struct err_text why = { 0 };
	struct scenario s;

	(void)state;
	assert_int_equal(scenario_load(write_text("x.so", "hello"), &s, &why), ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "x.so: not a shared object"));
	assert_int_equal(scenario_load("/bin/sh", &s, &why), ERR_UNSUPPORTED);
	assert_int_not_equal(scenario_load(path_of("none.so"), &s, &why), OK);
	assert_non_null(strstr(why.text, "none.so"));
	assert_int_not_equal(scenario_load(path_of("none.c"), &s, &why), OK);
	assert_non_null(strstr(why.text, "none.c"));
}

static void read_object(struct buf *bytes)
{
	struct err_text why;
	struct scenario s;
	ino_t inode;
	char *path;

	empty_cache();
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");", &s, &why), OK);
	scenario_unload(&s);
	path = cached_object(&inode);
	buf_init(bytes, LIMIT_SCENARIO_FILE_BYTES);
	assert_int_equal(file_read(path, bytes, &why), OK);
	mem_free(path);
}

static enum err count_symbol(void *arg, const char *name)
{
	assert_string_equal(name, "cic_user_A");
	++*(int *)arg;
	return OK;
}

static void a_file_cut_short_is_refused(void **state)
{
	struct err_text why;
	struct scenario s;
	struct buf bytes;

	(void)state;
	read_object(&bytes);
	for (size_t len = 0; len < bytes.len; len += 1 + len / 50) {
		/* Exactly as long, so that a read past the end is seen. */
		char *part = mem_strndup(bytes.p, len);
		int count = 0;

		why = (struct err_text){ 0 };
		assert_int_equal(symbols_each((struct str){ part, len }, "cic_user_", count_symbol,
					      &count, &why),
				 ERR_BAD_INPUT);
		assert_true(why.text[0]);
		assert_int_equal(count, 0);
		mem_free(part);
	}
	assert_int_equal(scenario_load(write_bytes("cut.so", bytes.p, bytes.len / 2), &s, &why),
			 ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "cut short"));
	buf_fini(&bytes);
}

static void other_processors_are_refused(void **state)
{
	struct err_text why = { 0 };
	struct buf bytes;
	int count = 0;

	(void)state;
	read_object(&bytes);
	assert_int_equal(symbols_each(buf_str(&bytes), "cic_user_", count_symbol, &count, &why),
			 OK);
	assert_int_equal(count, 1);
	bytes.p[18] ^= 0x55; /* e_machine */
	assert_int_equal(symbols_each(buf_str(&bytes), "cic_user_", count_symbol, &count, &why),
			 ERR_BAD_INPUT);
	assert_non_null(strstr(why.text, "processor"));
	buf_fini(&bytes);
}

static void only_a_folder_of_our_own_is_used(void **state)
{
	char *cache = mem_printf("%s/open/cicada", folder), *home;
	struct err_text why;
	struct scenario s;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(path_of("open"), 0700), 0);
	assert_int_equal(mkdir(cache, 0700), 0);
	assert_int_equal(chmod(cache, 0777), 0);
	assert_int_equal(setenv("XDG_CACHE_HOME", path_of("open"), 1), 0);
	assert_int_equal(setenv("HOME", folder, 1), 0);
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");", &s, &why), OK);
	scenario_unload(&s);
	/* Empty: its only entries are . and .. */
	assert_int_equal(rmdir(cache), 0);
	home = mem_printf("%s/.cache/cicada", folder);
	assert_int_equal(stat(home, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(setenv("XDG_CACHE_HOME", folder, 1), 0);
	mem_free(home);
	mem_free(cache);
}

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_scenario.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	unsetenv("CC");
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

static bool ends_at_once(const struct cic_shape *shape)
{
	struct cic_now now = { .run_time_s = 1 };
	struct cic_tick tick = { 0, 0 };

	return !shape->ask(&now, &tick);
}

static void test_a_shape_is_found(void **state)
{
	static const char function[] =
		PROLOGUE "CIC_USER(A, " ONE_TASK ");\n"
			 "static bool no(const struct cic_now *n, struct cic_tick *t)"
			 "{ (void)n; (void)t; return false; }\nCIC_SHAPE(no);\n";
	static const char stages[] = PROLOGUE "CIC_USER(A, " ONE_TASK ");\n"
					      "CIC_STAGES({ 1, 2, 3 }, { 0.5, 0, 1 });\n";
	struct err_text text;
	struct scenario s;

	(void)state;
	assert_int_equal(load_text(PROLOGUE "CIC_USER(A, " ONE_TASK ");\n", &s, &text), OK);
	assert_null(s.shape);
	scenario_unload(&s);
	assert_int_equal(load_text(function, &s, &text), OK);
	assert_string_equal(s.shape->name, "no");
	assert_true(ends_at_once(s.shape));
	scenario_unload(&s);
	assert_int_equal(load_text(stages, &s, &text), OK);
	assert_int_equal(s.shape->stage_count, 2);
	assert_true(s.shape->stages[1].seconds == 0.5);
	scenario_unload(&s);
}

static void test_a_wrong_shape_is_refused(void **state)
{
	static const struct {
		const char *shape, *words;
		enum err err;
	} cases[] = {
		{ "const struct cic_shape cic_shape = { .abi = 77, .name = \"x\" };", "version 77",
		  ERR_UNSUPPORTED },
		{ "CIC_SHAPE_DEFINE(.name = \"x\");", "incomplete", ERR_BAD_INPUT },
	};
	struct err_text text;
	struct scenario s;
	char source[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(source, sizeof(source), PROLOGUE "CIC_USER(A, " ONE_TASK ");\n%s\n",
			 cases[i].shape);
		assert_int_equal(load_text(source, &s, &text), cases[i].err);
		assert_non_null(strstr(text.text, cases[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shape_is_found),
		cmocka_unit_test(test_a_wrong_shape_is_refused),
		cmocka_unit_test(every_compiler_will_do),
		cmocka_unit_test(classes_are_sorted_and_hold_defaults),
		cmocka_unit_test(an_object_is_compiled_once),
		cmocka_unit_test(what_is_included_may_change),
		cmocka_unit_test(a_bad_source_is_refused_with_the_compilers_words),
		cmocka_unit_test(a_bad_class_is_refused_by_name),
		cmocka_unit_test(a_missing_file_of_rows_is_said_with_its_line),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(a_file_cut_short_is_refused),
		cmocka_unit_test(other_processors_are_refused),
		cmocka_unit_test(only_a_folder_of_our_own_is_used),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
