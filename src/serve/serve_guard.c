/* SPDX-License-Identifier: MIT
 *
 * serve_guard - see the header. */
#include "serve/serve_guard.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/token.h"
#include "serve/serve_int.h"

#define COOKIE_NAME_BYTES 32
#define COOKIE_BYTES	  256
#define LOCATION_BYTES	  256

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

/* Cookies know no ports: servers of one host would overwrite each other's. */
static void cookie_name(const struct serve_request *r, char out[COOKIE_NAME_BYTES])
{
	snprintf(out, COOKIE_NAME_BYTES, "cicada_session_%u", r->serve->port);
}

static struct str session_of(const struct serve_request *r)
{
	char name[COOKIE_NAME_BYTES];
	const char *said;

	cookie_name(r, name);
	said = MHD_lookup_connection_value(r->connection, MHD_COOKIE_KIND, name);
	return str_of(said ? said : "");
}

static void add_cookie(struct serve_request *r, const char *session, const char *more)
{
	char name[COOKIE_NAME_BYTES], cookie[COOKIE_BYTES];

	cookie_name(r, name);
	snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", name,
		 session, r->serve->options.tls_cert ? "; Secure" : "", more);
	serve_add_header(r, "Set-Cookie", cookie);
}

bool serve_guard_has_session(const struct serve_guard *g, const struct serve_request *r)
{
	return g->login && serve_login_knows(g->login, session_of(r), clock_us());
}

enum err serve_guard_log_in(const struct serve_guard *g, struct serve_request *r)
{
	char session[SERVE_SESSION_TEXT];
	enum err err = serve_login_open(g->login, session, clock_us());

	if (!err)
		add_cookie(r, session, "");
	return err;
}

void serve_guard_log_out(const struct serve_guard *g, struct serve_request *r)
{
	if (g->login)
		serve_login_close(g->login, session_of(r));
	add_cookie(r, "", "; Max-Age=0");
}

static enum serve_login_result judge_basic(const struct serve_guard *g,
					   const struct serve_request *r)
{
	char *user, *password = NULL;
	enum serve_login_result result = SERVE_LOGIN_WRONG;

	user = MHD_basic_auth_get_username_password(r->connection, &password);
	if (password && g->token && token_equals(g->token, str_of(password)))
		result = SERVE_LOGIN_RIGHT;
	else if (user && password && g->login)
		result = serve_login_check(g->login, str_of(user), str_of(password), clock_us());
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
	MHD_free(user);
	return result;
}

/* A session, Authorization: Bearer TOKEN, or Basic with a user and its password, or with anybody
 * and the token as password. */
static enum serve_login_result judge(const struct serve_guard *g, const struct serve_request *r)
{
	const char *said = serve_header(r, "Authorization");

	if ((!g->token && !g->login) || serve_guard_has_session(g, r))
		return SERVE_LOGIN_RIGHT;
	if (!said || strncasecmp(said, "Bearer ", 7) != 0)
		return judge_basic(g, r);
	return g->token && token_equals(g->token, str_trim(str_of(said + 7))) ? SERVE_LOGIN_RIGHT
									      : SERVE_LOGIN_WRONG;
}

static bool wants_page(const struct serve_request *r)
{
	const char *accept = serve_header(r, "Accept");

	return accept && strstr(accept, "text/html") &&
	       (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0);
}

/* The script of our page: told of Basic, its browser would open a window of its own. */
static bool is_script(const struct serve_request *r)
{
	return serve_header(r, "Sec-Fetch-Mode") || session_of(r).len;
}

/* From where it is, for a proxy may have us below a path of its own. */
static void lead_to_login(struct serve_request *r)
{
	const char *at = strchr(r->path, '/');
	const char *base = r->serve->options.base_path;
	struct buf to;

	buf_init(&to, LOCATION_BYTES);
	if (base && *base && !r->is_below_base)
		buf_printf(&to, "%s/", base);
	while (r->is_below_base && at && (at = strchr(at + 1, '/')))
		buf_add_text(&to, "../");
	buf_add_text(&to, "login");
	serve_add_header(r, "Location", to.is_full ? "/login" : to.p);
	buf_fini(&to);
	serve_reply(r, 302, NULL, "", 0);
}

static void refuse(const struct serve_guard *g, struct serve_request *r)
{
	if (g->login && wants_page(r)) {
		lead_to_login(r);
		return;
	}
	serve_add_header(r, "WWW-Authenticate",
			 g->login && is_script(r) ? "Session realm=\"Cicada\""
						  : "Basic realm=\"Cicada\"");
	if (g->login)
		serve_error(r, 401, "log in at /login, or say user and password (HTTP Basic)%s",
			    g->token ? " or the token" : "");
	else
		serve_error(r, 401,
			    "say the token: Authorization: Bearer TOKEN, or as the password "
			    "of any user");
}

/* Answers for who is not let in. */
static bool knows_them(const struct serve_guard *g, struct serve_request *r)
{
	enum serve_login_result result = judge(g, r);

	if (result == SERVE_LOGIN_LATER) {
		serve_add_header(r, "Retry-After", "1");
		serve_error(r, 429, "too many wrong passwords; try again in a second");
	} else if (result == SERVE_LOGIN_WRONG) {
		refuse(g, r);
	}
	return result == SERVE_LOGIN_RIGHT;
}

bool serve_guard_admits(const struct serve_guard *g, struct serve_request *r)
{
	const struct serve_route *route = r->route;
	bool is_open = route && route->is_open, is_change = route && route->is_change;

	if (is_open && !is_change)
		return true;
	if (!is_host_known(g, r)) {
		serve_error(r, 403, "this server does not know itself by the name %.200s; see %s",
			    serve_header(r, "Host"), g->hosts_option);
		return false;
	}
	if (!is_open && !knows_them(g, r))
		return false;
	if (is_change && !is_own_idea(g, r)) {
		serve_error(r, 403, "the page of another site asks for this; see %s",
			    g->hosts_option);
		return false;
	}
	return true;
}
