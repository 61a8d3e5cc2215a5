/* SPDX-License-Identifier: MIT
 *
 * serve_int - shared by serve.c (the server's life), serve_request.c (a request's) and
 * serve_form.c.
 *
 * A struct serve_request belongs to a connection and is used again for each of its
 * requests, so in steady state neither body nor reply is allocated anew. It is touched by the
 * connection's thread, except between serve_defer() and the answer, when it is the
 * answerer's; libmicrohttpd's suspend and resume hand it over. */
#pragma once

#include <stdatomic.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "serve/serve.h"
#include "serve/serve_tls.h"

#define REQUEST_MAGIC 0x52455155u

struct serve {
	struct serve_options options;
	struct MHD_Daemon *daemon;
	int listen_fd, epoll_fd;
	int deaf_fd; /* takes the place of listen_fd when the door closes */
	uint16_t port;
	bool is_loopback;     /* only this machine reaches it */
	struct serve_tls tls; /* what the daemon was given */
	atomic_bool is_draining;
	atomic_uint connections, in_flight, deferred;
	_Atomic uint64_t begun;
	atomic_size_t held_bytes; /* the sum of all requests' */
	/* threads == 0: a deferred request was answered; libmicrohttpd neither makes its epoll
	 * readable for that nor counts it in its timeout. */
	bool has_resumed;
	bool has_queued; /* threads == 0: a held request's answer, in this turn */
};

struct serve_request {
	uint32_t magic;
	struct serve *serve;
	struct MHD_Connection *connection;
	const struct serve_route *route; /* NULL: none fits */
	const char *method, *path, *whole_path;
	bool is_below_base;
	uint64_t begun_us, body_bytes; /* body_bytes: of the body seen so far, kept or not */
	uint64_t announced_bytes;      /* Content-Length; UINT64_MAX: there is none that counts */
	size_t held_bytes;	       /* of its body and, if that is large, its answer */
	struct str lent;	       /* the body, while the handler runs; {0}: it is in `body` */
	struct buf body, form, reply, headers;
	bool has_long_query;
	bool is_active;	   /* between head and NOTIFY_COMPLETED */
	bool is_discarded; /* the body is read but not kept: 404, 405, 413, 503 */
	bool is_crowded;   /* because of the bodies of others */
	bool is_dispatched, is_queued, is_deferred, is_held, is_form_parsed;
	struct MHD_Response *response; /* set by the answer */
	unsigned status;
	char remote[64];
};

/* libmicrohttpd's callbacks; cls is the struct serve. */
void *serve_request_on_uri(void *cls, const char *uri, struct MHD_Connection *connection);
void serve_request_on_connection(void *cls, struct MHD_Connection *connection, void **socket_ctx,
				 enum MHD_ConnectionNotificationCode code);
enum MHD_Result serve_request_on_access(void *cls, struct MHD_Connection *connection,
					const char *path, const char *method, const char *version,
					const char *upload, size_t *upload_bytes, void **con_cls);
void serve_request_on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
				enum MHD_RequestTerminationCode code);
