/* SPDX-License-Identifier: MIT
 *
 * test_tls - https requests against a scripted server: who is trusted, what is resumed, and how
 * the end of a stream is told from a cut. */
#include "tls_fixture.h"

static struct identities ids;
static struct tls_server tls;
static struct tls_options trusting, trusting_client;

static const struct step one_request[] = { ACCEPT, READ("GET / HTTP/1.1\r\nHost: "),
					   WRITE(OK_REPLY), AWAIT_CLOSE, END };
static const struct step no_request[] = { ACCEPT, END };

static void go(struct fixture *f)
{
	server_start(&f->server, f->server.steps);
}

static struct fixture *start_with(const struct identity *id, const struct tls_options *options,
				  const struct step *steps)
{
	struct fixture *f = tls_start(&tls, id, options, steps);

	go(f);
	return f;
}

static void ask_host(struct fixture *f, const char *host)
{
	struct http_request request = request_of(f, "GET", "/");

	request.origin = origin_of(f, host, f->server.port);
	ask_for(f, &request);
}

static void test_good(void **state)
{
	struct fixture *f = start_with(&ids.good, &trusting, one_request);

	(void)state;
	ask_host(f, "localhost");
	assert_reply(f, 200, "hi");
	assert_non_null(f->conn.stream.tls);
	tls_stop(f);
	assert_string_equal(tls.name, "localhost");
	assert_string_equal(tls.protocol, "http/1.1");
	assert_string_equal(tls.version, "TLSv1.3");
}

/* The certificate has the address; a server is not told an address as its name. */
static void test_address(void **state)
{
	struct fixture *f = tls_start(&tls, &ids.good, &trusting, one_request);

	(void)state;
	SSL_CTX_set_max_proto_version(tls.ctx, TLS1_2_VERSION);
	go(f);
	ask_host(f, "127.0.0.1");
	assert_reply(f, 200, "hi");
	tls_stop(f);
	assert_string_equal(tls.name, "");
	assert_string_equal(tls.version, "TLSv1.2");
}

static void test_not_verified(void **state)
{
	static const struct tls_options defaults;
	const struct {
		const struct identity *id;
		const struct tls_options *options;
		const char *host, *words;
	} cases[] = {
		{ &ids.expired, &trusting, "localhost", "certificate has expired')" },
		{ &ids.elsewhere, &trusting, "localhost",
		  "Hostname mismatch, certificate is not valid for 'localhost'.\")" },
		{ &ids.elsewhere, &trusting, "127.0.0.1",
		  "IP address mismatch, certificate is not valid for '127.0.0.1'.\")" },
		{ &ids.unknown, &trusting, "127.0.0.1",
		  "unable to get local issuer certificate')" },
		{ &ids.good, &defaults, "127.0.0.1", "unable to get local issuer certificate')" },
		{ &ids.good, NULL, "127.0.0.1", "unable to get local issuer certificate')" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = start_with(cases[i].id, cases[i].options, no_request);

		ask_host(f, cases[i].host);
		assert_error(f, "SSLCertVerificationError(1, ");
		assert_error(f, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ");
		assert_error(f, cases[i].words);
		assert_no_connection(f);
		tls_stop(f);
		assert_int_equal(tls.shaken, 0);
	}
}

static void test_insecure(void **state)
{
	static const struct tls_options insecure = { .is_insecure = true };
	const struct identity *const wrong[] = { &ids.expired, &ids.elsewhere, &ids.unknown };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fixture *f = start_with(wrong[i], &insecure, one_request);

		ask(f, "GET", "/");
		assert_reply(f, 200, "hi");
		tls_stop(f);
	}
}

static void test_client_certificate(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct {
		const struct tls_options *options;
		const char *error[2];
	} cases[] = {
		{ &trusting_client, { NULL, NULL } },
		{ &trusting,
		  { "SSLError(1, '[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake "
		    "failure')",
		    "SSLError(1, '[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] "
		    "tlsv13 alert certificate required')" } },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *error = cases[i / 2].error[i % 2];
		struct fixture *f = tls_start(&tls, &ids.good, cases[i / 2].options,
					      error ? no_request : one_request);

		SSL_CTX_set_max_proto_version(tls.ctx, versions[i % 2]);
		SSL_CTX_set_verify(tls.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(tls.ctx), ids.ca.certificate);
		go(f);
		ask(f, "GET", "/");
		if (error)
			assert_error(f, error);
		else
			assert_reply(f, 200, "hi");
		tls_stop(f);
	}
}

static void test_resumption(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	static const struct step steps[] = { ACCEPT, READ(""), WRITE(CLOSING_REPLY), AWAIT_CLOSE,
					     ACCEPT, READ(""), WRITE(OK_REPLY),	     CLOSE,
					     ACCEPT, READ(""), WRITE(OK_REPLY),	     AWAIT_CLOSE,
					     END };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *f = tls_start(&tls, &ids.good, &trusting, steps);

		SSL_CTX_set_max_proto_version(tls.ctx, versions[i]);
		go(f);
		ask(f, "GET", "/");
		assert_reply(f, 200, "bye");
		ask(f, "GET", "/");
		assert_reply(f, 200, "hi");
		/* The server ends the idle connection, and that is seen. */
		await_closed(f);
		ask(f, "GET", "/");
		assert_reply(f, 200, "hi");
		tls_stop(f);
		assert_int_equal(tls.shaken, 3);
		assert_int_equal(tls.resumed, 2);
	}
}

/* One connection: records of one byte, many records in one go, requests of many records. */
static void test_records(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ("GET /"),
		WRITE_SLOWLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "3\r\nabc\r\n0\r\n\r\n"),
		READ("GET /"),
		WRITE_SLOWLY(OK_REPLY),
		READ("GET /"),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
		FLOOD(1000000),
		READ("POST /"),
		WRITE(OK_REPLY),
		AWAIT_CLOSE,
		END
	};
	struct fixture *f = start_with(&ids.good, &trusting, steps);
	struct http_request request;
	size_t body_len = 1000000;
	char *body = mem_zalloc(1, body_len);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "abc");
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	ask(f, "GET", "/");
	assert_null(f->reply.error);
	assert_int_equal(f->reply.body_len, 1000000);
	memset(body, 'b', body_len);
	request = request_of(f, "POST", "/");
	request.body = (struct str){ body, body_len };
	ask_for(f, &request);
	assert_reply(f, 200, "hi");
	mem_free(body);
	tls_stop(f);
	assert_int_equal(tls.shaken, 1);
}

/* What TLS has to say between replies is no byte nobody asked for. */
static void test_idle_chat(void **state)
{
	static const struct step steps[] = {
		ACCEPT,		READ("GET /"), WRITE(OK_REPLY), AWAIT_TEST,  CHAT, TELL,
		READ("POST /"), CHAT,	       WRITE(OK_REPLY), AWAIT_CLOSE, END
	};
	struct fixture *f = start_with(&ids.good, &trusting, steps);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "hi");
	sem_post(&f->server.test_told);
	await(&f->server, &f->server.told);
	turn(f);
	assert_true(f->conn.is_connected);
	ask(f, "POST", "/");
	assert_reply(f, 200, "hi");
	tls_stop(f);
	assert_int_equal(tls.shaken, 1);
}

/* A body until the end is whole only if the server says that it is the end. */
static void test_ends(void **state)
{
	static const struct step steps[] = {
		ACCEPT,
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\n\r\nall of it"),
		CLOSE,
		ACCEPT,
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\n\r\npart"),
		CUT,
		ACCEPT,
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
		CUT,
		ACCEPT,
		READ(""),
		CUT,
		ACCEPT,
		READ(""),
		WRITE("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"),
		CUT,
		END
	};
	struct fixture *f = start_with(&ids.good, &trusting, steps);

	(void)state;
	ask(f, "GET", "/");
	assert_reply(f, 200, "all of it");
	ask(f, "GET", "/");
	assert_error(f, "SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in");
	ask(f, "GET", "/");
	assert_error(f, "InvalidResponse('the server closed the connection before the end");
	ask(f, "GET", "/");
	assert_error(f, UNANSWERED);
	ask(f, "GET", "/");
	assert_reply(f, 200, "body");
	await_closed(f);
	tls_stop(f);
}

/* A server that does not speak TLS, one that hangs up, one that says nothing. */
static void test_no_tls(void **state)
{
	static const struct step plain[] = { ACCEPT, WRITE("HTTP/1.1 400 Bad\r\n\r\n"), AWAIT_END,
					     END };
	static const struct step hang_up[] = { ACCEPT, CLOSE, END };
	static const struct step silent[] = { ACCEPT, AWAIT_END, END };
	const struct {
		const struct step *steps;
		const char *words;
		uint64_t timeout_us;
	} cases[] = {
		{ plain, "SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number')",
		  PATIENCE_US },
		{ hang_up, "", PATIENCE_US },
		{ silent, "ConnectTimeout('no connection within 0.05 s')", 50 * CLOCK_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = start(cases[i].steps);
		struct http_request request;

		f->is_tls = true;
		http_client_use_tls(f->client, &trusting);
		request = request_of(f, "GET", "/");
		request.timeout_us = cases[i].timeout_us;
		ask_for(f, &request);
		assert_error(f, cases[i].words);
		stop(f);
	}
}

static void test_options(void **state)
{
	const struct {
		struct tls_options options;
		const char *words;
	} cases[] = {
		{ { .ca_file = "/nowhere/ca.pem" }, "--tls-ca /nowhere/ca.pem: No such file" },
		{ { .ca_file = path_of(&ids, "empty.pem") },
		  "/empty.pem: has no certificate in PEM" },
		{ { .cert_file = "/nowhere/c.pem" }, "--tls-client-cert /nowhere/c.pem: No such" },
		{ { .cert_file = path_of(&ids, "client.crt") },
		  "client.crt: has no key in PEM form" },
		{ { .cert_file = path_of(&ids, "client.crt"), .key_file = "/nowhere/c.key" },
		  "--tls-client-key /nowhere/c.key: No such file" },
		{ { .key_file = "/nowhere/c.key" },
		  "/nowhere/c.key has no certificate; give --tls-" },
		{ { .is_insecure = true, .ca_file = "x.pem" }, "--tls-ca x.pem says against what" },
	};
	struct tls_options mixed = { .cert_file = path_of(&ids, "client.crt"),
				     .key_file = path_of(&ids, "other.key") };
	struct err_text why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tls_options_check(&cases[i].options, &why), ERR_BAD_OPTION);
		if (!strstr(why.text, cases[i].words))
			fail_msg("'%s' is not in '%s'", cases[i].words, why.text);
	}
	assert_int_equal(tls_options_check(&mixed, &why), ERR_BAD_OPTION);
	assert_non_null(strstr(why.text, "other.key: has no key in PEM form, without a password"));
	assert_int_equal(tls_options_check(&trusting, &why), OK);
	assert_int_equal(tls_options_check(&trusting_client, &why), OK);
	mixed = (struct tls_options){ .cert_file = path_of(&ids, "client.pem") };
	assert_int_equal(tls_options_check(&mixed, &why), OK);
	assert_int_equal(tls_options_check(&(struct tls_options){ 0 }, &why), OK);
}

static int make(void **state)
{
	static char ca[128], cert[128], key[128];

	(void)state;
	/* The server's side writes to connections that are gone. */
	signal(SIGPIPE, SIG_IGN);
	identities_make(&ids);
	snprintf(ca, sizeof(ca), "%s", path_of(&ids, "ca.pem"));
	snprintf(cert, sizeof(cert), "%s", path_of(&ids, "client.crt"));
	snprintf(key, sizeof(key), "%s", path_of(&ids, "client.key"));
	trusting.ca_file = ca;
	trusting_client = (struct tls_options){ .ca_file = ca, .cert_file = cert, .key_file = key };
	return 0;
}

static int clear(void **state)
{
	(void)state;
	identities_free(&ids);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_not_verified),
		cmocka_unit_test(test_insecure),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_idle_chat),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, make, clear);
}
