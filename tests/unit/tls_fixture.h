/* SPDX-License-Identifier: MIT
 *
 * tls_fixture - certificates made for the test, and the layer of client_fixture.h's server that
 * speaks TLS with them. */
#pragma once

#include "client_fixture.h"

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#define DAY_S (24 * 3600)

struct identity {
	X509 *certificate;
	EVP_PKEY *key;
};

/* In a folder of its own: CA.pem, and so on. */
struct identities {
	char folder[64];
	struct identity ca, other_ca, good, expired, elsewhere, unknown, client;
};

static void add_extension(struct identity *id, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(id->certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* names: subjectAltName, NULL for a CA. issuer NULL: signed by itself. */
static struct identity identity_make(const char *name, const char *names,
				     const struct identity *issuer, long days)
{
	struct identity id = { .certificate = X509_new(), .key = EVP_EC_gen("P-256") };
	X509_NAME *subject = X509_get_subject_name(id.certificate);
	static long serial;

	X509_set_version(id.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(id.certificate), -30L * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(id.certificate), days * DAY_S);
	X509_set_pubkey(id.certificate, id.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(id.certificate,
			     issuer ? X509_get_subject_name(issuer->certificate) : subject);
	add_extension(&id, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(&id, NID_subject_alt_name, names);
	assert_true(X509_sign(id.certificate, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
	return id;
}

static void identity_free(struct identity *id)
{
	X509_free(id->certificate);
	EVP_PKEY_free(id->key);
}

static const char *path_of(const struct identities *ids, const char *file)
{
	static char path[12][128];
	static unsigned next;
	char *to = path[next++ % 12];

	snprintf(to, sizeof(path[0]), "%s/%s", ids->folder, file);
	return to;
}

static void save(const struct identities *ids, const char *file, X509 *certificate, EVP_PKEY *key)
{
	FILE *f = fopen(path_of(ids, file), "w");

	assert_non_null(f);
	if (certificate)
		assert_int_equal(PEM_write_X509(f, certificate), 1);
	if (key)
		assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
}

static void identities_make(struct identities *ids)
{
	static const char here[] = "DNS:localhost,IP:127.0.0.1";

	snprintf(ids->folder, sizeof(ids->folder), "/tmp/test_tls.XXXXXX");
	assert_non_null(mkdtemp(ids->folder));
	ids->ca = identity_make("CA", NULL, NULL, 30);
	ids->other_ca = identity_make("other CA", NULL, NULL, 30);
	ids->good = identity_make("good", here, &ids->ca, 30);
	ids->expired = identity_make("expired", here, &ids->ca, -1);
	ids->elsewhere =
		identity_make("elsewhere", "DNS:elsewhere.test,IP:127.0.0.2", &ids->ca, 30);
	ids->unknown = identity_make("unknown", here, &ids->other_ca, 30);
	ids->client = identity_make("client", "DNS:client", &ids->ca, 30);
	save(ids, "ca.pem", ids->ca.certificate, NULL);
	save(ids, "client.crt", ids->client.certificate, NULL);
	save(ids, "client.key", NULL, ids->client.key);
	save(ids, "client.pem", ids->client.certificate, ids->client.key);
	save(ids, "other.key", NULL, ids->good.key);
	save(ids, "empty.pem", NULL, NULL);
}

static void identities_free(struct identities *ids)
{
	static const char *const files[] = { "ca.pem",	   "client.crt", "client.key",
					     "client.pem", "other.key",	 "empty.pem" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(ids, files[i]));
	rmdir(ids->folder);
	identity_free(&ids->ca);
	identity_free(&ids->other_ca);
	identity_free(&ids->good);
	identity_free(&ids->expired);
	identity_free(&ids->elsewhere);
	identity_free(&ids->unknown);
	identity_free(&ids->client);
}

/* --- The server's layer -------------------------------------------------------------------- */

struct tls_server {
	SSL_CTX *ctx;
	SSL *ssl; /* NULL: no connection, or no agreement */
	unsigned shaken, resumed;
	char name[64], protocol[16], version[16]; /* of the last: SNI, ALPN */
};

static void tls_note(struct tls_server *t)
{
	const char *name = SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
	const unsigned char *protocol;
	unsigned len;

	t->shaken++;
	t->resumed += (unsigned)SSL_session_reused(t->ssl);
	SSL_get0_alpn_selected(t->ssl, &protocol, &len);
	snprintf(t->name, sizeof(t->name), "%s", name ? name : "");
	snprintf(t->protocol, sizeof(t->protocol), "%.*s", (int)len, (const char *)protocol);
	snprintf(t->version, sizeof(t->version), "%s", SSL_get_version(t->ssl));
}

static void tls_close(struct server *s, bool has_farewell)
{
	struct tls_server *t = s->layer_arg;

	if (t->ssl && has_farewell)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	t->ssl = NULL;
	ERR_clear_error();
}

static void tls_accept(struct server *s)
{
	struct tls_server *t = s->layer_arg;
	char rest[4096];

	t->ssl = SSL_new(t->ctx);
	SSL_set_fd(t->ssl, s->fd);
	if (SSL_accept(t->ssl) == 1) {
		tls_note(t);
		return;
	}
	/* What the client has sent meanwhile must not turn the alert into a reset. */
	tls_close(s, false);
	shutdown(s->fd, SHUT_WR);
	while (is_ready(s->fd) && read(s->fd, rest, sizeof(rest)) > 0)
		;
}

static ssize_t tls_read(struct server *s, void *to, size_t room)
{
	struct tls_server *t = s->layer_arg;

	return t->ssl ? SSL_read(t->ssl, to, (int)room) : -1;
}

static ssize_t tls_write(struct server *s, const void *bytes, size_t len)
{
	struct tls_server *t = s->layer_arg;

	return t->ssl ? SSL_write(t->ssl, bytes, (int)len) : -1;
}

/* New keys, ours and yours; a new ticket. */
static void tls_chat(struct server *s)
{
	struct tls_server *t = s->layer_arg;

	if (SSL_key_update(t->ssl, SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_do_handshake(t->ssl) != 1)
		server_fails(s, "chat", "no new keys");
	if (SSL_new_session_ticket(t->ssl) != 1 || SSL_do_handshake(t->ssl) != 1)
		server_fails(s, "chat", "no new ticket");
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";

	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)out, out_len, ours, sizeof(ours) - 1, in,
				     in_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static const struct server_layer tls_layer = { tls_accept, tls_read, tls_write, tls_close,
					       tls_chat };

/* As start(), with TLS. */
static struct fixture *tls_start(struct tls_server *t, const struct identity *id,
				 const struct tls_options *options, const struct step *steps)
{
	struct fixture *f = mem_zalloc(1, sizeof(*f));

	*t = (struct tls_server){ .ctx = SSL_CTX_new(TLS_server_method()) };
	assert_int_equal(SSL_CTX_use_certificate(t->ctx, id->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(t->ctx, id->key), 1);
	SSL_CTX_set_session_id_context(t->ctx, (const unsigned char *)"test", 4);
	SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, NULL);
	f->is_tls = true;
	f->server.layer = &tls_layer;
	f->server.layer_arg = t;
	f->server.steps = steps;
	client_start(f);
	http_client_use_tls(f->client, options);
	return f;
}

static void tls_stop(struct fixture *f)
{
	struct tls_server *t = f->server.layer_arg;

	stop(f);
	SSL_CTX_free(t->ctx);
}
