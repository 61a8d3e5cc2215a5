/* SPDX-License-Identifier: MIT
 *
 * serve_form - the fields of a form, read when the first is asked for. */
#include "serve/serve_int.h"

/* Of a field's head, and what of a value is handed on at once. */
#define MULTIPART_BYTES (8 * 1024)

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX and + and ends the text with NUL. A NUL byte inside would cut the text
 * short, so "%00" stays as it is. */
static void add_decoded(struct buf *out, struct str in)
{
	for (size_t i = 0; i < in.len; i++) {
		int high = i + 2 < in.len ? hex_value(in.p[i + 1]) : -1;
		int low = i + 2 < in.len ? hex_value(in.p[i + 2]) : -1;

		if (in.p[i] == '%' && high >= 0 && low >= 0 && high + low > 0) {
			buf_add_char(out, (char)(high * 16 + low));
			i += 2;
		} else {
			buf_add_char(out, in.p[i] == '+' ? ' ' : in.p[i]);
		}
	}
	buf_add_char(out, '\0');
}

/* r->form holds name, NUL, value, NUL and so on. */
static void parse_urlencoded(struct serve_request *r)
{
	struct str rest = serve_body(r), pair, name;

	while (str_cut(&rest, '&', &pair)) {
		struct str value = pair;

		if (!pair.len || !str_cut(&value, '=', &name))
			continue;
		add_decoded(&r->form, name);
		add_decoded(&r->form, value);
	}
}

/* A piece of a field; the first one of each has offset 0. Files are fields like others. */
static enum MHD_Result on_field(void *arg, enum MHD_ValueKind kind, const char *name,
				const char *file_name, const char *type, const char *encoding,
				const char *bytes, uint64_t offset, size_t len)
{
	struct buf *form = arg;

	(void)kind;
	(void)file_name;
	(void)type;
	(void)encoding;
	if (!offset) {
		if (form->len)
			buf_add_char(form, '\0');
		buf_add_text(form, name ? name : "");
		buf_add_char(form, '\0');
	}
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			buf_add_char(form, bytes[i]);
	return MHD_YES;
}

static void parse_multipart(struct serve_request *r)
{
	struct str body = serve_body(r);
	/* NULL: it names no boundary. */
	struct MHD_PostProcessor *fields =
		MHD_create_post_processor(r->connection, MULTIPART_BYTES, on_field, &r->form);

	if (!fields)
		return;
	(void)MHD_post_process(fields, body.p, body.len);
	(void)MHD_destroy_post_processor(fields);
	if (r->form.len)
		buf_add_char(&r->form, '\0');
}

static void parse_form(struct serve_request *r)
{
	const char *type = serve_header(r, "Content-Type");

	r->is_form_parsed = true;
	buf_clear(&r->form);
	if (!type)
		return;
	if (strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
		parse_urlencoded(r);
	else if (strncasecmp(type, "multipart/form-data", 19) == 0)
		parse_multipart(r);
}

const char *serve_form(struct serve_request *r, const char *name)
{
	return serve_form_next(r, name, NULL);
}

const char *serve_form_next(struct serve_request *r, const char *name, const char *last)
{
	const char *at, *end;

	if (!r->is_form_parsed)
		parse_form(r);
	if (r->form.is_full)
		return NULL;
	at = buf_str(&r->form).p;
	end = at + r->form.len;
	if (last)
		at = last + strlen(last) + 1;
	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}
