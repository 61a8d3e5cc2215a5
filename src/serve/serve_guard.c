/* SPDX-License-Identifier: MIT
 *
 * serve_guard - see the header. */
#include "serve/serve_guard.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/token.h"
#include "serve/serve_int.h"

/* Without port and brackets. */
static struct str name_of(struct str host)
{
	const char *end;

	if (host.len && host.p[0] == '[') {
		end = memchr(host.p, ']', host.len);
		return end ? (struct str){ host.p + 1, (size_t)(end - host.p) - 1 } : host;
	}
	end = host.len ? memchr(host.p, ':', host.len) : NULL;
	return end ? (struct str){ host.p, (size_t)(end - host.p) } : host;
}

static bool is_listed(const struct serve_guard *g, struct str name)
{
	for (size_t i = 0; i < g->host_count; i++)
		if (str_case_eq(name, g->hosts[i]))
			return true;
	return false;
}

/* Nobody else's page can be at an address: it would be the page of that address. */
static bool is_address(struct str name)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (name.len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_known(const struct serve_guard *g, struct str host)
{
	struct str name = name_of(host);

	return is_listed(g, name) || str_case_eq(name, "localhost") || is_address(name);
}

/* Programs of HTTP/1.0 name no host; browsers always do. */
static bool is_host_known(const struct serve_guard *g, const struct serve_request *r)
{
	const char *host = serve_header(r, "Host");

	return !host || (!g->host_count && !r->serve->is_loopback) || is_known(g, str_of(host));
}

static struct str without_scheme(const char *origin)
{
	const char *at = strstr(origin, "://");

	return str_of(at ? at + 3 : origin);
}

/* Sec-Fetch-Site is the browser's own word; to hosts without https it says only Origin. */
static bool is_own_idea(const struct serve_guard *g, const struct serve_request *r)
{
	const char *origin = serve_header(r, "Origin"), *site = serve_header(r, "Sec-Fetch-Site"),
		   *host = serve_header(r, "Host");

	if (origin && is_listed(g, name_of(without_scheme(origin))))
		return true;
	if (site)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	return !origin || (host && str_case_eq(without_scheme(origin), host));
}

/* Authorization: Bearer TOKEN, or, for browsers, Basic with the token as anybody's password. */
static bool has_token(const struct token *token, const struct serve_request *r)
{
	const char *said = serve_header(r, "Authorization");
	char *user, *password = NULL;
	bool is_right;

	if (said && strncasecmp(said, "Bearer ", 7) == 0)
		return token_equals(token, str_trim(str_of(said + 7)));
	user = MHD_basic_auth_get_username_password(r->connection, &password);
	is_right = password && token_equals(token, str_of(password));
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
	MHD_free(user);
	return is_right;
}

bool serve_guard_admits(const struct serve_guard *g, struct serve_request *r)
{
	const struct serve_route *route = r->route;

	if (route && route->is_open)
		return true;
	if (!is_host_known(g, r)) {
		serve_error(r, 403,
			    "this server does not know itself by the name %.200s; see "
			    "--web-allow-host",
			    serve_header(r, "Host"));
		return false;
	}
	if (g->token && !has_token(g->token, r)) {
		serve_add_header(r, "WWW-Authenticate", "Basic realm=\"Cicada\"");
		serve_error(r, 401,
			    "say the token: Authorization: Bearer TOKEN, or as the password "
			    "of any user");
		return false;
	}
	if (route && route->is_change && !is_own_idea(g, r)) {
		serve_error(r, 403, "the page of another site asks for this; see --web-allow-host");
		return false;
	}
	return true;
}
