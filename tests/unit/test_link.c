/* SPDX-License-Identifier: MIT
 *
 * link: real ZeroMQ over loopback. Frames arrive whole and in order, a second connection takes
 * an identity over, a master may come late or be started anew, garbage hurts nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cluster/link.h"

#define WAIT_US (10 * CLOCK_S)

/* One end and what it has received. */
struct end {
	struct loop *loop;
	struct link *link;
	size_t frames, bytes;
	char last_peer[64], last[64];
	size_t stop_at; /* frames: the loop is stopped then */
};

struct fixture {
	struct loop loop;
	struct loop_timer deadline;
	bool is_late;
	struct end master, worker, rival, stranger;
	const struct cluster_key *key; /* of ends that are made from now on */
	char kept_out[CLUSTER_KEY_TEXT];
};

static void on_frame(void *arg, struct str peer, struct str frame)
{
	struct end *e = arg;

	e->frames++;
	e->bytes += frame.len;
	snprintf(e->last_peer, sizeof(e->last_peer), "%.*s", STR_ARG(peer));
	snprintf(e->last, sizeof(e->last), "%.*s", frame.len < 60 ? (int)frame.len : 60, frame.p);
	if (e->frames == e->stop_at)
		loop_stop(e->loop);
}

static void on_stranger(void *arg, const char *address, const char *public_key)
{
	struct fixture *f = CONTAINER_OF(arg, struct fixture, master);

	assert_string_equal(address, "127.0.0.1");
	snprintf(f->kept_out, sizeof(f->kept_out), "%s", public_key);
}

static void on_deadline(void *arg)
{
	struct fixture *f = arg;

	f->is_late = true;
	loop_stop(&f->loop);
}

/* Turns the loop until the end has received `frames` in all; false when that takes too long. */
static bool wait_frames(struct fixture *f, struct end *e, size_t frames)
{
	f->is_late = false;
	e->stop_at = frames;
	if (e->frames >= frames)
		return true;
	loop_timer_set(&f->loop, &f->deadline, clock_us() + WAIT_US);
	loop_run(&f->loop);
	loop_timer_clear(&f->loop, &f->deadline);
	return !f->is_late;
}

static void turn_for(struct fixture *f, uint64_t us)
{
	loop_timer_set(&f->loop, &f->deadline, clock_us() + us);
	loop_run(&f->loop);
}

static void bind_master(struct fixture *f, unsigned port)
{
	struct link_options options = {
		.on_frame = on_frame, .arg = &f->master, .key = f->key, .on_stranger = on_stranger
	};
	struct err_text text = { 0 };

	f->master.loop = &f->loop;
	if (link_bind(&f->loop, &options, "127.0.0.1", port, &f->master.link, &text))
		fail_msg("%s", text.text);
}

static void connect_end(struct fixture *f, struct end *e, const char *id, unsigned port)
{
	struct link_options options = { .on_frame = on_frame, .arg = e, .key = f->key };
	struct err_text text = { 0 };

	e->loop = &f->loop;
	if (link_connect(&f->loop, &options, "127.0.0.1", port, id, &e->link, &text))
		fail_msg("%s", text.text);
}

static int open_fixture(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));

	assert_int_equal(loop_init(&f->loop, NULL), OK);
	loop_timer_init(&f->deadline, on_deadline, f);
	bind_master(f, 0);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	link_close(&f->worker.link);
	link_close(&f->rival.link);
	link_close(&f->stranger.link);
	link_close(&f->master.link);
	loop_fini(&f->loop);
	mem_free(f);
	return 0;
}

static bool send_text(struct end *e, const char *peer, const char *text)
{
	return link_send(e->link, peer, str_of(text));
}

static void frames_go_both_ways_in_order(void **state)
{
	struct fixture *f = *state;
	char text[32];

	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	for (int i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_true(send_text(&f->worker, NULL, text));
	}
	assert_true(wait_frames(f, &f->master, 2000));
	assert_string_equal(f->master.last, "1999");
	assert_string_equal(f->master.last_peer, "host_1");
	for (int i = 0; i < 2000; i++)
		assert_true(send_text(&f->master, "host_1", "down"));
	assert_true(wait_frames(f, &f->worker, 2000));
	assert_string_equal(f->worker.last_peer, "");
}

static void a_large_frame_arrives_whole(void **state)
{
	struct fixture *f = *state;
	size_t len = LIMIT_MESSAGE_BYTES;
	char *bytes = mem_zalloc(1, len);

	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(link_send(f->worker.link, NULL, (struct str){ bytes, len }));
	assert_true(wait_frames(f, &f->master, 1));
	assert_int_equal(f->master.bytes, len);
	mem_free(bytes);
}

static void a_frame_beyond_the_limit_ends_only_its_sender(void **state)
{
	struct fixture *f = *state;
	size_t len = LIMIT_MESSAGE_BYTES + 1;
	char *bytes = mem_zalloc(1, len);

	connect_end(f, &f->rival, "host_2", link_port(f->master.link));
	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(link_send(f->rival.link, NULL, (struct str){ bytes, len }));
	assert_true(send_text(&f->worker, NULL, "small"));
	assert_true(wait_frames(f, &f->master, 1));
	assert_string_equal(f->master.last, "small");
	mem_free(bytes);
}

static void a_send_to_nobody_says_so(void **state)
{
	struct fixture *f = *state;

	assert_false(send_text(&f->master, "nobody", "x"));
}

static const struct cluster_key key = { "0123456789abcdef0123456789abcde" };
static const struct cluster_key other_key = { "0123456789abcdef0123456789abcdf" };

static void with_a_list_only_those_on_it_are_heard(void **state)
{
	uint8_t workers[2][CLUSTER_KEY_BYTES] = { { 0 } }, masters[1][CLUSTER_KEY_BYTES];
	struct cluster_key at_master = { .peers = workers, .peer_count = 2 };
	struct cluster_key at_worker = { .peers = masters, .peer_count = 1 };
	struct cluster_key at_stranger = at_worker;
	uint8_t strangers[CLUSTER_KEY_BYTES];
	char wanted[CLUSTER_KEY_TEXT];
	struct fixture *f = *state;

	memset(at_master.bytes, 'm', sizeof(at_master.bytes));
	memset(at_worker.bytes, 'w', sizeof(at_worker.bytes));
	memset(at_stranger.bytes, 's', sizeof(at_stranger.bytes));
	link_public_key(&at_master, masters[0]);
	link_public_key(&at_worker, workers[1]);
	link_public_key(&at_stranger, strangers);
	cluster_key_text(strangers, wanted);
	link_close(&f->master.link);
	f->key = &at_master;
	bind_master(f, 0);
	f->key = &at_stranger;
	connect_end(f, &f->stranger, "host_3", link_port(f->master.link));
	assert_true(send_text(&f->stranger, NULL, "by no key of the list"));
	f->key = &at_worker;
	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->worker, NULL, "by a key of the list"));
	assert_true(wait_frames(f, &f->master, 1));
	assert_string_equal(f->master.last, "by a key of the list");
	assert_true(send_text(&f->master, "host_1", "an answer"));
	assert_true(wait_frames(f, &f->worker, 1));
	for (int i = 0; i < 100 && !f->kept_out[0]; i++)
		turn_for(f, 100 * CLOCK_MS);
	assert_string_equal(f->kept_out, wanted);
	assert_int_equal(f->master.frames, 1);
	/* Before what they point at is gone. */
	link_close(&f->master.link);
	link_close(&f->worker.link);
	link_close(&f->stranger.link);
}

static void with_a_key_only_those_that_have_it_are_heard(void **state)
{
	struct fixture *f = *state;

	link_close(&f->master.link);
	f->key = &key;
	bind_master(f, 0);
	f->key = NULL;
	connect_end(f, &f->rival, "host_2", link_port(f->master.link));
	assert_true(send_text(&f->rival, NULL, "in the clear"));
	f->key = &other_key;
	connect_end(f, &f->stranger, "host_3", link_port(f->master.link));
	assert_true(send_text(&f->stranger, NULL, "by another key"));
	f->key = &key;
	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->worker, NULL, "by the key"));
	assert_true(wait_frames(f, &f->master, 1));
	assert_string_equal(f->master.last, "by the key");
	assert_true(send_text(&f->master, "host_1", "an answer"));
	assert_true(wait_frames(f, &f->worker, 1));
	turn_for(f, 500 * CLOCK_MS);
	assert_int_equal(f->master.frames, 1);
}

static void a_second_connection_takes_the_identity_over(void **state)
{
	struct fixture *f = *state;

	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->worker, NULL, "first"));
	assert_true(wait_frames(f, &f->master, 1));
	connect_end(f, &f->rival, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->rival, NULL, "second"));
	assert_true(wait_frames(f, &f->master, 2));
	assert_string_equal(f->master.last, "second");
	assert_true(send_text(&f->master, "host_1", "hello"));
	assert_true(wait_frames(f, &f->rival, 1));
	assert_int_equal(f->worker.frames, 0);
}

static void reconnect_makes_a_new_connection(void **state)
{
	struct fixture *f = *state;

	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->worker, NULL, "before"));
	assert_true(wait_frames(f, &f->master, 1));
	link_reconnect(f->worker.link);
	link_reconnect(f->worker.link); /* while it is at it */
	while (!send_text(&f->worker, NULL, "after"))
		turn_for(f, 20 * CLOCK_MS);
	assert_true(wait_frames(f, &f->master, 2));
	assert_string_equal(f->master.last, "after");
	assert_true(send_text(&f->master, "host_1", "hello"));
	assert_true(wait_frames(f, &f->worker, 1));
}

static void a_worker_outlives_its_master(void **state)
{
	struct fixture *f = *state;
	unsigned port = link_port(f->master.link);

	/* Nobody listens yet; what is sent waits. */
	link_close(&f->master.link);
	connect_end(f, &f->worker, "host_1", port);
	assert_true(send_text(&f->worker, NULL, "early"));
	turn_for(f, 200 * CLOCK_MS);
	bind_master(f, port);
	assert_true(wait_frames(f, &f->master, 1));
	/* A new one on the same port. */
	link_close(&f->master.link);
	bind_master(f, port);
	turn_for(f, 300 * CLOCK_MS);
	assert_true(send_text(&f->worker, NULL, "late"));
	assert_true(wait_frames(f, &f->master, 2));
	assert_string_equal(f->master.last, "late");
}

static void a_taken_port_is_named(void **state)
{
	struct fixture *f = *state;
	struct link_options options = { on_frame, &f->rival };
	struct err_text text = { 0 };

	assert_int_equal(link_bind(&f->loop, &options, "127.0.0.1", link_port(f->master.link),
				   &f->rival.link, &text),
			 ERR_BUSY);
	assert_non_null(strstr(text.text, "taken"));
	assert_null(f->rival.link);
	assert_int_equal(link_bind(&f->loop, &options, "no such host", 0, &f->rival.link, &text),
			 ERR_BAD_OPTION);
	assert_int_equal(link_connect(&f->loop, &options, "h", 70000, "id", &f->rival.link, &text),
			 ERR_BAD_OPTION);
}

/* Not ZeroMQ at all, and ZeroMQ's greeting with rubbish behind it. */
static void garbage_hurts_nobody(void **state)
{
	static const char greeting[] = "\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL";
	struct fixture *f = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)link_port(f->master.link)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fds[2];

	for (int i = 0; i < 2; i++) {
		char bytes[512] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

		if (i) {
			memset(bytes, 0xa5, sizeof(bytes));
			memset(bytes, 0, 64);
			memcpy(bytes, greeting, sizeof(greeting) - 1);
		}
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		assert_true(write(fds[i], bytes, sizeof(bytes)) == sizeof(bytes));
	}
	turn_for(f, 100 * CLOCK_MS);
	connect_end(f, &f->worker, "host_1", link_port(f->master.link));
	assert_true(send_text(&f->worker, NULL, "fine"));
	assert_true(wait_frames(f, &f->master, 1));
	assert_string_equal(f->master.last, "fine");
	close(fds[0]);
	close(fds[1]);
}

#define LINK_TEST(fn) cmocka_unit_test_setup_teardown(fn, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(frames_go_both_ways_in_order),
		LINK_TEST(a_large_frame_arrives_whole),
		LINK_TEST(a_frame_beyond_the_limit_ends_only_its_sender),
		LINK_TEST(a_send_to_nobody_says_so),
		LINK_TEST(with_a_list_only_those_on_it_are_heard),
		LINK_TEST(with_a_key_only_those_that_have_it_are_heard),
		LINK_TEST(a_second_connection_takes_the_identity_over),
		LINK_TEST(reconnect_makes_a_new_connection),
		LINK_TEST(a_worker_outlives_its_master),
		LINK_TEST(a_taken_port_is_named),
		LINK_TEST(garbage_hurts_nobody),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
