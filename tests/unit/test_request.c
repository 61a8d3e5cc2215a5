/* SPDX-License-Identifier: MIT
 *
 * test_request - what the client writes before the body of a request, byte by byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/http_int.h"

#define AGENT  "User-Agent: cicada/" CICADA_VERSION "\r\n"
#define ACCEPT "Accept: */*\r\n"

static void assert_request(struct http_request request, const char *url_text, const char *expected)
{
	struct http_client *c;
	struct http_url url;
	struct loop loop;
	struct buf out;

	assert_int_equal(loop_init(&loop, NULL), OK);
	c = http_client_create(&loop);
	buf_init(&out, LIMIT_REQUEST_BYTES);
	assert_int_equal(http_url_parse(str_of(url_text), &url, NULL), OK);
	assert_int_equal(http_client_origin(c, &url, &request.origin, NULL), OK);
	request.target = url.target;
	request_write(&out, &request, request_method_traits(request.method));
	assert_string_equal(out.p, expected);
	buf_fini(&out);
	http_client_destroy(&c);
	assert_null(c);
	loop_fini(&loop);
}

static void test_lines(void **state)
{
	(void)state;
	assert_request((struct http_request){ .method = "GET" }, "http://127.0.0.1",
		       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT ACCEPT "\r\n");
	assert_request((struct http_request){ .method = "HEAD" }, "http://[::1]:8080?a=b",
		       "HEAD /?a=b HTTP/1.1\r\nHost: [::1]:8080\r\n" AGENT ACCEPT "\r\n");
	assert_request((struct http_request){ .method = "GET", .headers = str_of("X: y\r\n") },
		       "http://[::1]/p",
		       "GET /p HTTP/1.1\r\nHost: [::1]\r\n" AGENT ACCEPT "X: y\r\n\r\n");
	assert_request((struct http_request){ .method = "POST",
					      .content_type = "text/plain",
					      .body = str_of("hello") },
		       "http://LOCALhost:81/",
		       "POST / HTTP/1.1\r\nHost: localhost:81\r\n" AGENT ACCEPT
		       "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n");
}

static void test_empty_bodies(void **state)
{
	static const char *const with[] = { "POST", "PUT", "PATCH" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *expected = mem_printf("%s / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT ACCEPT
					    "Content-Length: 0\r\n\r\n",
					    with[i]);

		assert_request((struct http_request){ .method = with[i] }, "http://127.0.0.1",
			       expected);
		mem_free(expected);
	}
	assert_request((struct http_request){ .method = "DELETE" }, "http://127.0.0.1",
		       "DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT ACCEPT "\r\n");
	assert_request((struct http_request){ .method = "DELETE", .body = str_of("") },
		       "http://127.0.0.1",
		       "DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT ACCEPT
		       "Content-Length: 0\r\n\r\n");
}

/* No name stands twice, and what frames the body is never the caller's. */
static void test_callers_headers(void **state)
{
	struct http_request request = {
		.method = "POST",
		.headers = str_of("HOST: other\r\nuser-agent: mine\r\nAccept: text/html\r\n"
				  "content-type: a/b\r\nContent-Length: 99\r\nX-Hosts: h\r\n"
				  "Transfer-Encoding: chunked\r\nConnection: close\r\n"),
		.content_type = "text/plain",
		.body = str_of("{}"),
	};

	(void)state;
	assert_request(request, "http://127.0.0.1/",
		       "POST / HTTP/1.1\r\nHOST: other\r\nuser-agent: mine\r\nAccept: text/html\r\n"
		       "content-type: a/b\r\nX-Hosts: h\r\nConnection: close\r\n"
		       "Content-Length: 2\r\n\r\n");
}

static void test_no_accept(void **state)
{
	struct http_request request = { .method = "GET", .headers = str_of(""), .no_accept = true };

	(void)state;
	assert_request(request, "http://127.0.0.1/",
		       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT "\r\n");
	request.headers = str_of("accept: a/b\r\n");
	assert_request(request, "http://127.0.0.1/",
		       "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" AGENT "accept: a/b\r\n\r\n");
}

static void test_one_header_of_the_caller(void **state)
{
	static const char host[] = "Host: 127.0.0.1:81\r\n";
	const struct {
		const char *theirs, *ours[2];
	} cases[] = {
		{ "HOST: other\r\n", { AGENT, ACCEPT } },
		{ "user-agent: mine\r\n", { host, ACCEPT } },
		{ "accept: text/html\r\n", { host, AGENT } },
		{ "Accept-Encoding: gzip\r\n", { host, AGENT ACCEPT } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *expected = mem_printf("GET / HTTP/1.1\r\n%s%s%s\r\n", cases[i].ours[0],
					    cases[i].ours[1], cases[i].theirs);

		assert_request((struct http_request){ .method = "GET",
						      .headers = str_of(cases[i].theirs) },
			       "http://127.0.0.1:81", expected);
		mem_free(expected);
	}
}

static void test_traits_of_methods(void **state)
{
	(void)state;
	assert_int_equal(request_method_traits("GET"), METHOD_IS_IDEMPOTENT);
	assert_int_equal(request_method_traits("HEAD"), METHOD_IS_IDEMPOTENT | METHOD_IS_HEAD);
	assert_int_equal(request_method_traits("PUT"), METHOD_IS_IDEMPOTENT | METHOD_HAS_CONTENT);
	assert_int_equal(request_method_traits("POST"), METHOD_HAS_CONTENT);
	assert_int_equal(request_method_traits("get"), 0);
	assert_int_equal(request_method_traits("GETS"), 0);
}

/* No test can use up the machine's ports. */
static void test_words_of_a_shortage(void **state)
{
	char text[FAILURE_BYTES];

	(void)state;
	failure_of_errno(text, EADDRNOTAVAIL);
	assert_string_equal(
		text, "OSError(99, 'Cannot assign requested address; no local port is left for "
		      "this address: keep connections alive, widen "
		      "net.ipv4.ip_local_port_range, or give more --source-addresses')");
	failure_of_errno(text, ECONNREFUSED);
	assert_string_equal(text, "ConnectionRefusedError(111, 'Connection refused')");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_words_of_a_shortage),
		cmocka_unit_test(test_empty_bodies),
		cmocka_unit_test(test_callers_headers),
		cmocka_unit_test(test_no_accept),
		cmocka_unit_test(test_one_header_of_the_caller),
		cmocka_unit_test(test_traits_of_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
