/* SPDX-License-Identifier: MIT
 *
 * opt_yaml: what a YAML file of settings may hold, where its values go, and which line is to blame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/opt_yaml.h"

struct options {
	struct opt_counts users;
	double rate;
	uint64_t duration_s;
	const char *host, *order;
	bool is_wanted;
	struct opt_texts gates;
};

#define AT(field) offsetof(struct options, field)

static const struct opt rows[] = {
	{ "users", 0, OPT_COUNTS, AT(users), "TEST_USERS", "LIST", "users", 1, 1000 },
	{ "spawn-rate", 0, OPT_NUMBER, AT(rate), NULL, "RATE", "rate", 0.1, 10 },
	{ "duration", 0, OPT_DURATION, AT(duration_s), NULL, "TIME", "time" },
	{ "host", 0, OPT_TEXT, AT(host), NULL, "URL", "host" },
	{ "wanted", 0, OPT_FLAG, AT(is_wanted), NULL, NULL, "flag" },
	{ "order", 0, OPT_CHOICE, AT(order), NULL, "listed|random", "choice" },
	{ "fail-if", 0, OPT_TEXTS, AT(gates), NULL, "EXPR", "texts" },
};
static const struct opt_table table = { .usage = "Usage", .rows = rows, .count = 7 };

static struct options o;
static struct err_text text;
static struct buf bytes;

/* Of a file named plan.yaml. */
static enum err read_yaml(const char *yaml, size_t len)
{
	char folder[] = "/tmp/cicada-yaml-XXXXXX", path[64];
	enum err err;
	FILE *file;

	buf_fini(&bytes);
	buf_init(&bytes, 1 << 20);
	o = (struct options){ .host = "default" };
	text = (struct err_text){ "" };
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/plan.yaml", folder);
	file = fopen(path, "w");
	fwrite(yaml, 1, len, file);
	fclose(file);
	err = opt_read_file_by(opt_yaml_read, &table, path, &bytes, &o, &text);
	unlink(path);
	rmdir(folder);
	return err;
}

static void accept(const char *yaml)
{
	if (read_yaml(yaml, strlen(yaml)))
		fail_msg("%s", text.text);
}

static void refuse(const char *yaml, const char *where)
{
	assert_int_equal(read_yaml(yaml, strlen(yaml)), ERR_BAD_OPTION);
	if (!strstr(text.text, "/plan.yaml:") || !strstr(text.text, where))
		fail_msg("'%s' is not in: %s", where, text.text);
}

static void values_of_every_type_arrive(void **state)
{
	(void)state;
	accept("# what we measure\n"
	       "users: [50, 100, 200] # flow\n"
	       "spawn_rate: 2.5\n"
	       "duration: 1m30s\n"
	       "host: \"http://a/\\u00e4\\L\"\n"
	       "wanted: yes\n"
	       "order: random\n"
	       "fail-if:\n"
	       "  - p99>200ms\n"
	       "  - 'rps<500'\n");
	assert_int_equal(o.users.count, 3);
	assert_int_equal(o.users.value[2], 200);
	assert_true(o.rate == 2.5);
	assert_int_equal(o.duration_s, 90);
	assert_string_equal(o.host, "http://a/\xc3\xa4\xe2\x80\xa8");
	assert_true(o.is_wanted);
	assert_string_equal(o.order, "random");
	assert_int_equal(o.gates.count, 2);
	assert_string_equal(o.gates.value[1], "rps<500");
	accept("users: 1,2\nhost: ''\n");
	assert_int_equal(o.users.count, 2);
	assert_string_equal(o.host, "");
	accept("users: 7\n");
	assert_int_equal(o.users.count, 1);
	accept("");
	accept("# nothing\n");
	accept("---\n~\n");
	accept("--- {users: [1]}\n...\n");
	assert_int_equal(o.users.count, 1);
}

static void a_wrong_line_is_named(void **state)
{
	(void)state;
	refuse("users: [1]\nspawn-rat: 2\n",
	       "plan.yaml:2: spawn-rat: no such option. Did you mean spawn-rate?");
	refuse("\n\nusers: [1, x]\n", ":3: users: 'x' is not a list of whole numbers");
	refuse("users: [1, 1001]\n", ":1: users: '1001' is out of bounds, give 1 to 1000");
	refuse("duration: soon\n", ":1: duration: 'soon' is not a time");
	refuse("\norder: list\n", ":2: order: 'list' is unknown; give one of listed|random");
	refuse("duration: [1, 2]\n", ":1: duration: takes one value, not a list");
	refuse("host: a\nhost: b\n", ":2: this key was there already");
	refuse("spawn-rate: 1\nspawn_rate: 2\n", ":2: this key was there already");
	refuse("host:\nusers: 1\n", ":1: a value is missing");
	refuse("users: [1, ~]\n", ":1: a value is missing");
	refuse("host:\n  name: a\n", ":2: a value is a text, a number, or a list");
	refuse("users:\n  - [1]\n", ":2: a value is a text, a number, or a list");
	refuse("host: &a b\nfail-if: *a\n", ":2: an alias");
	refuse("[a]: b\n", ":1: a key is the name of an option");
	refuse("- users\n", ":1: a file of settings has lines of key: value");
	refuse("users\n", ":1: a file of settings has lines of key: value");
	refuse("users: 1\n---\nusers: 2\n", ":2: a second document");
	refuse("users: [1\nhost: a\n", ":2: ");
	refuse("host: \"a\\0b\"\n", ":1: a text with a NUL byte");
	refuse("users: 1\n\thost: a\n", ":2: ");
	refuse("host: \xff\n", ": ");
}

static void lists_and_keys_have_bounds(void **state)
{
	char yaml[32 * 1024] = "fail-if: [a";
	size_t len = strlen(yaml);

	(void)state;
	for (size_t i = 0; i < LIMIT_AXIS_VALUES; i++)
		len += (size_t)snprintf(yaml + len, sizeof(yaml) - len, ", a");
	snprintf(yaml + len, sizeof(yaml) - len, "]\n");
	refuse(yaml, ":1: more values than a list may have");
	memset(yaml, '[', 20000);
	yaml[20000] = '\0';
	refuse(yaml, ":1: a file of settings");
}

/* Cut off anywhere it is read, or refused with its place. */
static void a_part_of_a_file_is_no_harm(void **state)
{
	static const char yaml[] =
		"users: [50, \"1\\L\"]\nhost: >\n  a\n  b\nfail-if:\n- \"\\x41\"\n";

	(void)state;
	for (size_t len = 0; len < sizeof(yaml) - 1; len++)
		if (read_yaml(yaml, len))
			assert_non_null(strstr(text.text, "/plan.yaml:"));
}

static int release(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_every_type_arrive),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(lists_and_keys_have_bounds),
		cmocka_unit_test(a_part_of_a_file_is_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, release);
}
