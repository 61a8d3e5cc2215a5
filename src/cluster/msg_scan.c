/* SPDX-License-Identifier: MIT
 *
 * msg_scan - see the header. Depth is a stack of counters, not recursion. */
#include "cluster/msg_scan.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

struct scan {
	const unsigned char *p, *end;
	uint64_t left[LIMIT_MESSAGE_DEPTH]; /* objects still missing per open container */
	size_t depth;
	uint64_t objects;
};

enum shape { SHAPE_PLAIN, SHAPE_TEXT, SHAPE_ARRAY, SHAPE_MAP, SHAPE_BAD };

/* What follows a type byte: a length of length_bytes (0: none, `length` holds), and then as
 * many bytes or objects as the length says. */
struct head {
	enum shape shape;
	unsigned length_bytes;
	uint64_t length;
};

static struct head read_type(unsigned char byte)
{
	static const struct head heads[32] = {
		[0x00] = { SHAPE_PLAIN, 0, 0 }, /* nil */
		[0x01] = { SHAPE_BAD, 0, 0 },	/* never used */
		[0x02] = { SHAPE_PLAIN, 0, 0 }, /* false */
		[0x03] = { SHAPE_PLAIN, 0, 0 }, /* true */
		[0x04] = { SHAPE_PLAIN, 1, 0 }, /* bin 8, 16, 32 */
		[0x05] = { SHAPE_PLAIN, 2, 0 }, [0x06] = { SHAPE_PLAIN, 4, 0 },
		[0x07] = { SHAPE_BAD, 0, 0 }, /* ext 8, 16, 32 */
		[0x08] = { SHAPE_BAD, 0, 0 },	[0x09] = { SHAPE_BAD, 0, 0 },
		[0x0a] = { SHAPE_PLAIN, 0, 4 },					/* float 32, 64 */
		[0x0b] = { SHAPE_PLAIN, 0, 8 }, [0x0c] = { SHAPE_PLAIN, 0, 1 }, /* uint 8 to 64 */
		[0x0d] = { SHAPE_PLAIN, 0, 2 }, [0x0e] = { SHAPE_PLAIN, 0, 4 },
		[0x0f] = { SHAPE_PLAIN, 0, 8 }, [0x10] = { SHAPE_PLAIN, 0, 1 }, /* int 8 to 64 */
		[0x11] = { SHAPE_PLAIN, 0, 2 }, [0x12] = { SHAPE_PLAIN, 0, 4 },
		[0x13] = { SHAPE_PLAIN, 0, 8 }, [0x14] = { SHAPE_BAD, 0, 0 }, /* fixext 1 to 16 */
		[0x15] = { SHAPE_BAD, 0, 0 },	[0x16] = { SHAPE_BAD, 0, 0 },
		[0x17] = { SHAPE_BAD, 0, 0 },	[0x18] = { SHAPE_BAD, 0, 0 },
		[0x19] = { SHAPE_TEXT, 1, 0 }, /* str 8, 16, 32 */
		[0x1a] = { SHAPE_TEXT, 2, 0 },	[0x1b] = { SHAPE_TEXT, 4, 0 },
		[0x1c] = { SHAPE_ARRAY, 2, 0 },				      /* array 16, 32 */
		[0x1d] = { SHAPE_ARRAY, 4, 0 }, [0x1e] = { SHAPE_MAP, 2, 0 }, /* map 16, 32 */
		[0x1f] = { SHAPE_MAP, 4, 0 },
	};

	if (byte < 0x80 || byte >= 0xe0)
		return (struct head){ SHAPE_PLAIN, 0, 0 };
	if (byte < 0x90)
		return (struct head){ SHAPE_MAP, 0, byte & 0x0f };
	if (byte < 0xa0)
		return (struct head){ SHAPE_ARRAY, 0, byte & 0x0f };
	if (byte < 0xc0)
		return (struct head){ SHAPE_TEXT, 0, byte & 0x1f };
	return heads[byte - 0xc0];
}

static uint64_t left_bytes(const struct scan *s)
{
	return (uint64_t)(s->end - s->p);
}

/* One type byte and what belongs to it, without the elements of containers. */
static enum err scan_object(struct scan *s, struct err_text *text)
{
	struct head head = read_type(*s->p++);
	uint64_t length = head.length;

	if (head.shape == SHAPE_BAD)
		return err_set(text, ERR_BAD_INPUT, "type byte 0x%02x is not for messages",
			       s->p[-1]);
	if (left_bytes(s) < head.length_bytes)
		return err_set(text, ERR_BAD_INPUT, "cut off inside a length");
	for (unsigned i = 0; i < head.length_bytes; i++)
		length = length << 8 | *s->p++;
	/* Each element takes at least one byte. */
	if (length > left_bytes(s))
		return err_set(text, ERR_BAD_INPUT,
			       "cut off: a length of %" PRIu64 ", %" PRIu64 " bytes left", length,
			       left_bytes(s));
	if (head.shape == SHAPE_ARRAY || head.shape == SHAPE_MAP) {
		if (s->depth == LIMIT_MESSAGE_DEPTH)
			return err_set(text, ERR_BAD_INPUT, "nested deeper than %d",
				       LIMIT_MESSAGE_DEPTH);
		s->left[s->depth++] = head.shape == SHAPE_MAP ? 2 * length : length;
		return OK;
	}
	if (head.shape == SHAPE_TEXT && !str_is_utf8((struct str){ (const char *)s->p, length }))
		return err_set(text, ERR_BAD_INPUT, "text that is not UTF-8");
	s->p += length;
	return OK;
}

/* One object with all that is in it. */
static enum err scan_whole(struct scan *s, struct err_text *text)
{
	do {
		enum err err;

		if (s->p == s->end)
			return err_set(text, ERR_BAD_INPUT, "cut off");
		if (++s->objects > LIMIT_MESSAGE_OBJECTS)
			return err_set(text, ERR_TOO_BIG, "more than %d objects in a frame",
				       LIMIT_MESSAGE_OBJECTS);
		if (s->depth)
			s->left[s->depth - 1]--;
		err = scan_object(s, text);
		if (err)
			return err;
		while (s->depth && !s->left[s->depth - 1])
			s->depth--;
	} while (s->depth);
	return OK;
}

static struct scan scan_of(struct str frame)
{
	const unsigned char *p = (const unsigned char *)frame.p;

	return (struct scan){ .p = p, .end = p + frame.len };
}

enum err msg_scan(struct str frame, struct err_text *text)
{
	struct scan s = scan_of(frame);
	enum err err;

	if (frame.len > LIMIT_MESSAGE_BYTES)
		return err_set(text, ERR_TOO_BIG, "frame of %zu bytes, the limit is %d", frame.len,
			       LIMIT_MESSAGE_BYTES);
	err = scan_whole(&s, text);
	if (err)
		return err;
	if (s.p != s.end)
		return err_set(text, ERR_BAD_INPUT, "%" PRIu64 " bytes behind the message",
			       left_bytes(&s));
	return OK;
}

struct str msg_scan_data(struct str frame)
{
	struct scan s = scan_of(frame);
	const unsigned char *data;

	/* The array's head; then its elements are objects of their own. */
	ensure(scan_object(&s, NULL) == OK);
	s.depth = 0;
	ensure(scan_whole(&s, NULL) == OK);
	data = s.p;
	ensure(scan_whole(&s, NULL) == OK);
	return (struct str){ (const char *)data, (size_t)(s.p - data) };
}
