/* SPDX-License-Identifier: MIT
 *
 * resolver - see the header.
 *
 * c-ares says which of its sockets wait for what, and how long at most; the loop watches them
 * and has one timer. c-ares may answer inside the call that asks (/etc/hosts), and inside its own
 * work on a socket, where it must not be entered again: so an answer is kept and delivered by a
 * timer of its look-up. */
#include "net/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"

struct resolver {
	struct loop *loop;
	ares_channel channel;
	struct loop_timer timer; /* c-ares wants to go on without an event */
	struct list sockets;	 /* struct resolver_socket */
	struct list lookups;	 /* struct lookup */
};

struct resolver_socket {
	struct list node;
	struct resolver *resolver;
	struct loop_watch watch;
	struct loop_grave grave;
};

struct lookup {
	struct list node;
	struct resolver *resolver;
	resolver_done_fn done;
	void *arg;
	struct loop_timer delivery;
	struct resolver_answer answer;
};

static void set_timer(struct resolver *r)
{
	struct timeval left;

	if (ares_timeout(r->channel, NULL, &left))
		loop_timer_set(r->loop, &r->timer,
			       clock_us() + (uint64_t)left.tv_sec * CLOCK_S +
				       (uint64_t)left.tv_usec);
	else
		loop_timer_clear(r->loop, &r->timer);
}

static void on_timer(void *arg)
{
	struct resolver *r = arg;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(r);
}

static void on_socket(void *arg, uint32_t events)
{
	struct resolver_socket *s = arg;
	struct resolver *r = s->resolver;
	bool is_over = events & (EPOLLERR | EPOLLHUP);
	int fd = s->watch.fd;

	ares_process_fd(r->channel, is_over || events & EPOLLIN ? fd : ARES_SOCKET_BAD,
			is_over || events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
	set_timer(r);
}

static void free_socket(void *arg)
{
	mem_free(arg);
}

static void close_socket(struct resolver *r, struct resolver_socket *s)
{
	if (s->watch.fd >= 0)
		loop_unwatch(r->loop, &s->watch);
	list_remove(&s->node);
	loop_bury(r->loop, &s->grave, free_socket, s);
}

/* c-ares' word on which events it waits for; neither: it closes the socket. */
static void on_interest(void *arg, ares_socket_t fd, int wants_read, int wants_write)
{
	struct resolver *r = arg;
	uint32_t events = (wants_read ? EPOLLIN : 0u) | (wants_write ? EPOLLOUT : 0u);
	struct resolver_socket *s;

	LIST_EACH (it, &r->sockets) {
		s = CONTAINER_OF(it, struct resolver_socket, node);
		if (s->watch.fd == fd)
			close_socket(r, s);
	}
	if (!events)
		return;
	s = mem_zalloc(1, sizeof(*s));
	s->resolver = r;
	list_append(&r->sockets, &s->node);
	/* Unwatched, the look-up ends by c-ares' own time limit. */
	if (loop_watch(r->loop, &s->watch, fd, events, on_socket, s))
		close_socket(r, s);
}

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_ENONAME:
	case ARES_EBADNAME:
		return EAI_NONAME;
	case ARES_ENODATA:
		return EAI_NODATA;
	case ARES_ETIMEOUT:
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
	case ARES_ECONNREFUSED:
		return EAI_AGAIN;
	case ARES_ENOMEM:
		return EAI_MEMORY;
	default:
		return EAI_FAIL;
	}
}

static void take_addresses(struct resolver_answer *answer, const struct ares_addrinfo *found)
{
	uint32_t ttl_s = UINT32_MAX;

	for (const struct ares_addrinfo_node *at = found->nodes;
	     at && answer->count < LIMIT_ORIGIN_ADDRESSES; at = at->ai_next) {
		struct resolver_address *address = &answer->addresses[answer->count++];
		uint32_t node_ttl_s = at->ai_ttl > 0 ? (uint32_t)at->ai_ttl : 0;

		ensure((size_t)at->ai_addrlen <= sizeof(address->name));
		memcpy(&address->name, at->ai_addr, (size_t)at->ai_addrlen);
		address->name_bytes = (socklen_t)at->ai_addrlen;
		ttl_s = node_ttl_s < ttl_s ? node_ttl_s : ttl_s;
	}
	answer->ttl_s = ttl_s;
	if (!answer->count)
		answer->error = EAI_NODATA;
}

static void on_found(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
	struct lookup *l = arg;

	(void)timeouts;
	l->answer.error = error_of(status);
	if (!l->answer.error)
		take_addresses(&l->answer, found);
	if (found)
		ares_freeaddrinfo(found);
	loop_timer_set(l->resolver->loop, &l->delivery, 0);
}

static void deliver(void *arg)
{
	struct lookup *l = arg;

	list_remove(&l->node);
	l->done(l->arg, &l->answer);
	mem_free(l);
}

static enum err open_channel(const char *servers, struct ares_options *options, int mask,
			     ares_channel *out, struct err_text *why)
{
	int status = ares_init_options(out, options, mask);

	if (status)
		return err_set(why, ERR_IO, "names cannot be looked up: %s", ares_strerror(status));
	if (!servers)
		return OK;
	status = ares_set_servers_ports_csv(*out, servers);
	if (!status)
		return OK;
	ares_destroy(*out);
	return err_set(why, ERR_BAD_OPTION,
		       "--dns-servers: '%.200s' is no list of addresses; give them as in "
		       "127.0.0.1:5353,[::1]:53",
		       servers);
}

enum err resolver_create(struct loop *loop, const char *servers, struct resolver **out,
			 struct err_text *why)
{
	struct resolver *r = mem_zalloc(1, sizeof(*r));
	struct ares_options options = { .sock_state_cb = on_interest, .sock_state_cb_data = r };
	enum err err = open_channel(servers, &options, ARES_OPT_SOCK_STATE_CB, &r->channel, why);

	if (err) {
		mem_free(r);
		return err;
	}
	r->loop = loop;
	loop_timer_init(&r->timer, on_timer, r);
	list_init(&r->sockets);
	list_init(&r->lookups);
	*out = r;
	return OK;
}

enum err resolver_check(const char *servers, struct err_text *why)
{
	struct ares_options options = { 0 };
	ares_channel channel;
	enum err err = open_channel(servers, &options, 0, &channel, why);

	if (!err)
		ares_destroy(channel);
	return err;
}

void resolver_destroy(struct resolver **r)
{
	struct resolver *resolver = *r;

	if (!resolver)
		return;
	/* Ends every look-up and closes every socket. */
	ares_destroy(resolver->channel);
	loop_timer_clear(resolver->loop, &resolver->timer);
	LIST_EACH (it, &resolver->lookups) {
		struct lookup *l = CONTAINER_OF(it, struct lookup, node);

		loop_timer_clear(resolver->loop, &l->delivery);
		mem_free(l);
	}
	LIST_EACH (it, &resolver->sockets)
		close_socket(resolver, CONTAINER_OF(it, struct resolver_socket, node));
	mem_free(resolver);
	*r = NULL;
}

void resolver_look_up(struct resolver *r, const char *host, uint16_t port, resolver_done_fn done,
		      void *arg)
{
	struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
					     .ai_socktype = SOCK_STREAM,
					     .ai_flags = ARES_AI_NUMERICSERV };
	struct lookup *l = mem_zalloc(1, sizeof(*l));
	char service[8];

	l->resolver = r;
	l->done = done;
	l->arg = arg;
	loop_timer_init(&l->delivery, deliver, l);
	list_append(&r->lookups, &l->node);
	snprintf(service, sizeof(service), "%u", port);
	ares_getaddrinfo(r->channel, host, service, &hints, on_found, l);
	set_timer(r);
}
