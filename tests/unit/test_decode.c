/* SPDX-License-Identifier: MIT
 *
 * Bodies in gzip, deflate and br: whole, cut at every byte, corrupt, and bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

/* Before zlib.h, of which it wants a certain form. */
#include "http/decode.c"

#include "base/limits.h"
#include "base/mem.h"

#define TEXT "Hello, hello, hello, decoded world"

#define GZIP_HEAD "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03"
#define RAW \
	"\xf3\x48\xcd\xc9\xc9\xd7\x51\xc8\x40\xa1\x52\x52\x93\xf3\x53\x52\x53\x14\xca\xf3\x8b\x72" \
	"\x52\x00"
#define GZIP_TAIL "\xd0\x1c\x6a\x21\x22\x00\x00\x00"
#define GZIP	  GZIP_HEAD RAW GZIP_TAIL
#define ZLIB	  "\x78\x9c" RAW "\xcd\xe7\x0c\x11"
#define BROTLI \
	"\x1b\x21\x00\x00\x04\x1c\x72\xa4\x9f\x47\x10\xc1\xdb\x6a\x45\x24\x99\x24\x1b\x69\x25\x1f" \
	"\x9d\xf5\xe1\xe9\x40\x82\x00"

/* A literal with its NUL bytes. */
#define BYTES(text) \
	(struct str) \
	{ \
		text, sizeof(text) - 1 \
	}

struct rig {
	struct decoder *decoder;
	struct err_text why;
};

static int begin(void **state)
{
	struct rig *rig = mem_zalloc(1, sizeof(*rig));

	rig->decoder = decoder_create();
	*state = rig;
	return 0;
}

static int end(void **state)
{
	struct rig *rig = *state;

	decoder_destroy(&rig->decoder);
	assert_null(rig->decoder);
	mem_free(rig);
	return 0;
}

static void expect(struct rig *rig, const char *coding, struct str body, const char *text)
{
	struct decoded *out;

	assert_int_equal(decoder_run(rig->decoder, str_of(coding), body, &out, &rig->why), OK);
	assert_non_null(out);
	assert_int_equal(out->bytes.len, strlen(text));
	assert_string_equal(out->bytes.p, text);
	decoder_release(rig->decoder, &out);
	assert_null(out);
}

static void expect_error(struct rig *rig, const char *coding, struct str body, enum err err,
			 const char *text)
{
	struct decoded *out;

	rig->why.text[0] = '\0';
	assert_int_equal(decoder_run(rig->decoder, str_of(coding), body, &out, &rig->why), err);
	assert_null(out);
	assert_non_null(strstr(rig->why.text, text));
}

static void all_codings_are_decoded(void **state)
{
	struct rig *rig = *state;
	struct decoded *out;

	/* Twice, for the state of the decoder is used again. */
	for (int i = 0; i < 2; i++) {
		expect(rig, "gzip", BYTES(GZIP), TEXT);
		expect(rig, "deflate", BYTES(ZLIB), TEXT);
		expect(rig, "deflate", BYTES(RAW), TEXT);
		expect(rig, "br", BYTES(BROTLI), TEXT);
		expect(rig, "X-GZip", BYTES(GZIP), TEXT);
		expect(rig, "gzip", BYTES(GZIP GZIP), TEXT TEXT);
		expect(rig, "gzip", BYTES(GZIP "padding"), TEXT);
		expect(rig, "br", BYTES("\x06"), "");
	}
	assert_int_equal(decoder_run(rig->decoder, str_of("identity"), BYTES("x"), &out, &rig->why),
			 OK);
	assert_null(out);
}

static void several_bodies_may_be_out(void **state)
{
	struct rig *rig = *state;
	struct decoded *first, *second;

	assert_int_equal(decoder_run(rig->decoder, str_of("gzip"), BYTES(GZIP), &first, &rig->why),
			 OK);
	assert_int_equal(decoder_run(rig->decoder, str_of("br"), BYTES(BROTLI), &second, &rig->why),
			 OK);
	assert_string_equal(first->bytes.p, TEXT);
	assert_string_equal(second->bytes.p, TEXT);
	decoder_release(rig->decoder, &first);
	decoder_release(rig->decoder, &second);
	decoder_release(rig->decoder, &second);
}

static void wrong_bodies_are_errors_in_words(void **state)
{
	static const struct {
		const char *coding;
		struct str body;
	} bodies[] = { { "gzip", { GZIP, sizeof(GZIP) - 1 } },
		       { "deflate", { ZLIB, sizeof(ZLIB) - 1 } },
		       { "deflate", { RAW, sizeof(RAW) - 1 } },
		       { "br", { BROTLI, sizeof(BROTLI) - 1 } } };
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		for (size_t len = 0; len < bodies[i].body.len; len++)
			expect_error(rig, bodies[i].coding, (struct str){ bodies[i].body.p, len },
				     ERR_BAD_INPUT, "ends before its end");
	expect_error(rig, "gzip", BYTES(TEXT), ERR_BAD_INPUT, "the gzip body is corrupt");
	expect_error(rig, "gzip", BYTES(GZIP_HEAD RAW "\xd0\x1c\x6a\x22\x22\x00\x00\x00"),
		     ERR_BAD_INPUT, "corrupt");
	expect_error(rig, "deflate", BYTES("\xff\xff\xff"), ERR_BAD_INPUT,
		     "the deflate body is corrupt");
	expect_error(rig, "br", BYTES("\xff\xff\xff\xff\xff"), ERR_BAD_INPUT,
		     "the br body is corrupt");
	expect_error(rig, "zstd", BYTES("x"), ERR_UNSUPPORTED, "'zstd'");
	expect_error(rig, "gzip, br", BYTES("x"), ERR_UNSUPPORTED, "'gzip, br'");
	expect(rig, "gzip", BYTES(GZIP), TEXT);
}

/* zeros: bytes of the body once decoded. */
static struct buf gzip_of_zeros(size_t zeros)
{
	static unsigned char block[1024 * 1024];
	z_stream z = { 0 };
	struct buf out;
	int rc = Z_OK;

	buf_init(&out, 1024 * 1024);
	assert_non_null(buf_room(&out, out.max));
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (unsigned char *)out.p;
	z.avail_out = (unsigned)out.max;
	while (rc == Z_OK) {
		z.next_in = block;
		z.avail_in = (unsigned)(zeros < sizeof(block) ? zeros : sizeof(block));
		zeros -= z.avail_in;
		rc = deflate(&z, zeros ? Z_NO_FLUSH : Z_FINISH);
	}
	assert_int_equal(rc, Z_STREAM_END);
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static void bombs_end_at_the_limit(void **state)
{
	struct buf bomb = gzip_of_zeros(LIMIT_DECODED_BODY_BYTES + 1);
	struct buf most = gzip_of_zeros(LIMIT_DECODED_BODY_BYTES);
	struct rig *rig = *state;
	struct decoded *out;

	expect_error(rig, "gzip", buf_str(&bomb), ERR_TOO_BIG, "more than 67108864 bytes");
	assert_int_equal(decoder_run(rig->decoder, str_of("gzip"), buf_str(&most), &out, &rig->why),
			 OK);
	assert_int_equal(out->bytes.len, LIMIT_DECODED_BODY_BYTES);
	decoder_release(rig->decoder, &out);
	buf_fini(&bomb);
	buf_fini(&most);
}

/* What is lent counts, however small its bodies were on the way. */
static void bombs_of_many_users_end_at_a_limit_of_all(void **state)
{
	enum { BODIES = LIMIT_BODIES_BYTES / LIMIT_DECODED_BODY_BYTES };
	struct buf most = gzip_of_zeros(LIMIT_DECODED_BODY_BYTES);
	struct rig *rig = *state;
	struct decoded *out;

	/* The last of them finds less room than it needs. */
	rig->decoder->lent_bytes = (BODIES - 1) * (size_t)LIMIT_DECODED_BODY_BYTES + 1;
	expect_error(rig, "gzip", buf_str(&most), ERR_TOO_BIG, "of all users");
	expect_error(rig, "br", (struct str){ "\x1b\x21", 2 }, ERR_BAD_INPUT, "before its end");
	rig->decoder->lent_bytes = 0;
	assert_int_equal(decoder_run(rig->decoder, str_of("gzip"), BYTES(GZIP), &out, &rig->why),
			 OK);
	assert_int_equal(rig->decoder->lent_bytes, out->bytes.cap);
	decoder_release(rig->decoder, &out);
	assert_int_equal(rig->decoder->lent_bytes, 0);
	buf_fini(&most);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_codings_are_decoded, begin, end),
		cmocka_unit_test_setup_teardown(several_bodies_may_be_out, begin, end),
		cmocka_unit_test_setup_teardown(wrong_bodies_are_errors_in_words, begin, end),
		cmocka_unit_test_setup_teardown(bombs_end_at_the_limit, begin, end),
		cmocka_unit_test_setup_teardown(bombs_of_many_users_end_at_a_limit_of_all, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
