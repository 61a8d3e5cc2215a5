/* SPDX-License-Identifier: MIT
 *
 * http_int - what the files behind client.h share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/limits.h"
#include "base/map.h"
#include "http/client.h"
#include "http/network.h"
#include "http/response.h"
#include "loop/deadline.h"
#include "net/resolver.h"
#include "net/tls.h"

/* Room for the words of reply.error. */
#define FAILURE_BYTES 256

/* Header lines that are the same for every target. */
#define LINE_USER_AGENT "User-Agent: cicada/" CICADA_VERSION "\r\n"
#define LINE_ACCEPT	"Accept: */*\r\n"

struct http_address {
	struct sockaddr_storage name;
	socklen_t name_bytes;
	uint64_t skip_until_us; /* it could not be connected a moment ago */
};

/* The way to a target through a proxy. */
struct http_via {
	char *host; /* the proxy's */
	uint16_t port;
	char *authorization; /* header line, or "" */
	char *connect;	     /* asks for a tunnel; NULL: requests are for the proxy itself, ... */
	char *prefix;	     /* ... with this before their target */
};

struct http_origin {
	size_t index; /* in http_client.origins */
	char *host;   /* lower case */
	char *port;
	uint16_t port_number;
	char *lines; /* "Host: name:8089\r\n" and the other lines of ours */
	size_t lines_bytes;
	size_t host_line_bytes; /* of them: the first */
	bool is_ipv6;		/* the host is an address */
	struct tls_peer *peer;	/* NULL: plain */
	struct http_via *via;	/* NULL: no proxy */
	struct http_client *client;
	struct http_address addresses[LIMIT_ORIGIN_ADDRESSES];
	size_t address_count;	/* 0: not resolved, see resolver_error */
	unsigned generation;	/* of the addresses: counts the look-ups */
	size_t next;		/* the address whose turn it is */
	int resolver_error;	/* of getaddrinfo */
	uint64_t look_up_at_us; /* when they are too old, or a failure is */
	bool is_looking_up;
	struct list waiting; /* of struct http_exchange, for the first addresses */
};

struct h2;
struct h2_place;

struct http_client {
	struct loop *loop;
	struct http_exchange *pool; /* idle ones */
	struct resolver *resolver;  /* NULL: no name to look up yet */
	size_t exchanges_in_use;
	const struct http_network *network;
	const struct tls_options *tls_options;
	struct tls_client *tls; /* NULL: no https origin yet */
	struct map by_name;	/* of origins: host, NUL, port, is_tls */
	struct http_origin *origins[LIMIT_ORIGINS];
	size_t origin_count;
	struct http_count count;
	enum http_version version;
	struct h2_place *h2;	   /* NULL: no connection speaks HTTP/2 yet */
	size_t source_turn[2];	   /* of the next connection over IPv4, IPv6 */
	size_t pooled, pooled_min; /* exchanges in the pool; the fewest since the last trim */
	size_t spare;		   /* of those that may go */
	size_t large_bytes;	   /* of the receive buffers that are larger than is kept */
};

/* What a request needs once it is connected comes first. */
struct http_exchange {
	struct http_exchange *next; /* in the pool */
	struct buf out;		    /* the request, without `body` */
	struct str body;	    /* lent; empty when it is in `out` */
	size_t sent;		    /* bytes of out */
	struct buf in;		    /* head and decoded body */
	struct http_response response;
	struct deadline deadline; /* after a failure at once: its delivery */
	struct http_origin *origin;
	struct http_conn *conn;
	struct list waiting; /* in origin->waiting or a request's list `held`, or alone */
	uint64_t start_us, timeout_us, connect_timeout_us;
	uint64_t head_us; /* when the head was there without the whole body; 0: not yet, or never */
	struct http_reply *reply;
	http_done_fn done;
	void *arg;
	int send_errno; /* why no more can be sent */
	bool is_idempotent, is_reused, was_retried, has_surplus, is_done;
	char error[FAILURE_BYTES]; /* "": none */
	bool tunnel_to_the_end;
	size_t tunnel_sent; /* bytes of via->connect */
	size_t address;	    /* being connected, or connected */
	uint32_t tried;	    /* a bit for each address of this generation */
	unsigned generation;
	size_t large_bytes; /* in the client's */
};

/* Begins to connect to the address of the exchange's origin whose turn it is, once the name is
 * looked up. False: x->error says why not. */
bool dial_first(struct http_conn *conn);
/* That failed (errno): to the next one not yet tried. False: there is none, and x->error says why
 * the last one failed. */
bool dial_next(struct http_conn *conn, int error);
/* How it ended otherwise: connected, or no time left. */
void dial_succeeded(struct http_conn *conn);
void dial_timed_out(struct http_conn *conn);
/* The look-up of o has ended: for those who wait for it. */
void dial_waiting(struct http_origin *o);

/* client.c's: for whoever opens or gives up the socket of a connection. */
void conn_close_socket(struct http_conn *conn);
/* The request has failed, exchange->error says why. In a turn of its own, calls done(). */
void conn_fail(struct http_conn *conn);
void conn_on_event(void *arg, uint32_t events);

/* Asks for the addresses when there are none, or old ones, and nobody asks yet. IO_OK: there are
 * addresses to use; IO_AGAIN: dial_waiting() will be called; IO_FAIL: resolver_error says why. */
enum io origin_resolve(struct http_origin *o, uint64_t now_us);
void origin_destroy(struct http_origin **o);

struct http_via *via_create(const struct http_origin *o, const struct proxy *proxy,
			    bool wants_tunnel);
void via_destroy(struct http_via **v);
/* Lays conn's stream over fd, which may still be connecting: a tunnel through the proxy is part of
 * the first send(). A refusal is EPROTO, and exchange->error says why. */
void via_open_tunnel(struct http_conn *conn, int fd);

/* What is known of a method. */
enum method_trait {
	METHOD_IS_HEAD = 1,
	METHOD_IS_IDEMPOTENT = 2, /* RFC 9110 9.2.2 */
	METHOD_HAS_CONTENT = 4	  /* announces even a body of nothing: RFC 9110 8.6 */
};

unsigned request_method_traits(const char *method);
/* Appends the request without its body. traits: of its method. */
void request_write(struct buf *out, const struct http_request *request, unsigned traits);

/* Words of a class of failure into text[FAILURE_BYTES]. */
void failure_of_errno(char *text, int error);
void failure_of_resolver(char *text, const struct http_origin *o);
void failure_of_timeout(char *text, const struct http_conn *conn, uint64_t timeout_us);
/* The body of a response is larger than any may be. */
void failure_of_size(char *text);
/* Those of all users of the thread are. */
void failure_of_sizes(char *text);
/* HTTP/2 was wanted and the handshake ended without. */
void failure_of_version(char *text);
/* text becomes the reason why the proxy is of no use. */
void failure_of_proxy(char *text);
/* It answered a CONNECT with r. */
void failure_of_tunnel(char *text, const struct http_response *r, const char *bytes);
/* r failed on the bytes[0..len) received. */
void failure_of_response(char *text, const struct http_response *r, const char *bytes, size_t len);
