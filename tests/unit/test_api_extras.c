/* SPDX-License-Identifier: MIT
 *
 * The scenario API beyond requests, as a scenario sees it: JSON values, operations, rows of a
 * feed. Users run `script` again and again until they are stopped. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

struct serve_request;
static void reply_json(void *arg, struct serve_request *r);
static void reply_large(void *arg, struct serve_request *r);
static void reply_steps(void *arg, struct serve_request *r);
static void echo(void *arg, struct serve_request *r);

#define RIG_ROUTES \
	{ "GET", "/json", reply_json }, { "GET", "/large", reply_large }, \
		{ "GET", "/steps", reply_steps }, { "POST", "/echo", echo },
#include "load_fixture.h"

static const char json[] = "{\"id\": 42, \"name\": \"caf\\u00e9 \\\"x\\\"\", \"price\": -2.5e1,"
			   " \"list\": [{\"n\": -9223372036854775808}, 9223372036854775808, null],"
			   " \"huge\": 1e999, \"ok\": true}";

static void reply_json(void *arg, struct serve_request *r)
{
	(void)arg;
	note_request(r);
	serve_reply(r, 200, "application/json", json, sizeof(json) - 1);
}

static void reply_large(void *arg, struct serve_request *r)
{
	static char text[LIMIT_JSON_TEXT_BYTES + 2];

	(void)arg;
	note_request(r);
	memset(text, 'x', sizeof(text));
	text[0] = text[sizeof(text) - 1] = '"';
	serve_reply(r, 200, "application/json", text, sizeof(text));
}

/* An answer that the next request is made of; too large to be kept as a buffer. */
#define BODY_BYTES   20000
#define FILLER_BYTES 400000
static char steps[FILLER_BYTES + BODY_BYTES + 4000];

static void write_steps(void)
{
	static char many[FILLER_BYTES + 1];

	memset(many, 'x', FILLER_BYTES);
	snprintf(steps, sizeof(steps),
		 "{\"big\": \"%.3000s\", \"next\": \"/json\", \"body\": \"%.*s\", \"filler\": "
		 "\"%s\"}",
		 many, BODY_BYTES, many, many);
}

static void reply_steps(void *arg, struct serve_request *r)
{
	(void)arg;
	note_request(r);
	serve_reply(r, 200, "application/json", steps, strlen(steps));
}

static void echo(void *arg, struct serve_request *r)
{
	struct str body = serve_body(r);

	(void)arg;
	note_request(r);
	serve_reply(r, 200, "application/json", body.p, body.len);
}

static void (*script)(struct cic_user *u);

static void run_script(struct cic_user *u)
{
	script(u);
}

static const struct cic_user_class scripted = { .abi = CIC_ABI,
						.name = "Scripted",
						.wait = CIC_CONSTANT(0.001),
						.tasks = CIC_TASKS({ run_script, 1 }) };
static const struct cic_user_class *const classes[] = { &scripted };

static void play(struct rig *rig, void (*what)(struct cic_user *u), uint64_t requests)
{
	script = what;
	rig_begin(rig, classes, 1, 1, 1);
	rig_set(rig, 1, 0, 0);
	rig_collect(rig, requests);
	rig_set(rig, 0, 0, PATIENCE_S);
	rig_collect(rig, 0);
}

static struct stats_entry *row_of(struct rig *rig, const char *method, const char *name)
{
	return stats_entry(&rig->total, str_of(method), str_of(name), 0);
}

static void take_values(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/json");
	const char *name = cic_json_text(r, "$.name"), *id = cic_json_text(r, "id");
	double number = 7;
	int64_t whole = 7;

	assert_string_equal(name, "caf\xc3\xa9 \"x\"");
	assert_string_equal(id, "42");
	assert_string_equal(cic_json_text(r, "list[0]"), "{\"n\": -9223372036854775808}");
	assert_string_equal(cic_json_text(r, "ok"), "true");
	assert_null(cic_json_text(r, "list[2]"));
	assert_null(cic_json_text(r, "nothing"));
	assert_true(cic_json_number(r, "price", &number) && number == -25);
	assert_false(cic_json_number(r, "huge", &number) || cic_json_number(r, "name", &number));
	assert_true(number == -25);
	assert_true(cic_json_int(r, "id", &whole) && whole == 42);
	assert_true(cic_json_int(r, "list[0].n", &whole) && whole == INT64_MIN);
	assert_false(cic_json_int(r, "list[1]", &whole) || cic_json_int(r, "price", &whole));
	assert_true(whole == INT64_MIN);
	/* Texts stay where they are while others wait and more are taken. */
	for (int i = 0; i < 4000; i++)
		assert_string_equal(cic_json_text(r, "name"), name);
	cic_sleep(u, 0.001);
	assert_string_equal(id, "42");
	assert_null(r->error);
	r = cic_get(u, "/missing", .name = "missing");
	assert_null(cic_json_text(r, "name"));
	cic_success(r);
	/* More than 64 kB in this task, but not of one response. */
	r = cic_get(u, "/json");
	for (int i = 0; i < 4000; i++)
		assert_non_null(cic_json_text(r, "name"));
}

static void json_values_are_taken_from_responses(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, take_values, 6);
	assert_int_equal(rig.total.total.num_failures, 0);
	rig_end(&rig);
}

static void go_step_by_step(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/steps");
	const char *big = cic_json_text(r, "big"), *next = cic_json_text(r, "next");

	assert_int_equal(strlen(big), 3000);
	r = cic_get(u, next, .name = "next");
	assert_string_equal(r->body, json);
	r = cic_get(u, "/steps");
	r = cic_post(u, "/echo", .json = cic_json_text(r, "body"));
	assert_int_equal(r->body_len, BODY_BYTES);
	assert_int_equal(strspn(r->body, "x"), BODY_BYTES);
	r = cic_get(u, "/steps");
	r = cic_post(u, "/echo", .json = r->body, .body_len = r->body_len);
	assert_string_equal(r->body, steps);
}

static void a_request_may_be_made_of_the_response_before(void **state)
{
	struct rig rig;

	(void)state;
	write_steps();
	play(&rig, go_step_by_step, 12);
	assert_int_equal(rig.total.total.num_failures, 0);
	rig_end(&rig);
}

static void ask_wrongly(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/json", .name = "path");
	double number;

	assert_false(cic_json_number(r, "a..b", &number));
	assert_null(cic_json_text(r, "[x]"));
	r = cic_get(u, "/large");
	assert_null(cic_json_text(r, "$"));
	assert_non_null(r->error);
}

static void a_bad_path_and_too_long_a_text_fail_the_request(void **state)
{
	struct rig rig;
	uint64_t count;

	(void)state;
	play(&rig, ask_wrongly, 4);
	count = row_of(&rig, "GET", "path")->num_requests;
	assert_true(count > 0);
	assert_int_equal(rig_errors(&rig, "JSON path a..b: step 2"), count);
	assert_int_equal(rig_errors(&rig, "longer than 64 kB"),
			 row_of(&rig, "GET", "/large")->num_requests);
	assert_int_equal(rig.total.errors.count, 2);
	rig_end(&rig);
}

static void buy(struct cic_user *u)
{
	struct cic_op whole = cic_begin(u, "CHECKOUT", "buy"), part;
	uint64_t begun_us;

	cic_get(u, "/ok");
	part = cic_begin(u, "CPU", "think");
	begun_us = clock_us();
	cic_sleep(u, 0.001);
	/* A computation, which the clock of the loop does not see. */
	while (clock_us() < begun_us + 5000)
		;
	cic_end(u, &part, NULL, 0);
	cic_end(u, &whole, NULL, 7);
	cic_record(u, "BATCH", "late", 1500000, 3, "it's\nlate");
}

static void operations_are_rows_of_the_statistics(void **state)
{
	struct stats_entry *whole, *part, *record, *request;
	struct rig rig;

	(void)state;
	play(&rig, buy, 12);
	whole = row_of(&rig, "CHECKOUT", "buy");
	part = row_of(&rig, "CPU", "think");
	record = row_of(&rig, "BATCH", "late");
	request = row_of(&rig, "GET", "/ok");
	assert_int_equal(rig.total.entries.count, 4);
	assert_true(whole->num_requests >= 3);
	assert_int_equal(part->num_requests, whole->num_requests);
	assert_int_equal(record->num_requests, whole->num_requests);
	assert_int_equal(request->num_requests, whole->num_requests);
	assert_int_equal(whole->num_failures, 0);
	assert_int_equal(whole->total_content_length, 7 * whole->num_requests);
	assert_true(part->min_response_time_ms >= 5);
	assert_true(whole->min_response_time_ms >= part->min_response_time_ms);
	assert_true(record->min_response_time_ms == 1500);
	assert_int_equal(record->num_failures, record->num_requests);
	assert_int_equal(rig_errors(&rig, "OperationError(\"it's\\nlate\")"), record->num_requests);
	rig_end(&rig);
}

#define ROWS 200

static struct cic_feed cic_feed_logins = {
	.abi = CIC_ABI, .name = "logins", .mode = CIC_FEED_ONCE, .columns = "login"
};
static atomic_uint used[ROWS];

static void log_in(struct cic_user *u)
{
	const char *login = cic_field(cic_row(u, logins), "login");

	atomic_fetch_add(&used[strtoul(login, NULL, 10)], 1);
	cic_get(u, "/ok");
}

static void users_stop_when_the_rows_are_used_up(void **state)
{
	char path[] = "/tmp/test_api_extras.XXXXXX.csv";
	int fd = mkstemps(path, 4);
	struct err_text why = { 0 };
	struct rig rig;

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "login\n");
	for (int i = 0; i < ROWS; i++)
		dprintf(fd, "%d\n", i);
	close(fd);
	cic_feed_logins.file = path;
	assert_int_equal(feed_open(&cic_feed_logins, ".", (struct feed_slice){ 0 }, &why), OK);
	script = log_in;
	rig_begin(&rig, classes, 1, 2, 1);
	rig_set(&rig, 20, 0, 0);
	rig_collect(&rig, ROWS);
	while (rig.users[0])
		rig_collect(&rig, 0);
	assert_int_equal(rig.total.total.num_requests, ROWS);
	assert_int_equal(atomic_load(&seen.count), ROWS);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(atomic_load(&used[i]), 1);
	rig_end(&rig);
	feed_close(&cic_feed_logins);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_values_are_taken_from_responses),
		cmocka_unit_test(a_request_may_be_made_of_the_response_before),
		cmocka_unit_test(a_bad_path_and_too_long_a_text_fail_the_request),
		cmocka_unit_test(operations_are_rows_of_the_statistics),
		cmocka_unit_test(users_stop_when_the_rows_are_used_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
