/* SPDX-License-Identifier: MIT
 *
 * cluster_key: files that hold a key, and what is said of those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cluster/cluster_key.h"
#include "cluster/key_list.h"

#define HALF "00112233445566778899aAbBcCdDeEfF"

static enum err read_text(const char *content, struct cluster_key *key, struct err_text *text)
{
	char path[] = "/tmp/test_cluster_key_XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	enum err err;

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
	err = cluster_key_read(path, key, text);
	assert_true(err == OK || strstr(text->text, path));
	unlink(path);
	return err;
}

static void a_key_is_64_digits(void **state)
{
	static const uint8_t half[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct err_text text = { "" };
	struct cluster_key key;

	(void)state;
	assert_int_equal(read_text(HALF HALF "\n", &key, &text), OK);
	assert_memory_equal(key.bytes, half, 16);
	assert_memory_equal(key.bytes + 16, half, 16);
}

static void what_is_none_is_refused_and_not_shown(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   HALF,
					   HALF HALF "00",
					   HALF "00112233445566778899aAbBcCdDeEfg",
					   "hunter2",
					   HALF HALF HALF HALF HALF HALF HALF HALF HALF };
	struct err_text text;
	struct cluster_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text.text[0] = '\0';
		assert_int_equal(read_text(bad[i], &key, &text), ERR_BAD_INPUT);
		assert_non_null(strstr(text.text, "64 hexadecimal digits"));
		assert_null(strstr(text.text, "hunter2"));
		assert_null(strstr(text.text, HALF));
	}
	assert_int_not_equal(cluster_key_read("/tmp/there/is/none", &key, &text), OK);
}

static void lists_of_public_keys_are_read_line_by_line(void **state)
{
	char path[] = "/tmp/test_cluster_key_XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct cluster_key key = { 0 };
	struct err_text text = { "" };
	uint8_t other[CLUSTER_KEY_BYTES] = { 1 };
	char shown[CLUSTER_KEY_TEXT];

	(void)state;
	assert_non_null(file);
	fprintf(file, "# workers\r\n\n  %s one of them\r\n%s", HALF HALF,
		"01000000000000000000000000000000"
		"00000000000000000000000000000000");
	fclose(file);
	assert_int_equal(cluster_key_read_peers(path, &key, &text), OK);
	unlink(path);
	assert_int_equal(key.peer_count, 2);
	assert_true(cluster_key_knows(&key, other));
	other[CLUSTER_KEY_BYTES - 1] = 1;
	assert_false(cluster_key_knows(&key, other));
	assert_true(cluster_key_knows_text(&key, HALF HALF));
	assert_false(cluster_key_knows_text(&key, HALF));
	cluster_key_text(key.peers[0], shown);
	assert_string_equal(shown, "00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff");
	cluster_key_release(&key);
	assert_null(key.peers);
}

static void write_text(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

/* Two looks: it has to be still. */
static enum err look_twice(struct key_list *list, bool *is_new, struct err_text *text)
{
	assert_int_equal(key_list_look(list, is_new, text), OK);
	assert_false(*is_new);
	return key_list_look(list, is_new, text);
}

static void a_list_follows_its_file(void **state)
{
	char path[] = "/tmp/test_cluster_key_XXXXXX";
	struct cluster_key key = { 0 };
	struct err_text text = { "" };
	struct key_list list;
	bool is_new;

	(void)state;
	close(mkstemp(path));
	write_text(path, HALF HALF "\n");
	assert_int_equal(cluster_key_read_peers(path, &key, &text), OK);
	key_list_init(&list, path, &key);
	assert_int_equal(look_twice(&list, &is_new, &text), OK);
	assert_false(is_new);

	write_text(path, "# somebody else\n" HALF "00000000000000000000000000000000\n");
	assert_int_equal(look_twice(&list, &is_new, &text), OK);
	assert_true(is_new);
	assert_false(cluster_key_knows_text(&key, HALF HALF));
	assert_true(cluster_key_knows_text(&key, HALF "00000000000000000000000000000000"));

	/* Another text, the same keys. */
	write_text(path, HALF "00000000000000000000000000000000 ann\n");
	assert_int_equal(look_twice(&list, &is_new, &text), OK);
	assert_false(is_new);

	/* What is none leaves it as it is, and is said once. */
	write_text(path, "nobody\n");
	assert_int_equal(look_twice(&list, &is_new, &text), ERR_BAD_INPUT);
	assert_int_equal(look_twice(&list, &is_new, &text), OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look_twice(&list, &is_new, &text), ERR_NOT_FOUND);
	assert_int_equal(look_twice(&list, &is_new, &text), OK);
	assert_int_equal(key.peer_count, 1);
	cluster_key_release(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_64_digits),
		cmocka_unit_test(what_is_none_is_refused_and_not_shown),
		cmocka_unit_test(lists_of_public_keys_are_read_line_by_line),
		cmocka_unit_test(a_list_follows_its_file),
	};

	return cmocka_run_group_tests_name("cluster_key", tests, NULL, NULL);
}
