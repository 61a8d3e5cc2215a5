/* SPDX-License-Identifier: MIT
 *
 * request - writes requests. A header line of the caller takes the place of ours of the same
 * name; only what frames the body is always ours. */
#include "http/http_int.h"

unsigned request_method_traits(const char *method)
{
	static const struct {
		const char *name;
		unsigned traits;
	} methods[] = {
		{ "GET", METHOD_IS_IDEMPOTENT },
		{ "POST", METHOD_HAS_CONTENT },
		{ "PUT", METHOD_IS_IDEMPOTENT | METHOD_HAS_CONTENT },
		{ "PATCH", METHOD_HAS_CONTENT },
		{ "HEAD", METHOD_IS_IDEMPOTENT | METHOD_IS_HEAD },
		{ "DELETE", METHOD_IS_IDEMPOTENT },
		{ "OPTIONS", METHOD_IS_IDEMPOTENT },
		{ "TRACE", METHOD_IS_IDEMPOTENT },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(method, methods[i].name) == 0)
			return methods[i].traits;
	return 0;
}

enum header_kind {
	HEADER_OTHER = 0,
	HEADER_HOST = 1,
	HEADER_USER_AGENT = 2,
	HEADER_ACCEPT = 4,
	HEADER_CONTENT_TYPE = 8,
	HEADER_FRAMING = 16
};

static enum header_kind kind_of(struct str line)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct str name = { line.p, colon ? (size_t)(colon - line.p) : line.len };

	switch (name.len) {
	case 4:
		return str_case_eq(name, "host") ? HEADER_HOST : HEADER_OTHER;
	case 6:
		return str_case_eq(name, "accept") ? HEADER_ACCEPT : HEADER_OTHER;
	case 10:
		return str_case_eq(name, "user-agent") ? HEADER_USER_AGENT : HEADER_OTHER;
	case 12:
		return str_case_eq(name, "content-type") ? HEADER_CONTENT_TYPE : HEADER_OTHER;
	case 14:
		return str_case_eq(name, "content-length") ? HEADER_FRAMING : HEADER_OTHER;
	case 17:
		return str_case_eq(name, "transfer-encoding") ? HEADER_FRAMING : HEADER_OTHER;
	default:
		return HEADER_OTHER;
	}
}

/* The next line with its end. */
static bool next_line(struct str *rest, struct str *line)
{
	const char *lf = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

	if (!rest->len)
		return false;
	*line = (struct str){ rest->p, lf ? (size_t)(lf - rest->p) + 1 : rest->len };
	*rest = (struct str){ rest->p + line->len, rest->len - line->len };
	return true;
}

static unsigned kinds_of(struct str headers)
{
	unsigned kinds = 0;
	struct str line;

	while (next_line(&headers, &line))
		kinds |= kind_of(line);
	return kinds;
}

static void add_headers(struct buf *out, struct str headers, unsigned kinds)
{
	struct str line;

	if (!(kinds & HEADER_FRAMING)) {
		buf_add_str(out, headers);
		return;
	}
	while (next_line(&headers, &line))
		if (kind_of(line) != HEADER_FRAMING)
			buf_add_str(out, line);
}

/* "GET /path HTTP/1.1"; to a proxy the whole URL, and who asks. Through a tunnel there is nothing
 * that the proxy should see. */
static void add_line(struct buf *out, const struct http_request *request)
{
	const struct http_via *via = request->origin->via;

	buf_add_text(out, request->method);
	buf_add_char(out, ' ');
	if (via && via->prefix)
		buf_add_text(out, via->prefix);
	if (!request->target.len || request->target.p[0] != '/')
		buf_add_char(out, '/');
	buf_add_str(out, request->target);
	buf_add_text(out, " HTTP/1.1\r\n");
	if (via && via->prefix)
		buf_add_text(out, via->authorization);
}

/* Ours, where the caller has none of the name. */
static void add_own_headers(struct buf *out, const struct http_origin *o, unsigned kinds)
{
	if (!(kinds & (HEADER_HOST | HEADER_USER_AGENT | HEADER_ACCEPT))) {
		buf_add(out, o->lines, o->lines_bytes);
		return;
	}
	if (!(kinds & HEADER_HOST))
		buf_add(out, o->lines, o->host_line_bytes);
	if (!(kinds & HEADER_USER_AGENT))
		buf_add_text(out, LINE_USER_AGENT);
	if (!(kinds & HEADER_ACCEPT))
		buf_add_text(out, LINE_ACCEPT);
}

void request_write(struct buf *out, const struct http_request *request, unsigned traits)
{
	unsigned kinds = kinds_of(request->headers) | (request->no_accept ? HEADER_ACCEPT : 0);

	add_line(out, request);
	add_own_headers(out, request->origin, kinds);
	if (request->content_type && !(kinds & HEADER_CONTENT_TYPE)) {
		buf_add_text(out, "Content-Type: ");
		buf_add_text(out, request->content_type);
		buf_add_text(out, "\r\n");
	}
	add_headers(out, request->headers, kinds);
	if (request->body.p || traits & METHOD_HAS_CONTENT) {
		buf_add_text(out, "Content-Length: ");
		buf_add_u64(out, request->body.len);
		buf_add_text(out, "\r\n");
	}
	buf_add_text(out, "\r\n");
}
