/* SPDX-License-Identifier: MIT
 *
 * proxy - see the header. The rules are those of requests 2.28 (should_bypass_proxies,
 * select_proxy) and of what it uses of Python's urllib (getproxies_environment,
 * proxy_bypass_environment), with one difference: a port in no_proxy also means the scheme's
 * default one when the URL leaves it out. Nothing is exempt unless named, not even loopback. */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/num.h"
#include "base/str.h"
#include "http/response.h"

/* The value of a variable; NULL: there is none. */
static const char *look_up(char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (; *environment; environment++)
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
			return *environment + len + 1;
	return NULL;
}

bool proxy_set(struct proxy *p, const char *variable, const char *value)
{
	struct http_url url;
	bool has_scheme = strstr(value, "://") != NULL;
	int len = snprintf(p->url, sizeof(p->url), "%s%s", has_scheme ? "" : "http://", value);

	p->variable = variable;
	return len > 0 && (size_t)len < sizeof(p->url) &&
	       http_url_parse(str_of(p->url), &url, NULL) == OK && !url.is_tls;
}

/* The scheme, where it is what is wrong: it has no secrets. */
static struct str foreign_scheme(const char *value)
{
	const char *sep = strstr(value, "://");
	struct str scheme = { value, sep ? (size_t)(sep - value) : 0 };

	return http_is_token(scheme) && !str_case_eq(scheme, "http") ? scheme : str_of("");
}

static enum err read_one(const char *variable, const char *value, struct proxy *p,
			 struct err_text *why)
{
	struct str scheme;

	if (proxy_set(p, variable, value))
		return OK;
	scheme = foreign_scheme(value);
	if (scheme.len)
		return err_set(why, ERR_UNSUPPORTED,
			       "%s: %.*s:// proxies are not supported; give an http:// proxy, or "
			       "leave out --trust-env",
			       variable, STR_ARG(scheme));
	return err_set(
		why, ERR_BAD_OPTION,
		"%s is not the URL of a proxy, such as http://user:password@10.0.0.1:3128; in a "
		"password write @ / : and %% as %%40 %%2F %%3A and %%25",
		variable);
}

/* Lower case counts first, and when it is empty there is no proxy, whatever upper case says. */
static enum err read_scheme(char *const *environment, const char *lower, const char *upper,
			    struct proxy *p, struct err_text *why)
{
	const char *value = look_up(environment, lower);

	if (value)
		return *value ? read_one(lower, value, p, why) : OK;
	value = look_up(environment, upper);
	return value && *value ? read_one(upper, value, p, why) : OK;
}

enum err proxy_read(struct proxies *out, char *const *environment, struct err_text *why)
{
	enum err err;

	*out = (struct proxies){ .no_proxy = look_up(environment, "no_proxy") };
	if (!out->no_proxy || !*out->no_proxy)
		out->no_proxy = look_up(environment, "NO_PROXY");
	err = read_scheme(environment, "http_proxy", "HTTP_PROXY", &out->http, why);
	if (!err)
		err = read_scheme(environment, "https_proxy", "HTTPS_PROXY", &out->https, why);
	if (!err && !out->http.variable)
		err = read_scheme(environment, "all_proxy", "ALL_PROXY", &out->http, why);
	if (!err && !out->https.variable)
		err = read_scheme(environment, "all_proxy", "ALL_PROXY", &out->https, why);
	return err;
}

static bool ends_with(const char *text, struct str tail)
{
	size_t len = strlen(text);

	return len >= tail.len && memcmp(text + len - tail.len, tail.p, tail.len) == 0;
}

/* "10.0.0.0/8", as requests reads it: from 1 to 32 bits. */
static bool is_in_network(struct in_addr address, struct str network)
{
	struct str base;
	struct in_addr first;
	char text[INET_ADDRSTRLEN];
	uint64_t bits;

	if (!str_cut(&network, '/', &base) || !network.p || !num_parse_u64(network, 32, &bits) ||
	    !bits || base.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(base));
	return inet_aton(text, &first) &&
	       (ntohl(address.s_addr) ^ ntohl(first.s_addr)) >> (32 - bits) == 0;
}

/* requests' own rule: the end of the name, with or without the port; of an address all of it, or
 * its network. */
static bool is_tail_named(struct str entry, const char *host, uint16_t port)
{
	char host_and_port[LIMIT_HOST_BYTES + 8];
	struct in_addr address;

	if (inet_aton(host, &address))
		return str_eq(entry, host) || is_in_network(address, entry);
	snprintf(host_and_port, sizeof(host_and_port), "%s:%u", host, port);
	return ends_with(host, entry) || ends_with(host_and_port, entry);
}

/* urllib's rule, which is asked next: a name or what is below it, in any case. */
static bool is_domain_named(struct str entry, const char *host)
{
	size_t len = strlen(host);

	while (entry.len && *entry.p == '.')
		entry = (struct str){ entry.p + 1, entry.len - 1 };
	if (len < entry.len || strncasecmp(host + len - entry.len, entry.p, entry.len) != 0)
		return false;
	return len == entry.len || host[len - entry.len - 1] == '.';
}

static bool is_exempt(const char *no_proxy, const char *host, uint16_t port)
{
	struct str rest = str_of(no_proxy), entry;

	if (str_eq(rest, "*"))
		return true;
	while (str_cut(&rest, ',', &entry)) {
		entry = str_trim(entry);
		if (entry.len && (is_tail_named(entry, host, port) || is_domain_named(entry, host)))
			return true;
	}
	return false;
}

const struct proxy *proxy_choose(const struct proxies *p, const struct http_url *target)
{
	const struct proxy *proxy = target->is_tls ? &p->https : &p->http;
	char host[LIMIT_HOST_BYTES + 1];

	if (!proxy->variable)
		return NULL;
	ensure(target->host.len < sizeof(host));
	for (size_t i = 0; i < target->host.len; i++)
		host[i] = (char)tolower((unsigned char)target->host.p[i]);
	host[target->host.len] = '\0';
	return p->no_proxy && is_exempt(p->no_proxy, host, target->port) ? NULL : proxy;
}

struct http_url proxy_url(const struct proxy *p)
{
	struct http_url url;

	ensure(http_url_parse(str_of(p->url), &url, NULL) == OK);
	return url;
}
