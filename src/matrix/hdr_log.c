/* SPDX-License-Identifier: MIT
 *
 * hdr_log - see the header.
 *
 * The encoding as HdrHistogram's own sources have it. All numbers big endian:
 *
 *	compressed	cookie 0x1c849314, length, that many bytes of zlib, which are:
 *	histogram	cookie 0x1c849313, length of the counts, normalizing offset 0, digits 3,
 *			lowest value 1 (64 bit), highest (64 bit), conversion ratio 1.0 (a double)
 *	counts		a ZigZag LEB128 of at most 9 bytes for each bucket; below 0: so many empty
 *			ones */
#include "matrix/hdr_log.h"

#include <zlib.h>

#include "base/base64.h"
#include "base/limits.h"

#define COOKIE_V2	 0x1c849313u
#define COOKIE_ZLIB	 0x1c849314u
#define HEAD_BYTES	 40u
#define DIGITS		 3u
#define BUCKETS		 (HIST_SLABS * HIST_SLAB_BUCKETS)
#define COUNTS_BYTES_MAX (9u * BUCKETS)
#define FIELD_HISTOGRAM	 3 /* of a line: start, length, maximum, histogram */

static void put_number(struct buf *out, uint64_t number, unsigned bytes)
{
	for (unsigned i = bytes; i--;)
		buf_add_char(out, (char)(number >> 8 * i & 0xff));
}

static void put_count(struct buf *out, int64_t count)
{
	uint64_t zigzag = (uint64_t)count << 1 ^ (uint64_t)(count >> 63);

	for (unsigned i = 0; i < 8 && zigzag >> 7; i++, zigzag >>= 7)
		buf_add_char(out, (char)((zigzag & 0x7f) | 0x80));
	/* The ninth byte has all eight bits. */
	buf_add_char(out, (char)zigzag);
}

static uint64_t count_at(const struct hist *h, size_t bucket)
{
	const uint64_t *slab = h->slabs[bucket / HIST_SLAB_BUCKETS];

	return slab ? slab[bucket % HIST_SLAB_BUCKETS] : 0;
}

static void put_counts(const struct hist *h, struct buf *out)
{
	size_t empty = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		uint64_t count = count_at(h, i);

		if (!count) {
			empty++;
			continue;
		}
		if (empty)
			put_count(out, empty == 1 ? 0 : -(int64_t)empty);
		empty = 0;
		put_count(out, (int64_t)count);
	}
}

static void put_histogram(const struct hist *h, struct buf *out)
{
	const double ratio = 1;
	struct buf counts;
	uint64_t bits;

	buf_init(&counts, COUNTS_BYTES_MAX);
	put_counts(h, &counts);
	memcpy(&bits, &ratio, sizeof(bits));
	put_number(out, COOKIE_V2, 4);
	put_number(out, counts.len, 4);
	put_number(out, 0, 4);
	put_number(out, DIGITS, 4);
	put_number(out, 1, 8);
	put_number(out, HIST_MAX_US, 8);
	put_number(out, bits, 8);
	buf_add_str(out, buf_str(&counts));
	buf_fini(&counts);
}

static void put_compressed(const struct hist *h, struct buf *out)
{
	struct buf plain, packed;
	uLongf len;
	char *to;

	buf_init(&plain, HEAD_BYTES + COUNTS_BYTES_MAX);
	put_histogram(h, &plain);
	len = compressBound(plain.len);
	buf_init(&packed, len);
	to = buf_room(&packed, len);
	ensure(to && compress2((Bytef *)to, &len, (const Bytef *)plain.p, plain.len,
			       Z_BEST_COMPRESSION) == Z_OK);
	put_number(out, COOKIE_ZLIB, 4);
	put_number(out, len, 4);
	buf_add(out, to, len);
	buf_fini(&packed);
	buf_fini(&plain);
}

static double max_us(const struct hist *h)
{
	return (double)hist_percentile_us(h, 1);
}

void hdr_log_add(const struct hist *h, const struct hdr_log_interval *interval, struct buf *out)
{
	struct buf bytes;

	buf_init(&bytes, LIMIT_EVIDENCE_BYTES);
	put_compressed(h, &bytes);
	buf_printf(out,
		   "#[Histogram log format version 1.3]\n#[StartTime: %.3f (seconds since epoch)]\n"
		   "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
		   "\"Interval_Compressed_Histogram\"\n0.000,%.3f,%.3f,",
		   interval->wall_start_s, interval->duration_s, max_us(h));
	base64_add(buf_str(&bytes), out);
	buf_add_char(out, '\n');
	buf_fini(&bytes);
}

/* ---- reading ---- */

struct reader {
	struct str rest;
	struct err_text *why;
};

static enum err broken(struct reader *r, const char *what)
{
	return err_set(r->why, ERR_BAD_INPUT, "the histogram %s", what);
}

static bool take_number(struct reader *r, unsigned bytes, uint64_t *out)
{
	if (r->rest.len < bytes)
		return false;
	*out = 0;
	for (unsigned i = 0; i < bytes; i++)
		*out = *out << 8 | (unsigned char)r->rest.p[i];
	r->rest.p += bytes;
	r->rest.len -= bytes;
	return true;
}

static bool take_count(struct reader *r, int64_t *out)
{
	uint64_t zigzag = 0, byte = 0x80;

	for (unsigned i = 0; i < 9 && byte & 0x80; i++) {
		if (!take_number(r, 1, &byte))
			return false;
		zigzag |= (i < 8 ? byte & 0x7f : byte) << 7 * i;
	}
	*out = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
	return true;
}

/* The middle of a bucket, in which hist_add() puts it again. */
static uint64_t value_of(size_t bucket)
{
	unsigned extra = (unsigned)(bucket / HIST_SLAB_BUCKETS);

	return extra < 2 ? bucket
			 : (uint64_t)(bucket - HIST_SLAB_BUCKETS * (extra - 1)) << (extra - 1);
}

static enum err read_counts(struct reader *r, struct hist *out)
{
	size_t bucket = 0;
	int64_t count;

	while (r->rest.len) {
		if (!take_count(r, &count))
			return broken(r, "is cut off");
		/* INT64_MIN, too, is large without its sign. */
		if (bucket == BUCKETS || (count < 0 && -(uint64_t)count > BUCKETS - bucket))
			return broken(r, "has more buckets than values");
		if (count <= 0) {
			bucket += count ? (size_t)-count : 1;
			continue;
		}
		if ((uint64_t)count > LIMIT_MESSAGE_COUNT)
			return broken(r, "has a count out of bounds");
		hist_add(out, value_of(bucket++), (uint64_t)count);
	}
	return OK;
}

static enum err read_histogram(struct reader *r, struct hist *out)
{
	uint64_t cookie, len, offset, digits, lowest, highest, ratio;

	if (!take_number(r, 4, &cookie) || !take_number(r, 4, &len) ||
	    !take_number(r, 4, &offset) || !take_number(r, 4, &digits) ||
	    !take_number(r, 8, &lowest) || !take_number(r, 8, &highest) ||
	    !take_number(r, 8, &ratio))
		return broken(r, "is cut off");
	if (cookie != COOKIE_V2 || len != r->rest.len)
		return broken(r, "is not in the V2 encoding");
	/* The offset is 0, but for one writer that says 1 and means the same. */
	if (offset > 1 || digits != DIGITS || lowest != 1 || highest > HIST_MAX_US)
		return err_set(r->why, ERR_UNSUPPORTED,
			       "a histogram of %u digits from 1 to %llu us is wanted", DIGITS,
			       HIST_MAX_US);
	return read_counts(r, out);
}

static enum err read_compressed(struct reader *r, struct hist *out)
{
	uLongf plain_len = HEAD_BYTES + COUNTS_BYTES_MAX;
	uint64_t cookie, len;
	enum err err = OK;
	struct buf plain;
	char *to;

	if (!take_number(r, 4, &cookie) || !take_number(r, 4, &len))
		return broken(r, "is cut off");
	if (cookie != COOKIE_ZLIB || len != r->rest.len)
		return broken(r, "is not in the compressed V2 encoding");
	buf_init(&plain, plain_len);
	to = buf_room(&plain, plain_len);
	ensure(to);
	if (uncompress((Bytef *)to, &plain_len, (const Bytef *)r->rest.p, r->rest.len) != Z_OK) {
		err = broken(r, "cannot be decompressed");
	} else {
		r->rest = (struct str){ to, plain_len };
		err = read_histogram(r, out);
	}
	buf_fini(&plain);
	return err;
}

/* The cell with the histogram of the first line that is neither comment nor title. */
static bool find_histogram(struct str text, struct str *out)
{
	struct str line;

	while (text.len && str_cut(&text, '\n', &line)) {
		if (!line.len || *line.p == '#' || *line.p == '"')
			continue;
		for (int i = 0; i <= FIELD_HISTOGRAM; i++)
			if (!str_cut(&line, ',', out))
				return false;
		return true;
	}
	return false;
}

enum err hdr_log_read(struct str text, struct hist *out, struct err_text *why)
{
	struct reader r = { .why = why };
	struct str cell;
	struct buf bytes;
	enum err err;

	if (!find_histogram(text, &cell))
		return err_set(why, ERR_BAD_INPUT, "there is no interval in the log");
	buf_init(&bytes, LIMIT_EVIDENCE_BYTES);
	if (!base64_read(cell, &bytes) || bytes.is_full) {
		err = broken(&r, "is not base64");
	} else {
		r.rest = buf_str(&bytes);
		err = read_compressed(&r, out);
	}
	buf_fini(&bytes);
	return err;
}
