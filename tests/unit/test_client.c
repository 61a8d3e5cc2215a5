/* SPDX-License-Identifier: MIT
 *
 * test_client - the client of virtual users against a scripted server (client_fixture.h). */
#include "client_fixture.h"

static void test_reuse(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"),
		WRITE(OK_REPLY),
		READ("GET /second HTTP/1.1\r\n"),
		WRITE("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
		READ("GET /?x=1 HTTP/1.1\r\n"),
		WRITE(OK_REPLY),
		READ("GET / HTTP/1.1\r\n"),
		WRITE(OK_REPLY),
		AWAIT_CLOSE,
		END
	};
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/a?b=c");
	assert_reply(f, 200, "hi");
	assert_true(f->reply.time_us > 0);
	assert_true(f->conn.is_connected);
	ask(f, "GET", "/second");
	assert_reply(f, 404, "");
	ask(f, "GET", "?x=1");
	assert_reply(f, 200, "hi");
	ask(f, "GET", "");
	assert_reply(f, 200, "hi");
	stop(f);
}

/* Memory that no request needs is given back; what one has needed since the last time is kept. */
static void trim(struct http_client *client)
{
	http_client_trim(client);
	while (http_client_drop(client))
		;
}

static void test_trim(void **state)
{
	static const struct step steps[] = { ACCEPT,
					     READ("GET /a HTTP/1.1"),
					     WRITE(OK_REPLY),
					     READ("GET /b HTTP/1.1"),
					     WRITE(OK_REPLY),
					     AWAIT_CLOSE,
					     END };
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/a");
	trim(f->client);
	http_conn_release(&f->conn);
	assert_int_equal(f->client->pooled, 1);
	trim(f->client);
	assert_int_equal(f->client->pooled, 1);
	trim(f->client);
	assert_int_equal(f->client->pooled, 0);
	assert_null(f->client->pool);
	assert_true(f->conn.is_connected);
	ask(f, "GET", "/b");
	assert_reply(f, 200, "hi");
	stop(f);
}

static void test_refused(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct http_request request;
	struct http_count count;

	(void)state;
	client_start(f);
	close(listen_on(&f->server.port));
	request = request_of(f, "GET", "/");
	ask_for(f, &request);
	assert_error(f, "ConnectionRefusedError(111, 'Connection refused')");
	/* localhost may have two addresses; both refuse. No /etc/hosts knows the second name. */
	request.origin = origin_of(f, "localhost", f->server.port);
	ask_for(f, &request);
	assert_error(f, "ConnectionRefusedError(111, 'Connection refused')");
	request.origin = origin_of(f, "here.localhost", f->server.port);
	ask_for(f, &request);
	assert_error(f, "ConnectionRefusedError(111, 'Connection refused')");
	count = http_client_take_count(f->client);
	assert_int_equal(count.failed, 3);
	assert_int_equal(count.opened + count.closed, 0);
	assert_int_equal(http_client_take_count(f->client).failed, 0);
	client_stop(f);
	mem_free(f);
}

static void test_two_addresses(void **state)
{
	static const struct step steps[] = { ACCEPT,	      READ(""),	   WRITE(CLOSING_REPLY),
					     CLOSE,	      ACCEPT,	   READ(""),
					     WRITE(OK_REPLY), AWAIT_CLOSE, END };
	struct fixture *f = start(steps);
	const struct http_origin *shared = origin_of(f, "127.0.0.1", f->server.port);
	struct http_origin *origin = f->client->origins[shared->index];
	uint16_t dead_port;

	(void)state;
	close(listen_on(&dead_port));
	origin->addresses[1] = origin->addresses[0];
	((struct sockaddr_in *)&origin->addresses[0].name)->sin_port = htons(dead_port);
	origin->address_count = 2;
	ask(f, "GET", "/");
	assert_reply(f, 200, "bye");
	/* It is remembered: the turn of the dead one is passed over. */
	assert_true(origin->addresses[0].skip_until_us > clock_us());
	assert_int_equal(origin->addresses[1].skip_until_us, 0);
	origin->next = 0;
	ask(f, "POST", "/");
	assert_reply(f, 200, "hi");
	stop(f);
}

static void test_unresolved(void **state)
{
	/* A label of 64 bytes is in no name, so that no name server is asked. */
	static const char host[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct http_request request;

	(void)state;
	client_start(f);
	f->server.port = 9;
	request = request_of(f, "GET", "/");
	request.origin = origin_of(f, host, 80);
	ask_for(f, &request);
	assert_error(f, "gaierror(-");
	client_stop(f);
	mem_free(f);
}

/* A request that is given up while its name is looked up. */
static void test_waiting_is_closed(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct http_request request;

	(void)state;
	client_start(f);
	f->server.port = 9;
	request = request_of(f, "GET", "/");
	request.origin = origin_of(f, "localhost", 9);
	http_conn_send(&f->conn, &request, &f->reply, on_done, f);
	assert_int_equal(f->conn.watch.fd, -1);
	http_conn_close(&f->conn);
	for (int i = 0; i < 5; i++)
		turn(f);
	assert_int_equal(f->done_count, 0);
	assert_true(f->client->origins[request.origin->index]->address_count > 0);
	client_stop(f);
	mem_free(f);
}

static void test_origins(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	const struct http_origin *origin = NULL;
	struct err_text why = { 0 };
	struct http_url url;
	char text[64];

	(void)state;
	client_start(f);
	assert_ptr_equal(origin_of(f, "LOCALhost", 80), origin_of(f, "localhost", 80));
	assert_ptr_not_equal(origin_of(f, "localhost", 80), origin_of(f, "localhost", 81));
	for (int i = 2; i < LIMIT_ORIGINS; i++) {
		snprintf(text, sizeof(text), "127.%d.%d.1", i >> 8, i & 255);
		assert_non_null(origin_of(f, text, 80));
	}
	assert_int_equal(http_url_parse(str_of("http://127.9.9.9/"), &url, NULL), OK);
	assert_int_equal(http_client_origin(f->client, &url, &origin, &why), ERR_TOO_BIG);
	assert_non_null(strstr(why.text, "127.9.9.9"));
	assert_non_null(origin_of(f, "localhost", 81));
	client_stop(f);
	mem_free(f);
}

/* No descriptor is left. */
static void test_no_descriptors(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct rlimit before, none;

	(void)state;
	client_start(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	f->server.port = 9;
	origin_of(f, "127.0.0.1", 9);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ask(f, "GET", "/");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_error(f, "OSError(24, 'Too many open files; raise the hard limit of open files "
			"(ulimit -Hn, LimitNOFILE=)')");
	client_stop(f);
	mem_free(f);
}

/* What one connection may carry, whole and byte by byte. */
static void test_framings(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg",
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg",
		"HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 7\n\nabcdefg",
	};
	enum { COUNT = sizeof(replies) / sizeof(replies[0]) };
	struct step steps[COUNT * 4 + 3] = { ACCEPT };
	struct fixture *f;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT; i++) {
		steps[1 + 2 * i] = (struct step)READ("");
		steps[2 + 2 * i] =
			(struct step){ i % 2 ? STEP_WRITE : STEP_WRITE_SLOWLY, replies[i / 2] };
	}
	steps[4 * COUNT + 1] = (struct step)AWAIT_CLOSE;
	f = start(steps);
	for (size_t i = 0; i < 2 * COUNT; i++) {
		ask(f, "GET", "/");
		assert_reply(f, 200, "abcdefg");
	}
	stop(f);
}

static void test_head(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ("HEAD /"),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
		READ("GET /"),
		WRITE("HTTP/1.1 304 Not Modified\r\n\r\n"),
		READ("DELETE /"),
		WRITE("HTTP/1.1 204 No Content\r\nX-Y: z \r\n\r\n"),
		AWAIT_CLOSE,
		END
	};
	struct fixture *f = start(steps);
	struct str value;

	(void)state;
	ask(f, "HEAD", "/");
	assert_reply(f, 200, "");
	assert_int_equal(f->reply.head->content_length, 1000);
	ask(f, "GET", "/");
	assert_reply(f, 304, "");
	ask(f, "DELETE", "/");
	assert_reply(f, 204, "");
	assert_true(http_response_header(f->reply.head, f->reply.bytes, "x-y", &value));
	assert_true(str_eq(value, "z"));
	stop(f);
}

static void test_until_close(void **state)
{
	static const struct step steps[] = { ACCEPT,
					     READ(""),
					     WRITE_SLOWLY("HTTP/1.1 200 OK\r\n\r\nall of it"),
					     CLOSE,
					     ACCEPT,
					     READ(""),
					     WRITE("HTTP/1.0 200 OK\r\n\r\n"),
					     CLOSE,
					     ACCEPT,
					     READ(""),
					     WRITE("HTTP/1.1 200 OK\r\n\r\npart"),
					     RESET,
					     END };
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "all of it");
	assert_int_equal(f->conn.watch.fd, -1);
	ask(f, "POST", "/");
	assert_reply(f, 200, "");
	ask(f, "GET", "/");
	assert_error(f, "ConnectionResetError(104, 'Connection reset by peer')");
	stop(f);
}

static void test_connection_close(void **state)
{
	static const struct step steps[] = { ACCEPT,
					     READ(""),
					     WRITE(CLOSING_REPLY),
					     AWAIT_CLOSE,
					     ACCEPT,
					     READ(""),
					     WRITE(CLOSING_REPLY),
					     CLOSE,
					     TELL,
					     ACCEPT,
					     READ(""),
					     WRITE(OK_REPLY),
					     CLOSE,
					     TELL,
					     ACCEPT,
					     READ(""),
					     WRITE(OK_REPLY),
					     AWAIT_CLOSE,
					     END };
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "bye");
	assert_int_equal(f->conn.watch.fd, -1);
	/* Reply and end of stream come in one event. */
	for (int i = 0; i < 2; i++) {
		struct http_request request = request_of(f, "POST", "/");

		http_conn_release(&f->conn);
		http_conn_send(&f->conn, &request, &f->reply, on_done, f);
		/* The request leaves when the connection stands, which the loop sees to. */
		while (sem_trywait(&f->server.told) != 0)
			turn(f);
		if (http_conn_is_busy(&f->conn))
			await_done(f);
		assert_reply(f, 200, i ? "hi" : "bye");
		await_closed(f);
	}
	ask(f, "POST", "/");
	assert_reply(f, 200, "hi");
	stop(f);
}

static void test_stale(void **state)
{
	static const struct step steps[] = { ACCEPT,
					     READ(""),
					     WRITE(OK_REPLY),
					     AWAIT_TEST,
					     CLOSE,
					     TELL,
					     ACCEPT,
					     READ("GET /again"),
					     WRITE(OK_REPLY),
					     AWAIT_TEST,
					     RESET,
					     TELL,
					     ACCEPT,
					     READ("POST /again"),
					     WRITE(OK_REPLY),
					     READ("PUT /once"),
					     CLOSE,
					     ACCEPT,
					     READ("PUT /once"),
					     WRITE(OK_REPLY),
					     READ("PUT /twice"),
					     RESET,
					     ACCEPT,
					     READ("PUT /twice"),
					     RESET,
					     END };
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	sem_post(&f->server.test_told);
	await(&f->server, &f->server.told);
	ask(f, "GET", "/again");
	assert_reply(f, 200, "hi");
	sem_post(&f->server.test_told);
	await(&f->server, &f->server.told);
	ask(f, "POST", "/again");
	assert_reply(f, 200, "hi");
	ask(f, "PUT", "/once");
	assert_reply(f, 200, "hi");
	ask(f, "PUT", "/twice");
	assert_error(f, "ConnectionResetError(104, 'Connection reset by peer')");
	assert_no_connection(f);
	stop(f);
}

static void test_post_is_sent_once(void **state)
{
	static const struct step steps[] = { ACCEPT, READ(""), WRITE(OK_REPLY), AWAIT_TEST, CLOSE,
					     TELL,   END };
	static const struct step steps_after[] = { ACCEPT,	   READ(""), WRITE(OK_REPLY),
						   READ("PATCH "), CLOSE,    END };
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/");
	sem_post(&f->server.test_told);
	await(&f->server, &f->server.told);
	ask(f, "POST", "/");
	assert_error(f, UNANSWERED);
	assert_no_connection(f);
	stop(f);
	f = start(steps_after);
	ask(f, "GET", "/");
	ask(f, "PATCH", "/");
	assert_error(f, UNANSWERED);
	assert_no_connection(f);
	stop(f);
}

/* What happens to an idle connection is noticed without a request. */
static void test_idle(void **state)
{
	static const struct step steps[] = {
		ACCEPT,		 READ(""),	  WRITE(OK_REPLY),
		AWAIT_TEST,	 CLOSE,		  ACCEPT,
		READ(""),	 WRITE(OK_REPLY), AWAIT_TEST,
		RESET,		 ACCEPT,	  READ(""),
		WRITE(OK_REPLY), AWAIT_TEST,	  WRITE("HTTP/1.1 408 Request Timeout\r\n\r\n"),
		AWAIT_END,	 ACCEPT,	  READ(""),
		WRITE(OK_REPLY), AWAIT_CLOSE,	  END
	};
	struct fixture *f = start(steps);

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask(f, "POST", "/");
		assert_reply(f, 200, "hi");
		assert_true(f->conn.watch.fd >= 0);
		sem_post(&f->server.test_told);
		await_closed(f);
		/* The reply outlives the connection. */
		assert_reply(f, 200, "hi");
	}
	ask(f, "POST", "/");
	assert_reply(f, 200, "hi");
	stop(f);
}

static void test_surplus(void **state)
{
	/* Head and body fill the room of the first recv to the byte. */
	static char filling[16384 + 5];
	static const struct step steps[] = {
		ACCEPT,		READ(""),  WRITE(OK_REPLY "HTTP/1.1 200 OK\r\n"),
		AWAIT_END,	ACCEPT,	   READ(""),
		WRITE(filling), AWAIT_END, END
	};
	struct fixture *f = start(steps);
	int head = snprintf(filling, sizeof(filling),
			    "HTTP/1.1 200 OK\r\nContent-Length: 16000\r\nX: ");

	(void)state;
	memset(filling + head, 'x', 16383 - 16000 - 4 - (size_t)head);
	memcpy(filling + 16383 - 16000 - 4, "\r\n\r\n", 4);
	memset(filling + 16383 - 16000, 'y', 16000 + 5);
	filling[16383 + 5] = '\0';
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	assert_int_equal(f->conn.watch.fd, -1);
	ask(f, "GET", "/");
	assert_int_equal(f->reply.body_len, 16000);
	assert_int_equal(f->reply.body[16000], '\0');
	await_closed(f);
	stop(f);
}

static void test_broken_replies(void **state)
{
	static const struct {
		const char *reply, *words;
		enum step_kind end;
	} cases[] = {
		{ "", UNANSWERED, STEP_CLOSE },
		{ "", "ConnectionResetError(104, 'Connection reset by peer')", STEP_RESET },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		  "ConnectionResetError(104, 'Connection reset by peer')", STEP_RESET },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		  "InvalidResponse('the server closed the connection before", STEP_CLOSE },
		{ "HTTP/1.1 200 O", "InvalidResponse('the server closed the connection in the mid",
		  STEP_CLOSE },
		{ "SSH-2.0-Open's\x01\r\nmore", "BadStatusLine('SSH-2.0-Open\\x27s\\x01')",
		  STEP_AWAIT_END },
		{ "HTTP/1.1 007 x\r\n\r\n", "BadStatusLine('HTTP/1.1 007 x')", STEP_AWAIT_END },
		{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		  "InvalidResponse('the server sent a header line without a colon')",
		  STEP_AWAIT_END },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nx\r\n",
		  "InvalidResponse('the server sent a chunk size", STEP_AWAIT_END },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n",
		  "ResponseTooLarge('the body is larger than 67108864 bytes')", STEP_AWAIT_END },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct step steps[] = {
			ACCEPT, READ(""), WRITE(cases[i].reply), { cases[i].end }, END
		};
		struct fixture *f = start(steps);

		ask(f, "GET", "/");
		assert_error(f, cases[i].words);
		assert_int_equal(f->conn.watch.fd, -1);
		assert_no_connection(f);
		stop(f);
	}
}

static void test_large(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ("Content-Length: 8388608\r\n"),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n"),
		FLOOD(3000000),
		READ("Content-Length: 3\r\n"),
		WRITE(OK_REPLY),
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n"),
		FLOOD(LIMIT_RESPONSE_BODY_BYTES + 1),
		AWAIT_END,
		END
	};
	struct fixture *f = start(steps);
	struct http_request request = request_of(f, "POST", "/");
	char *body = mem_zalloc(1, LIMIT_REQUEST_BYTES);

	(void)state;
	for (size_t i = 0; i < 8388608; i++)
		body[i] = (char)(i / 1000);
	request.body = (struct str){ body, 8388608 };
	ask_for(f, &request);
	assert_null(f->reply.error);
	assert_int_equal(f->server.body_sum, sum_of(0, body, 8388608));
	assert_int_equal(f->reply.body_len, 3000000);
	assert_int_equal(f->reply.body[2999999], 'x');
	assert_int_equal(f->reply.body[3000000], '\0');
	request.body.len = 3;
	ask_for(f, &request);
	assert_reply(f, 200, "hi");
	ask(f, "GET", "/");
	assert_error(f, "ResponseTooLarge('the body is larger than 67108864 bytes')");
	request.body.len = LIMIT_REQUEST_BYTES;
	ask_for(f, &request);
	assert_error(f, "RequestTooLarge('the request is larger than 16777216 bytes')");
	mem_free(body);
	stop(f);
}

/* Bodies that are being received at the same time have a limit together. */
static void test_large_together(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"),
		FLOOD(2000000),
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"),
		FLOOD(2000000),
		AWAIT_END,
		END
	};
	struct fixture *f = start(steps);

	(void)state;
	ask(f, "GET", "/");
	assert_null(f->reply.error);
	http_conn_release(&f->conn);
	assert_int_equal(f->client->large_bytes, 0);
	/* What others hold. */
	f->client->large_bytes = LIMIT_BODIES_BYTES - 1000000;
	ask(f, "GET", "/");
	assert_error(f, "ResponseTooLarge('the bodies of all users of this load thread are larger "
			"than 1073741824 bytes')");
	http_conn_release(&f->conn);
	assert_int_equal(f->client->large_bytes, LIMIT_BODIES_BYTES - 1000000);
	stop(f);
}

/* A server that answers and closes before it has read the request. */
static void test_early_answer(void **state)
{
	static const struct step steps[] = {
		ACCEPT,	    WRITE("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"),
		AWAIT_TEST, AWAIT_END,
		ACCEPT,	    WRITE("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"),
		CLOSE,	    END
	};
	struct fixture *f = start(steps);
	struct http_request request = request_of(f, "POST", "/");
	char *body = mem_zalloc(1, 8388608);

	(void)state;
	request.body = (struct str){ body, 8388608 };
	for (int i = 0; i < 2; i++) {
		ask_for(f, &request);
		sem_post(&f->server.test_told);
		assert_reply(f, 413, "no");
		assert_int_equal(f->conn.watch.fd, -1);
	}
	mem_free(body);
	stop(f);
}

static void test_read_timeout(void **state)
{
	static const struct step steps[] = {
		ACCEPT,	     READ(""), AWAIT_CLOSE,
		ACCEPT,	     READ(""), WRITE("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"),
		AWAIT_CLOSE, END
	};
	struct fixture *f = start(steps);
	struct http_request request = request_of(f, "GET", "/");

	(void)state;
	request.timeout_us = 50 * CLOCK_MS;
	for (int i = 0; i < 2; i++) {
		ask_for(f, &request);
		assert_error(f, "ReadTimeout('no whole response within 0.05 s')");
		assert_true(f->reply.time_us >= 50 * CLOCK_MS);
	}
	stop(f);
}

/* A listener whose queue is full answers no SYN. */
/* A listener that takes no connection any more. */
struct full {
	int listener, fillers[8];
	struct sockaddr_in name;
};

static void full_open(struct full *full)
{
	uint16_t port;

	full->listener = listen_on(&port);
	full->name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	full->name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listen(full->listener, 0);
	for (int i = 0; i < 8; i++) {
		full->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(full->fillers[i], (struct sockaddr *)&full->name,
			       sizeof(full->name));
	}
}

static void full_close(struct full *full)
{
	for (int i = 0; i < 8; i++)
		close(full->fillers[i]);
	close(full->listener);
}

static void test_connect_timeout(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));
	struct http_request request;
	struct full full;

	(void)state;
	full_open(&full);
	f->server.port = ntohs(full.name.sin_port);
	client_start(f);
	request = request_of(f, "GET", "/");
	request.timeout_us = 50 * CLOCK_MS;
	ask_for(f, &request);
	assert_error(f, "ConnectTimeout('no connection within 0.05 s')");
	client_stop(f);
	full_close(&full);
	mem_free(f);
}

/* The connection that was kept is closed, and the next one takes long. */
static void test_connect_timeout_of_a_second_try(void **state)
{
	static const struct step steps[] = {
		ACCEPT, READ(""), WRITE(OK_REPLY), READ(""), CLOSE, END
	};
	struct fixture *f = start(steps);
	struct http_request request = request_of(f, "GET", "/");
	struct http_origin *origin = f->client->origins[request.origin->index];
	struct full full;

	(void)state;
	full_open(&full);
	request.timeout_us = 5 * CLOCK_S;
	ask_for(f, &request);
	assert_reply(f, 200, "hi");
	http_conn_release(&f->conn);
	request.connect_timeout_us = 50 * CLOCK_MS;
	memcpy(&origin->addresses[0].name, &full.name, sizeof(full.name));
	ask_for(f, &request);
	assert_error(f, "ConnectTimeout('no connection within 0.05 s')");
	assert_true(f->reply.time_us < request.timeout_us);
	stop(f);
	full_close(&full);
}

static void test_cancel(void **state)
{
	static const struct step steps[] = { ACCEPT,	      READ(""),	   TELL,
					     AWAIT_CLOSE,     ACCEPT,	   READ(""),
					     WRITE(OK_REPLY), AWAIT_CLOSE, END };
	struct fixture *f = start(steps);
	struct http_request request = request_of(f, "GET", "/");

	(void)state;
	http_conn_close(&f->conn);
	http_conn_send(&f->conn, &request, &f->reply, on_done, f);
	while (sem_trywait(&f->server.told) != 0)
		turn(f);
	assert_true(http_conn_is_busy(&f->conn));
	http_conn_close(&f->conn);
	assert_false(http_conn_is_busy(&f->conn));
	assert_int_equal(f->conn.watch.fd, -1);
	turn(f);
	assert_int_equal(f->done_count, 0);
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	assert_int_equal(f->done_count, 1);
	/* While connecting, too. */
	http_conn_close(&f->conn);
	close(listen_on(&f->server.port));
	request = request_of(f, "GET", "/");
	http_conn_send(&f->conn, &request, &f->reply, on_done, f);
	http_conn_close(&f->conn);
	turn(f);
	assert_int_equal(f->done_count, 1);
	stop(f);
}

static void hold(struct fixture *f, const char *target, struct list *held)
{
	struct http_request request = request_of(f, "POST", target);

	http_conn_release(&f->conn);
	request.held = held;
	http_conn_send(&f->conn, &request, &f->reply, on_done, f);
	assert_true(http_conn_is_busy(&f->conn));
}

/* The server has got nothing within a moment. */
static void assert_unsent(struct fixture *f)
{
	struct pollfd p = { .fd = f->server.fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 20), 0);
}

static void test_held(void **state)
{
	static const struct step steps[] = { ACCEPT,
					     READ("POST /first"),
					     WRITE(OK_REPLY),
					     TELL,
					     AWAIT_TEST,
					     READ("POST /second"),
					     WRITE(OK_REPLY),
					     TELL,
					     AWAIT_TEST,
					     RESET,
					     TELL,
					     ACCEPT,
					     READ("POST /third"),
					     WRITE(OK_REPLY),
					     AWAIT_CLOSE,
					     END };
	struct fixture *f = start(steps);
	struct list held;
	uint64_t before_us;

	(void)state;
	list_init(&held);
	/* On a new connection nothing waits. */
	hold(f, "/first", &held);
	assert_true(list_is_empty(&held));
	await_done(f);
	assert_reply(f, 200, "hi");
	await(&f->server, &f->server.told);
	hold(f, "/second", &held);
	assert_unsent(f);
	before_us = clock_us();
	sem_post(&f->server.test_told);
	http_send_held(&held);
	assert_true(list_is_empty(&held));
	await_done(f);
	assert_reply(f, 200, "hi");
	assert_true(f->reply.time_us <= clock_us() - before_us);
	/* The connection breaks before it is sent. */
	await(&f->server, &f->server.told);
	hold(f, "/third", &held);
	sem_post(&f->server.test_told);
	await(&f->server, &f->server.told);
	http_send_held(&held);
	await_done(f);
	assert_reply(f, 200, "hi");
	/* It is given up before it is sent. */
	hold(f, "/fourth", &held);
	http_conn_close(&f->conn);
	assert_true(list_is_empty(&held));
	http_send_held(&held);
	stop(f);
}

static void test_two_origins(void **state)
{
	static const struct step steps[] = { ACCEPT,	      READ("GET /one"), WRITE(OK_REPLY),
					     AWAIT_CLOSE,     ACCEPT,		READ("GET /three"),
					     WRITE(OK_REPLY), AWAIT_CLOSE,	END };
	static const struct step other_steps[] = { ACCEPT, READ("GET /two"), WRITE(CLOSING_REPLY),
						   CLOSE, END };
	struct fixture *f = start(steps);
	struct http_request request;
	struct server other = { 0 };

	(void)state;
	server_start(&other, other_steps);
	ask(f, "GET", "/one");
	assert_reply(f, 200, "hi");
	request = request_of(f, "GET", "/two");
	request.origin = origin_of(f, "127.0.0.1", other.port);
	ask_for(f, &request);
	assert_reply(f, 200, "bye");
	ask(f, "GET", "/three");
	assert_reply(f, 200, "hi");
	server_stop(&other);
	stop(f);
}

/* The next request goes out inside done(). */
static void on_done_again(void *arg)
{
	struct fixture *f = arg;
	struct http_request request = request_of(f, "GET", "/");

	assert_null(f->reply.error);
	if (++f->done_count == 20) {
		loop_stop(&f->loop);
		return;
	}
	http_conn_release(&f->conn);
	http_conn_send(&f->conn, &request, &f->reply, on_done_again, f);
}

static void test_send_inside_done(void **state)
{
	struct step steps[1 + 2 * 20 + 2] = { ACCEPT };
	struct http_request request;
	struct fixture *f;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		steps[1 + 2 * i] = (struct step)READ("");
		steps[2 + 2 * i] = (struct step)WRITE(OK_REPLY);
	}
	steps[41] = (struct step)AWAIT_CLOSE;
	f = start(steps);
	request = request_of(f, "GET", "/");
	http_conn_send(&f->conn, &request, &f->reply, on_done_again, f);
	loop_timer_set(&f->loop, &f->guard, clock_us() + PATIENCE_US);
	loop_run(&f->loop);
	loop_timer_clear(&f->loop, &f->guard);
	assert_false(f->has_hung);
	assert_reply(f, 200, "hi");
	stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_two_addresses),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_waiting_is_closed),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_framings),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_until_close),
		cmocka_unit_test(test_connection_close),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_post_is_sent_once),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_surplus),
		cmocka_unit_test(test_broken_replies),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_large_together),
		cmocka_unit_test(test_early_answer),
		cmocka_unit_test(test_read_timeout),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_connect_timeout_of_a_second_try),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_two_origins),
		cmocka_unit_test(test_send_inside_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
