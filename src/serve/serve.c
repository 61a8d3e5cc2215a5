/* SPDX-License-Identifier: MIT
 *
 * serve - see the header. We bind the socket ourselves: only so SO_REUSEPORT, the real port
 * and a readable reason for a failure are in our hands.
 *
 * We also close it ourselves, by putting an eventfd that is never readable in its place.
 * MHD_quiesce_daemon() is meant for that, but it and the threads it tells may both remove the
 * socket from one epoll set, and libmicrohttpd aborts the program when the second one fails:
 * a drain under load was a gamble. */
#include "serve/serve_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define BACKLOG 4096
/* libmicrohttpd reads into half of this, and what it knows of a query and headers has to fit the
 * rest. */
#define CONNECTION_MEMORY_BYTES (20 * 1024)

static bool is_any_host(const char *host)
{
	return !host || !*host || strcmp(host, "*") == 0;
}

static int open_socket(const struct addrinfo *at, bool reuse_port)
{
	int on = 1, off = 0;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Accepted sockets inherit it. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		goto fail;
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
		goto fail;
	return fd;
fail:
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static enum err explain_bind(const struct serve_options *o, int why, struct err_text *text)
{
	const char *host = is_any_host(o->host) ? "*" : o->host;

	if (why == EADDRINUSE)
		return err_set(text, ERR_BUSY,
			       "cannot listen on %s:%u: the port is in use; stop the program that "
			       "has it or choose another port (0: any free one)",
			       host, o->port);
	if (why == EACCES)
		return err_set(text, ERR_REFUSED,
			       "cannot listen on %s:%u: not allowed; choose a port above 1023",
			       host, o->port);
	if (why == EADDRNOTAVAIL)
		return err_set(text, ERR_NOT_FOUND,
			       "cannot listen on %s:%u: no interface of this machine has that "
			       "address",
			       host, o->port);
	return err_set(text, ERR_IO, "cannot listen on %s:%u: %s", host, o->port, strerror(why));
}

static void note_address(struct serve *s, const struct sockaddr_storage *got)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)got;
	const struct sockaddr_in *four = (const struct sockaddr_in *)got;

	if (got->ss_family == AF_INET6) {
		s->port = ntohs(six->sin6_port);
		s->is_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	} else {
		s->port = ntohs(four->sin_port);
		s->is_loopback = ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
}

static enum err open_listener(struct serve *s, struct err_text *text)
{
	const struct serve_options *o = &s->options;
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	struct sockaddr_storage got;
	socklen_t got_len = sizeof(got);
	char service[8];
	int rc, why = 0;

	/* One IPv6 socket serves both families; it is tried first. */
	snprintf(service, sizeof(service), "%u", o->port);
	rc = getaddrinfo(is_any_host(o->host) ? NULL : o->host, service, &hints, &list);
	if (rc)
		return err_set(text, ERR_NOT_FOUND, "cannot listen on %s:%u: %s", o->host, o->port,
			       gai_strerror(rc));
	for (int pass = 0; pass < 2 && s->listen_fd < 0; pass++) {
		for (struct addrinfo *at = list; at && s->listen_fd < 0; at = at->ai_next) {
			if (is_any_host(o->host) && (at->ai_family == AF_INET6) == (pass == 1))
				continue;
			s->listen_fd = open_socket(at, o->reuse_port);
			/* A machine without IPv6 says so when asked; that is not the news. */
			if (s->listen_fd < 0 && (!why || errno == EADDRINUSE))
				why = errno;
		}
	}
	freeaddrinfo(list);
	if (s->listen_fd < 0)
		return explain_bind(o, why, text);
	if (getsockname(s->listen_fd, (struct sockaddr *)&got, &got_len) < 0)
		return err_set(text, ERR_IO, "getsockname: %s", strerror(errno));
	s->deaf_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->deaf_fd < 0)
		return err_set(text, ERR_IO, "eventfd: %s", strerror(errno));
	note_address(s, &got);
	return OK;
}

/* A further number for the socket of the door. Each daemon closes its own. */
static enum err share_listener(struct serve *s, const struct serve *door, struct err_text *text)
{
	s->listen_fd = fcntl(door->listen_fd, F_DUPFD_CLOEXEC, 0);
	s->deaf_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->listen_fd < 0 || s->deaf_fd < 0)
		return err_set(text, ERR_IO, "sharing port %u: %s (ulimit -n)", door->port,
			       strerror(errno));
	s->port = door->port;
	s->is_loopback = door->is_loopback;
	return OK;
}

static enum err start_daemon(struct serve *s, struct err_text *text)
{
	const struct serve_options *o = &s->options;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem more[] = {
		{ MHD_OPTION_LISTEN_SOCKET, s->listen_fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->max_connections, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_timeout_s, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)o->connection_bytes, NULL },
		/* Not for a single thread: libmicrohttpd warns of a pool of one. */
		{ o->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
		  (intptr_t)o->threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)buf_str(&s->tls.cert).p },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)buf_str(&s->tls.key).p },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, SERVE_TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	const union MHD_DaemonInfo *info;

	if (!o->tls_cert)
		tls[0].option = MHD_OPTION_END;
	else
		flags |= MHD_USE_TLS;
	if (o->threads)
		flags |= MHD_USE_INTERNAL_POLLING_THREAD;
	s->daemon = MHD_start_daemon(flags, 0, NULL, NULL, serve_request_on_access, s,
				     MHD_OPTION_URI_LOG_CALLBACK, serve_request_on_uri, s,
				     MHD_OPTION_NOTIFY_CONNECTION, serve_request_on_connection, s,
				     MHD_OPTION_NOTIFY_COMPLETED, serve_request_on_completed, s,
				     MHD_OPTION_ARRAY, more, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!s->daemon)
		return err_set(text, ERR_IO,
			       "cannot start the HTTP server on port %u: threads or descriptors "
			       "are used up (ulimit -n, ulimit -u)",
			       s->port);
	if (!o->threads) {
		info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
		ensure(info);
		s->epoll_fd = info->epoll_fd;
	}
	return OK;
}

enum err serve_create(struct serve **out, const struct serve_options *options,
		      struct err_text *text)
{
	struct serve *s = mem_zalloc(1, sizeof(*s));
	enum err err;

	s->options = *options;
	s->listen_fd = s->deaf_fd = s->epoll_fd = -1;
	if (!s->options.max_connections)
		s->options.max_connections = LIMIT_SERVE_CONNECTIONS;
	if (!s->options.max_body_bytes)
		s->options.max_body_bytes = LIMIT_SERVE_BODY_BYTES;
	if (!s->options.max_held_bytes)
		s->options.max_held_bytes = LIMIT_SERVE_HELD_BYTES;
	if (!s->options.idle_timeout_s)
		s->options.idle_timeout_s = LIMIT_SERVE_IDLE_S;
	if (!s->options.connection_bytes)
		s->options.connection_bytes = CONNECTION_MEMORY_BYTES;
	/* libmicrohttpd divides the connections among its threads. */
	if (s->options.max_connections < s->options.threads)
		s->options.max_connections = s->options.threads;
	err = options->tls_cert ? serve_tls_read(&s->tls, options->tls_cert, options->tls_key, text)
				: OK;
	if (!err)
		err = options->door ? share_listener(s, options->door, text)
				    : open_listener(s, text);
	if (!err)
		err = start_daemon(s, text);
	if (err) {
		if (s->listen_fd >= 0)
			close(s->listen_fd);
		if (s->deaf_fd >= 0)
			close(s->deaf_fd);
		serve_tls_release(&s->tls);
		mem_free(s);
		return err;
	}
	*out = s;
	return OK;
}

uint16_t serve_port(const struct serve *s)
{
	return s->port;
}

int serve_fd(const struct serve *s)
{
	return s->epoll_fd;
}

void serve_turn(struct serve *s)
{
	ensure(!s->options.threads);
	s->has_resumed = s->has_queued = false;
	MHD_run(s->daemon);
	/* One run takes the answers of held requests, only the next one sends them: it is not left
	 * to wait for what the owner does between two turns. */
	if (s->has_queued)
		MHD_run(s->daemon);
}

uint64_t serve_timeout_us(const struct serve *s)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (s->has_resumed)
		return 0;
	if (MHD_get_timeout(s->daemon, &ms) != MHD_YES)
		return UINT64_MAX;
	return (uint64_t)ms * CLOCK_MS;
}

void serve_stop_accepting(struct serve *s)
{
	struct sockaddr_storage from;
	socklen_t from_len;
	int fd;

	if (atomic_exchange(&s->is_draining, true))
		return;
	/* Who has been queued by the kernel was promised service: a bare close would reset
	 * these connections. */
	for (;;) {
		from_len = sizeof(from);
		fd = accept4(s->listen_fd, (struct sockaddr *)&from, &from_len,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		/* Takes fd over, also when it fails. */
		(void)MHD_add_connection(s->daemon, fd, (struct sockaddr *)&from, from_len);
	}
	/* Under the same number, so libmicrohttpd's threads notice nothing; its epoll sets let
	 * go of the socket as it closes. */
	ensure(dup3(s->deaf_fd, s->listen_fd, O_CLOEXEC) >= 0);
}

unsigned serve_connections(const struct serve *s)
{
	return atomic_load(&s->connections);
}

unsigned serve_in_flight(const struct serve *s)
{
	return atomic_load(&s->in_flight);
}

uint64_t serve_begun(const struct serve *s)
{
	return atomic_load(&s->begun);
}

static void wait_idle(struct serve *s, uint64_t timeout_us)
{
	uint64_t until_us = clock_us() + timeout_us;
	struct pollfd pfd = { .fd = s->epoll_fd, .events = POLLIN };

	while (serve_in_flight(s) && clock_us() < until_us) {
		if (s->options.threads) {
			clock_sleep_us(CLOCK_MS);
			continue;
		}
		(void)poll(&pfd, 1, serve_timeout_us(s) < 10 * CLOCK_MS ? 0 : 10);
		serve_turn(s);
	}
}

void serve_destroy(struct serve **sp, uint64_t timeout_us)
{
	struct serve *s = *sp;

	if (!s)
		return;
	serve_stop_accepting(s);
	ensure(!atomic_load(&s->deferred));
	wait_idle(s, timeout_us);
	MHD_stop_daemon(s->daemon); /* closes listen_fd */
	close(s->deaf_fd);
	serve_tls_release(&s->tls);
	mem_free(s);
	*sp = NULL;
}
