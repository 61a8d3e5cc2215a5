/* SPDX-License-Identifier: MIT
 *
 * cookie - see the header. The jar is a list in the order in which cookies are sent, longer paths
 * first, then older ones, so that writing them is a walk. A user has a handful: a walk is cheaper
 * than any index. Names in the comments are those of RFC 6265. */
#include "http/cookie.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"

#define NEVER_S INT64_MAX

struct cookie {
	struct cookie *next;
	int64_t expires_s; /* NEVER_S: with the user */
	uint64_t number;   /* creation order within the jar */
	uint32_t room;	   /* bytes of text */
	uint16_t name_len, value_len, domain_len, path_len;
	bool is_host_only, is_secure;
	char text[]; /* name, value, domain, path */
};

/* A Set-Cookie line and what it leaves to the site. */
struct wish {
	struct str name, value, domain, path;
	int64_t expires_s;
	bool is_host_only, is_secure, has_max_age;
};

static struct str name_of(const struct cookie *c)
{
	return (struct str){ c->text, c->name_len };
}

static struct str value_of(const struct cookie *c)
{
	return (struct str){ c->text + c->name_len, c->value_len };
}

static struct str domain_of(const struct cookie *c)
{
	return (struct str){ c->text + c->name_len + c->value_len, c->domain_len };
}

static struct str path_of(const struct cookie *c)
{
	return (struct str){ c->text + c->name_len + c->value_len + c->domain_len, c->path_len };
}

static bool is_same(struct str a, struct str b)
{
	return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

static bool is_same_name(struct str a, struct str b)
{
	return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static bool is_address(struct str host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(host));
	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* 5.1.3: the host is the domain or below it; an address is only itself. */
static bool domain_matches(struct str host, struct str domain)
{
	size_t above = host.len - domain.len;

	if (host.len <= domain.len)
		return is_same_name(host, domain);
	return host.p[above - 1] == '.' && strncasecmp(host.p + above, domain.p, domain.len) == 0 &&
	       !is_address(host);
}

static struct str path_part(struct str target)
{
	const char *query = target.len ? memchr(target.p, '?', target.len) : NULL;

	if (query)
		target.len = (size_t)(query - target.p);
	return target.len && target.p[0] == '/' ? target : str_of("/");
}

/* 5.1.4, the default-path. */
static struct str folder_part(struct str target)
{
	struct str path = path_part(target);

	while (path.len > 1 && path.p[path.len - 1] != '/')
		path.len--;
	if (path.len > 1)
		path.len--;
	return path;
}

/* 5.1.4, path-match. */
static bool path_matches(struct str request, struct str path)
{
	if (request.len < path.len || memcmp(request.p, path.p, path.len) != 0)
		return false;
	return request.len == path.len || path.p[path.len - 1] == '/' || request.p[path.len] == '/';
}

static struct str lower_domain(struct str value)
{
	if (value.len && value.p[0] == '.')
		value = (struct str){ value.p + 1, value.len - 1 };
	return value;
}

/* 5.2.2: seconds from now; what is not a number is ignored. */
static void read_max_age(struct wish *w, struct str value, int64_t wall_s)
{
	bool is_negative = value.len && value.p[0] == '-';
	struct str digits = { value.p + is_negative, value.len - is_negative };
	uint64_t age_s = 0;

	if (!digits.len)
		return;
	for (size_t i = 0; i < digits.len; i++)
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return;
	w->has_max_age = true;
	/* A number beyond the limit is as good as never. */
	if (!num_parse_u64(digits, LIMIT_COOKIE_AGE_S, &age_s))
		age_s = LIMIT_COOKIE_AGE_S;
	w->expires_s = is_negative || !age_s ? INT64_MIN : wall_s + (int64_t)age_s;
}

static void read_attribute(struct wish *w, struct str name, struct str value, int64_t wall_s)
{
	int64_t at_s;

	if (str_case_eq(name, "max-age"))
		read_max_age(w, value, wall_s);
	else if (str_case_eq(name, "expires") && !w->has_max_age && cookie_parse_date(value, &at_s))
		w->expires_s = at_s;
	else if (str_case_eq(name, "domain") && value.len)
		w->domain = lower_domain(value);
	else if (str_case_eq(name, "path"))
		w->path = value.len && value.p[0] == '/' ? value : (struct str){ "", 0 };
	else if (str_case_eq(name, "secure"))
		w->is_secure = true;
}

/* Cuts "name = value" at its first '='; without one all of it is the name. */
static bool cut_pair(struct str pair, struct str *name, struct str *value)
{
	const char *eq = pair.len ? memchr(pair.p, '=', pair.len) : NULL;
	size_t at = eq ? (size_t)(eq - pair.p) : pair.len;

	*name = str_trim((struct str){ pair.p, at });
	*value = eq ? str_trim((struct str){ eq + 1, pair.len - at - 1 }) : (struct str){ "", 0 };
	return eq;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* 5.3, steps 4 to 6. False: the site may not set a cookie for this domain. */
static bool settle_domain(struct wish *w, const struct cookie_site *site)
{
	struct str domain = w->domain;
	bool is_one_label = domain.len && !memchr(domain.p, '.', domain.len);

	w->is_host_only = !domain.len || ((is_one_label || is_address(site->host)) &&
					  is_same_name(domain, site->host));
	if (w->is_host_only) {
		w->domain = site->host;
		return true;
	}
	/* "com." has a dot and is one label still. */
	return !is_one_label && domain.p[domain.len - 1] != '.' &&
	       domain_matches(site->host, domain);
}

static bool has_prefix(struct str name, struct str prefix)
{
	return name.len >= prefix.len && strncasecmp(name.p, prefix.p, prefix.len) == 0;
}

/* What a name promises of the attributes that were given; the case of its letters is no way around
 * it (RFC 6265bis 5.7). */
static bool keeps_promise(const struct wish *w, const struct cookie_site *site)
{
	const bool is_host = has_prefix(w->name, str_of("__Host-"));

	if (!is_host && !has_prefix(w->name, str_of("__Secure-")))
		return true;
	return w->is_secure && site->is_secure &&
	       (!is_host || (!w->domain.len && str_eq(w->path, "/")));
}

/* 5.2 and 5.3. False: ignore it. */
static bool read_line(struct wish *w, const struct cookie_site *site, struct str line,
		      int64_t wall_s)
{
	struct str part, name, value;

	*w = (struct wish){ .expires_s = NEVER_S };
	if (!site->host.len || has_control(line) || !str_cut(&line, ';', &part) ||
	    !cut_pair(part, &w->name, &w->value) || !w->name.len)
		return false;
	while (str_cut(&line, ';', &part)) {
		cut_pair(part, &name, &value);
		read_attribute(w, name, value, wall_s);
	}
	if (site->knows_prefixes && !keeps_promise(w, site))
		return false;
	if (!settle_domain(w, site))
		return false;
	if (!w->path.len)
		w->path = folder_part(site->target);
	return w->name.len + w->value.len + w->domain.len + w->path.len <= LIMIT_COOKIE_BYTES;
}

static struct cookie **find(struct cookie_jar *jar, const struct wish *w)
{
	struct cookie **at = &jar->first;

	while (*at && !(is_same(name_of(*at), w->name) && is_same_name(domain_of(*at), w->domain) &&
			is_same(path_of(*at), w->path)))
		at = &(*at)->next;
	return at;
}

static void drop(struct cookie **at)
{
	struct cookie *c = *at;

	*at = c->next;
	mem_free(c);
}

static char *put(char *to, struct str s)
{
	if (s.len)
		memcpy(to, s.p, s.len);
	return to + s.len;
}

static void fill(struct cookie *c, const struct wish *w)
{
	char *to = put(put(c->text, w->name), w->value);

	for (size_t i = 0; i < w->domain.len; i++)
		*to++ = (char)tolower((unsigned char)w->domain.p[i]);
	put(to, w->path);
	c->name_len = (uint16_t)w->name.len;
	c->value_len = (uint16_t)w->value.len;
	c->domain_len = (uint16_t)w->domain.len;
	c->path_len = (uint16_t)w->path.len;
	c->expires_s = w->expires_s;
	c->is_host_only = w->is_host_only;
	c->is_secure = w->is_secure;
}

/* The oldest ones go until there is room for `bytes` more. Returns the number of the next. */
static uint64_t make_room(struct cookie_jar *jar, size_t bytes)
{
	for (;;) {
		struct cookie **oldest = &jar->first;
		size_t count = 0, sum = bytes;
		uint64_t next = 0;

		for (struct cookie **at = &jar->first; *at; at = &(*at)->next) {
			count++;
			sum += (*at)->room;
			if ((*at)->number >= next)
				next = (*at)->number + 1;
			if ((*at)->number < (*oldest)->number)
				oldest = at;
		}
		if (count < LIMIT_COOKIES && sum <= LIMIT_COOKIE_JAR_BYTES)
			return next;
		drop(oldest);
	}
}

static void insert(struct cookie_jar *jar, struct cookie *c)
{
	struct cookie **at = &jar->first;

	while (*at && ((*at)->path_len > c->path_len ||
		       ((*at)->path_len == c->path_len && (*at)->number < c->number)))
		at = &(*at)->next;
	c->next = *at;
	*at = c;
}

void cookie_jar_set(struct cookie_jar *jar, const struct cookie_site *site, struct str line,
		    int64_t wall_s)
{
	struct cookie **old, *c;
	struct wish w;
	size_t bytes;
	uint64_t number;
	bool was_there;

	if (!read_line(&w, site, line, wall_s))
		return;
	bytes = w.name.len + w.value.len + w.domain.len + w.path.len;
	old = find(jar, &w);
	was_there = *old;
	if (w.expires_s <= wall_s) {
		if (was_there)
			drop(old);
		return;
	}
	if (was_there && (*old)->room >= bytes) {
		fill(*old, &w);
		return;
	}
	number = was_there ? (*old)->number : 0;
	if (was_there)
		drop(old);
	c = mem_zalloc(1, sizeof(*c) + bytes);
	c->room = (uint32_t)bytes;
	c->number = make_room(jar, bytes);
	/* 5.3, step 11.3: a cookie that is set again keeps its creation time. */
	if (was_there)
		c->number = number;
	fill(c, &w);
	insert(jar, c);
}

static bool is_for(const struct cookie *c, const struct cookie_site *site, struct str path)
{
	return (!c->is_secure || site->is_secure) &&
	       (c->is_host_only ? is_same_name(site->host, domain_of(c))
				: domain_matches(site->host, domain_of(c))) &&
	       path_matches(path, path_of(c));
}

void cookie_jar_write(struct cookie_jar *jar, const struct cookie_site *site, int64_t wall_s,
		      struct buf *out)
{
	struct cookie **at = &jar->first;
	struct str path = path_part(site->target);
	bool is_first = true;

	while (*at) {
		const struct cookie *c = *at;

		if (c->expires_s <= wall_s) {
			drop(at);
			continue;
		}
		if (is_for(c, site, path)) {
			buf_add_text(out, is_first ? "" : "; ");
			buf_add_str(out, name_of(c));
			buf_add_char(out, '=');
			buf_add_str(out, value_of(c));
			is_first = false;
		}
		at = &(*at)->next;
	}
}

bool cookie_jar_next(const struct cookie_jar *jar, const struct cookie **at,
		     struct cookie_view *out)
{
	const struct cookie *c = *at = *at ? (*at)->next : jar->first;

	if (c)
		*out = (struct cookie_view){ name_of(c),  value_of(c),	domain_of(c),
					     path_of(c),  c->expires_s, c->is_host_only,
					     c->is_secure };
	return c;
}

void cookie_jar_clear(struct cookie_jar *jar)
{
	while (jar->first)
		drop(&jar->first);
}
