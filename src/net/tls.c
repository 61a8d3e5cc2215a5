/* SPDX-License-Identifier: MIT
 *
 * tls - see the header.
 *
 * OpenSSL's context counts references and takes locks wherever it is shared, so every thread
 * reads the files for a context of its own. */
#include "net/tls.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls_int.h"

/* Takes what OpenSSL complained of: the oldest entry is the cause. */
static enum err fail(struct err_text *why, const char *option, const char *file, const char *what)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
						    : ERR_reason_error_string(code);

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(code))
		return err_set(why, ERR_BAD_OPTION, "%s %s: %s", option, file, reason);
	return err_set(why, ERR_BAD_OPTION, "%s %s: %s (%s)", option, file, what,
		       reason ? reason : "no reason given");
}

/* A key with a password would make OpenSSL ask on the terminal. */
static int refuse_password(char *to, int size, int is_writing, void *arg)
{
	(void)to;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static enum err check_together(const struct tls_options *o, struct err_text *why)
{
	if (o->is_insecure && o->ca_file)
		return err_set(why, ERR_BAD_OPTION,
			       "--tls-insecure verifies nothing, --tls-ca %s says against what; "
			       "give one of them",
			       o->ca_file);
	if (o->key_file && !o->cert_file)
		return err_set(why, ERR_BAD_OPTION,
			       "--tls-client-key %s has no certificate; give --tls-client-cert",
			       o->key_file);
	return OK;
}

static enum err read_trust(SSL_CTX *ctx, const struct tls_options *o, struct err_text *why)
{
	if (o->is_insecure)
		return OK;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (o->ca_file && SSL_CTX_load_verify_file(ctx, o->ca_file) != 1)
		return fail(why, "--tls-ca", o->ca_file, "has no certificate in PEM form");
	/* A system without certificates is one whose servers cannot be verified; each request
	 * says so. */
	if (!o->ca_file && SSL_CTX_set_default_verify_paths(ctx) != 1)
		ERR_clear_error();
	return OK;
}

static enum err read_identity(SSL_CTX *ctx, const struct tls_options *o, struct err_text *why)
{
	const char *key_option = o->key_file ? "--tls-client-key" : "--tls-client-cert";
	const char *key_file = o->key_file ? o->key_file : o->cert_file;

	if (!o->cert_file)
		return OK;
	SSL_CTX_set_default_passwd_cb(ctx, refuse_password);
	if (SSL_CTX_use_certificate_chain_file(ctx, o->cert_file) != 1)
		return fail(why, "--tls-client-cert", o->cert_file,
			    "has no certificate in PEM form that can be used");
	if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
		return fail(
			why, key_option, key_file,
			"has no key in PEM form, without a password, that fits the certificate");
	return OK;
}

static void offer_protocols(SSL_CTX *ctx, enum tls_alpn alpn)
{
	static const char *const offers[] = {
		[TLS_ALPN_HTTP_1_1] = "\x08http/1.1",
		[TLS_ALPN_H2_OR_HTTP_1_1] = "\x02h2\x08http/1.1",
		[TLS_ALPN_H2] = "\x02h2",
	};
	const char *offer = offers[alpn];

	ensure(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)offer,
				       (unsigned)strlen(offer)) == 0);
}

static void set_up(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	/* A waiting user keeps no buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* One recv takes what there is, instead of one for each record's head and one for its
	 * rest. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, tls_stream_on_session);
}

enum err tls_client_create(const struct tls_options *options, struct tls_client **out,
			   struct err_text *why)
{
	struct tls_client *c = mem_zalloc(1, sizeof(*c));
	enum err err = check_together(options, why);

	c->is_any_host = options->is_any_host;
	c->ctx = SSL_CTX_new(TLS_client_method());
	c->socket = tls_stream_method();
	if (!err && (!c->ctx || !c->socket))
		err = err_set(why, ERR_NO_MEMORY, "OpenSSL cannot be used: %s",
			      ERR_reason_error_string(ERR_peek_error()));
	if (!err) {
		set_up(c->ctx);
		offer_protocols(c->ctx, options->alpn);
		err = read_trust(c->ctx, options, why);
	}
	if (!err)
		err = read_identity(c->ctx, options, why);
	ERR_clear_error();
	if (err)
		tls_client_destroy(&c);
	*out = c;
	return err;
}

void tls_client_destroy(struct tls_client **c)
{
	if (!*c)
		return;
	SSL_CTX_free((*c)->ctx);
	BIO_meth_free((*c)->socket);
	mem_free(*c);
	*c = NULL;
}

enum err tls_options_check(const struct tls_options *options, struct err_text *why)
{
	struct tls_client *c;
	enum err err;

	/* The system's certificates are no option, and take their time. */
	if (!options->ca_file && !options->cert_file && !options->key_file)
		return OK;
	err = tls_client_create(options, &c, why);
	tls_client_destroy(&c);
	return err;
}

struct tls_peer *tls_peer_create(struct tls_client *c, const char *host)
{
	struct tls_peer *p = mem_zalloc(1, sizeof(*p));
	struct in6_addr address;

	p->client = c;
	p->host = mem_strdup(host);
	p->is_address =
		inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
	return p;
}

void tls_peer_destroy(struct tls_peer **p)
{
	if (!*p)
		return;
	SSL_SESSION_free((*p)->session);
	mem_free((*p)->host);
	mem_free(*p);
	*p = NULL;
}
