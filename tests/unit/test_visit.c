/* SPDX-License-Identifier: MIT
 *
 * Redirects, cookies, passwords and decoding as a scenario and its server see them. One user runs
 * `script` once and stops; the server answers by `pages` and writes down what it was asked. */
#include "serve/serve.h"

static void reply_page(void *arg, struct serve_request *r);

static void reply_when_told(void *arg, struct serve_request *r);

#define PAGE(path) \
	{ "GET", path, reply_page }, \
	{ \
		"POST", path, reply_page \
	}
#define RIG_ROUTES \
	PAGE("/a"), PAGE("/b"), PAGE("/c/d"), PAGE("/c/e"), PAGE("/loop"), PAGE("/packed"), \
		{ "GET", "/wait", reply_when_told }, { "PUT", "/a", reply_page }, \
		{ "HEAD", "/a", reply_page },

#include <unistd.h>

#include "load_fixture.h"

#define GZIP \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xf3\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x52\x52" \
	"\x93\xf3\x53\x52\x53\x14\xca\xf3\x8b\x72\x52\x00\xd0\x1c\x6a\x21\x22\x00\x00\x00"

struct page {
	const char *path;
	int status;
	const char *location, *cookie, *coding, *body;
	size_t body_len;
};

static const struct page *pages;
/* "GET /a\n" with what else was of interest; guarded by seen.lock. */
static char asked[8192];

/* "http://127.1:PORT/b": the same server, but another origin. */
static char elsewhere[128];

static void (*script)(struct cic_user *u);
static struct {
	int status;
	char error[256], body[128];
	uint64_t time_us;
} got;

static void note(const char *text, const char *value)
{
	size_t len = strlen(asked);

	if (value)
		snprintf(asked + len, sizeof(asked) - len, "%s%s", text, value);
}

static void reply_page(void *arg, struct serve_request *r)
{
	const struct page *p = pages;

	(void)arg;
	while (strcmp(p->path, serve_path(r)) != 0)
		p++;
	pthread_mutex_lock(&seen.lock);
	note("", serve_method(r));
	note(" ", serve_path(r));
	note(" body=", serve_body(r).len ? "yes" : NULL);
	note(" type=", serve_header(r, "Content-Type"));
	note(" auth=", serve_header(r, "Authorization"));
	note(" cookie=", serve_header(r, "Cookie"));
	note(" accept=", serve_header(r, "Accept-Encoding"));
	note(" test=", serve_header(r, "X-Test"));
	note("\n", "");
	pthread_mutex_unlock(&seen.lock);
	if (p->location)
		serve_add_header(r, "Location", p->location);
	if (p->cookie)
		serve_add_header(r, "Set-Cookie", p->cookie);
	if (p->coding)
		serve_add_header(r, "Content-Encoding", p->coding);
	serve_reply(r, p->status, "text/plain", p->body ? p->body : "",
		    p->body_len ? p->body_len
		    : p->body	? strlen(p->body)
				: 0);
}

static void reply_when_told(void *arg, struct serve_request *r)
{
	serve_add_header(r, "Location", "/b");
	reply_later(arg, r);
}

static void run_script(struct cic_user *u)
{
	script(u);
	cic_stop_user(u);
}

static const struct cic_user_class plain = { .abi = CIC_ABI,
					     .name = "Plain",
					     .tasks = CIC_TASKS({ run_script, 1 }) };
static const struct cic_user_class decoding = {
	.abi = CIC_ABI, .name = "Decoding", .tasks = CIC_TASKS({ run_script, 1 }), .decode = true
};

static void keep(struct cic_response *r)
{
	got.status = r->status;
	got.time_us = r->time_us;
	snprintf(got.error, sizeof(got.error), "%s", r->error ? r->error : "");
	snprintf(got.body, sizeof(got.body), "%s", r->body);
}

/* userinfo: of the host, with its @. */
static void play_as(struct rig *rig, const struct cic_user_class *class, const char *userinfo,
		    void (*what)(struct cic_user *u), const struct page *answers, uint64_t requests)
{
	static const struct cic_user_class *classes[1];
	const uint64_t one = 1;
	char host[128];

	memset(&got, 0, sizeof(got));
	asked[0] = '\0';
	script = what;
	pages = answers;
	classes[0] = class;
	rig_begin(rig, classes, 1, 1, 1);
	snprintf(elsewhere, sizeof(elsewhere), "http://127.1%s/b", strrchr(rig->host, ':'));
	snprintf(host, sizeof(host), "http://%s%s", userinfo, rig->host + strlen("http://"));
	load_set_users(rig->load, &one, host, 0);
	rig_run(rig);
	rig_collect(rig, requests);
	rig_set(rig, 0, 0, PATIENCE_S);
}

static void play(struct rig *rig, void (*what)(struct cic_user *u), const struct page *answers)
{
	play_as(rig, &plain, "", what, answers, 1);
}

static void get_a(struct cic_user *u)
{
	keep(cic_get(u, "/a?x=1", .name = "start"));
}

static const struct page chain[] = { { "/a", 302, "/c/d?y=%20#part" },
				     { "/c/d", 307, "e" },
				     { "/c/e", 301, "../b" },
				     { "/b", 200, .body = "arrived" } };

static void redirects_are_followed_and_are_one_row(void **state)
{
	struct stats_entry *e;
	struct rig rig;

	(void)state;
	play(&rig, get_a, chain);
	assert_string_equal(asked, "GET /a\nGET /c/d\nGET /c/e\nGET /b\n");
	assert_int_equal(got.status, 200);
	assert_string_equal(got.error, "");
	assert_string_equal(got.body, "arrived");
	assert_int_equal(rig.total.total.num_requests, 1);
	assert_int_equal(rig.total.entries.count, 1);
	e = stats_entry(&rig.total, str_of("GET"), str_of("start"), 0);
	assert_int_equal(e->num_requests, 1);
	assert_int_equal(e->num_failures, 0);
	assert_int_equal(e->total_content_length, 7);
	rig_end(&rig);
}

static void stay_at_a(struct cic_user *u)
{
	keep(cic_get(u, "/a", .no_redirects = true));
	cic_head(u, "/a");
}

static void they_are_not_when_not_wanted(void **state)
{
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "", stay_at_a, chain, 2);
	assert_string_equal(asked, "GET /a\nHEAD /a\n");
	assert_int_equal(got.status, 302);
	assert_string_equal(got.error, "");
	rig_end(&rig);
}

static void loop_for_ever(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/loop");

	keep(r);
	assert_null(cic_header(r, "Location"));
	keep(cic_get(u, "/b"));
}

static void endless_ones_end(void **state)
{
	static const struct page answers[] = { { "/loop", 302, "/loop" }, { "/b", 200 } };
	unsigned count = 0;
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "", loop_for_ever, answers, 2);
	for (const char *p = asked; (p = strstr(p, "/loop")); p++)
		count++;
	assert_int_equal(count, 31);
	assert_int_equal(rig_errors(&rig, "TooManyRedirects('Exceeded 30 redirects.')"), 1);
	assert_int_equal(rig.total.total.num_requests, 2);
	assert_int_equal(got.status, 200);
	rig_end(&rig);
}

static void post_and_put(struct cic_user *u)
{
	cic_post(u, "/a", .json = "{}", .headers = "X-Test: kept");
	cic_post(u, "/c/d", .json = "{}");
	cic_put(u, "/a", .body = "text", .headers = "Content-Type: text/plain");
}

static void methods_and_bodies_change_as_they_should(void **state)
{
	static const struct page answers[] = {
		{ "/a", 303, "/b" }, { "/c/d", 308, "/c/e" }, { "/c/e", 200 }, { "/b", 200 }
	};
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "", post_and_put, answers, 3);
	assert_string_equal(asked, "POST /a body=yes type=application/json test=kept\n"
				   "GET /b test=kept\n"
				   "POST /c/d body=yes type=application/json\n"
				   "POST /c/e body=yes type=application/json\n"
				   "PUT /a body=yes type=text/plain\n"
				   "GET /b\n");
	rig_end(&rig);
}

static void get_where_nothing_is(struct cic_user *u)
{
	cic_get(u, "/a");
	cic_get(u, "/b");
	keep(cic_get(u, "/c/d"));
}

static void where_nobody_can_go_is_an_error(void **state)
{
	static const struct page answers[] = { { "/a", 302, "ftp://127.0.0.1/x" },
					       { "/b", 302, "http:///x" },
					       { "/c/d", 302, "http://127.0.0.1:1/" } };
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "", get_where_nothing_is, answers, 3);
	assert_int_equal(rig_errors(&rig, "InvalidSchema('ftp:// is not supported"), 1);
	assert_int_equal(rig_errors(&rig, "InvalidURL('the URL has no host"), 1);
	assert_int_equal(rig_errors(&rig, "ConnectionRefusedError(111"), 1);
	assert_int_equal(got.status, 0);
	rig_end(&rig);
}

static void collect_cookies(struct cic_user *u)
{
	cic_get(u, "/a");
	cic_get(u, "/c/d");
	cic_get(u, "/a", .headers = "Cookie: own=1");
}

static void cookies_are_kept_and_sent_also_on_the_way(void **state)
{
	static const struct page answers[] = { { "/a", 302, "/b", "s=1; Path=/" },
					       { "/b", 200, NULL, "t=2; Path=/" },
					       { "/c/d", 200, NULL, "s=3; Path=/" } };
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "", collect_cookies, answers, 3);
	assert_string_equal(asked, "GET /a\nGET /b cookie=s=1\n"
				   "GET /c/d cookie=s=1; t=2\n"
				   "GET /a cookie=own=1\nGET /b cookie=own=1\n");
	/* Another user begins without them. */
	rig_end(&rig);
	play(&rig, get_a, answers);
	assert_string_equal(asked, "GET /a\nGET /b cookie=s=1\n");
	rig_end(&rig);
}

static void get_secretly(struct cic_user *u)
{
	cic_get(u, "/c/d");
	cic_get(u, "/c/d", .headers = "Authorization: own");
	cic_get(u, "/a", .headers = "Cookie: own=1\nX-Test: kept");
	cic_get(u, "http://u:secret@127.0.0.1:1/x");
}

static void passwords_stay_at_their_origin(void **state)
{
	static const struct page answers[] = {
		{ "/a", 302, elsewhere }, { "/b", 200 }, { "/c/d", 302, "/c/e" }, { "/c/e", 200 }
	};
	struct stats_entry *e;
	struct rig rig;

	(void)state;
	play_as(&rig, &plain, "me:p%40ss@", get_secretly, answers, 4);
	assert_string_equal(asked,
			    "GET /c/d auth=Basic bWU6cEBzcw==\nGET /c/e auth=Basic bWU6cEBzcw==\n"
			    "GET /c/d auth=own\nGET /c/e auth=own\n"
			    "GET /a auth=Basic bWU6cEBzcw== cookie=own=1 test=kept\n"
			    "GET /b test=kept\n");
	e = stats_entry(&rig.total, str_of("GET"), str_of("127.0.0.1:1/x"), 0);
	assert_int_equal(e->num_requests, 1);
	rig_end(&rig);
}

static void get_wait(struct cic_user *u)
{
	keep(cic_get(u, "/wait"));
}

static void a_host_that_changes_on_the_way_harms_nothing(void **state)
{
	static const struct page answers[] = { { "/b", 200, .body = "arrived" } };
	static const struct cic_user_class *const classes[] = { &plain };
	static const uint64_t one = 1;
	struct rig rig;
	char host[128];

	(void)state;
	script = get_wait;
	pages = answers;
	asked[0] = '\0';
	rig_begin(&rig, classes, 1, 1, 1);
	snprintf(host, sizeof(host), "http://old:secret@%s", rig.host + strlen("http://"));
	load_set_users(rig.load, &one, host, 0);
	rig_run(&rig);
	while (!hung_count())
		usleep(1000);
	load_set_users(rig.load, &one, "http://new:secret@other.invalid", 0);
	rig_run(&rig);
	pthread_mutex_lock(&seen.lock);
	serve_reply(seen.hung[--seen.hung_count], 302, NULL, "", 0);
	pthread_mutex_unlock(&seen.lock);
	rig_collect(&rig, 1);
	rig_set(&rig, 0, 0, PATIENCE_S);
	assert_string_equal(asked, "GET /b\n");
	assert_string_equal(got.body, "arrived");
	rig_end(&rig);
}

static void get_packed(struct cic_user *u)
{
	struct cic_response *r = cic_get(u, "/packed");

	/* The text outlives what others decode meanwhile. */
	cic_sleep(u, 0);
	keep(r);
	cic_get(u, "/a");
	cic_get(u, "/b");
}

static const struct page packed[] = {
	{ "/packed", 200, .coding = "gzip", .body = GZIP, .body_len = sizeof(GZIP) - 1 },
	{ "/a", 200, .coding = "gzip", .body = "not gzip at all" },
	{ "/b", 200, .coding = "rot13", .body = "x" },
};

static void bodies_are_decoded_for_classes_that_want_it(void **state)
{
	struct rig rig;

	(void)state;
	play_as(&rig, &decoding, "", get_packed, packed, 3);
	assert_string_equal(asked, "GET /packed accept=gzip, deflate, br\n"
				   "GET /a accept=gzip, deflate, br\n"
				   "GET /b accept=gzip, deflate, br\n");
	assert_string_equal(got.body, "Hello, hello, hello, decoded world");
	assert_int_equal(
		stats_entry(&rig.total, str_of("GET"), str_of("/packed"), 0)->total_content_length,
		34);
	assert_int_equal(rig_errors(&rig, "ContentDecodingError('the gzip body is corrupt')"), 1);
	assert_int_equal(rig_errors(&rig, "'rot13' is none of"), 1);
	rig_end(&rig);
	play_as(&rig, &plain, "", get_packed, packed, 3);
	assert_string_equal(asked, "GET /packed\nGET /a\nGET /b\n");
	assert_int_equal(rig.total.total.num_failures, 0);
	assert_memory_equal(got.body, GZIP, 3);
	rig_end(&rig);
}

static void hang_after_a_redirect(struct cic_user *u)
{
	keep(cic_get(u, "/a"));
	fail();
}

static void a_user_can_be_cut_off_on_the_way(void **state)
{
	static const struct page answers[] = { { "/a", 302, "/hang", "a=1" } };
	static const struct cic_user_class *const classes[] = { &plain };
	struct rig rig;

	(void)state;
	script = hang_after_a_redirect;
	pages = answers;
	rig_begin(&rig, classes, 1, 1, 1);
	rig_set(&rig, 1, 0, 0);
	while (!hung_count())
		usleep(1000);
	rig_set(&rig, 0, 0, 0.01);
	rig_collect(&rig, 1);
	assert_int_equal(rig_errors(&rig, "StopTimeout("), 1);
	assert_int_equal(rig.total.total.num_requests, 1);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirects_are_followed_and_are_one_row),
		cmocka_unit_test(they_are_not_when_not_wanted),
		cmocka_unit_test(endless_ones_end),
		cmocka_unit_test(methods_and_bodies_change_as_they_should),
		cmocka_unit_test(where_nobody_can_go_is_an_error),
		cmocka_unit_test(cookies_are_kept_and_sent_also_on_the_way),
		cmocka_unit_test(passwords_stay_at_their_origin),
		cmocka_unit_test(a_host_that_changes_on_the_way_harms_nothing),
		cmocka_unit_test(bodies_are_decoded_for_classes_that_want_it),
		cmocka_unit_test(a_user_can_be_cut_off_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
