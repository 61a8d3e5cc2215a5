/* SPDX-License-Identifier: MIT
 *
 * test_via - requests through a proxy that follows a script: what it is asked, and what its
 * refusals and faults look like. Tunnels that lead somewhere are in test_proxies.py. */
#include "client_fixture.h"

#include "http/proxy.h"

#define NO_PROXY "ProxyError('Cannot connect to proxy.', "

static struct http_network network;

static void use_proxy(struct fixture *f, uint16_t port)
{
	static char plain[64], secure[64];
	static char *environment[] = { plain, secure, NULL };

	snprintf(plain, sizeof(plain), "http_proxy=http://user:p%%40ss@127.0.0.1:%u", port);
	snprintf(secure, sizeof(secure), "https_proxy=http://user:p%%40ss@127.0.0.1:%u", port);
	assert_int_equal(proxy_read(&network.proxies, environment, NULL), OK);
	http_client_use_network(f->client, &network);
}

static struct fixture *start_proxy(const struct step *steps)
{
	struct fixture *f = start(steps);

	use_proxy(f, f->server.port);
	return f;
}

static void ask_host(struct fixture *f, const char *host, uint16_t port, const char *target)
{
	struct http_request request = request_of(f, "GET", target);

	request.origin = origin_of(f, host, port);
	ask_for(f, &request);
}

static void test_the_whole_url(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ("GET http://shop.test:81/a?b=c HTTP/1.1\r\n"
		     "Proxy-Authorization: Basic dXNlcjpwQHNz\r\nHost: shop.test:81\r\n"),
		WRITE(OK_REPLY),
		READ("GET http://shop.test:81/ HTTP/1.1\r\n"),
		WRITE(OK_REPLY),
		AWAIT_CLOSE,
		ACCEPT,
		READ("GET http://[fd00::1]/ HTTP/1.1\r\n"),
		WRITE(OK_REPLY),
		CLOSE,
		END
	};
	struct fixture *f = start_proxy(steps);

	(void)state;
	ask_host(f, "shop.test", 81, "/a?b=c");
	assert_reply(f, 200, "hi");
	assert_true(str_eq(http_conn_target(&f->conn), "/a?b=c"));
	ask_host(f, "Shop.test", 81, "");
	assert_reply(f, 200, "hi");
	assert_true(str_eq(http_conn_target(&f->conn), "/"));
	/* What leads to one target is not used for another. */
	ask_host(f, "[fd00::1]", 80, "/");
	assert_reply(f, 200, "hi");
	await_closed(f);
	stop(f);
}

static void test_exempt(void **state)
{
	static const struct step steps[] = { ACCEPT, READ("GET / HTTP/1.1\r\nHost: 127.0.0.1"),
					     WRITE(OK_REPLY), AWAIT_CLOSE, END };
	struct fixture *f = start(steps);

	(void)state;
	use_proxy(f, 9);
	network.proxies.no_proxy = "127.0.0.0/8";
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	stop(f);
}

/* The proxy answers and closes; asked for a tunnel to shop.test. */
static void assert_refused(const char *answer, enum step_kind how, const char *words)
{
	const struct step steps[] = {
		ACCEPT,
		READ("CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n"
		     "User-Agent: cicada/" CICADA_VERSION
		     "\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"),
		STEP(how, answer),
		CLOSE,
		END,
	};
	struct fixture *f = start_proxy(steps);

	f->is_tls = true;
	ask_host(f, "shop.test", 443, "/");
	assert_error(f, words);
	assert_null(strstr(f->reply.error, "ss"));
	assert_int_equal(f->conn.watch.fd, -1);
	assert_int_equal(http_client_take_count(f->client).failed, 1);
	stop(f);
}

static bool is_head(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end && !end[4];
}

static void test_refusals(void **state)
{
	static const struct {
		const char *answer, *words;
	} cases[] = {
		{ "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
		  NO_PROXY "OSError('Tunnel connection failed: 407 Proxy Authentication "
			   "Required'))" },
		{ "HTTP/1.0 403 For'bid\x01\r\nContent-Length: 2\r\n\r\nno",
		  NO_PROXY "OSError('Tunnel connection failed: 403 For\\x27bid" },
		{ "HTTP/1.1 302 \r\nLocation: /\r\n\r\n",
		  NO_PROXY "OSError('Tunnel connection failed: 302 '))" },
		{ "", NO_PROXY "RemoteDisconnected('the server closed the connection without an "
			       "answer'))" },
		{ "HTTP/1.1 200 OK\r\nX: y\r\n",
		  NO_PROXY "InvalidResponse('the server closed the connection in the middle of" },
		{ "\x05\xff", NO_PROXY "" },
		{ "SSH-2.0-x\r\n", NO_PROXY "BadStatusLine('S" },
		{ "HTTP/1.1 101 Up\r\n\r\nframes",
		  NO_PROXY "InvalidResponse('the server switched" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_refused(cases[i].answer, STEP_WRITE, cases[i].words);
		/* The others are decided before their last byte, and nobody takes the rest. */
		if (is_head(cases[i].answer))
			assert_refused(cases[i].answer, STEP_WRITE_SLOWLY, cases[i].words);
	}
}

/* What stands right behind the proxy's head is the far end's: here somebody without TLS. */
static void test_the_far_end(void **state)
{
	static const struct step at_once[] = {
		ACCEPT, READ("CONNECT "),
		WRITE("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 plain words\r\n\r\n"), AWAIT_END, END
	};
	static const struct step slowly[] = {
		ACCEPT,
		READ("CONNECT "),
		WRITE_SLOWLY("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 OK\r\n"
			     "Content-Length: 9\r\n\r\n"),
		WRITE("plain words"),
		AWAIT_END,
		END
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture *f = start_proxy(i ? slowly : at_once);

		f->is_tls = true;
		ask_host(f, "shop.test", 443, "/");
		assert_error(f, "SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number')");
		assert_int_equal(f->conn.watch.fd, -1);
		stop(f);
	}
}

static void test_endless_answers(void **state)
{
	static const struct step lines[] = {
		ACCEPT,		READ("CONNECT "), WRITE("HTTP/1.1 200 OK\r\nX: "),
		FLOOD(1 << 20), AWAIT_END,	  END
	};
	struct fixture *f = start_proxy(lines);

	(void)state;
	f->is_tls = true;
	ask_host(f, "shop.test", 443, "/");
	assert_error(f, NO_PROXY "InvalidResponse('the server sent a head of more than 64 kB'))");
	stop(f);
}

static void test_no_answer(void **state)
{
	static const struct step steps[] = { ACCEPT, READ("CONNECT "), AWAIT_CLOSE, END };
	struct fixture *f = start_proxy(steps);
	struct http_request request = request_of(f, "GET", "/");

	(void)state;
	f->is_tls = true;
	request.origin = origin_of(f, "shop.test", 443);
	request.timeout_us = 50 * CLOCK_MS;
	ask_for(f, &request);
	assert_error(f, "ConnectTimeout('no connection within 0.05 s')");
	stop(f);
}

/* While it is asked for a tunnel; nobody else is there to be asked. */
static void test_reset(void **state)
{
	static const struct step steps[] = { ACCEPT, READ("CONNECT "), RESET, END };
	struct fixture *f = start_proxy(steps);

	(void)state;
	f->is_tls = true;
	ask_host(f, "shop.test", 443, "/");
	assert_error(f, NO_PROXY "ConnectionResetError(104, 'Connection reset by peer'))");
	stop(f);
}

static void test_nobody_there(void **state)
{
	static const struct step none[] = { END };
	struct fixture *f = start(none);
	uint16_t port;
	int fd = listen_on(&port);

	(void)state;
	close(fd);
	use_proxy(f, port);
	ask_host(f, "shop.test", 80, "/");
	assert_error(f, NO_PROXY "ConnectionRefusedError(111, 'Connection refused'))");
	f->is_tls = true;
	ask_host(f, "shop.test", 443, "/");
	assert_error(f, NO_PROXY "ConnectionRefusedError(111, 'Connection refused'))");
	assert_no_connection(f);
	stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_url),	cmocka_unit_test(test_exempt),
		cmocka_unit_test(test_refusals),	cmocka_unit_test(test_the_far_end),
		cmocka_unit_test(test_endless_answers), cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_reset),		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
