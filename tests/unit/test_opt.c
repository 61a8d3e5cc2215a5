/* SPDX-License-Identifier: MIT
 *
 * opt and opt_file: where a setting may come from and which one wins, and what files may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/opt_file.h"

struct options {
	uint64_t users;
	double rate;
	const char *host, *login;
	bool is_headless;
	struct opt_texts tags, gates, ignored;
};

#define AT(field) offsetof(struct options, field)

static const struct opt rows[] = {
	{ "", 0, OPT_HEADING, 0, NULL, NULL, "Common options" },
	{ "users", 'u', OPT_COUNT, AT(users), "TEST_USERS", "COUNT", "users", 1, 1000 },
	{ "spawn-rate", 'r', OPT_NUMBER, AT(rate), "TEST_RATE", "RATE", "rate", 0.1, 10 },
	{ "host", 'H', OPT_TEXT, AT(host), "TEST_HOST", "URL", "host" },
	{ "headless", 0, OPT_FLAG, AT(is_headless), NULL, NULL, "flag" },
	{ "tags", 'T', OPT_WORDS, AT(tags), "TEST_TAGS", "TAG ...", "words" },
	{ "fail-if", 0, OPT_TEXTS, AT(gates), NULL, "EXPR", "texts" },
	{ "picker", 0, OPT_IGNORED, AT(ignored), "TEST_PICKER" },
	{ "profile", 0, OPT_IGNORED_TEXT, AT(ignored) },
	{ "slave", 0, OPT_REFUSED, 0, NULL, "say --worker" },
	{ "login", 0, OPT_SWITCH, AT(login), NULL, "USER:HASH", "switch" },
};
static const struct opt_table table = { .usage = "Usage", .rows = rows, .count = 11 };

static struct options o;
static struct err_text text;
static struct opt_texts positional;
static struct buf bytes;
static char path[64];

static int before(void **state)
{
	(void)state;
	o = (struct options){ .users = 7, .host = "default" };
	text = (struct err_text){ "" };
	positional = (struct opt_texts){ .count = 0 };
	buf_init(&bytes, 4096);
	unsetenv("TEST_USERS");
	unsetenv("TEST_TAGS");
	unsetenv("TEST_PICKER");
	return 0;
}

static int after(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

static enum err read_file(const struct opt_table *rules, const char *suffix, const char *content,
			  struct buf *into)
{
	enum err err;
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/test_opt_%ld%s", (long)getpid(), suffix);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	err = opt_read_file(rules, path, into, &o, &text);
	remove(path);
	return err;
}

/* The file is read, then the environment and this command line, cut at blanks. */
static enum err read_all(const char *suffix, const char *content, const char *line)
{
	static char words[256];
	char *argv[16], *rest = words;
	int argc = 0;
	enum err err = read_file(&table, suffix, content, &bytes);

	snprintf(words, sizeof(words), "program %s", line);
	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			argv[argc++] = word;
	return err ? err : opt_parse(&table, argc, argv, &o, &positional, &text);
}

static void test_the_stronger_source_wins(void **state)
{
	static const char conf[] = "users = 1\nspawn-rate = 2\nhost = file\ntags = [a, b]\n";

	(void)state;
	setenv("TEST_USERS", "3", 1);
	setenv("TEST_TAGS", "x y", 1);
	assert_int_equal(read_all(".conf", conf, "--host line"), OK);
	assert_int_equal(o.users, 3);
	assert_true(o.rate == 2);
	assert_string_equal(o.host, "line");
	assert_int_equal(o.tags.count, 1);
	assert_string_equal(o.tags.value[0], "x y");
}

static void test_a_list_replaces_the_weaker_one(void **state)
{
	(void)state;
	assert_int_equal(read_all(".conf", "fail-if = [a, b]\ntags = [c, d]\n",
				  "--fail-if x --fail-if y -T e f g"),
			 OK);
	assert_int_equal(o.gates.count, 2);
	assert_string_equal(o.gates.value[0], "x");
	assert_int_equal(o.tags.count, 3);
	assert_string_equal(o.tags.value[0], "e");
}

static void test_ignored_ones_are_noted_once(void **state)
{
	(void)state;
	setenv("TEST_PICKER", "true", 1);
	assert_int_equal(read_all(".conf", "picker = true\nprofile = p\n", "--picker --profile q"),
			 OK);
	assert_int_equal(o.ignored.count, 2);
	assert_string_equal(o.ignored.value[0], "picker");
	assert_string_equal(o.ignored.value[1], "profile");
}

static void test_a_name_behind_a_switch_is_a_word(void **state)
{
	static const struct {
		const char *line, *login, *word; /* word: NULL: none */
	} cases[] = {
		{ "--login", "true", NULL },
		{ "--login --headless", "true", NULL },
		{ "--login MyUser --headless", "true", "MyUser" },
		{ "--login ann:$6$x", "ann:$6$x", NULL },
		{ "--login ./users", "./users", NULL },
		{ "--login web.users MyUser", "web.users", "MyUser" },
		{ "--login=users", "users", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		positional.count = 0;
		assert_int_equal(read_all(".conf", "", cases[i].line), OK);
		assert_string_equal(o.login, cases[i].login);
		assert_int_equal(positional.count, cases[i].word != NULL);
		if (cases[i].word)
			assert_string_equal(positional.value[0], cases[i].word);
	}
}

static void test_what_is_refused_says_what_to_do(void **state)
{
	(void)state;
	assert_int_equal(read_all(".conf", "", "--slave"), ERR_BAD_OPTION);
	assert_string_equal(text.text, "--slave: say --worker");
	assert_int_equal(read_all(".conf", "slave = host", ""), ERR_BAD_OPTION);
	assert_non_null(strstr(text.text, ".conf:1: slave: say --worker"));
	buf_clear(&bytes);
	assert_int_equal(read_all(".conf", "slave = false\n", ""), OK);
	buf_clear(&bytes);
	assert_int_equal(read_all(".conf", "", "--picker=false --hots x"), ERR_BAD_OPTION);
	assert_string_equal(text.text, "--hots: no such option. Did you mean --host?");
	assert_int_equal(o.ignored.count, 0);
}

static void test_a_conf_is_read_as_configargparse_does(void **state)
{
	static const char conf[] = "# a comment\n"
				   "; another\n"
				   "[section]\n"
				   "\n"
				   "--users 5   # five\n"
				   "spawn_rate: 1.5\r\n"
				   "headless\n"
				   "host = \"http://a # b\" ; c\n"
				   "tags = [ \"a b\" , c,'d']\n"
				   "fail-if = p99>1\n";

	(void)state;
	assert_int_equal(read_all(".conf", conf, ""), OK);
	assert_int_equal(o.users, 5);
	assert_true(o.rate == 1.5);
	assert_true(o.is_headless);
	assert_string_equal(o.host, "http://a # b");
	assert_int_equal(o.tags.count, 3);
	assert_string_equal(o.tags.value[0], "a b");
	assert_string_equal(o.tags.value[1], "c");
	assert_string_equal(o.tags.value[2], "d");
	assert_string_equal(o.gates.value[0], "p99>1");
}

static void test_a_toml_is_read(void **state)
{
	static const char toml[] = "[project]\n"
				   "name = 'x' # a name\n"
				   "text = \"\"\"users = 1\n[tool.locust]\n\"\"\"\n"
				   "nested = [[1, 2], [3,\n 4]]\n"
				   "inline = { a.b = 1, \"c\" = { d = 2 } }\n"
				   "a . \"b\" = 1979-05-27 07:32:00\n"
				   "[ tool.locust ]\n"
				   "users = 12\n"
				   "spawn_rate = 0.5\n"
				   "headless = true\r\n"
				   "host = \"http://\\u0061\\\"b\"\n"
				   "tags = [\n  'x', # first\n  \"y\",\n]\n"
				   "[[tool.locust.others]]\n"
				   "users = 13\n";

	(void)state;
	assert_int_equal(read_all(".toml", toml, ""), OK);
	assert_int_equal(o.users, 12);
	assert_true(o.rate == 0.5 && o.is_headless);
	assert_string_equal(o.host, "http://a\"b");
	assert_int_equal(o.tags.count, 2);
	assert_string_equal(o.tags.value[1], "y");
}

static void test_errors_of_files_name_the_line(void **state)
{
	static const struct {
		const char *suffix, *content, *words;
	} cases[] = {
		{ ".conf", "\nusers = many\n", ":2: users: 'many' is not a whole number" },
		{ ".conf", "users = 2000", ":1: users: '2000' is out of bounds" },
		{ ".conf", "usrs = 1", ":1: usrs: no such option. Did you mean users?" },
		{ ".conf", "users = [1, 2]", ":1: users: takes one value, not a list" },
		{ ".conf", "= 1", ":1: a line must be key = value" },
		{ ".conf", "headless = perhaps", ":1: headless: 'perhaps' is not true or false" },
		{ ".conf", "host = \xff", ": not a text in UTF-8" },
		{ ".toml", "[tool.locust]\nusers = \n", ":2: a value is missing" },
		{ ".toml", "[tool.locust]\n\nhost = \"a\nb\"\n", ":3: a text has no end" },
		{ ".toml", "[tool.locust]\nhost = \"\\q\"\n", ":2: a backslash in a text" },
		{ ".toml", "[tool.locust]\ntags = [\n'a'\n'b']\n", ":4: a list has no end" },
		{ ".toml", "[tool.locust]\ntags = [['a']]\n", ":2: a list in a list" },
		{ ".toml", "[tool.locust]\nhost = 'a' 'b'\n", ":2: something is left" },
		{ ".toml", "[tool.locust]\nhost = '''a'''\n", ":2: give the text in one line" },
		{ ".toml", "[tool.locust]\nhost = {a = 1}\n", ":2: no option has a table" },
		{ ".toml", "[tool\n", ":1: the name of a table needs a ]" },
		{ ".toml", "a = {b = 1", ":1: a table has no end" },
		{ ".toml", "\na = \"\"\"\n\n\n\n\n", ":2: a text has no end" },
		{ ".toml", "[tool.locust]\nusers 1\n", ":2: a key needs = and a value" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&bytes);
		if (read_all(cases[i].suffix, cases[i].content, "") != ERR_BAD_OPTION ||
		    strncmp(text.text, path, strlen(path)) != 0 ||
		    !strstr(text.text, cases[i].words))
			fail_msg("%s: said '%s'", cases[i].content, text.text);
	}
}

/* As of two files, the second one stronger. */
static void test_what_may_be_somebody_elses_is_kept(void **state)
{
	const char *others[] = { "own", "more", NULL };
	struct opt_texts unknown = { .count = 0 };
	struct opt_table peek = table, strict = table;
	struct buf second;

	(void)state;
	peek.unknown = &unknown;
	strict.others = others;
	buf_init(&second, 4096);
	assert_int_equal(read_file(&peek, ".conf", "own = [a, b]\nmore = 1\nusers = 3\n", &bytes),
			 OK);
	assert_int_equal(read_file(&peek, ".conf", "own = c", &second), OK);
	assert_int_equal(o.users, 3);
	assert_int_equal(unknown.count, 4);
	assert_string_equal(unknown.value[0], "more");
	assert_string_equal(unknown.value[2], "own");
	assert_string_equal(unknown.value[3], "c");
	buf_clear(&second);
	assert_int_equal(read_file(&strict, ".conf", "own = c", &second), OK);
	others[0] = "other";
	buf_clear(&second);
	assert_int_equal(read_file(&strict, ".conf", "own = c", &second), ERR_BAD_OPTION);
	buf_fini(&second);
}

static void test_a_file_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(opt_read_file(&table, "/nowhere/x.conf", &bytes, &o, &text),
			 ERR_NOT_FOUND);
}

static void test_help_has_the_headings_and_hides_the_hidden(void **state)
{
	char *help = NULL;
	size_t len;
	FILE *to = open_memstream(&help, &len);

	(void)state;
	opt_print_help(&table, to);
	fclose(to);
	assert_non_null(strstr(help, "\n\nCommon options:\n  -u, --users COUNT"));
	assert_null(strstr(help, "picker"));
	assert_null(strstr(help, "slave"));
	free(help);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_stronger_source_wins),
		TEST(test_a_list_replaces_the_weaker_one),
		TEST(test_ignored_ones_are_noted_once),
		TEST(test_a_name_behind_a_switch_is_a_word),
		TEST(test_what_is_refused_says_what_to_do),
		TEST(test_a_conf_is_read_as_configargparse_does),
		TEST(test_a_toml_is_read),
		TEST(test_errors_of_files_name_the_line),
		TEST(test_what_may_be_somebody_elses_is_kept),
		TEST(test_a_file_that_is_not_there),
		TEST(test_help_has_the_headings_and_hides_the_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
