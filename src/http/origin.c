/* SPDX-License-Identifier: MIT
 *
 * origin - hosts and their addresses, looked up once for the client's life: name servers are
 * not what is being measured. */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/http_int.h"

/* A failed look-up is not repeated sooner. */
#define RETRY_AFTER_US CLOCK_S

static char *copy_lower(struct str s)
{
	char *copy = mem_strndup(s.p, s.len);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	return copy;
}

static struct http_origin *origin_create(const struct http_url *url)
{
	struct http_origin *o = mem_zalloc(1, sizeof(*o));
	const char *open = url->is_ipv6 ? "[" : "", *close = url->is_ipv6 ? "]" : "";

	o->host = copy_lower(url->host);
	o->port = mem_printf("%u", url->port);
	o->is_ipv6 = url->is_ipv6;
	o->host_line = url->port == (url->is_tls ? 443 : 80)
			       ? mem_printf("Host: %s%s%s\r\n", open, o->host, close)
			       : mem_printf("Host: %s%s%s:%s\r\n", open, o->host, close, o->port);
	return o;
}

void origin_destroy(struct http_origin **o)
{
	tls_peer_destroy(&(*o)->peer);
	mem_free((*o)->host);
	mem_free((*o)->port);
	mem_free((*o)->host_line);
	mem_free(*o);
	*o = NULL;
}

struct str http_origin_host(const struct http_origin *o)
{
	return str_of(o->host);
}

bool http_origin_is_tls(const struct http_origin *o)
{
	return o->peer != NULL;
}

void http_origin_write(const struct http_origin *o, struct buf *out)
{
	buf_printf(out, "http%s://%s%s%s:%s", o->peer ? "s" : "", o->is_ipv6 ? "[" : "", o->host,
		   o->is_ipv6 ? "]" : "", o->port);
}

void origin_resolve(struct http_origin *o, uint64_t now_us)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;

	if (o->address_count || now_us < o->retry_at_us)
		return;
	if (o->is_ipv6)
		hints.ai_flags |= AI_NUMERICHOST;
	o->resolver_error = getaddrinfo(o->host, o->port, &hints, &found);
	o->resolver_errno = errno;
	o->retry_at_us = now_us + RETRY_AFTER_US;
	if (o->resolver_error)
		return;
	for (struct addrinfo *at = found; at && o->address_count < LIMIT_ORIGIN_ADDRESSES;
	     at = at->ai_next) {
		struct http_address *address = &o->addresses[o->address_count++];

		memcpy(&address->name, at->ai_addr, at->ai_addrlen);
		address->name_bytes = at->ai_addrlen;
	}
	freeaddrinfo(found);
}

/* The certificates are read for the first origin that needs them. */
static enum err open_tls(struct http_client *c, struct err_text *why)
{
	static const enum tls_alpn offers[] = {
		[HTTP_VERSION_1_1] = TLS_ALPN_HTTP_1_1,
		[HTTP_VERSION_OFFER_2] = TLS_ALPN_H2_OR_HTTP_1_1,
		[HTTP_VERSION_2] = TLS_ALPN_H2,
	};
	struct tls_options options = { 0 };

	if (c->tls)
		return OK;
	if (c->tls_options)
		options = *c->tls_options;
	options.alpn = offers[c->version];
	return tls_client_create(&options, &c->tls, why);
}

enum err http_client_origin(struct http_client *c, const struct http_url *url,
			    const struct http_origin **out, struct err_text *why)
{
	char key[LIMIT_HOST_BYTES + 4];
	struct str name = { key, url->host.len + 4 };
	struct http_origin *o;
	enum err err;

	ensure(url->host.len <= LIMIT_HOST_BYTES);
	for (size_t i = 0; i < url->host.len; i++)
		key[i] = (char)tolower((unsigned char)url->host.p[i]);
	key[url->host.len] = '\0';
	memcpy(key + url->host.len + 1, &url->port, 2);
	key[url->host.len + 3] = (char)url->is_tls;
	o = map_get(&c->by_name, name);
	if (!o && c->origin_count == LIMIT_ORIGINS)
		return err_set(why, ERR_TOO_BIG,
			       "%.*s would be one host more than the %d a test may have",
			       STR_ARG(url->host), LIMIT_ORIGINS);
	if (!o && url->is_tls && (err = open_tls(c, why)))
		return err;
	if (!o) {
		o = origin_create(url);
		if (url->is_tls)
			o->peer = tls_peer_create(c->tls, o->host);
		o->index = c->origin_count++;
		c->origins[o->index] = o;
		map_put(&c->by_name, name, o);
		origin_resolve(o, clock_us());
	}
	*out = o;
	return OK;
}
