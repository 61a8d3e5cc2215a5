/* SPDX-License-Identifier: MIT
 *
 * decode - see the header. Output grows by steps, so a bomb costs no more than the limit and is
 * given up there. "deflate" means zlib's format, but there are servers that send the bare
 * stream; the first two bytes tell which. */
#include "http/decode.h"

#define ZLIB_CONST /* zlib does not write to its input */
#include <brotli/decode.h>
#include <zlib.h>

#include "base/limits.h"
#include "base/mem.h"

/* Room offered to each step. */
#define STEP_BYTES (32 * 1024)
/* An idle buffer larger than this gives its memory back. */
#define KEPT_BYTES_MAX (256 * 1024)

/* zlib's names for its three formats. */
enum { WINDOW_ZLIB = 15, WINDOW_RAW = -15, WINDOW_GZIP = 15 + 16 };

struct decoder {
	z_stream zlib;
	bool has_zlib;
	struct decoded *idle;
	size_t lent, lent_bytes;
};

struct decoder *decoder_create(void)
{
	return mem_zalloc(1, sizeof(struct decoder));
}

void decoder_destroy(struct decoder **d)
{
	struct decoder *decoder = *d;

	if (!decoder)
		return;
	ensure(!decoder->lent);
	while (decoder->idle) {
		struct decoded *body = decoder->idle;

		decoder->idle = body->next;
		buf_fini(&body->bytes);
		mem_free(body);
	}
	if (decoder->has_zlib)
		(void)inflateEnd(&decoder->zlib);
	mem_free(decoder);
	*d = NULL;
}

static struct decoded *acquire(struct decoder *d)
{
	struct decoded *body = d->idle;

	d->lent++;
	if (body) {
		d->idle = body->next;
		return body;
	}
	body = mem_zalloc(1, sizeof(*body));
	buf_init(&body->bytes, LIMIT_DECODED_BODY_BYTES);
	return body;
}

void decoder_release(struct decoder *d, struct decoded **body)
{
	struct decoded *b = *body;

	if (!b)
		return;
	if (b->bytes.cap > KEPT_BYTES_MAX)
		buf_fini(&b->bytes);
	buf_clear(&b->bytes);
	b->next = d->idle;
	d->idle = b;
	d->lent--;
	d->lent_bytes -= b->lent_bytes;
	b->lent_bytes = 0;
	*body = NULL;
}

static enum err say_corrupt(struct err_text *why, const char *coding)
{
	return err_set(why, ERR_BAD_INPUT, "the %s body is corrupt", coding);
}

static enum err say_cut_off(struct err_text *why, const char *coding)
{
	return err_set(why, ERR_BAD_INPUT, "the %s body ends before its end", coding);
}

/* Room for the next step; NULL: the limit is reached. *room: its bytes. */
static char *step_room(struct buf *out, size_t *room)
{
	*room = out->max - out->len < STEP_BYTES ? out->max - out->len : STEP_BYTES;
	return *room ? buf_room(out, *room) : NULL;
}

static enum err say_too_big(struct err_text *why, const char *coding, const struct buf *out)
{
	return err_set(why, ERR_TOO_BIG, "the %s body decodes to more than %zu bytes%s", coding,
		       out->max,
		       out->max < LIMIT_DECODED_BODY_BYTES
			       ? ", which the bodies of all users of this load thread leave"
			       : "");
}

static enum err prepare_zlib(struct decoder *d, int window)
{
	int rc = d->has_zlib ? inflateReset2(&d->zlib, window) : inflateInit2(&d->zlib, window);

	d->has_zlib = d->has_zlib || rc == Z_OK;
	return rc == Z_OK ? OK : ERR_NO_MEMORY;
}

/* After the end of a gzip member: another one (RFC 1952 2.2). Other bytes are passed over, as
 * Python's clients do. */
static bool has_next_member(const z_stream *z)
{
	return z->avail_in >= 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b;
}

static enum err run_zlib(struct decoder *d, int window, const char *coding, struct str body,
			 struct buf *out, struct err_text *why)
{
	z_stream *z = &d->zlib;
	enum err err = prepare_zlib(d, window);

	if (err)
		return err;
	z->next_in = (const Bytef *)body.p;
	z->avail_in = (uInt)body.len;
	for (;;) {
		char spare[1];
		size_t room;
		char *to = step_room(out, &room);
		int rc;

		/* At the limit one byte more is asked for, to tell an end from a bomb. */
		z->next_out = (Bytef *)(to ? to : spare);
		z->avail_out = (uInt)(to ? room : sizeof(spare));
		rc = inflate(z, Z_NO_FLUSH);
		if (!to && !z->avail_out)
			return say_too_big(why, coding, out);
		if (to)
			out->len += room - z->avail_out;
		if (rc == Z_STREAM_END) {
			if (window != WINDOW_GZIP || !has_next_member(z))
				return OK;
			if (inflateReset(z) != Z_OK)
				return ERR_NO_MEMORY;
		} else if (rc == Z_BUF_ERROR || (rc == Z_OK && !z->avail_in && z->avail_out)) {
			return say_cut_off(why, coding);
		} else if (rc != Z_OK) {
			return say_corrupt(why, coding);
		}
	}
}

static enum err run_brotli(struct str body, struct buf *out, struct err_text *why)
{
	BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	const uint8_t *in = (const uint8_t *)body.p;
	size_t left = body.len;
	enum err err = state ? OK : ERR_NO_MEMORY;
	BrotliDecoderResult rc = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;

	while (!err && rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
		char spare[1];
		size_t room;
		char *to = step_room(out, &room);
		uint8_t *next = (uint8_t *)(to ? to : spare);
		size_t free_bytes = to ? room : sizeof(spare);

		rc = BrotliDecoderDecompressStream(state, &left, &in, &free_bytes, &next, NULL);
		if (!to && !free_bytes)
			err = say_too_big(why, "br", out);
		if (to)
			out->len += room - free_bytes;
	}
	if (!err && rc == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
		err = say_cut_off(why, "br");
	else if (!err && rc == BROTLI_DECODER_RESULT_ERROR)
		err = say_corrupt(why, "br");
	BrotliDecoderDestroyInstance(state);
	return err;
}

/* RFC 1950 2.2: the method is 8 and the two bytes are a multiple of 31. */
static bool is_zlib_format(struct str body)
{
	const unsigned char *p = (const unsigned char *)body.p;

	return body.len >= 2 && (p[0] & 0x0f) == 8 && ((unsigned)p[0] * 256 + p[1]) % 31 == 0;
}

static enum err run(struct decoder *d, struct str coding, struct str body, struct buf *out,
		    struct err_text *why)
{
	if (str_case_eq(coding, "gzip") || str_case_eq(coding, "x-gzip"))
		return run_zlib(d, WINDOW_GZIP, "gzip", body, out, why);
	if (str_case_eq(coding, "deflate"))
		return run_zlib(d, is_zlib_format(body) ? WINDOW_ZLIB : WINDOW_RAW, "deflate", body,
				out, why);
	if (str_case_eq(coding, "br"))
		return run_brotli(body, out, why);
	return err_set(
		why, ERR_UNSUPPORTED,
		"the body's coding '%.*s' is none of gzip, deflate, br, which were asked for",
		coding.len < 100 ? (int)coding.len : 100, coding.p);
}

static size_t room_left(const struct decoder *d)
{
	size_t left = d->lent_bytes < LIMIT_BODIES_BYTES ? LIMIT_BODIES_BYTES - d->lent_bytes : 0;

	return left < LIMIT_DECODED_BODY_BYTES ? left : LIMIT_DECODED_BODY_BYTES;
}

enum err decoder_run(struct decoder *d, struct str coding, struct str body, struct decoded **out,
		     struct err_text *why)
{
	enum err err;

	ensure(body.len <= UINT32_MAX);
	*out = NULL;
	if (str_case_eq(coding, "identity"))
		return OK;
	*out = acquire(d);
	(*out)->bytes.max = room_left(d);
	err = run(d, coding, body, &(*out)->bytes, why);
	/* Even an empty body is followed by a NUL. */
	buf_add(&(*out)->bytes, "", 0);
	if (err) {
		decoder_release(d, out);
		return err;
	}
	(*out)->lent_bytes = (*out)->bytes.cap;
	d->lent_bytes += (*out)->lent_bytes;
	return OK;
}
