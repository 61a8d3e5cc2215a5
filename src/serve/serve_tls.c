/* SPDX-License-Identifier: MIT
 *
 * serve_tls - see the header. libmicrohttpd refuses what is wrong without saying why, so it is
 * looked at here, with the same library, before. */
#include "serve/serve_tls.h"

#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/file.h"
#include "base/limits.h"

static gnutls_datum_t datum_of(const struct buf *b)
{
	return (gnutls_datum_t){ (unsigned char *)buf_str(b).p, (unsigned)b->len };
}

static enum err check_cert(const struct serve_tls *t, const char *file, struct err_text *text)
{
	gnutls_datum_t pem = datum_of(&t->cert);
	gnutls_x509_crt_t *list = NULL;
	unsigned count = 0;
	int rc = gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0);

	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return rc >= 0 ? OK
		       : err_set(text, ERR_BAD_INPUT,
				 "%s: %s; give a certificate with its chain as PEM", file,
				 gnutls_strerror(rc));
}

static enum err check_pair(const struct serve_tls *t, const char *cert_file, const char *key_file,
			   struct err_text *text)
{
	gnutls_datum_t cert = datum_of(&t->cert), key = datum_of(&t->key);
	gnutls_certificate_credentials_t both;
	int rc = gnutls_certificate_allocate_credentials(&both);

	if (rc >= 0) {
		rc = gnutls_certificate_set_x509_key_mem(both, &cert, &key, GNUTLS_X509_FMT_PEM);
		gnutls_certificate_free_credentials(both);
	}
	return rc >= 0 ? OK
		       : err_set(text, ERR_BAD_INPUT,
				 "%s: %s; give the key of %s as PEM, without a password", key_file,
				 gnutls_strerror(rc), cert_file);
}

enum err serve_tls_read(struct serve_tls *t, const char *cert_file, const char *key_file,
			struct err_text *text)
{
	enum err err;

	buf_init(&t->cert, LIMIT_SERVE_PEM_BYTES);
	buf_init(&t->key, LIMIT_SERVE_PEM_BYTES);
	err = file_read(cert_file, &t->cert, text);
	if (!err)
		err = file_read(key_file, &t->key, text);
	if (!err)
		err = check_cert(t, cert_file, text);
	return err ? err : check_pair(t, cert_file, key_file, text);
}

void serve_tls_release(struct serve_tls *t)
{
	if (t->key.p)
		explicit_bzero(t->key.p, t->key.len);
	buf_fini(&t->cert);
	buf_fini(&t->key);
}
