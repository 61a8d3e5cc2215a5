/* SPDX-License-Identifier: MIT
 *
 * http_int - what the files behind client.h share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "http/client.h"
#include "http/response.h"
#include "net/tls.h"

/* Room for the words of reply.error. */
#define FAILURE_BYTES 256

struct http_address {
	struct sockaddr_storage name;
	socklen_t name_bytes;
};

struct http_origin {
	size_t index; /* in http_client.origins */
	char *host;   /* lower case */
	char *port;
	char *host_line;       /* "Host: name:8089\r\n" */
	bool is_ipv6;	       /* the host is an address */
	struct tls_peer *peer; /* NULL: plain */
	struct http_address addresses[LIMIT_ORIGIN_ADDRESSES];
	size_t address_count; /* 0: not resolved, see resolver_error */
	size_t good;	      /* the address that was last connected */
	int resolver_error;   /* of getaddrinfo */
	int resolver_errno;   /* with EAI_SYSTEM */
	uint64_t retry_at_us; /* when a failed look-up may be repeated */
};

struct h2;
struct h2_place;

struct http_client {
	struct loop *loop;
	struct http_exchange *pool; /* idle ones */
	size_t exchanges_in_use;
	const struct tls_options *tls_options;
	struct tls_client *tls; /* NULL: no https origin yet */
	struct map by_name;	/* of origins: host, NUL, port, is_tls */
	struct http_origin *origins[LIMIT_ORIGINS];
	size_t origin_count;
	struct http_count count;
	enum http_version version;
	struct h2_place *h2;	   /* NULL: no connection speaks HTTP/2 yet */
	size_t pooled, pooled_min; /* exchanges in the pool; the fewest since the last trim */
};

struct http_exchange {
	struct http_exchange *next; /* in the pool */
	struct buf out;		    /* the request */
	size_t sent;		    /* bytes of out */
	struct buf in;		    /* head and decoded body */
	struct http_response response;
	struct loop_timer timer; /* deadline; after a failure at once: its delivery */
	struct http_origin *origin;
	size_t first_address, addresses_tried;
	uint64_t start_us, timeout_us;
	struct http_reply *reply;
	http_done_fn done;
	void *arg;
	int send_errno; /* why no more can be sent */
	bool is_idempotent, is_reused, was_retried, has_surplus, is_done;
	char error[FAILURE_BYTES]; /* "": none */
};

/* Begins to connect to the first address of the exchange's origin. False: x->error says why not. */
bool dial_first(struct http_conn *conn);
/* To the next one not yet tried. False: there is none, and x->error says why the last one
 * failed, error (errno) if that was the one before. */
bool dial_next(struct http_conn *conn, int error);

/* client.c's: for whoever opens or gives up the socket of a connection. */
void conn_close_socket(struct http_conn *conn);
void conn_on_event(void *arg, uint32_t events);

/* Looks the host up (blocking) unless its addresses are known or it failed just now. */
void origin_resolve(struct http_origin *o, uint64_t now_us);
void origin_destroy(struct http_origin **o);

/* Appends the whole request. */
void request_write(struct buf *out, const struct http_request *request);

/* The words of client.h into text[FAILURE_BYTES]. */
void failure_of_errno(char *text, int error);
void failure_of_resolver(char *text, const struct http_origin *o);
void failure_of_timeout(char *text, bool is_connected, uint64_t timeout_us);
/* The body of a response is larger than any may be. */
void failure_of_size(char *text);
/* HTTP/2 was wanted and the handshake ended without. */
void failure_of_version(char *text);
/* r failed on the bytes[0..len) received. */
void failure_of_response(char *text, const struct http_response *r, const char *bytes, size_t len);
