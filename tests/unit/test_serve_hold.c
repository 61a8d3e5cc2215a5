/* SPDX-License-Identifier: MIT
 *
 * serve: requests that are held and answered together, bodies that are lent, and servers that share
 * a door. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/serve.h"

#define DEADLINE_US (20 * CLOCK_S)
#define CLIENTS	    40

/* One server driven by hand, and what its handler holds. */
struct side {
	struct serve *serve;
	struct serve_request *held[CLIENTS];
	size_t count, gone;
	char body[64]; /* of the newest request for /body */
};

static void on_held(void *arg, struct serve_request *r)
{
	struct side *side = arg;

	assert_true(side->count < CLIENTS);
	serve_hold(r);
	side->held[side->count++] = r;
}

static void on_ping(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_reply(r, 200, "text/plain", "pong", 4);
}

static void on_body(void *arg, struct serve_request *r)
{
	struct side *side = arg;
	struct str body = serve_body(r);

	assert_true(body.len < sizeof(side->body));
	memcpy(side->body, body.p, body.len);
	side->body[body.len] = '\0';
	on_held(arg, r);
}

static void on_gone(void *arg, struct serve_request *r)
{
	struct side *side = arg;

	for (size_t i = 0; i < side->count; i++)
		if (side->held[i] == r) {
			side->held[i] = NULL;
			side->gone++;
		}
}

static const struct serve_route routes[] = {
	{ "GET", "/held", on_held },
	{ "GET", "/ping", on_ping },
	{ "POST", "/body", on_body },
	{ NULL, NULL, NULL },
};

static void start(struct side *side, const struct serve *door, unsigned idle_timeout_s)
{
	const struct serve_options o = { .host = "127.0.0.1",
					 .routes = routes,
					 .gone = on_gone,
					 .is_body_lent = true,
					 .arg = side,
					 .door = door,
					 .idle_timeout_s = idle_timeout_s };
	struct err_text text = { "" };

	*side = (struct side){ 0 };
	if (serve_create(&side->serve, &o, &text))
		fail_msg("%s", text.text);
}

static int dial(const struct side *side)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(serve_port(side->serve)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void ask(int fd, const char *path)
{
	char text[200];
	int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
}

/* What has arrived at fd up to now contains text. */
static bool has_heard(int fd, const char *text)
{
	char heard[4096];
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, MSG_PEEK | MSG_DONTWAIT);

	if (n <= 0)
		return false;
	heard[n] = '\0';
	return strstr(heard, text) != NULL;
}

/* Without a turn of the server: it has sent it already. */
static void await_heard(int fd, const char *text)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (!has_heard(fd, text)) {
		assert_true(clock_us() < until_us);
		usleep(1000);
	}
}

static void turn_until_heard(struct side *side, int fd, const char *text)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (!has_heard(fd, text)) {
		assert_true(clock_us() < until_us);
		serve_turn(side->serve);
	}
}

static void turn_until_held(struct side *side, size_t count)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (side->count < count) {
		assert_true(clock_us() < until_us);
		serve_turn(side->serve);
	}
}

static void held_requests_are_answered_together_and_others_at_once(void **state)
{
	struct side side;
	int fds[CLIENTS], other;

	(void)state;
	start(&side, NULL, 0);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = dial(&side);
		ask(fds[i], "/held");
	}
	turn_until_held(&side, CLIENTS);
	assert_int_equal(serve_in_flight(side.serve), CLIENTS);
	assert_true(serve_timeout_us(side.serve) == 0);
	other = dial(&side);
	ask(other, "/ping");
	turn_until_heard(&side, other, "pong");
	for (int i = 0; i < CLIENTS; i++)
		assert_false(has_heard(fds[i], "HTTP"));
	/* The last one first: the order is the owner's. */
	for (size_t i = CLIENTS; i-- > 0;) {
		char text[16];

		snprintf(text, sizeof(text), "answer %zu.", i);
		serve_reply(side.held[i], 200, "text/plain", text, strlen(text));
	}
	side.count = 0;
	/* They are sent before the owner does something else. */
	serve_turn(side.serve);
	for (int i = 0; i < CLIENTS; i++)
		await_heard(fds[i], "200 OK");
	/* Every connection goes on, and nothing is left to do. */
	ask(fds[0], "/ping");
	turn_until_heard(&side, fds[0], "pong");
	assert_int_equal(serve_in_flight(side.serve), 0);
	assert_true(serve_timeout_us(side.serve) > 0);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	close(other);
	serve_destroy(&side.serve, CLOCK_S);
	assert_int_equal(side.gone, 0);
}

static void turn_until_idle(struct side *side)
{
	uint64_t until_us = clock_us() + DEADLINE_US;

	while (serve_in_flight(side->serve)) {
		assert_true(clock_us() < until_us);
		serve_turn(side->serve);
	}
}

static void a_held_request_may_be_answered_without_its_client(void **state)
{
	const struct linger reset = { .l_onoff = 1 };
	struct side side;

	(void)state;
	start(&side, NULL, 0);
	for (size_t i = 0; i < 2; i++) {
		int fd = dial(&side);

		ask(fd, "/held");
		turn_until_held(&side, i + 1);
		if (i) /* once with FIN, once with RST */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		for (int turns = 0; turns < 5; turns++)
			serve_turn(side.serve);
		if (side.held[i])
			serve_reply(side.held[i], 200, "text/plain", "late", 4);
		turn_until_idle(&side);
	}
	serve_destroy(&side.serve, 0);
}

static void a_held_request_whose_connection_ends_is_given_up(void **state)
{
	struct side side;
	int fds[2];

	(void)state;
	start(&side, NULL, 1);
	fds[0] = dial(&side);
	ask(fds[0], "/held");
	turn_until_held(&side, 1);
	/* Nobody answers until the connection has been silent for too long. */
	turn_until_idle(&side);
	assert_int_equal(side.gone, 1);
	fds[1] = dial(&side);
	ask(fds[1], "/held");
	turn_until_held(&side, 2);
	serve_destroy(&side.serve, 0);
	assert_int_equal(side.gone, 2);
	close(fds[0]);
	close(fds[1]);
}

/* However the body comes, the handler sees all of it, once; and the next request of the connection
 * begins where it ends. */
static void a_lent_body_is_whole(void **state)
{
	static const char *const pieces[][4] = {
		{ "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nall of it" },
		{ "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", "all", " of it" },
		{ "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nall ",
		  "\r\n5\r\nof it\r\n", "0\r\n\r\n" },
		{ "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" },
	};
	static const char *const bodies[] = { "all of it", "all of it", "all of it", "" };
	struct side side;
	int fd;

	(void)state;
	start(&side, NULL, 0);
	fd = dial(&side);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		char heard[400];

		for (size_t k = 0; k < 4 && pieces[i][k]; k++) {
			assert_true(send(fd, pieces[i][k], strlen(pieces[i][k]), MSG_NOSIGNAL) > 0);
			for (int turns = 0; turns < 5; turns++)
				serve_turn(side.serve);
		}
		turn_until_held(&side, i + 1);
		assert_string_equal(side.body, bodies[i]);
		serve_reply(side.held[i], 200, "text/plain", "taken", 5);
		turn_until_heard(&side, fd, "taken");
		assert_true(recv(fd, heard, sizeof(heard), 0) > 0);
	}
	close(fd);
	serve_destroy(&side.serve, CLOCK_S);
}

static void servers_share_a_door(void **state)
{
	struct side first, second;
	int fds[2];

	(void)state;
	start(&first, NULL, 0);
	start(&second, first.serve, 0);
	assert_int_equal(serve_port(second.serve), serve_port(first.serve));
	/* Whoever turns gets the connection. */
	for (int i = 0; i < 2; i++) {
		struct side *side = i ? &second : &first;

		fds[i] = dial(side);
		ask(fds[i], "/ping");
		turn_until_heard(side, fds[i], "pong");
		assert_int_equal(serve_begun(side->serve), 1);
	}
	/* The door is open until both have closed it, and what was promised is served. */
	serve_stop_accepting(first.serve);
	close(fds[0]);
	fds[0] = dial(&second);
	assert_true(fds[0] >= 0);
	ask(fds[0], "/ping");
	serve_stop_accepting(second.serve);
	assert_int_equal(dial(&second), -1);
	for (int i = 0; i < 5; i++) {
		serve_turn(first.serve);
		serve_turn(second.serve);
	}
	turn_until_heard(&second, fds[0], "pong");
	close(fds[0]);
	close(fds[1]);
	serve_destroy(&first.serve, CLOCK_S);
	serve_destroy(&second.serve, CLOCK_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_requests_are_answered_together_and_others_at_once),
		cmocka_unit_test(a_held_request_may_be_answered_without_its_client),
		cmocka_unit_test(a_held_request_whose_connection_ends_is_given_up),
		cmocka_unit_test(a_lent_body_is_whole),
		cmocka_unit_test(servers_share_a_door),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
