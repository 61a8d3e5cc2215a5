/* SPDX-License-Identifier: MIT
 *
 * Which row comes next: modes, slices, several threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "user/feed.h"

#define ROWS	10000
#define THREADS 4

static char folder[] = "/tmp/test_feed.XXXXXX";

static void write_rows(size_t count)
{
	char *path = mem_printf("%s/rows.csv", folder);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("number\n", f);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%zu\n", i);
	assert_int_equal(fclose(f), 0);
	mem_free(path);
}

static struct cic_feed feed_of(int mode)
{
	return (struct cic_feed){
		.abi = CIC_ABI, .name = "rows", .file = "rows.csv", .mode = mode
	};
}

static void open_rows(struct cic_feed *feed, size_t index, size_t count)
{
	struct err_text why = { 0 };

	if (feed_open(feed, folder, (struct feed_slice){ index, count }, &why))
		fail_msg("%s", why.text);
}

static size_t number_of(const struct cic_row *row)
{
	return strtoul(cic_field(row, "number"), NULL, 10);
}

/* The next row's number; 999: there is none. */
static size_t draw(struct cic_feed *feed, struct rng *rng, bool *is_first)
{
	const struct cic_row *row = feed_next(feed, rng, is_first);

	return row ? number_of(row) : 999;
}

static void rows_come_in_order_and_begin_again(void **state)
{
	struct cic_feed feed = feed_of(CIC_FEED_CYCLE);
	struct rng rng;
	bool is_first;

	(void)state;
	write_rows(3);
	rng_init(&rng, 1, 1);
	open_rows(&feed, 0, 0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(draw(&feed, &rng, &is_first), i % 3);
		assert_false(is_first);
	}
	assert_null(cic_field(feed_next(&feed, &rng, &is_first), "Number"));
	feed_close(&feed);
	assert_null(feed.state);
	feed_close(&feed);
}

static void random_rows_are_the_users_own(void **state)
{
	struct cic_feed feed = feed_of(CIC_FEED_RANDOM);
	struct rng one, same;
	unsigned seen[5] = { 0 };
	bool is_first;

	(void)state;
	write_rows(5);
	rng_init(&one, 7, 1);
	rng_init(&same, 7, 1);
	open_rows(&feed, 0, 0);
	for (int i = 0; i < 200; i++) {
		size_t number = draw(&feed, &one, &is_first);

		assert_int_equal(draw(&feed, &same, &is_first), number);
		assert_true(number < 5);
		seen[number]++;
	}
	for (size_t i = 0; i < 5; i++)
		assert_true(seen[i] > 0);
	feed_close(&feed);
}

static void a_row_is_given_once_and_the_end_is_said_once(void **state)
{
	struct cic_feed feed = feed_of(CIC_FEED_ONCE);
	struct rng rng;
	bool is_first;

	(void)state;
	write_rows(2);
	rng_init(&rng, 1, 1);
	open_rows(&feed, 0, 0);
	assert_int_equal(draw(&feed, &rng, &is_first), 0);
	assert_int_equal(draw(&feed, &rng, &is_first), 1);
	assert_false(is_first);
	assert_int_equal(draw(&feed, &rng, &is_first), 999);
	assert_true(is_first);
	assert_int_equal(draw(&feed, &rng, &is_first), 999);
	assert_false(is_first);
	feed_close(&feed);
}

static void slices_share_the_rows_among_them(void **state)
{
	unsigned seen[7] = { 0 };
	struct rng rng;
	bool is_first;

	(void)state;
	write_rows(7);
	rng_init(&rng, 1, 1);
	for (size_t index = 0; index < 3; index++) {
		struct cic_feed feed = feed_of(CIC_FEED_ONCE);
		size_t number;

		open_rows(&feed, index, 3);
		while ((number = draw(&feed, &rng, &is_first)) != 999) {
			assert_int_equal(number % 3, index);
			seen[number]++;
		}
		feed_close(&feed);
	}
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(seen[i], 1);
}

static void a_new_test_begins_with_the_first_row(void **state)
{
	struct cic_feed feed = feed_of(CIC_FEED_ONCE);
	struct rng rng;
	bool is_first;

	(void)state;
	write_rows(3);
	rng_init(&rng, 1, 1);
	open_rows(&feed, 0, 0);
	for (size_t test = 0; test < 3; test++) {
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(draw(&feed, &rng, &is_first), i);
		assert_int_equal(draw(&feed, &rng, &is_first), 999);
		assert_true(is_first);
		feed_rewind(&feed);
	}
	feed_close(&feed);
}

static void a_slice_may_come_later(void **state)
{
	static const int modes[] = { CIC_FEED_ONCE, CIC_FEED_CYCLE, CIC_FEED_RANDOM };
	struct err_text why;
	struct rng rng;
	bool is_first;

	(void)state;
	write_rows(5);
	rng_init(&rng, 1, 1);
	for (size_t i = 0; i < 3; i++) {
		struct cic_feed feed = feed_of(modes[i]);

		open_rows(&feed, 0, 0);
		draw(&feed, &rng, &is_first);
		assert_int_equal(feed_set_slice(&feed, (struct feed_slice){ 1, 3 }, &why), OK);
		for (size_t k = 0; k < 2; k++) {
			size_t number = draw(&feed, &rng, &is_first);

			assert_true(number == (k ? 4 : 1) ||
				    (modes[i] == CIC_FEED_RANDOM && number == (k ? 1 : 4)));
		}
		/* One that the file is too short for gives nothing, rather than what is others'. */
		assert_int_equal(feed_set_slice(&feed, (struct feed_slice){ 6, 7 }, &why),
				 ERR_NOT_FOUND);
		assert_non_null(strstr(why.text, "slice 7/7 of feed rows has none"));
		assert_int_equal(draw(&feed, &rng, &is_first), 999);
		feed_close(&feed);
	}
}

static void assert_not_opened(struct cic_feed feed, size_t index, size_t count, const char *word)
{
	struct err_text why = { 0 };

	assert_int_not_equal(feed_open(&feed, folder, (struct feed_slice){ index, count }, &why),
			     OK);
	assert_null(feed.state);
	if (!strstr(why.text, word) || !strstr(why.text, feed.file))
		fail_msg("%s: %s", word, why.text);
}

static void what_cannot_be_used_is_refused(void **state)
{
	struct cic_feed feed = feed_of(CIC_FEED_CYCLE);

	(void)state;
	write_rows(3);
	assert_not_opened(feed, 3, 4, "slice 4/4 of feed rows has none");
	feed.columns = "number  login";
	assert_not_opened(feed, 0, 0, "no column login, which feed rows wants");
	feed.columns = " number ";
	open_rows(&feed, 2, 4);
	feed_close(&feed);
	feed.columns = NULL;
	feed.file = "none.csv";
	assert_not_opened(feed, 0, 0, "No such file");
}

static struct cic_feed shared;
static atomic_uint given[ROWS];
static atomic_uint ends;

static void *take_all(void *arg)
{
	struct rng rng;
	bool is_first;

	rng_init(&rng, 1, (uintptr_t)arg);
	for (;;) {
		const struct cic_row *row = feed_next(&shared, &rng, &is_first);

		atomic_fetch_add(&ends, is_first);
		if (!row)
			return NULL;
		atomic_fetch_add(&given[number_of(row)], 1);
	}
}

static void threads_get_every_row_once(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	write_rows(ROWS);
	shared = feed_of(CIC_FEED_ONCE);
	open_rows(&shared, 0, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_all, (void *)i), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(atomic_load(&given[i]), 1);
	assert_int_equal(atomic_load(&ends), 1);
	feed_close(&shared);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : 1;
}

static int finish(void **state)
{
	char *path = mem_printf("%s/rows.csv", folder);

	(void)state;
	unlink(path);
	mem_free(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_in_order_and_begin_again),
		cmocka_unit_test(random_rows_are_the_users_own),
		cmocka_unit_test(a_row_is_given_once_and_the_end_is_said_once),
		cmocka_unit_test(slices_share_the_rows_among_them),
		cmocka_unit_test(a_new_test_begins_with_the_first_row),
		cmocka_unit_test(a_slice_may_come_later),
		cmocka_unit_test(what_cannot_be_used_is_refused),
		cmocka_unit_test(threads_get_every_row_once),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
