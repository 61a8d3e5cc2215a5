/* SPDX-License-Identifier: MIT
 *
 * kube_api: calls against canned replies, those of a real API server where there are some. */
#include "canned_fixture.h"

#include <jansson.h>

#include "base/clock.h"
#include "kube/kube_access.h"
#include "kube/kube_api.h"

#define HEAD(status)	    "HTTP/1.1 " status "\r\nConnection: close\r\n"
#define REPLY(status, body) HEAD(status) "\r\n" body
#define FORBIDDEN \
	"{\"kind\":\"Status\",\"message\":\"deployments.apps \\\"inference\\\" is forbidden: " \
	"User \\\"system:serviceaccount:llm:nobody\\\" cannot patch\",\"code\":403}"

static const struct kube_ref scale = { &kube_deployments, "inference", "scale" };

struct world {
	struct canned c;
	char server[64];
	struct kube_access access;
	struct kube_api *api;
	struct err_text text;
	json_t *out;
};

static void begin(struct world *w, const char *const *replies, size_t count)
{
	memset(w, 0, sizeof(*w));
	canned_start(&w->c, replies, count);
	snprintf(w->server, sizeof(w->server), "http://127.0.0.1:%u", w->c.port);
	w->access = (struct kube_access){ .server = w->server,
					  .token = strdup("abc"),
					  .origin = strdup("a test") };
	w->api = kube_api_create(&w->access, "llm", NULL, NULL);
}

static void end(struct world *w)
{
	json_decref(w->out);
	kube_api_destroy(&w->api);
	canned_stop(&w->c);
	free(w->access.token);
	free(w->access.origin);
}

static void a_patch_is_what_kubernetes_wants(void **state)
{
	static const char *const replies[] = { REPLY("200 OK", "{\"spec\":{\"replicas\":3}}") };
	struct world w;

	(void)state;
	begin(&w, replies, 1);
	assert_int_equal(
		kube_api_merge(w.api, &scale, "{\"spec\":{\"replicas\":3}}", &w.out, &w.text), OK);
	canned_stop(&w.c);
	assert_int_equal(strncmp(w.c.request,
				 "PATCH /apis/apps/v1/namespaces/llm/deployments/inference/scale "
				 "HTTP/1.1\r\n",
				 73),
			 0);
	assert_non_null(strstr(w.c.request, "Authorization: Bearer abc\r\n"));
	assert_non_null(strstr(w.c.request, "Content-Type: application/merge-patch+json\r\n"));
	assert_non_null(strstr(w.c.request, "\r\n\r\n{\"spec\":{\"replicas\":3}}"));
	end(&w);
}

static void what_may_pass_is_tried_again(void **state)
{
	static const char *const replies[] = {
		HEAD("429 Too Many Requests") "Retry-After: 1\r\n\r\nToo many requests, please "
					      "try again later.\n",
		REPLY("409 Conflict", "{}"),
		REPLY("503 Service Unavailable", "{}"),
		"", /* the connection breaks */
		REPLY("401 Unauthorized", "{}"),
		REPLY("200 OK", "{}"),
	};
	struct world w;
	uint64_t start_us = clock_us();

	(void)state;
	/* A 401 is tried again only as the first reply: here it is the last. */
	begin(&w, replies, 6);
	assert_int_equal(kube_api_get(w.api, &scale, &w.out, &w.text), ERR_REFUSED);
	assert_true(clock_us() - start_us >= 1 * CLOCK_S);
	assert_non_null(strstr(w.text.text, "credentials of a test are not accepted"));
	end(&w);
	begin(&w, replies + 4, 2);
	assert_int_equal(kube_api_get(w.api, &scale, &w.out, &w.text), OK);
	end(&w);
}

static char token_path[] = "/tmp/cicada-token-XXXXXX";

static void write_token(const char *token)
{
	FILE *file = fopen(token_path, "w");

	assert_non_null(file);
	assert_true(fputs(token, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Somebody waits for the next try: now the file is whole. */
static bool exchange_token(void *arg)
{
	(void)arg;
	write_token("second");
	return false;
}

static void a_token_that_is_being_exchanged_is_waited_for(void **state)
{
	static const char *const replies[] = { REPLY("200 OK", "{}"), REPLY("200 OK", "{}"),
					       REPLY("200 OK", "{}") };
	int fd = mkstemp(token_path);
	struct world w;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_token("first");
	begin(&w, replies, 3);
	kube_api_destroy(&w.api);
	free(w.access.token);
	w.access.token = NULL;
	w.access.token_file = token_path;
	w.api = kube_api_create(&w.access, "llm", NULL, NULL);
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), OK);
	kube_api_destroy(&w.api);
	/* One that never was a token is an error at once. */
	write_token("");
	w.api = kube_api_create(&w.access, "llm", exchange_token, NULL);
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), ERR_BAD_INPUT);
	write_token("first");
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), OK);
	write_token("");
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), OK);
	canned_stop(&w.c);
	assert_non_null(strstr(w.c.request, "Authorization: Bearer second\r\n"));
	end(&w);
	unlink(token_path);
}

static void a_refusal_names_the_missing_rule(void **state)
{
	static const char *const replies[] = { REPLY("403 Forbidden", FORBIDDEN) };
	struct world w;

	(void)state;
	begin(&w, replies, 1);
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), ERR_REFUSED);
	assert_non_null(strstr(w.text.text,
			       "no right to patch deployments/scale in namespace llm; the Role "
			       "needs the rule {apiGroups: [\"apps\"], resources: "
			       "[\"deployments/scale\"], verbs: [\"patch\"]}"));
	assert_non_null(strstr(w.text.text, "system:serviceaccount:llm:nobody"));
	end(&w);
}

static void what_is_refused_for_another_reason_names_no_rule(void **state)
{
	static const char *const replies[] = { REPLY(
		"403 Forbidden", "{\"message\":\"admission webhook \\\"freeze\\\" denied the "
				 "request: not today\"}") };
	struct world w;

	(void)state;
	begin(&w, replies, 1);
	assert_int_equal(kube_api_merge(w.api, &scale, "{}", NULL, &w.text), ERR_REFUSED);
	assert_string_equal(w.text.text,
			    "patch deployments/scale inference in namespace llm was refused: 403 "
			    "admission webhook \"freeze\" denied the request: not today");
	end(&w);
}

static void other_errors_say_what_the_server_said(void **state)
{
	static const char *const replies[] = {
		REPLY("404 Not Found", "{\"message\":\"deployments.apps \\\"x\\\" not found\"}"),
		REPLY("422 Unprocessable Entity", "{\"message\":\"must be greater\\nthan 0\"}"),
		REPLY("404 Not Found", "404 page not found\n"),
		REPLY("200 OK", "[]"),
		REPLY("302 Found", ""),
	};
	static const struct {
		enum err err;
		const char *said;
	} want[] = {
		{ ERR_NOT_FOUND, "deployments.apps \"x\" not found" },
		{ ERR_BAD_INPUT, "422 must be greater than 0" },
		{ ERR_NOT_FOUND, "404 page not found" },
		{ ERR_BAD_INPUT, "no JSON object" },
		{ ERR_IO, "answered 302" },
	};
	struct world w;

	(void)state;
	begin(&w, replies, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(kube_api_get(w.api, &scale, &w.out, &w.text), want[i].err);
		assert_non_null(strstr(w.text.text, want[i].said));
	}
	end(&w);
}

static enum err list(struct world *w, char version[KUBE_VERSION_BYTES])
{
	return kube_api_list(w->api, &(struct kube_query){ &kube_pods, "app in (a,b)", NULL },
			     10000, &w->out, version, &w->text);
}

static void a_list_has_all_pages_and_begins_again_when_they_expire(void **state)
{
	static const char *const replies[] = {
		REPLY("200 OK", "{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"p2\"},"
				"\"items\":[{\"a\":1},{\"a\":2}]}"),
		REPLY("410 Gone", "{\"code\":410}"),
		REPLY("200 OK", "{\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"p=3\"},"
				"\"items\":[{\"a\":3}]}"),
		REPLY("200 OK", "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":null}"),
	};
	char version[KUBE_VERSION_BYTES];
	struct world w;

	(void)state;
	begin(&w, replies, 4);
	assert_int_equal(list(&w, version), OK);
	assert_int_equal(json_array_size(w.out), 1);
	assert_string_equal(version, "7");
	canned_stop(&w.c);
	assert_string_equal(
		w.c.lines,
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%20in%20%28a%2Cb%29&limit=500 "
		"HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%20in%20%28a%2Cb%29&limit=500&"
		"continue=p2 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%20in%20%28a%2Cb%29&limit=500 "
		"HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%20in%20%28a%2Cb%29&limit=500&"
		"continue=p%3D3 HTTP/1.1\n");
	end(&w);
}

static void a_list_that_always_expires_ends(void **state)
{
	static const char *const replies[] = { REPLY("410 Gone", "{\"message\":\"too old\"}"),
					       REPLY("410 Gone", "{\"message\":\"too old\"}"),
					       REPLY("410 Gone", "{\"message\":\"too old\"}") };
	char version[KUBE_VERSION_BYTES];
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_equal(list(&w, version), ERR_BAD_INPUT);
	assert_non_null(strstr(w.text.text, "list pods"));
	assert_non_null(strstr(w.text.text, "410 too old"));
	end(&w);
}

static void names_are_those_of_kubernetes(void **state)
{
	static const char *const good[] = { "a", "inference", "locust-worker", "a.b-0" };
	static const char *const bad[] = { "", "A", "-a", "a-", "a/b", "a?b", "..", "\xc3\xa4" };
	char longest[300];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_true(kube_api_is_name(good[i]));
	for (size_t i = 0; i < 8; i++)
		assert_false(kube_api_is_name(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[253] = '\0';
	assert_true(kube_api_is_name(longest));
	longest[253] = 'a';
	longest[254] = '\0';
	assert_false(kube_api_is_name(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_patch_is_what_kubernetes_wants),
		cmocka_unit_test(what_may_pass_is_tried_again),
		cmocka_unit_test(a_token_that_is_being_exchanged_is_waited_for),
		cmocka_unit_test(a_refusal_names_the_missing_rule),
		cmocka_unit_test(what_is_refused_for_another_reason_names_no_rule),
		cmocka_unit_test(other_errors_say_what_the_server_said),
		cmocka_unit_test(a_list_has_all_pages_and_begins_again_when_they_expire),
		cmocka_unit_test(a_list_that_always_expires_ends),
		cmocka_unit_test(names_are_those_of_kubernetes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
