/* SPDX-License-Identifier: MIT
 *
 * web: the files of the page, and the replies that only it asks for. What the page makes of
 * them is for tests/browser. */
#include "web_fixture.h"

#include <zlib.h>

#define GZIP "text/plain\r\nAccept-Encoding: br;q=1, gzip;q=0.8"

static void get_as(struct call *c, const char *path, const char *headers)
{
	begin_call(c, "GET", path, headers, "");
	await(c);
}

static size_t body_bytes(const struct call *c)
{
	return (size_t)(c->reply.p + c->reply.len - c->body);
}

static void test_page_uses_nothing_but_this_server(void **state)
{
	struct call c;

	(void)state;
	call(&c, "GET", "/");
	assert_int_equal(c.status, 200);
	assert_non_null(strstr(c.reply.p, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_non_null(strstr(c.reply.p, "Content-Security-Policy: default-src 'none'; "
					  "script-src 'self'; style-src 'self'; "));
	assert_null(strstr(c.reply.p, "unsafe"));
	assert_non_null(strstr(c.body, "</html>"));
	/* Relative, for a proxy that gives it a path. */
	assert_non_null(strstr(c.body, " src=\"assets/test.js\""));
	assert_non_null(strstr(c.body, " href=\"assets/test.css\""));
	end_call(&c);
}

static void test_files_are_packed_for_who_takes_that(void **state)
{
	static const char *const names[] = { "/", "/assets/test.js", "/assets/test.css" };
	unsigned char plain[512 * 1024];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct call packed, c;
		z_stream z = { .next_out = plain, .avail_out = sizeof(plain) };

		get_as(&packed, names[i], GZIP);
		assert_non_null(strstr(packed.reply.p, "Content-Encoding: gzip\r\n"));
		assert_non_null(strstr(packed.reply.p, "Vary: Accept-Encoding\r\n"));
		z.next_in = (unsigned char *)packed.body;
		z.avail_in = (unsigned)body_bytes(&packed);
		assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		inflateEnd(&z);
		call(&c, "GET", names[i]);
		assert_null(strstr(c.reply.p, "Content-Encoding"));
		assert_int_equal(body_bytes(&c), z.total_out);
		assert_memory_equal(c.body, plain, z.total_out);
		end_call(&c);
		get_as(&c, names[i], "text/plain\r\nAccept-Encoding: br, gzip;q=0");
		assert_null(strstr(c.reply.p, "Content-Encoding"));
		end_call(&c);
		end_call(&packed);
	}
}

static void test_known_files_are_not_sent_again(void **state)
{
	char headers[128], tag[64];
	struct call c;

	(void)state;
	call(&c, "GET", "/assets/test.js");
	assert_int_equal(sscanf(strstr(c.reply.p, "ETag: "), "ETag: %63[^\r]", tag), 1);
	end_call(&c);
	snprintf(headers, sizeof(headers), "text/plain\r\nIf-None-Match: %s", tag);
	get_as(&c, "/assets/test.js", headers);
	assert_int_equal(c.status, 304);
	assert_int_equal(body_bytes(&c), 0);
	end_call(&c);
	get_as(&c, "/assets/test.css", headers);
	assert_int_equal(c.status, 200);
	end_call(&c);
}

static bool never_asked(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	(void)arg;
	(void)now;
	(void)tick;
	fail_msg("the shape was asked");
	return false;
}

static const char *text_of(const json_t *root, const char *key)
{
	return json_string_value(json_object_get(root, key));
}

static double number_of(const json_t *root, const char *key)
{
	return json_number_value(json_object_get(root, key));
}

static void test_settings_say_what_a_test_can_be(void **state)
{
	json_t *root = get_json("/settings");
	const json_t *class = json_array_get(json_object_get(root, "user_classes"), 0);

	(void)state;
	assert_string_equal(text_of(root, "version"), CICADA_VERSION);
	assert_string_equal(text_of(root, "scenario"), "some.c");
	assert_true(json_is_null(json_object_get(root, "host")));
	assert_true(json_is_null(json_object_get(root, "profile")));
	assert_true(json_is_null(json_object_get(root, "shape")));
	assert_true(json_is_false(json_object_get(root, "is_distributed")));
	assert_string_equal(text_of(class, "name"), "Alpha");
	assert_int_equal(json_array_size(json_object_get(class, "tasks")), 3);
	json_decref(root);
}

static void test_settings_offer_the_last_start(void **state)
{
	struct run_share share = run.shares[0];
	bool draws[3] = { false, true, false };
	json_t *root;
	const json_t *class;

	(void)state;
	web->defaults = (struct run_start){ .user_count = 7, .spawn_rate = 2.5, .run_time_s = 60 };
	root = get_json("/settings");
	assert_true(number_of(root, "user_count") == 7);
	assert_true(number_of(root, "spawn_rate") == 2.5);
	assert_true(number_of(root, "run_time") == 60);
	json_decref(root);
	share.weight = 4;
	share.draws = draws;
	share.host = "http://own";
	assert_int_equal(run_set_share(&run, 0, &share, &text), OK);
	start_running();
	root = get_json("/settings");
	assert_true(number_of(root, "user_count") == 3);
	assert_true(number_of(root, "spawn_rate") == 1);
	assert_true(number_of(root, "run_time") == 0);
	class = json_array_get(json_object_get(root, "user_classes"), 0);
	assert_true(number_of(class, "weight") == 4);
	assert_string_equal(text_of(class, "host"), "http://own");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			json_is_true(json_object_get(
				json_array_get(json_object_get(class, "tasks"), i), "is_drawn")),
			draws[i]);
	json_decref(root);
}

static void test_settings_name_the_shape(void **state)
{
	struct follow follow;
	struct shape shape;
	json_t *root;

	(void)state;
	shape_init(&shape, "stairs", never_asked, NULL);
	follow_init(&follow, &run, &shape);
	web->follow = &follow;
	root = get_json("/settings");
	assert_string_equal(text_of(root, "shape"), "stairs");
	assert_string_equal(text_of(json_array_get(json_object_get(root, "shapes"), 0), "name"),
			    "stairs");
	assert_true(json_is_false(json_object_get(root, "shape_wants_numbers")));
	assert_true(json_is_false(json_object_get(root, "is_shaped")));
	json_decref(root);
	shape.wants_numbers = true;
	root = get_json("/settings");
	assert_true(json_is_true(json_object_get(root, "shape_wants_numbers")));
	json_decref(root);
}

static void test_history_is_in_columns(void **state)
{
	json_t *root, *times, *users;

	(void)state;
	root = get_json("/stats/history");
	assert_int_equal(json_array_size(json_object_get(root, "time")), 0);
	assert_true(fabs(number_of(root, "now") - run_wall_s(&run)) < 60);
	json_decref(root);
	start_running();
	record("/a", 150000, NULL);
	history_clear(&run.history);
	history_add(&run.history, &run);
	root = get_json("/stats/history");
	times = json_object_get(root, "time");
	users = json_object_get(root, "user_count");
	assert_int_equal(json_array_size(times), 1);
	assert_int_equal(json_array_size(users), 1);
	assert_true(fabs(json_number_value(json_array_get(times, 0)) - run_wall_s(&run)) < 60);
	assert_true(json_number_value(json_array_get(users, 0)) == 3);
	json_decref(root);
}

/* The share at a point, and the time. */
static double at(const json_t *points, size_t i, size_t which)
{
	return json_number_value(json_array_get(json_array_get(points, i), which));
}

static double time_at(const json_t *points, double share)
{
	for (size_t i = 0; i < json_array_size(points); i++)
		if (at(points, i, 0) >= share - 1e-12)
			return at(points, i, 1);
	return NAN;
}

static void test_distribution_is_as_exact_as_the_histogram(void **state)
{
	static const double shares[] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };
	const struct stats_entry *e;
	const json_t *curve, *points;
	json_t *root;

	(void)state;
	start_running();
	for (uint64_t i = 1; i <= 3000; i++)
		record("/a b&c", i * i, i % 3 ? NULL : "boom");
	record("/other", 1000000000, NULL);
	root = get_json("/stats/distribution?method=GET&name=%2Fa%20b%26c");
	assert_string_equal(text_of(root, "name"), "/a b&c");
	assert_true(json_is_null(json_object_get(root, "response_time_from_start")));
	curve = json_object_get(root, "service_time");
	assert_true(json_is_true(json_object_get(curve, "is_exact")));
	assert_true(number_of(curve, "count") == 3000);
	points = json_object_get(curve, "points");
	e = stats_find(&run.stats, str_of("GET"), str_of("/a b&c"));
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		assert_true(fabs(time_at(points, shares[i]) -
				 stats_percentile_exact_ms(e, shares[i])) < 1e-9);
	assert_true(at(points, json_array_size(points) - 1, 0) == 1);
	assert_in_range(json_array_size(points), 100, 300);
	for (size_t i = 1; i < json_array_size(points); i++) {
		assert_true(at(points, i, 0) > at(points, i - 1, 0));
		assert_true(at(points, i, 1) > at(points, i - 1, 1));
	}
	json_decref(root);
	root = get_json("/stats/distribution");
	assert_string_equal(text_of(root, "name"), "Aggregated");
	assert_true(number_of(json_object_get(root, "service_time"), "count") == 3001);
	json_decref(root);
}

static void test_distribution_of_rounded_times_says_so(void **state)
{
	struct stats_entry *e;
	const json_t *curve;
	json_t *root;

	(void)state;
	start_running();
	record("/a", 150300, NULL);
	e = stats_find(&run.stats, str_of("GET"), str_of("/a"));
	rounded_add(&e->rounded, 9000, 1);
	root = get_json("/stats/distribution?method=GET&name=/a");
	curve = json_object_get(root, "service_time");
	assert_true(json_is_false(json_object_get(curve, "is_exact")));
	assert_true(number_of(curve, "count") == 2);
	assert_true(time_at(json_object_get(curve, "points"), 0.5) == 150);
	assert_true(time_at(json_object_get(curve, "points"), 1) == 9000);
	json_decref(root);
}

static void test_distribution_of_nothing(void **state)
{
	struct call c;
	json_t *root = get_json("/stats/distribution");

	(void)state;
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(root, "service_time"), "points")),
		0);
	json_decref(root);
	call(&c, "GET", "/stats/distribution?name=/none");
	assert_int_equal(c.status, 404);
	assert_non_null(strstr(c.body, "/none"));
	end_call(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCAL(test_page_uses_nothing_but_this_server),
		LOCAL(test_files_are_packed_for_who_takes_that),
		LOCAL(test_known_files_are_not_sent_again),
		LOCAL(test_settings_say_what_a_test_can_be),
		LOCAL(test_settings_offer_the_last_start),
		LOCAL(test_settings_name_the_shape),
		LOCAL(test_history_is_in_columns),
		LOCAL(test_distribution_is_as_exact_as_the_histogram),
		LOCAL(test_distribution_of_rounded_times_says_so),
		LOCAL(test_distribution_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
