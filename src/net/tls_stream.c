/* SPDX-License-Identifier: MIT
 *
 * tls_stream - a stream through TLS.
 *
 * OpenSSL reads and writes through a BIO of ours, for two reasons: writing to a connection that
 * is gone must not raise a signal, and a recv that got less than was asked for has emptied the
 * socket (edge-triggered, see http/client.c). The BIO remembers that until the next edge, so a
 * request in steady state costs one send and one recv, as a plain one does.
 *
 * OpenSSL's error queue is empty between the calls of this file: whoever makes an entry clears
 * it. So no call has to clear it first. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/failure_class.h"
#include "base/mem.h"
#include "net/tls_int.h"

struct tls_stream {
	SSL *ssl;
	struct tls_peer *peer;
	int fd;
	bool is_dry;	   /* nothing to receive before the next edge */
	bool to_the_end;   /* no other edge will come: is_dry cannot be known */
	bool has_ended;	   /* the socket has, whatever TLS said */
	bool is_broken;	   /* no farewell is possible */
	int socket_errno;  /* of the last failure of the socket */
	unsigned long why; /* OpenSSL's code of the last failure of TLS */
};

/* --- The way to the socket ----------------------------------------------------------------- */

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct tls_stream *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do {
		n = send(t->fd, bytes, (size_t)len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (stream_would_block(errno))
		BIO_set_retry_write(bio);
	else
		t->socket_errno = errno;
	return -1;
}

static int bio_read(BIO *bio, char *to, int room)
{
	struct tls_stream *t = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (t->is_dry) {
		BIO_set_retry_read(bio);
		return -1;
	}
	do {
		n = recv(t->fd, to, (size_t)room, 0);
	} while (n < 0 && errno == EINTR);
	t->has_ended = n == 0;
	if (n >= 0) {
		t->is_dry = n > 0 && n < room && !t->to_the_end;
		return (int)n;
	}
	if (stream_would_block(errno)) {
		t->is_dry = !t->to_the_end;
		BIO_set_retry_read(bio);
	} else {
		t->socket_errno = errno;
	}
	return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	const struct tls_stream *t = BIO_get_data(bio);

	(void)number;
	(void)arg;
	if (command == BIO_CTRL_EOF)
		return t->has_ended;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_stream_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket of a stream");

	if (!method)
		return NULL;
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
	return method;
}

int tls_stream_on_session(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_stream *t = SSL_get_app_data(ssl);

	SSL_SESSION_free(t->peer->session);
	t->peer->session = session;
	return 1; /* the reference is ours now */
}

/* --- The stream ---------------------------------------------------------------------------- */

/* After a call that moved nothing. Returns what recv() does. */
static ssize_t explain(struct tls_stream *t, int result)
{
	int kind = SSL_get_error(t->ssl, result);

	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	t->is_broken = true;
	t->why = ERR_peek_last_error();
	ERR_clear_error();
	errno = kind == SSL_ERROR_SYSCALL && t->socket_errno ? t->socket_errno : EPROTO;
	return -1;
}

static enum io tls_shake(struct stream *s)
{
	struct tls_stream *t = s->tls;
	int result = SSL_do_handshake(t->ssl);

	if (result == 1)
		return IO_OK;
	if (explain(t, result) == 0)
		errno = EPIPE;
	return errno == EAGAIN ? IO_AGAIN : IO_FAIL;
}

bool tls_stream_is_h2(const struct stream *s)
{
	const unsigned char *name;
	unsigned len;

	SSL_get0_alpn_selected(s->tls->ssl, &name, &len);
	return len == 2 && memcmp(name, "h2", 2) == 0;
}

static ssize_t tls_send(struct stream *s, const void *bytes, size_t len)
{
	struct tls_stream *t = s->tls;
	size_t sent;
	ssize_t n;
	int result;

	result = SSL_write_ex(t->ssl, bytes, len, &sent);
	if (result == 1)
		return (ssize_t)sent;
	n = explain(t, result);
	if (n < 0)
		return -1;
	errno = EPIPE; /* the peer said in the handshake that it will not go on */
	return -1;
}

static ssize_t tls_recv(struct stream *s, void *to, size_t room)
{
	struct tls_stream *t = s->tls;
	size_t got;
	int result = SSL_read_ex(t->ssl, to, room, &got);
	ssize_t n;

	if (result == 1)
		return (ssize_t)got;
	n = explain(t, result);
	if (n < 0 && errno == EPROTO && t->has_ended) {
		s->is_cut = true;
		return 0;
	}
	return n;
}

static void tls_woken(struct stream *s, bool to_the_end)
{
	s->tls->is_dry = false;
	s->tls->to_the_end = to_the_end;
}

static bool tls_is_drained(struct stream *s)
{
	struct tls_stream *t = s->tls;
	size_t got;
	char c;
	int result;

	if (t->is_dry && !SSL_has_pending(t->ssl))
		return true;
	/* It may be a session ticket or a change of keys, which is dealt with here. */
	result = SSL_peek_ex(t->ssl, &c, 1, &got);
	return result != 1 && explain(t, result) < 0 && errno == EAGAIN;
}

/* "certificate verify failed" to "CERTIFICATE_VERIFY_FAILED"; of a library's name the first word.
 */
static void shout(char *to, size_t size, const char *text, bool is_first_word)
{
	size_t at = 0;

	for (; text && text[at] && at + 1 < size && !(is_first_word && text[at] == ' '); at++)
		to[at] = text[at] == ' ' ? '_' : (char)toupper((unsigned char)text[at]);
	to[at] = '\0';
}

static void explain_verify(const struct tls_stream *t, char *text, size_t size)
{
	long result = SSL_get_verify_result(t->ssl);
	bool is_name = result == X509_V_ERR_HOSTNAME_MISMATCH;

	if (is_name || result == X509_V_ERR_IP_ADDRESS_MISMATCH)
		snprintf(text, size, "%s mismatch, certificate is not valid for '%s'.",
			 is_name ? "Hostname" : "IP address", t->peer->host);
	else
		snprintf(text, size, "%s", X509_verify_cert_error_string(result));
}

/* As Python's ssl words it, without its place in the C source. */
static void tls_failure(const struct stream *s, char *text, size_t size)
{
	const struct tls_stream *t = s->tls;
	const char *reason = ERR_reason_error_string(t->why);
	char library[16], name[64], detail[192], quote;

	if (t->has_ended &&
	    (!t->why || ERR_GET_REASON(t->why) == SSL_R_UNEXPECTED_EOF_WHILE_READING)) {
		failure_say(text, size, FAILURE_TLS_EOF,
			    "8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in "
			    "violation of protocol'");
		return;
	}
	shout(library, sizeof(library), ERR_lib_error_string(t->why), true);
	shout(name, sizeof(name), reason ? reason : "unknown error", false);
	if (ERR_GET_LIB(t->why) == ERR_LIB_SSL &&
	    ERR_GET_REASON(t->why) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		explain_verify(t, detail, sizeof(detail));
		/* As Python's repr() does. */
		quote = strchr(detail, '\'') ? '"' : '\'';
		failure_say(text, size, FAILURE_CERTIFICATE, "1, %c[%s: %s] %s: %s%c", quote,
			    library, name, reason, detail, quote);
		return;
	}
	failure_say(text, size, FAILURE_TLS, "1, '[%s: %s] %s'", library[0] ? library : "SSL", name,
		    reason ? reason : "unknown error");
}

static void tls_close(struct stream *s)
{
	struct tls_stream *t = s->tls;

	/* Without a farewell OpenSSL would not let its session be resumed. One that ended badly
	 * should not be. */
	if (!t->is_broken && SSL_is_init_finished(t->ssl) && SSL_shutdown(t->ssl) < 0)
		ERR_clear_error();
	SSL_free(t->ssl);
	mem_free(t);
	s->tls = NULL;
	s->fd = -1;
}

static void expect_host(SSL *ssl, const struct tls_peer *peer)
{
	if (!peer->is_address)
		ensure(SSL_set_tlsext_host_name(ssl, peer->host) == 1);
	if (peer->client->is_any_host)
		return;
	if (peer->is_address) {
		ensure(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), peer->host) == 1);
		return;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	ensure(SSL_set1_host(ssl, peer->host) == 1);
}

void tls_stream_open(struct stream *s, int fd, struct tls_peer *peer)
{
	static const struct stream_ops ops = {
		.send = tls_send,
		.shake = tls_shake,
		.recv = tls_recv,
		.woken = tls_woken,
		.is_drained = tls_is_drained,
		.failure = tls_failure,
		.close = tls_close,
		.is_layered = true,
	};
	struct tls_stream *t = mem_zalloc(1, sizeof(*t));
	BIO *bio = BIO_new(peer->client->socket);

	*s = (struct stream){ .ops = &ops, .tls = t, .fd = fd };
	t->ssl = SSL_new(peer->client->ctx);
	ensure(t->ssl && bio); /* no memory */
	t->peer = peer;
	t->fd = fd;
	BIO_set_data(bio, t);
	BIO_set_init(bio, 1);
	SSL_set_bio(t->ssl, bio, bio);
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	expect_host(t->ssl, peer);
	if (peer->session && SSL_SESSION_is_resumable(peer->session))
		ensure(SSL_set_session(t->ssl, peer->session) == 1);
}
