/* SPDX-License-Identifier: MIT
 *
 * tls - https for the client of virtual users: TLS 1.2 and 1.3, ALPN, no renegotiation.
 *
 * A tls_client is what is trusted and shown to servers; a tls_peer is a host with its last
 * session, so that later connections resume it; a stream is a connection. All belong to one
 * thread: nothing is shared with other threads, not even a reference count. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/stream.h"

struct tls_client;
struct tls_peer;

/* What is offered to servers by ALPN. */
enum tls_alpn { TLS_ALPN_HTTP_1_1, TLS_ALPN_H2_OR_HTTP_1_1, TLS_ALPN_H2 };

/* Zero: verify against the system's certificates (SSL_CERT_FILE and SSL_CERT_DIR replace them,
 * as in every program with OpenSSL) and show no certificate. Files are PEM. */
struct tls_options {
	const char *ca_file;   /* --tls-ca: trusted instead of the system's */
	const char *cert_file; /* --tls-client-cert: shown to servers, with its chain */
	const char *key_file;  /* --tls-client-key; NULL: the key is in cert_file */
	bool is_insecure;      /* --tls-insecure: servers are not verified at all */
	bool is_any_host;      /* a certificate that is trusted will do, whatever host it is for */
	enum tls_alpn alpn;
};

/* What tls_client_create() would say, which names the option and the file. */
enum err tls_options_check(const struct tls_options *options, struct err_text *why) MUST_CHECK;

/* Reads the files. */
enum err tls_client_create(const struct tls_options *options, struct tls_client **out,
			   struct err_text *why) MUST_CHECK;
/* Its peers must be gone. */
void tls_client_destroy(struct tls_client **c);

/* host: a name, or an address in text without brackets: what the certificate must be for. */
struct tls_peer *tls_peer_create(struct tls_client *c, const char *host);
/* Its streams must be closed. */
void tls_peer_destroy(struct tls_peer **p);

/* The handshake is part of the first send(), which gives EAGAIN until it is done. fd may still
 * be connecting. */
void tls_stream_open(struct stream *s, int fd, struct tls_peer *peer);
/* After shake(): the server chose HTTP/2. */
bool tls_stream_is_h2(const struct stream *s);
