/* SPDX-License-Identifier: MIT
 *
 * tls_int - what tls.c and tls_stream.c share. */
#pragma once

/* OpenSSL has a type of the name of one of our errors. It is not used here. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "net/tls.h"

struct tls_client {
	SSL_CTX *ctx;
	bool is_any_host;
	BIO_METHOD *socket; /* see tls_stream_method() */
};

struct tls_peer {
	struct tls_client *client;
	char *host;
	bool is_address;
	SSL_SESSION *session; /* the newest, or NULL */
};

/* The way from OpenSSL to the sockets of streams. NULL: no memory. */
BIO_METHOD *tls_stream_method(void);
/* For the context: keeps the newest session in the peer. */
int tls_stream_on_session(SSL *ssl, SSL_SESSION *session);
