/* SPDX-License-Identifier: MIT
 *
 * sources - see the header. Addresses of both families are counted through as big-endian numbers
 * of 4 or 16 bytes. */
#include "net/sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"

#define OPTION "--source-addresses"
/* Of a wrong part that a message repeats. */
#define SHOWN_BYTES_MAX 100

struct number {
	unsigned char bytes[16];
	size_t len; /* 4: IPv4, 16: IPv6 */
};

static struct str shown(struct str part)
{
	return (struct str){ part.p, part.len < SHOWN_BYTES_MAX ? part.len : SHOWN_BYTES_MAX };
}

static bool read_number(struct str text, struct number *out)
{
	char copy[INET6_ADDRSTRLEN];

	*out = (struct number){ .len = 4 };
	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	if (strlen(copy) != text.len)
		return false;
	if (inet_pton(AF_INET, copy, out->bytes) == 1)
		return true;
	out->len = 16;
	return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

static void write_number(const struct number *n, char text[INET6_ADDRSTRLEN])
{
	ensure(inet_ntop(n->len == 4 ? AF_INET : AF_INET6, n->bytes, text, INET6_ADDRSTRLEN));
}

static void step_up(struct number *n)
{
	for (size_t i = n->len; i-- > 0 && ++n->bytes[i] == 0;)
		;
}

static void step_down(struct number *n)
{
	for (size_t i = n->len; i-- > 0 && n->bytes[i]-- == 0;)
		;
}

static int compare(const struct number *a, const struct number *b)
{
	return memcmp(a->bytes, b->bytes, a->len);
}

/* The one that stands for all addresses, and those of several machines, are nobody's. */
static bool can_be_source(const struct number *n)
{
	static const unsigned char zero[16];

	if (memcmp(n->bytes, zero, n->len) == 0)
		return false;
	if (n->len == 4)
		return n->bytes[0] < 224;
	/* Nor are those that are IPv4's in another form. */
	return n->bytes[0] != 0xff && (memcmp(n->bytes, zero, 10) != 0 || n->bytes[10] != 0xff);
}

static bool is_known(const struct sources *s, const struct number *n)
{
	const unsigned char *first =
		n->len == 4 ? (const unsigned char *)s->v4 : (const unsigned char *)s->v6;
	size_t count = n->len == 4 ? s->v4_count : s->v6_count;

	for (size_t i = 0; i < count; i++)
		if (memcmp(first + i * n->len, n->bytes, n->len) == 0)
			return true;
	return false;
}

static enum err add(struct sources *s, const struct number *n, struct err_text *why)
{
	char text[INET6_ADDRSTRLEN];

	write_number(n, text);
	if (s->v4_count + s->v6_count == LIMIT_SOURCE_ADDRESSES)
		return err_set(why, ERR_BAD_OPTION,
			       OPTION ": %s would be one more than the %d "
				      "addresses there may be",
			       text, LIMIT_SOURCE_ADDRESSES);
	if (!can_be_source(n))
		return err_set(why, ERR_BAD_OPTION,
			       OPTION ": nothing can come from %s; leave it out", text);
	if (is_known(s, n))
		return err_set(why, ERR_BAD_OPTION, OPTION ": %s is there twice; leave one out",
			       text);
	if (n->len == 4)
		memcpy(&s->v4[s->v4_count++], n->bytes, n->len);
	else
		memcpy(&s->v6[s->v6_count++], n->bytes, n->len);
	return OK;
}

static enum err add_range(struct sources *s, struct number at, const struct number *last,
			  struct err_text *why)
{
	enum err err;

	while (!(err = add(s, &at, why)) && compare(&at, last) < 0)
		step_up(&at);
	return err;
}

static enum err refuse(struct str part, struct err_text *why)
{
	return err_set(why, ERR_BAD_OPTION,
		       OPTION ": '%.*s' is no address; give addresses, ranges and networks, as in "
			      "10.0.0.7,127.0.0.2-127.0.0.9,10.1.0.0/29",
		       STR_ARG(shown(part)));
}

/* "10.0.0.0/29" */
static enum err add_network(struct sources *s, struct str part, const char *slash,
			    struct err_text *why)
{
	struct str base = { part.p, (size_t)(slash - part.p) };
	struct str bits_text = { slash + 1, part.len - base.len - 1 };
	struct number first, last;
	uint64_t bits;

	if (!read_number(base, &first) || !num_parse_u64(bits_text, 8 * first.len, &bits))
		return refuse(part, why);
	last = first;
	for (size_t bit = bits; bit < 8 * first.len; bit++) {
		unsigned char mask = (unsigned char)(0x80 >> bit % 8);

		if (first.bytes[bit / 8] & mask)
			return err_set(why, ERR_BAD_OPTION,
				       OPTION ": %.*s does not begin with a network's own address, "
					      "such as 10.1.0.0/29",
				       STR_ARG(shown(part)));
		last.bytes[bit / 8] |= mask;
	}
	/* Networks of one and of two addresses have none to spare (RFC 3021, RFC 6164). */
	if (8 * first.len - bits >= 2) {
		step_up(&first);
		if (first.len == 4)
			step_down(&last);
	}
	return add_range(s, first, &last, why);
}

/* "127.0.0.2-127.0.0.9" */
static enum err add_from_to(struct sources *s, struct str part, const char *dash,
			    struct err_text *why)
{
	struct str from = { part.p, (size_t)(dash - part.p) };
	struct str to = { dash + 1, part.len - from.len - 1 };
	struct number first, last;

	if (!read_number(str_trim(from), &first) || !read_number(str_trim(to), &last) ||
	    first.len != last.len)
		return refuse(part, why);
	if (compare(&first, &last) > 0)
		return err_set(why, ERR_BAD_OPTION,
			       OPTION ": %.*s ends before it begins; give the lower address first",
			       STR_ARG(shown(part)));
	return add_range(s, first, &last, why);
}

static enum err add_part(struct sources *s, struct str part, struct err_text *why)
{
	const char *slash = part.len ? memchr(part.p, '/', part.len) : NULL;
	const char *dash = part.len ? memchr(part.p, '-', part.len) : NULL;
	struct number n;

	if (slash)
		return add_network(s, part, slash, why);
	if (dash)
		return add_from_to(s, part, dash, why);
	return read_number(part, &n) ? add(s, &n, why) : refuse(part, why);
}

enum err sources_parse(const char *list, struct sources *out, struct err_text *why)
{
	struct str rest = str_of(list), part;
	enum err err = OK;

	*out = (struct sources){ 0 };
	while (!err && str_cut(&rest, ',', &part))
		err = add_part(out, str_trim(part), why);
	return err;
}

size_t sources_count(const struct sources *s, int family)
{
	return family == AF_INET ? s->v4_count : s->v6_count;
}

static int bind_to(int fd, const struct sockaddr *name, socklen_t bytes)
{
	int one = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, name, bytes) == 0 ? 0 : errno;
}

int sources_bind(const struct sources *s, int fd, int family, size_t turn)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	size_t count = sources_count(s, family);

	if (!count)
		return EAFNOSUPPORT;
	if (family == AF_INET) {
		v4.sin_addr = s->v4[turn % count];
		return bind_to(fd, (const struct sockaddr *)&v4, sizeof(v4));
	}
	v6.sin6_addr = s->v6[turn % count];
	return bind_to(fd, (const struct sockaddr *)&v6, sizeof(v6));
}

static enum err check_one(const struct sources *s, int family, size_t index, struct err_text *why)
{
	const void *address = family == AF_INET ? (const void *)&s->v4[index] : &s->v6[index];
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno : sources_bind(s, fd, family, index);
	char text[INET6_ADDRSTRLEN];

	if (fd >= 0)
		close(fd);
	if (!error)
		return OK;
	ensure(inet_ntop(family, address, text, sizeof(text)));
	if (error == EADDRNOTAVAIL)
		return err_set(why, ERR_BAD_OPTION,
			       OPTION
			       ": %s is no address of this machine; leave it out, or add it: ip "
			       "addr add %s/%d dev INTERFACE",
			       text, text, family == AF_INET ? 32 : 128);
	return err_set(why, ERR_BAD_OPTION, OPTION ": nothing can come from %s: %s", text,
		       strerror(error));
}

enum err sources_check(const struct sources *s, struct err_text *why)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < s->v4_count; i++)
		err = check_one(s, AF_INET, i, why);
	for (size_t i = 0; !err && i < s->v6_count; i++)
		err = check_one(s, AF_INET6, i, why);
	return err;
}
