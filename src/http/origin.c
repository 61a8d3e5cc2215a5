/* SPDX-License-Identifier: MIT
 *
 * origin - hosts and their addresses. They are looked up beforehand and again, when they are too
 * old and somebody wants a connection, beside the requests: those take the old ones meanwhile, for
 * name servers are not what is being measured. */
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/http_int.h"

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
	bool is_default;

	o->host = copy_lower(url->host);
	o->port = mem_printf("%u", url->port);
	o->port_number = url->port;
	list_init(&o->waiting);
	o->is_ipv6 = url->is_ipv6;
	is_default = url->port == (url->is_tls ? 443 : 80);
	o->lines = mem_printf("Host: %s%s%s%s%s\r\n" LINE_USER_AGENT LINE_ACCEPT, open, o->host,
			      close, is_default ? "" : ":", is_default ? "" : o->port);
	o->lines_bytes = strlen(o->lines);
	o->host_line_bytes = o->lines_bytes - strlen(LINE_USER_AGENT LINE_ACCEPT);
	return o;
}

/* What is looked up and connected: the host itself, or the proxy on the way to it. */
static const char *reached_host(const struct http_origin *o)
{
	return o->via ? o->via->host : o->host;
}

static uint16_t reached_port(const struct http_origin *o)
{
	return o->via ? o->via->port : o->port_number;
}

void origin_destroy(struct http_origin **o)
{
	via_destroy(&(*o)->via);
	tls_peer_destroy(&(*o)->peer);
	mem_free((*o)->host);
	mem_free((*o)->port);
	mem_free((*o)->lines);
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

static uint64_t skip_of(const struct http_origin *o, const struct resolver_address *address)
{
	for (size_t i = 0; i < o->address_count; i++)
		if (o->addresses[i].name_bytes == address->name_bytes &&
		    memcmp(&o->addresses[i].name, &address->name, address->name_bytes) == 0)
			return o->addresses[i].skip_until_us;
	return 0;
}

static void take_addresses(struct http_origin *o, const struct resolver_answer *answer)
{
	struct http_address fresh[LIMIT_ORIGIN_ADDRESSES] = { 0 };

	for (size_t i = 0; i < answer->count; i++)
		fresh[i] = (struct http_address){ answer->addresses[i].name,
						  answer->addresses[i].name_bytes,
						  skip_of(o, &answer->addresses[i]) };
	memcpy(o->addresses, fresh, sizeof(fresh));
	o->address_count = answer->count;
	o->generation++;
}

/* RFC 6761 6.3: localhost and what ends in .localhost. */
static bool is_localhost(const char *host)
{
	size_t len = strlen(host), tail = strlen("localhost");

	return len >= tail && strcmp(host + len - tail, "localhost") == 0 &&
	       (len == tail || host[len - tail - 1] == '.');
}

static void answer_loopback(struct resolver_answer *answer, uint16_t port)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_port = htons(port),
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	*answer = (struct resolver_answer){ .count = 2 };
	memcpy(&answer->addresses[0].name, &v4, sizeof(v4));
	answer->addresses[0].name_bytes = sizeof(v4);
	memcpy(&answer->addresses[1].name, &v6, sizeof(v6));
	answer->addresses[1].name_bytes = sizeof(v6);
}

/* After a failure the old addresses, if there are any, are better than none; and this machine is
 * found even when there is no /etc/hosts, as in some containers. */
static void on_resolved(void *arg, const struct resolver_answer *answer)
{
	struct http_origin *o = arg;
	struct resolver_answer loopback;
	uint64_t ttl_s;

	if (answer->error && is_localhost(reached_host(o))) {
		answer_loopback(&loopback, reached_port(o));
		answer = &loopback;
	}
	ttl_s = answer->ttl_s;
	o->is_looking_up = false;
	o->resolver_error = answer->error;
	if (!answer->error)
		take_addresses(o, answer);
	if (answer->error || ttl_s < LIMIT_NAME_TTL_S_MIN)
		ttl_s = LIMIT_NAME_TTL_S_MIN;
	o->look_up_at_us = clock_us() + ttl_s * CLOCK_S;
	dial_waiting(o);
}

enum io origin_resolve(struct http_origin *o, uint64_t now_us)
{
	if (!o->is_looking_up && now_us >= o->look_up_at_us) {
		o->is_looking_up = true;
		resolver_look_up(o->client->resolver, reached_host(o), reached_port(o), on_resolved,
				 o);
	}
	if (o->address_count)
		return IO_OK;
	return o->is_looking_up ? IO_AGAIN : IO_FAIL;
}

/* An address in text needs no look-up, ever. False: it is a name. */
static bool take_literal(struct http_origin *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
	struct addrinfo *found = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", reached_port(o));
	if (getaddrinfo(reached_host(o), port, &hints, &found))
		return false;
	memcpy(&o->addresses[0].name, found->ai_addr, found->ai_addrlen);
	o->addresses[0].name_bytes = found->ai_addrlen;
	o->address_count = 1;
	o->look_up_at_us = UINT64_MAX;
	freeaddrinfo(found);
	return true;
}

/* The first name makes the resolver. */
static enum err start_look_up(struct http_client *c, struct http_origin *o, struct err_text *why)
{
	enum err err = OK;

	if (take_literal(o))
		return OK;
	if (!c->resolver)
		err = resolver_create(c->loop, c->network->dns_servers, &c->resolver, why);
	if (!err)
		(void)origin_resolve(o, clock_us());
	return err;
}

static void choose_proxy(struct http_client *c, struct http_origin *o, const struct http_url *url)
{
	const struct proxy *proxy = proxy_choose(&c->network->proxies, url);

	if (proxy)
		o->via = via_create(o, proxy, url->is_tls || c->version == HTTP_VERSION_2);
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
		o->client = c;
		choose_proxy(c, o, url);
		err = start_look_up(c, o, why);
		if (err) {
			origin_destroy(&o);
			return err;
		}
		if (url->is_tls)
			o->peer = tls_peer_create(c->tls, o->host);
		o->index = c->origin_count++;
		c->origins[o->index] = o;
		map_put(&c->by_name, name, o);
	}
	*out = o;
	return OK;
}
