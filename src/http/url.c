/* SPDX-License-Identifier: MIT
 *
 * url - see the header. What is cut here goes into request heads, so everything that could
 * break a line there is refused first. */
#include "http/url.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/num.h"

/* Of a wrong URL that a message repeats. */
#define SHOWN_BYTES_MAX 200

static struct str shown(struct str text)
{
	return (struct str){ text.p, text.len < SHOWN_BYTES_MAX ? text.len : SHOWN_BYTES_MAX };
}

static enum err check_bytes(struct str text, struct err_text *why)
{
	if (text.len > LIMIT_URL_BYTES)
		return err_set(why, ERR_BAD_INPUT, "the URL has %zu bytes, the limit is %d",
			       text.len, LIMIT_URL_BYTES);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c <= 0x20 || c == 0x7f)
			return err_set(why, ERR_BAD_INPUT,
				       "the URL has a %s at byte %zu; write it as %%%02X",
				       c == ' ' ? "blank" : "control character", i + 1, c);
	}
	return OK;
}

static bool take_prefix(struct str *rest, const char *prefix)
{
	size_t len = strlen(prefix);

	if (rest->len < len || strncasecmp(rest->p, prefix, len) != 0)
		return false;
	*rest = (struct str){ rest->p + len, rest->len - len };
	return true;
}

static bool is_host_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_';
}

/* Of "ftp://host" or "mailto:me", with what follows; 0: there is none, for "host:8000" has a port,
 * or it is ours and lacks its slashes. */
static size_t scheme_length(struct str s)
{
	size_t len = 0;

	while (len < s.len && (is_host_char(s.p[len]) || s.p[len] == '+'))
		len++;
	if (!len || len + 1 >= s.len || s.p[len] != ':')
		return 0;
	if ((s.p[len + 1] >= '0' && s.p[len + 1] <= '9') ||
	    (len >= 4 && strncasecmp(s.p, "https", len) == 0))
		return 0;
	return len + (len + 3 <= s.len && memcmp(s.p + len, "://", 3) == 0 ? 3 : 1);
}

/* Cuts "http://" or "https://" off. */
static enum err take_scheme(struct str *rest, bool *is_tls, struct err_text *why)
{
	size_t scheme_len;

	*is_tls = take_prefix(rest, "https://");
	if (*is_tls || take_prefix(rest, "http://"))
		return OK;
	scheme_len = scheme_length(*rest);
	if (!scheme_len)
		return err_set(why, ERR_BAD_INPUT, "'%.*s' has no scheme; write http://HOST[:PORT]",
			       STR_ARG(shown(*rest)));
	return err_set(why, ERR_UNSUPPORTED, "%.*s is not supported; only http:// and https:// are",
		       STR_ARG(shown((struct str){ rest->p, scheme_len })));
}

/* The part up to the path, query or fragment. */
static struct str take_authority(struct str *rest)
{
	struct str authority = { rest->p, 0 };

	while (authority.len < rest->len && !memchr("/?#", rest->p[authority.len], 3))
		authority.len++;
	*rest = (struct str){ rest->p + authority.len, rest->len - authority.len };
	return authority;
}

static enum err check_ipv6(struct str host, struct err_text *why)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	snprintf(text, sizeof(text), "%.*s", STR_ARG(host));
	if (host.len >= sizeof(text) || inet_pton(AF_INET6, text, &address) != 1)
		return err_set(why, ERR_BAD_INPUT, "[%.*s] is not an IPv6 address",
			       STR_ARG(shown(host)));
	return OK;
}

static enum err check_name(struct str host, struct err_text *why)
{
	if (!host.len)
		return err_set(why, ERR_BAD_INPUT, "the URL has no host; write http://HOST[:PORT]");
	if (host.len > LIMIT_HOST_BYTES)
		return err_set(why, ERR_BAD_INPUT, "the host has %zu bytes, the limit is %d",
			       host.len, LIMIT_HOST_BYTES);
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_char(host.p[i]))
			return err_set(why, ERR_BAD_INPUT,
				       "the host '%.*s' has a character that names do not have; "
				       "write IPv6 addresses in [] and other scripts as xn--",
				       STR_ARG(host));
	return OK;
}

/* What follows the host: "", ":" or ":8089". *port is the default before. */
static enum err read_port(struct str text, uint16_t *port, struct err_text *why)
{
	uint64_t number = 0;

	if (text.len <= 1 && (!text.len || *text.p == ':'))
		return OK;
	if (*text.p != ':' ||
	    !num_parse_u64((struct str){ text.p + 1, text.len - 1 }, UINT16_MAX, &number) ||
	    !number)
		return err_set(why, ERR_BAD_INPUT,
			       "'%.*s' after the host is not a port; write :1 to :65535",
			       STR_ARG(shown(text)));
	*port = (uint16_t)number;
	return OK;
}

static enum err read_authority(struct str authority, struct http_url *out, struct err_text *why)
{
	const char *end = authority.p + authority.len, *host_end;
	const char *at = authority.len ? memrchr(authority.p, '@', authority.len) : NULL;
	enum err err;

	if (at) {
		out->userinfo = (struct str){ authority.p, (size_t)(at - authority.p) };
		authority = (struct str){ at + 1, (size_t)(end - at) - 1 };
	}
	out->is_ipv6 = authority.len && *authority.p == '[';
	host_end = memchr(authority.p, out->is_ipv6 ? ']' : ':', authority.len);
	if (out->is_ipv6 && !host_end)
		return err_set(why, ERR_BAD_INPUT, "the IPv6 address has no closing ]");
	if (!host_end)
		host_end = end;
	out->host = (struct str){ authority.p + out->is_ipv6,
				  (size_t)(host_end - authority.p) - out->is_ipv6 };
	err = out->is_ipv6 ? check_ipv6(out->host, why) : check_name(out->host, why);
	if (err)
		return err;
	host_end += out->is_ipv6;
	out->port = out->is_tls ? 443 : 80;
	return read_port((struct str){ host_end, (size_t)(end - host_end) }, &out->port, why);
}

enum err http_url_parse(struct str text, struct http_url *out, struct err_text *why)
{
	struct str rest = text;
	const char *fragment;
	enum err err;

	*out = (struct http_url){ .userinfo = { "", 0 } };
	if ((err = check_bytes(text, why)) || (err = take_scheme(&rest, &out->is_tls, why)) ||
	    (err = read_authority(take_authority(&rest), out, why)))
		return err;
	fragment = memchr(rest.p, '#', rest.len);
	if (fragment)
		rest.len = (size_t)(fragment - rest.p);
	out->target = rest;
	return OK;
}
