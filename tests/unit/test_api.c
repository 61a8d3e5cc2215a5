/* SPDX-License-Identifier: MIT
 *
 * The scenario API as a scenario sees it: what is sent, what comes back, what counts as failed.
 * One user runs `script` once and stops. */
#include "load_fixture.h"

static void (*script)(struct cic_user *u);
/* What the script saw; compared by the test's own thread after the user is gone. */
static struct {
	int status;
	bool has_key, has_other_key;
	char error[256], header[64], body[64], text[64];
	uint64_t time_us;
	size_t body_len;
	void *data;
} got;

static void run_script(struct cic_user *u)
{
	script(u);
	cic_stop_user(u);
}

static const struct cic_user_class scripted = {
	.abi = CIC_ABI, .name = "Scripted", .data_bytes = 100, .tasks = CIC_TASKS({ run_script, 1 })
};
static const struct cic_user_class *const classes[] = { &scripted };

static void keep(struct cic_response *r)
{
	got.status = r->status;
	got.time_us = r->time_us;
	got.body_len = r->body_len;
	snprintf(got.error, sizeof(got.error), "%s", r->error ? r->error : "");
	snprintf(got.body, sizeof(got.body), "%s", r->body);
}

static void rig_play(struct rig *rig, void (*what)(struct cic_user *u), const char *host,
		     uint64_t requests)
{
	const uint64_t one = 1;

	memset(&got, 0, sizeof(got));
	script = what;
	load_set_users(rig->load, &one, host, 0);
	rig_run(rig);
	rig_collect(rig, requests);
	rig_set(rig, 0, 0, PATIENCE_S);
}

static void play(struct rig *rig, void (*what)(struct cic_user *u), uint64_t requests)
{
	rig_begin(rig, classes, 1, 1, 1);
	rig_play(rig, what, NULL, requests);
}

static void post_json(struct cic_user *u)
{
	struct cic_response *r = cic_post(u, "/ok", .name = "named", .json = "{\"a\": 1}",
					  .headers = "X-Test: one two \nX-More:3\n");

	keep(r);
	got.has_key = cic_json_has(r, "predictions");
	got.has_other_key = cic_json_has(r, "prediction");
	snprintf(got.header, sizeof(got.header), "%s", cic_header(r, "x-reply"));
	assert_null(cic_header(r, "X-None"));
}

static void a_request_goes_out_and_comes_back(void **state)
{
	struct stats_entry *e;
	struct rig rig;

	(void)state;
	play(&rig, post_json, 1);
	assert_int_equal(got.status, 200);
	assert_string_equal(got.error, "");
	assert_string_equal(got.body, "{\"predictions\": [1]}");
	assert_int_equal(got.body_len, 20);
	assert_true(got.time_us > 0);
	assert_true(got.has_key);
	assert_false(got.has_other_key);
	assert_string_equal(got.header, "yes");
	assert_string_equal(seen.header, "one two");
	assert_int_equal(atomic_load(&seen.body_bytes), 8);
	assert_int_equal(rig.total.entries.count, 1);
	e = stats_entry(&rig.total, str_of("POST"), str_of("named"), 0);
	assert_int_equal(e->num_requests, 1);
	assert_int_equal(e->num_failures, 0);
	assert_int_equal(e->total_content_length, 20);
	rig_end(&rig);
}

static void judge(struct cic_user *u)
{
	cic_check(cic_get(u, "/ok", .name = "fine"), true, "not used");
	cic_check(cic_get(u, "/ok", .name = "checked"), false, "it's wrong\n");
	cic_success(cic_get(u, "/missing", .name = "wanted"));
	struct cic_response *r = cic_get(u, "/missing", .name = "overruled");
	cic_check(r, false, "\xc3\xbcnd \xff\xc3");
	cic_check(r, false, "second");
	cic_success(r);
	cic_get(u, "/missing", .name = "named");
	cic_get(u, "http://127.0.0.1:1/", .name = "refused");
	r = cic_get(u, "http://127.0.0.1:1/", .name = "refused");
	cic_check(r, r->status == 200, "hides nothing");
}

static void checks_decide_what_failed(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, judge, 7);
	assert_int_equal(rig.total.total.num_requests, 7);
	assert_int_equal(rig.total.total.num_failures, 5);
	assert_int_equal(rig.total.total.times[STATS_OK].count, 2);
	assert_int_equal(rig.total.total.times[STATS_HTTP_ERROR].count, 3);
	assert_int_equal(rig.total.total.times[STATS_NETWORK_ERROR].count, 2);
	assert_int_equal(rig_errors(&rig, "CatchResponseError(\"it's wrong\\n\")"), 1);
	assert_int_equal(rig_errors(&rig, "CatchResponseError('\xc3\xbcnd \\xff\\xc3')"), 1);
	assert_int_equal(
		rig_errors(&rig, "HTTPError('404 Client Error: Not Found for url: named')"), 1);
	assert_int_equal(rig_errors(&rig, "ConnectionRefusedError(111, 'Connection refused')"), 2);
	assert_int_equal(rig.total.errors.count, 4);
	rig_end(&rig);
}

static void send_nonsense(struct cic_user *u)
{
	struct cic_request bare = { .name = "bare" };

	cic_get(u, "/ok", .name = "1", .headers = "X-Test: a\rX-Evil: b");
	cic_get(u, "/ok", .name = "1", .headers = "X-Test: good\nno colon");
	cic_get(u, "/ok", .name = "1", .headers = "X Test: blank in the name");
	cic_get(u, "/ok HTTP/1.1\r\nX-Test: evil\r\n", .name = "2");
	cic_get(u, "/with blank", .name = "2");
	cic_get(u, "http://", .name = "2");
	cic_get(u, "https://127.0.0.1:0/", .name = "2");
	cic_request(u, "GET /", "/ok", NULL);
	cic_request(u, "", "/ok", NULL);
	cic_request(u, "GET", "/ok", &bare);
	cic_get(u, NULL);
	keep(cic_get(u, "/ok", .name = "2", .headers = "X-Test: a\nX-Test: \x01"));
}

static void what_cannot_be_sent_is_a_failed_request(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, send_nonsense, 12);
	assert_int_equal(atomic_load(&seen.count), 0);
	assert_int_equal(rig.total.total.num_failures, 12);
	assert_int_equal(got.status, 0);
	assert_string_equal(got.error, "InvalidHeader('header line 2 is not `Name: value` without "
				       "control characters')");
	assert_int_equal(rig_errors(&rig, "InvalidHeader('header line 1 "), 2);
	assert_int_equal(rig_errors(&rig, "InvalidHeader('header line 2 "), 2);
	assert_int_equal(rig_errors(&rig, "InvalidURL("), 5);
	assert_int_equal(rig_errors(&rig, "the path is NULL"), 1);
	assert_int_equal(rig_errors(&rig, "the method is not a word"), 2);
	assert_int_equal(rig_errors(&rig, "CIC_ABI"), 1);
	rig_end(&rig);
}

static void get_ok(struct cic_user *u)
{
	keep(cic_get(u, "/ok#part"));
}

static void get_ok_relative(struct cic_user *u)
{
	keep(cic_get(u, "ok?q=1"));
}

static void paths_are_joined_to_the_host(void **state)
{
	struct rig rig;
	char host[128];

	(void)state;
	rig_begin(&rig, classes, 1, 1, 1);
	snprintf(host, sizeof(host), "%s/", rig.host);
	rig_play(&rig, get_ok, host, 1);
	assert_string_equal(seen.path, "/ok");
	assert_int_equal(got.status, 200);
	snprintf(host, sizeof(host), "%s/base/", rig.host);
	rig_play(&rig, get_ok_relative, host, 2);
	assert_string_equal(seen.path, "/base/ok");
	assert_int_equal(got.status, 200);
	rig_play(&rig, get_ok, "ftp://nowhere", 3);
	assert_int_equal(got.status, 0);
	assert_non_null(strstr(got.error, "MissingHost("));
	rig_end(&rig);
}

static void a_class_without_host_says_so(void **state)
{
	struct load_options options = { .threads = 1 };
	struct err_text text = { 0 };
	const uint64_t one = 1;
	struct load *real;
	struct rig rig;

	(void)state;
	rig_begin(&rig, classes, 1, 1, 1);
	/* A load of its own, for the rig's has been given a host. */
	options.scenario = &rig.scenario;
	options.on_delta = on_delta;
	options.on_settled = on_settled;
	options.arg = &rig;
	real = rig.load;
	assert_int_equal(load_create(&rig.loop, &options, &rig.load, &text), OK);
	script = get_ok;
	load_set_users(rig.load, &one, NULL, 0);
	rig_run(&rig);
	rig_collect(&rig, 1);
	rig_set(&rig, 0, 0, PATIENCE_S);
	load_destroy(&rig.load);
	rig.load = real;
	assert_string_equal(got.error, "MissingHost('class Scripted has no host; give one with "
				       "--host, or .host in the class')");
	rig_end(&rig);
}

static void get_slowly(struct cic_user *u)
{
	keep(cic_get(u, "/hang", .timeout_s = 0.02));
}

static void a_request_has_its_own_timeout(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, get_slowly, 1);
	assert_string_equal(got.error, "ReadTimeout('no whole response within 0.02 s')");
	assert_int_equal(rig.total.total.num_failures, 1);
	rig_end(&rig);
}

static void reuse_a_buffer(struct cic_user *u)
{
	char *name = cic_data(u);

	got.data = name;
	for (int i = 0; i < 100; i++)
		assert_int_equal(name[i], 0);
	for (int i = 0; i < 6; i++) {
		snprintf(name, 100, "row %d", i % 3);
		cic_get(u, "/ok", .name = name);
		memset(name, 'x', 5);
		cic_sleep(u, 0);
	}
	cic_log(u, "%d rows", 3);
}

static void rows_are_found_by_text_not_by_address(void **state)
{
	struct rig rig;

	(void)state;
	play(&rig, reuse_a_buffer, 6);
	assert_int_equal((uintptr_t)got.data % _Alignof(max_align_t), 0);
	assert_int_equal(rig.total.entries.count, 3);
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "row %d", i);
		assert_int_equal(
			stats_entry(&rig.total, str_of("GET"), str_of(name), 0)->num_requests, 2);
	}
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_goes_out_and_comes_back),
		cmocka_unit_test(checks_decide_what_failed),
		cmocka_unit_test(what_cannot_be_sent_is_a_failed_request),
		cmocka_unit_test(paths_are_joined_to_the_host),
		cmocka_unit_test(a_class_without_host_says_so),
		cmocka_unit_test(a_request_has_its_own_timeout),
		cmocka_unit_test(rows_are_found_by_text_not_by_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
