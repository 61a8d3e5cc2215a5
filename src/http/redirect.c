/* SPDX-License-Identifier: MIT
 *
 * redirect - see the header. The cut into parts is that of RFC 3986 appendix B, which accepts any
 * text. Dot segments are removed in the output itself: a segment ".." takes the segment before
 * it back. */
#include "http/redirect.h"

/* Slices of the text; has_: the delimiter is there, for "?" alone is a query. */
struct reference {
	struct str scheme, authority, path, query;
	bool has_scheme, has_authority, has_query;
};

bool redirect_is(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

const char *redirect_method(int status, const char *method)
{
	bool becomes_get =
		status == 303 || status == 302 || (status == 301 && strcmp(method, "POST") == 0);

	return becomes_get && strcmp(method, "HEAD") != 0 ? "GET" : method;
}

static struct str from(struct str s, size_t at)
{
	return (struct str){ s.p + at, s.len - at };
}

/* Bytes before the first of `ends`. */
static size_t span(struct str s, const char *ends)
{
	size_t i = 0;

	while (i < s.len && !(s.p[i] && strchr(ends, s.p[i])))
		i++;
	return i;
}

/* RFC 3986 3.1; the length before the colon, 0: no scheme. */
static size_t scheme_length(struct str s)
{
	size_t len = span(s, ":/?#");

	if (len == s.len || s.p[len] != ':' || !len)
		return 0;
	for (size_t i = 0; i < len; i++) {
		char c = s.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

		if (!is_letter && (!i || !is_other))
			return 0;
	}
	return len;
}

static struct reference cut(struct str s)
{
	struct reference r = { 0 };
	size_t len = scheme_length(s);

	if (len) {
		r.has_scheme = true;
		r.scheme = (struct str){ s.p, len };
		s = from(s, len + 1);
	}
	if (s.len >= 2 && s.p[0] == '/' && s.p[1] == '/') {
		r.has_authority = true;
		s = from(s, 2);
		r.authority = (struct str){ s.p, span(s, "/?#") };
		s = from(s, r.authority.len);
	}
	r.path = (struct str){ s.p, span(s, "?#") };
	s = from(s, r.path.len);
	if (s.len && s.p[0] == '?') {
		s = from(s, 1);
		r.has_query = true;
		r.query = (struct str){ s.p, span(s, "#") };
	}
	return r;
}

static void add_quoted(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > ' ' && c < 0x7f)
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* Takes the last segment and the slash before it off, but nothing before `floor`. */
static void drop_segment(struct buf *out, size_t floor)
{
	while (out->len > floor && out->p[out->len - 1] != '/')
		out->len--;
	if (out->len > floor)
		out->len--;
}

/* Appends "/a/b" segment by segment, RFC 3986 5.2.4. In: "" or what begins with a slash. */
static void add_segments(struct buf *out, size_t floor, struct str path)
{
	while (path.len) {
		struct str segment = from(path, 1);
		bool is_last, is_dots;

		segment.len = span(segment, "/");
		is_last = 1 + segment.len == path.len;
		is_dots = str_eq(segment, "..");
		if (is_dots)
			drop_segment(out, floor);
		if (!is_dots && !str_eq(segment, ".")) {
			buf_add_char(out, '/');
			add_quoted(out, segment);
		} else if (is_last) {
			buf_add_char(out, '/');
		}
		path = from(path, 1 + segment.len);
	}
}

/* The folder of a path: without what follows the last slash, and without that slash. */
static struct str folder_of(struct str path)
{
	while (path.len && path.p[path.len - 1] != '/')
		path.len--;
	if (path.len)
		path.len--;
	return path;
}

/* "a/b" behind a folder: its first segment has no slash of its own. */
static void add_relative(struct buf *out, size_t floor, struct str path)
{
	struct str first = { path.p, span(path, "/") };
	bool is_last = first.len == path.len, is_dots = str_eq(first, "..");

	if (is_dots)
		drop_segment(out, floor);
	if (!is_dots && !str_eq(first, ".")) {
		buf_add_char(out, '/');
		add_quoted(out, first);
	} else if (is_last) {
		buf_add_char(out, '/');
	}
	add_segments(out, floor, from(path, first.len));
}

static void add_path(struct buf *out, const struct reference *base, const struct reference *r)
{
	size_t floor = out->len;

	if (r->has_scheme || r->has_authority || !r->path.len) {
		struct str path = r->has_scheme || r->has_authority ? r->path : base->path;

		/* Only "mailto:x" and the like have a path that begins otherwise. */
		if (path.len && path.p[0] != '/')
			add_quoted(out, path);
		else
			add_segments(out, floor, path);
	} else if (r->path.p[0] == '/') {
		add_segments(out, floor, r->path);
	} else {
		add_segments(out, floor, folder_of(base->path));
		add_relative(out, floor, r->path);
	}
}

void redirect_resolve(struct str base, struct str location, struct buf *out)
{
	struct reference b = cut(base), r = cut(str_trim(location));
	bool is_same_path = !r.has_scheme && !r.has_authority && !r.path.len;
	const struct reference *query = is_same_path && !r.has_query ? &b : &r;
	struct str authority = r.has_scheme || r.has_authority ? r.authority : b.authority;

	add_quoted(out, r.has_scheme ? r.scheme : b.scheme);
	buf_add_char(out, ':');
	if (!r.has_scheme || r.has_authority) {
		buf_add(out, "//", 2);
		add_quoted(out, authority);
	}
	add_path(out, &b, &r);
	if (query->has_query) {
		buf_add_char(out, '?');
		add_quoted(out, query->query);
	}
}
