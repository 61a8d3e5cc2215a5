/* SPDX-License-Identifier: MIT
 *
 * response - see the header.
 *
 * The head is cut into lines eight bytes at a time, and each line is parsed when it is complete:
 * status line, header lines, empty line. Only the headers that steer framing, reuse or the
 * client are understood; the others are checked and passed over, and can be visited later,
 * since most requests never ask for them. Chunk lines and trailers are a handful of bytes
 * between long runs, so there a switch per byte is the simplest thing that may be cut
 * anywhere.
 *
 * The limits apply to offsets and not to what happened to be received, otherwise the
 * outcome would depend on the cutting. */
#include "http/response.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "base/limits.h"
#include "base/num.h"

/* No body is larger; keeps sums of lengths far from overflow. */
#define BODY_BYTES_MAX ((uint64_t)INT64_MAX)

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))

/* Where in a chunked body the next byte belongs. */
enum chunk_state {
	CHUNK_SIZE_FIRST, /* first digit of a size */
	CHUNK_SIZE,	  /* further digits */
	CHUNK_SIZE_BLANK, /* blanks after them */
	CHUNK_EXTENSION,  /* after a semicolon, up to the end of line */
	CHUNK_SIZE_LF,	  /* a CR was seen in the size line */
	CHUNK_BYTES,	  /* `left` bytes of body */
	CHUNK_END,	  /* CRLF or LF after them */
	CHUNK_END_LF,
	TRAILER_FIRST, /* first byte of a trailer line or of the final empty line */
	TRAILER_LINE,
	TRAILER_LINE_LF,
	TRAILER_END_LF, /* LF of the final empty line */
	CHUNKED_DONE
};

static const bool is_token_char[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
	['#'] = true,	      ['$'] = true,	    ['%'] = true,	  ['&'] = true,
	['\''] = true,	      ['*'] = true,	    ['+'] = true,	  ['-'] = true,
	['.'] = true,	      ['^'] = true,	    ['_'] = true,	  ['`'] = true,
	['|'] = true,	      ['~'] = true,
};

static const char *const fault_texts[HTTP_FAULT_COUNT] = {
	[HTTP_NO_FAULT] = "did nothing wrong",
#define FAULT(name, text) [HTTP_##name] = text,
#include "http/fault.def"
#undef FAULT
};

static_assert(LIMIT_RESPONSE_HEAD_BYTES == 64 * 1024 && LIMIT_RESPONSE_HEADERS == 128 &&
		      LIMIT_CHUNK_LINE_BYTES == 1024 && LIMIT_TRAILER_BYTES == 16 * 1024,
	      "fault.def has these in its texts");

const char *http_fault_text(enum http_fault fault)
{
	return (unsigned)fault < HTTP_FAULT_COUNT ? fault_texts[fault] : "did something unknown";
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char[(unsigned char)s.p[i]])
			return false;
	return s.len > 0;
}

void http_response_init(struct http_response *r, bool is_head_request)
{
	*r = (struct http_response){ .is_head_request = is_head_request };
}

static enum io fail(struct http_response *r, enum http_fault fault)
{
	r->fault = (uint8_t)fault;
	r->can_reuse = false;
	return IO_FAIL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* s has as many bytes as the text of small letters and hyphens, at least eight, and no CR: then
 * 0x20 is all that tells a capital from its small letter, and no other byte comes out as one of the
 * text. */
#define IS_NAME(s, text) is_name((s).p, text, sizeof(text) - 1)

static inline uint64_t word_at(const char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Eight bytes at a time; the last eight may overlap with those before. */
static inline bool is_name(const char *s, const char *text, size_t len)
{
	uint64_t differs = (word_at(s + len - 8) | EACH_BYTE(0x20)) ^ word_at(text + len - 8);

	for (size_t i = 0; i + 8 < len; i += 8)
		differs |= (word_at(s + i) | EACH_BYTE(0x20)) ^ word_at(text + i);
	return !differs;
}

/* Index of the next byte below 16 from `at` on, len if there is none: the three that end a line or
 * must not stand in one are there, and of all others only the tab is common. */
static size_t next_control(const char *bytes, size_t at, size_t len)
{
	/* "Determine if a word has a byte less than n", Anderson, Bit Twiddling Hacks; the lowest
	 * byte found is exact, and that is the first in memory. */
	for (; at + 8 <= len; at += 8) {
		uint64_t word = le64toh(word_at(bytes + at));
		uint64_t found = (word - EACH_BYTE(0x10)) & ~word & EACH_BYTE(0x80);

		if (found)
			return at + (size_t)__builtin_ctzll(found) / 8;
	}
	while (at < len && (unsigned char)bytes[at] >= 16)
		at++;
	return at;
}

/* Goes on to the end of the line. IO_OK: r->scanned is behind its LF, *line_len without its end. */
static enum io scan_line(struct http_response *r, const char *bytes, size_t len, size_t *line_len)
{
	size_t at = r->scanned;

	while ((at = next_control(bytes, at, len)) < len) {
		*line_len = at - r->line_at;
		if (bytes[at] == '\r') {
			if (at + 1 == len)
				break;
			if (bytes[++at] != '\n')
				return fail(r, HTTP_BARE_CR);
		}
		if (bytes[at] == '\n') {
			r->scanned = (uint32_t)at + 1;
			return IO_OK;
		}
		if (bytes[at] == '\0')
			return fail(r, HTTP_NUL_IN_LINE);
		at++;
	}
	r->scanned = (uint32_t)at;
	return IO_AGAIN;
}

/* True when a line that begins with these bytes can still be a status line. */
static bool starts_like_http(const char *line, size_t len)
{
	return memcmp(line, "HTTP/", len < 5 ? len : 5) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the reason, even the blank before it, may be missing. */
static enum http_fault parse_status_line(struct http_response *r, const char *bytes, size_t len)
{
	const char *line = bytes + r->line_at;

	if (len < 9)
		return HTTP_BAD_STATUS_LINE;
	if (memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]))
		return HTTP_BAD_VERSION;
	if (line[8] != ' ')
		return HTTP_BAD_STATUS_LINE;
	if (len < 12 || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]) ||
	    line[9] == '0' || (len > 12 && line[12] != ' '))
		return HTTP_BAD_STATUS;
	/* A higher minor version is understood as 1.1 (RFC 9110 2.5). */
	r->minor_version = line[7] != '0';
	r->status = (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
	if (len > 13)
		r->reason = (struct http_slice){ r->line_at + 13, (uint32_t)len - 13 };
	return HTTP_NO_FAULT;
}

static enum http_fault read_length(struct http_response *r, struct str value)
{
	uint64_t length;

	if (!num_parse_u64(value, BODY_BYTES_MAX, &length))
		return HTTP_BAD_CONTENT_LENGTH;
	if (r->has_content_length && length != r->content_length)
		return HTTP_CONTENT_LENGTHS_DIFFER;
	r->has_content_length = true;
	r->content_length = length;
	return HTTP_NO_FAULT;
}

/* "5" or, from servers behind careless proxies, "5, 5" (RFC 9110 8.6). */
static enum http_fault read_content_length(struct http_response *r, struct str value)
{
	enum http_fault fault = read_length(r, value);
	struct str item;

	if (fault != HTTP_BAD_CONTENT_LENGTH)
		return fault;
	while (str_cut(&value, ',', &item)) {
		fault = read_length(r, str_trim(item));
		if (fault)
			return fault;
	}
	return HTTP_NO_FAULT;
}

/* We never send TE, so chunked is the only coding a server may apply. */
static enum http_fault read_transfer_encoding(struct http_response *r, struct str value)
{
	if (r->has_transfer_encoding || !str_case_eq(value, "chunked"))
		return HTTP_UNKNOWN_TRANSFER_CODING;
	r->has_transfer_encoding = true;
	return HTTP_NO_FAULT;
}

static void read_connection(struct http_response *r, struct str value)
{
	struct str item;

	/* What nearly all say who say anything. */
	if (value.len == 10 && IS_NAME(value, "keep-alive")) {
		r->wants_keep_alive = true;
		return;
	}
	while (str_cut(&value, ',', &item)) {
		item = str_trim(item);
		if (str_case_eq(item, "close"))
			r->wants_close = true;
		else if (str_case_eq(item, "keep-alive"))
			r->wants_keep_alive = true;
	}
}

static enum http_fault read_header(struct http_response *r, const char *bytes, struct str name,
				   struct str value)
{
	struct http_slice slice = { (uint32_t)(value.p - bytes), (uint32_t)value.len };

	/* By length first: nearly every line is told apart by that alone. */
	switch (name.len) {
	case 8:
		if (IS_NAME(name, "location"))
			r->location = slice;
		break;
	case 10:
		if (IS_NAME(name, "connection"))
			read_connection(r, value);
		else if (IS_NAME(name, "set-cookie"))
			r->has_set_cookie = true;
		break;
	case 12:
		if (IS_NAME(name, "content-type"))
			r->content_type = slice;
		break;
	case 14:
		if (IS_NAME(name, "content-length"))
			return read_content_length(r, value);
		break;
	case 16:
		if (IS_NAME(name, "content-encoding"))
			r->content_encoding = slice;
		break;
	case 17:
		if (IS_NAME(name, "transfer-encoding"))
			return read_transfer_encoding(r, value);
		break;
	}
	return HTTP_NO_FAULT;
}

static enum http_fault fault_of_header(const char *line, size_t len)
{
	if (is_blank(line[0]))
		return HTTP_FOLDED_HEADER;
	return memchr(line, ':', len) ? HTTP_BAD_HEADER_NAME : HTTP_HEADER_WITHOUT_COLON;
}

/* Cuts a line into name and value without the blanks around it. Its end stands behind it, and is
 * neither a blank nor a byte of a token. */
static inline enum http_fault split_header(const char *line, size_t len, struct str *name,
					   struct str *value)
{
	size_t at = 0;

	while (is_token_char[(unsigned char)line[at]])
		at++;
	if (at == 0 || line[at] != ':')
		return fault_of_header(line, len);
	*name = (struct str){ line, at++ };
	while (is_blank(line[at]))
		at++;
	while (len > at && is_blank(line[len - 1]))
		len--;
	*value = (struct str){ line + at, len - at };
	return HTTP_NO_FAULT;
}

static enum http_fault parse_header(struct http_response *r, const char *bytes, size_t len)
{
	const char *line = bytes + r->line_at;
	struct str name, value;
	enum http_fault fault;

	if (r->header_count++ == LIMIT_RESPONSE_HEADERS)
		return HTTP_TOO_MANY_HEADERS;
	fault = split_header(line, len, &name, &value);
	return fault ? fault : read_header(r, bytes, name, value);
}

/* RFC 9112 6.3: how the end of the body is found, and 9.3: whether the connection lives on. */
static void decide_framing(struct http_response *r)
{
	r->can_reuse = !r->wants_close && (r->minor_version || r->wants_keep_alive);
	if (r->has_transfer_encoding && (r->has_content_length || !r->minor_version))
		r->can_reuse = false;
	if (r->is_head_request || r->status == 204 || r->status == 304) {
		r->framing = HTTP_BODY_NONE;
	} else if (r->has_transfer_encoding) {
		r->framing = HTTP_BODY_CHUNKED;
		r->chunk_state = CHUNK_SIZE_FIRST;
	} else if (r->has_content_length) {
		r->framing = HTTP_BODY_LENGTH;
		r->left = r->content_length;
	} else {
		r->framing = HTTP_BODY_UNTIL_CLOSE;
		r->can_reuse = false;
	}
}

/* The empty line. Returns true when a final head is complete; a skipped 1xx leaves the
 * parser as after init, except for where it stands. */
static bool end_head(struct http_response *r)
{
	uint32_t at = r->line_at;

	if (r->status < 200) {
		http_response_init(r, r->is_head_request);
		r->line_at = r->scanned = at;
		return false;
	}
	r->head_bytes = at;
	r->headers.len = at - r->headers.at;
	decide_framing(r);
	r->is_head_done = true;
	return true;
}

/* One line of the head, without its line end. */
static enum http_fault take_line(struct http_response *r, const char *bytes, size_t len)
{
	enum http_fault fault;

	if (r->status)
		return parse_header(r, bytes, len);
	r->headers.at = r->scanned;
	fault = parse_status_line(r, bytes, len);
	if (!fault && r->status == 101)
		fault = HTTP_SWITCHED_PROTOCOL;
	return fault;
}

enum io http_response_head(struct http_response *r, const char *bytes, size_t len)
{
	size_t limit = len < LIMIT_RESPONSE_HEAD_BYTES ? len : LIMIT_RESPONSE_HEAD_BYTES;

	while (r->line_at < limit) {
		enum http_fault fault = HTTP_NO_FAULT;
		size_t line_len;
		enum io io;

		/* Early, so that a server of another protocol is named and not waited for. */
		if (!r->status && !starts_like_http(bytes + r->line_at, limit - r->line_at))
			return fail(r, HTTP_BAD_STATUS_LINE);
		io = scan_line(r, bytes, limit, &line_len);
		if (io == IO_AGAIN)
			break;
		if (io == IO_FAIL)
			return io;
		if (line_len)
			fault = take_line(r, bytes, line_len);
		if (fault)
			return fail(r, fault);
		r->line_at = r->scanned;
		if (!line_len && end_head(r))
			return IO_OK;
	}
	return limit == LIMIT_RESPONSE_HEAD_BYTES ? fail(r, HTTP_HEAD_TOO_BIG) : IO_AGAIN;
}

/* The end of a line that gave a chunk's size. */
static void end_chunk_line(struct http_response *r)
{
	r->line_bytes = 0;
	r->chunk_state = r->left ? CHUNK_BYTES : TRAILER_FIRST;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_fault take_chunk_size_byte(struct http_response *r, char c)
{
	int digit = hex_digit(c);
	bool is_first = r->chunk_state == CHUNK_SIZE_FIRST;

	if (digit >= 0 && r->chunk_state != CHUNK_SIZE_BLANK) {
		if (r->left > BODY_BYTES_MAX >> 4)
			return HTTP_CHUNK_TOO_BIG;
		r->left = r->left << 4 | (uint64_t)digit;
		r->chunk_state = CHUNK_SIZE;
	} else if (is_first) {
		return HTTP_BAD_CHUNK_SIZE;
	} else if (c == '\n') {
		end_chunk_line(r);
	} else if (c == '\r') {
		r->chunk_state = CHUNK_SIZE_LF;
	} else if (c == ';') {
		r->chunk_state = CHUNK_EXTENSION;
	} else if (is_blank(c)) {
		r->chunk_state = CHUNK_SIZE_BLANK;
	} else {
		return HTTP_BAD_CHUNK_SIZE;
	}
	return HTTP_NO_FAULT;
}

/* A byte that stands in a line whose text does not matter. */
static enum http_fault take_skipped_byte(struct http_response *r, char c, enum chunk_state after_cr)
{
	if (c == '\0')
		return HTTP_NUL_IN_LINE;
	if (c == '\r')
		r->chunk_state = (uint8_t)after_cr;
	return HTTP_NO_FAULT;
}

static enum http_fault take_chunk_line_byte(struct http_response *r, char c)
{
	if (++r->line_bytes > LIMIT_CHUNK_LINE_BYTES)
		return HTTP_CHUNK_LINE_TOO_LONG;
	if (r->chunk_state == CHUNK_SIZE_LF && c != '\n')
		return HTTP_BARE_CR;
	if (r->chunk_state != CHUNK_SIZE_LF && r->chunk_state != CHUNK_EXTENSION)
		return take_chunk_size_byte(r, c);
	if (c == '\n') {
		end_chunk_line(r);
		return HTTP_NO_FAULT;
	}
	return take_skipped_byte(r, c, CHUNK_SIZE_LF);
}

static enum http_fault take_chunk_end_byte(struct http_response *r, char c)
{
	if (c == '\n')
		r->chunk_state = CHUNK_SIZE_FIRST;
	else if (c == '\r' && r->chunk_state == CHUNK_END)
		r->chunk_state = CHUNK_END_LF;
	else
		return HTTP_CHUNK_UNENDED;
	return HTTP_NO_FAULT;
}

/* Trailers are bounded and passed over: nothing in them may change the reply any more. */
static enum http_fault take_trailer_byte(struct http_response *r, char c)
{
	bool is_first = r->chunk_state == TRAILER_FIRST, is_line = r->chunk_state == TRAILER_LINE;

	if (++r->line_bytes > LIMIT_TRAILER_BYTES)
		return HTTP_TRAILER_TOO_BIG;
	if (c == '\n') {
		r->chunk_state =
			is_first || r->chunk_state == TRAILER_END_LF ? CHUNKED_DONE : TRAILER_FIRST;
		return HTTP_NO_FAULT;
	}
	if (!is_first && !is_line)
		return HTTP_BARE_CR;
	r->chunk_state = TRAILER_LINE;
	return take_skipped_byte(r, c, is_first ? TRAILER_END_LF : TRAILER_LINE_LF);
}

static enum http_fault take_chunk_byte(struct http_response *r, char c)
{
	switch (r->chunk_state) {
	case CHUNK_END:
	case CHUNK_END_LF:
		return take_chunk_end_byte(r, c);
	case TRAILER_FIRST:
	case TRAILER_LINE:
	case TRAILER_LINE_LF:
	case TRAILER_END_LF:
		return take_trailer_byte(r, c);
	default:
		return take_chunk_line_byte(r, c);
	}
}

static enum io body_chunked(struct http_response *r, char *bytes, size_t len, size_t *used,
			    size_t *body_len)
{
	size_t at = 0, to = 0;
	enum http_fault fault = HTTP_NO_FAULT;

	while (at < len && !fault && r->chunk_state != CHUNKED_DONE) {
		size_t run = len - at < r->left ? len - at : (size_t)r->left;

		if (r->chunk_state != CHUNK_BYTES) {
			fault = take_chunk_byte(r, bytes[at++]);
			continue;
		}
		memmove(bytes + to, bytes + at, run);
		at += run;
		to += run;
		r->left -= run;
		if (!r->left)
			r->chunk_state = CHUNK_END;
	}
	*used = at;
	*body_len = to;
	r->body_bytes += to;
	if (fault)
		return fail(r, fault);
	return r->chunk_state == CHUNKED_DONE ? IO_OK : IO_AGAIN;
}

enum io http_response_body(struct http_response *r, char *bytes, size_t len, size_t *used,
			   size_t *body_len)
{
	size_t run = len;

	ensure(r->is_head_done);
	if (r->framing == HTTP_BODY_CHUNKED)
		return body_chunked(r, bytes, len, used, body_len);
	if (r->framing != HTTP_BODY_UNTIL_CLOSE && run > r->left)
		run = (size_t)r->left;
	if (r->framing != HTTP_BODY_UNTIL_CLOSE)
		r->left -= run;
	*used = *body_len = run;
	r->body_bytes += run;
	return r->framing == HTTP_BODY_UNTIL_CLOSE || r->left ? IO_AGAIN : IO_OK;
}

enum io http_response_eof(struct http_response *r)
{
	if (r->is_head_done && r->framing == HTTP_BODY_UNTIL_CLOSE)
		return IO_OK;
	if (r->is_head_done)
		return fail(r, HTTP_CLOSED_IN_BODY);
	return fail(r, r->scanned ? HTTP_CLOSED_IN_HEAD : HTTP_CLOSED_UNANSWERED);
}

bool http_response_next_header(const struct http_response *r, const char *bytes, size_t *at,
			       struct str *name, struct str *value)
{
	const char *line = bytes + r->headers.at + *at, *lf;
	size_t len;

	/* The last line is the empty one. */
	lf = memchr(line, '\n', r->headers.len - *at);
	if (!lf)
		return false;
	len = (size_t)(lf - line);
	*at += len + 1;
	len -= len && line[len - 1] == '\r';
	return len && !split_header(line, len, name, value);
}

bool http_response_header(const struct http_response *r, const char *bytes, const char *name,
			  struct str *value)
{
	struct str other;

	for (size_t at = 0; http_response_next_header(r, bytes, &at, &other, value);)
		if (str_case_eq(other, name))
			return true;
	return false;
}
