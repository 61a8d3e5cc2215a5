/* SPDX-License-Identifier: MIT
 *
 * failure - what went wrong, in the words Python's clients print and dashboards know. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/failure_class.h"
#include "http/http_int.h"

/* Of a wrong status line that the words repeat. */
#define SHOWN_BYTES_MAX 40

static enum failure_class class_of_errno(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return FAILURE_REFUSED;
	case ECONNRESET:
		return FAILURE_RESET;
	case ECONNABORTED:
		return FAILURE_ABORTED;
	case EPIPE:
		return FAILURE_BROKEN_PIPE;
	case ETIMEDOUT:
		return FAILURE_TIMED_OUT;
	case EACCES:
	case EPERM:
		return FAILURE_PERMISSION;
	default:
		return FAILURE_SYSTEM;
	}
}

/* What is missing on this machine, and where to get more of it. */
static const char *remedy_of(int error)
{
	switch (error) {
	case EMFILE:
		return "; raise the hard limit of open files (ulimit -Hn, LimitNOFILE=)";
	case ENFILE:
		return "; raise fs.file-max";
	case EAFNOSUPPORT:
		return "; this machine, or --source-addresses, has none of the target's kind";
	case EADDRNOTAVAIL:
		return "; no local port is left for this address: keep connections alive, widen "
		       "net.ipv4.ip_local_port_range, or give more --source-addresses";
	default:
		return "";
	}
}

void failure_of_errno(char *text, int error)
{
	failure_say(text, FAILURE_BYTES, class_of_errno(error), "%d, '%s%s'", error,
		    strerror(error), remedy_of(error));
}

void failure_of_resolver(char *text, const struct http_origin *o)
{
	failure_say(text, FAILURE_BYTES, FAILURE_NAME, "%d, '%s'", o->resolver_error,
		    gai_strerror(o->resolver_error));
}

void failure_of_timeout(char *text, const struct http_conn *conn, uint64_t timeout_us)
{
	enum failure_class class =
		conn->is_connected ? FAILURE_READ_TIMEOUT : FAILURE_CONNECT_TIMEOUT;
	const char *what = "connection";

	if (conn->is_connected)
		what = "whole response";
	else if (conn->watch.fd < 0)
		what = "answer of a name server";
	failure_say(text, FAILURE_BYTES, class, "'no %s within %g s'", what,
		    (double)timeout_us / (double)CLOCK_S);
}

/* As Python's repr() of bytes would, without the quotes. */
static void show_line(char *text, size_t size, struct str line)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < line.len && i < SHOWN_BYTES_MAX && at < size; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool is_plain = c >= 0x20 && c < 0x7f && c != '\'' && c != '\\';

		at += (size_t)snprintf(text + at, size - at, is_plain ? "%c" : "\\x%02x", c);
	}
}

void failure_of_size(char *text)
{
	failure_say(text, FAILURE_BYTES, FAILURE_RESPONSE_TOO_LARGE,
		    "'the body is larger than %d bytes'", LIMIT_RESPONSE_BODY_BYTES);
}

void failure_of_sizes(char *text)
{
	failure_say(text, FAILURE_BYTES, FAILURE_RESPONSE_TOO_LARGE,
		    "'the bodies of all users of this load thread are larger than %d bytes'",
		    LIMIT_BODIES_BYTES);
}

void failure_of_version(char *text)
{
	failure_say(text, FAILURE_BYTES, FAILURE_PROTOCOL,
		    "'the server does not offer HTTP/2 (ALPN h2); give --http2 instead of "
		    "--http2-prior-knowledge'");
}

void failure_of_proxy(char *text)
{
	char cause[FAILURE_BYTES];

	memcpy(cause, text, sizeof(cause));
	failure_say(text, FAILURE_BYTES, FAILURE_PROXY, "'Cannot connect to proxy.', %s", cause);
}

void failure_of_tunnel(char *text, const struct http_response *r, const char *bytes)
{
	char shown[SHOWN_BYTES_MAX * 4 + 1];

	show_line(shown, sizeof(shown), http_slice_str(r->reason, bytes));
	failure_say(text, FAILURE_BYTES, FAILURE_SYSTEM, "'Tunnel connection failed: %u %s'",
		    r->status, shown);
}

void failure_of_response(char *text, const struct http_response *r, const char *bytes, size_t len)
{
	struct str line = { bytes + r->line_at, len - r->line_at };
	char shown[SHOWN_BYTES_MAX * 4 + 1];
	const char *lf;

	switch (r->fault) {
	case HTTP_CLOSED_UNANSWERED:
		failure_say(text, FAILURE_BYTES, FAILURE_DISCONNECTED, "'the server %s'",
			    http_fault_text(r->fault));
		break;
	case HTTP_BAD_STATUS_LINE:
	case HTTP_BAD_VERSION:
	case HTTP_BAD_STATUS:
		lf = memchr(line.p, '\n', line.len);
		if (lf)
			line.len = (size_t)(lf - line.p);
		show_line(shown, sizeof(shown), str_trim(line));
		failure_say(text, FAILURE_BYTES, FAILURE_BAD_STATUS_LINE, "'%s'", shown);
		break;
	default:
		failure_say(text, FAILURE_BYTES, FAILURE_INVALID_RESPONSE, "'the server %s'",
			    http_fault_text(r->fault));
	}
}
