/* SPDX-License-Identifier: MIT
 *
 * delay - see the header. An answer is due to about 20 us: epoll_pwait2 sleeps with a timer slack
 * of 1 us until shortly before, the rest is spun away. Connections stand in a table that is
 * walked for the next one that is due; there are few of them. */
#include "delay/delay.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "delay/stamp.h"

#define VISITORS_MAX 1024
#define TIMES_MAX    (4u << 20)
#define HEAD_BYTES   4096
#define REFUSE_US    (2 * CLOCK_MS)
#define SPIN_US	     60
#define NEVER	     UINT64_MAX
/* How often the flag to stop is looked at. */
#define LOOK_US (20 * CLOCK_MS)

struct visitor {
	int fd; /* -1: free */
	size_t len;
	char in[HEAD_BYTES];
	enum delay_fate fate;
	bool is_asking;	     /* its request waits for an answer */
	uint64_t arrived_us; /* wall time */
	uint64_t due_us;     /* of what its fate does next; NEVER: nothing */
};

struct delay_server {
	struct delay_options options;
	struct rng rng;
	int listener, epoll;
	uint16_t port;
	uint64_t began_us, refused_until_us, free_us;
	bool has_stalled;
	atomic_bool should_stop;
	uint64_t heads;
	struct delay_note *notes;
	uint32_t *times;
	size_t time_count;
	size_t seats; /* of visitors that were ever taken */
	struct visitor visitors[VISITORS_MAX];
};

static void watch(struct delay_server *s, int fd, void *who)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = who };

	ensure(epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

struct delay_server *delay_create(const struct delay_options *options)
{
	struct delay_server *s = mem_zalloc(1, sizeof(*s));
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(name);

	s->options = *options;
	rng_init(&s->rng, options->seed, 0);
	s->notes = mem_zalloc(options->id_count + 1, sizeof(s->notes[0]));
	s->times = mem_alloc(TIMES_MAX * sizeof(s->times[0]));
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ensure(s->epoll >= 0 && s->listener >= 0);
	ensure(bind(s->listener, (struct sockaddr *)&name, bytes) == 0);
	ensure(getsockname(s->listener, (struct sockaddr *)&name, &bytes) == 0);
	stamp_enable(s->listener);
	ensure(listen(s->listener, 512) == 0);
	s->port = ntohs(name.sin_port);
	watch(s, s->listener, NULL);
	return s;
}

void delay_destroy(struct delay_server **at)
{
	struct delay_server *s = *at;

	for (size_t i = 0; i < s->seats; i++)
		if (s->visitors[i].fd >= 0)
			close(s->visitors[i].fd);
	close(s->listener);
	close(s->epoll);
	mem_free(s->notes);
	mem_free(s->times);
	mem_free(s);
	*at = NULL;
}

uint16_t delay_port(const struct delay_server *s)
{
	return s->port;
}

uint64_t delay_heads(const struct delay_server *s)
{
	return s->heads;
}

const struct delay_note *delay_notes(const struct delay_server *s)
{
	return s->notes;
}

const uint32_t *delay_times(const struct delay_server *s, size_t *count)
{
	*count = s->time_count;
	return s->times;
}

void delay_stop(struct delay_server *s)
{
	atomic_store(&s->should_stop, true);
}

static uint64_t draw_delay_us(struct delay_server *s)
{
	const struct delay_options *o = &s->options;
	double u = rng_unit(&s->rng);

	switch (o->kind) {
	case DELAY_UNIFORM:
		return (uint64_t)(o->a_us + u * (o->b_us - o->a_us));
	case DELAY_EXPONENTIAL:
		return (uint64_t)(-log(1 - u) * o->a_us);
	case DELAY_BIMODAL:
		return (uint64_t)(u < o->share ? o->b_us : o->a_us);
	default:
		return (uint64_t)o->a_us;
	}
}

static enum delay_fate draw_fate(struct delay_server *s)
{
	double u = rng_unit(&s->rng);

	for (int fate = FATE_ANSWER + 1; fate < FATE_COUNT; fate++) {
		if (u < s->options.fates[fate])
			return (enum delay_fate)fate;
		u -= s->options.fates[fate];
	}
	return FATE_ANSWER;
}

static void dismiss(struct visitor *v, bool by_reset)
{
	struct linger now = { 1, 0 };

	if (by_reset)
		(void)setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(v->fd);
	v->fd = -1;
	v->is_asking = false;
	v->due_us = NEVER;
}

/* A listener that is shut down keeps its port, and nobody can connect until it listens again. */
static void refuse_for_a_while(struct delay_server *s, uint64_t now_us)
{
	if (s->refused_until_us || rng_unit(&s->rng) >= s->options.refuse_share)
		return;
	shutdown(s->listener, SHUT_RD);
	s->refused_until_us = now_us + REFUSE_US;
}

static void take_head(struct delay_server *s, struct visitor *v)
{
	uint64_t now_us = clock_us(), begin_us = now_us;
	const char *path = memchr(v->in, '/', v->len);
	size_t id = path ? strtoul(path + 1, NULL, 10) : 0;

	s->heads++;
	v->fate = draw_fate(s);
	v->len = 0;
	v->is_asking = true;
	if (s->options.one_at_a_time && s->free_us > now_us)
		begin_us = s->free_us;
	s->free_us = begin_us + draw_delay_us(s);
	v->due_us = v->fate == FATE_NEVER ? NEVER : s->free_us;
	if (id < s->options.id_count) {
		if (!s->notes[id].reads++)
			s->notes[id].first_fate = v->fate;
		s->notes[id].fate = v->fate;
	}
	refuse_for_a_while(s, now_us);
}

static uint64_t wall_us(void)
{
	return (uint64_t)(clock_wall_s() * 1e6);
}

static void on_readable(struct delay_server *s, struct visitor *v, uint32_t events)
{
	uint64_t arrived_us;
	ssize_t n;

	/* A stamp that came too late to be of use. */
	if (events & EPOLLERR)
		(void)stamp_sent(v->fd);
	n = stamp_recv(v->fd, v->in + v->len, sizeof(v->in) - 1 - v->len, &arrived_us);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		dismiss(v, false);
		return;
	}
	v->len += (size_t)n;
	v->in[v->len] = '\0';
	v->arrived_us = arrived_us ? arrived_us : wall_us();
	if (strstr(v->in, "\r\n\r\n"))
		take_head(s, v);
	else
		ensure(v->len + 1 < sizeof(v->in));
}

static struct visitor *free_seat(struct delay_server *s)
{
	size_t i = 0;

	while (i < s->seats && s->visitors[i].fd >= 0)
		i++;
	ensure(i < VISITORS_MAX);
	if (i == s->seats)
		s->seats++;
	return &s->visitors[i];
}

static void accept_all(struct delay_server *s)
{
	int fd, one = 1;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct visitor *v = free_seat(s);

		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		v->fd = fd;
		v->len = 0;
		v->is_asking = false;
		v->due_us = NEVER;
		watch(s, fd, v);
		/* What comes with the connection is read with it: nothing that a client has
		 * sent waits behind a listener that is shut down. */
		on_readable(s, v, EPOLLIN);
	}
}

static void say(struct visitor *v, const char *text)
{
	/* A client that has left meanwhile is no matter of ours. */
	(void)!send(v->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void note_time(struct delay_server *s, const struct visitor *v)
{
	uint64_t sent_us = stamp_sent(v->fd);

	if (s->time_count == TIMES_MAX)
		return;
	if (!sent_us)
		sent_us = wall_us();
	s->times[s->time_count++] =
		sent_us > v->arrived_us ? (uint32_t)(sent_us - v->arrived_us) : 0;
}

static void answer(struct delay_server *s, struct visitor *v)
{
	say(v, v->fate == FATE_ANSWER_CLOSE
		       ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
		       : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	note_time(s, v);
	v->is_asking = false;
	v->due_us = NEVER;
	if (v->fate == FATE_ANSWER_CLOSE)
		dismiss(v, false);
	else if (v->fate == FATE_IDLE_RESET)
		v->due_us = clock_us() + rng_below(&s->rng, 2 * CLOCK_MS);
}

static void on_due(struct delay_server *s, struct visitor *v)
{
	if (v->is_asking && v->fate <= FATE_IDLE_RESET) {
		answer(s, v);
		return;
	}
	if (v->is_asking && v->fate == FATE_PARTIAL)
		say(v, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	dismiss(v, v->fate == FATE_RESET || v->fate == FATE_IDLE_RESET);
}

/* Does what is due; when the next thing is. */
static uint64_t do_due(struct delay_server *s)
{
	uint64_t next_us = NEVER, now_us = clock_us();

	if (s->refused_until_us && s->refused_until_us <= now_us) {
		ensure(listen(s->listener, 512) == 0);
		s->refused_until_us = 0;
	}
	for (size_t i = 0; i < s->seats; i++) {
		struct visitor *v = &s->visitors[i];

		if (v->fd < 0)
			continue;
		if (v->due_us <= clock_us())
			on_due(s, v);
		if (v->due_us < next_us)
			next_us = v->due_us;
	}
	return next_us < now_us + LOOK_US ? next_us : now_us + LOOK_US;
}

static void stall_once(struct delay_server *s)
{
	if (s->has_stalled || !s->options.stall_us ||
	    clock_us() < s->began_us + s->options.stall_at_us)
		return;
	s->has_stalled = true;
	clock_sleep_us(s->options.stall_us);
}

static int turn(struct delay_server *s, uint64_t until_us)
{
	uint64_t now_us = clock_us();
	uint64_t us = until_us > now_us + SPIN_US ? until_us - now_us - SPIN_US : 0;
	struct timespec wait = { 0, (long)us * 1000 };
	struct epoll_event events[64];
	int ready;

	/* While it is shut down the listener is always ready. */
	if (s->refused_until_us && us > CLOCK_MS)
		clock_sleep_us(CLOCK_MS / 4);
	ready = epoll_pwait2(s->epoll, events, 64, &wait, NULL);
	for (int i = 0; i < ready; i++) {
		struct visitor *v = events[i].data.ptr;

		if (!v)
			accept_all(s);
		else if (v->fd >= 0)
			on_readable(s, v, events[i].events);
	}
	return ready;
}

void delay_run(struct delay_server *s)
{
	(void)prctl(PR_SET_TIMERSLACK, 1000);
	s->began_us = clock_us();
	while (!atomic_load(&s->should_stop)) {
		stall_once(s);
		turn(s, do_due(s));
	}
	if (s->refused_until_us)
		s->refused_until_us = clock_us();
	do_due(s);
	while (turn(s, 0) > 0)
		;
}
