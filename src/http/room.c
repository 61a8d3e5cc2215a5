/* SPDX-License-Identifier: MIT
 *
 * room - see the header. The target's name is looked up only when one address of it would not do.
 */
#include "http/room.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/network.h"
#include "http/url.h"
#include "net/resolver.h"

#define LOGGER		  "locust.runners"
#define PORT_RANGE	  "/proc/sys/net/ipv4/ip_local_port_range"
#define WARNING_BYTES_MAX 1024
/* Descriptors that are no connection of a user: listeners, loops, mailboxes, files. */
#define OWN_FILES 32

struct room {
	struct loop *loop;
	const struct http_network *network;
	struct resolver *resolver; /* NULL: nothing was looked up yet */
	char *host;		   /* that is connected in the check under way */
	uint64_t all, users;	   /* its */
	bool is_looking_up, has_warned;
};

static const struct http_network network_defaults;

struct room *room_create(struct loop *loop, const struct http_network *network)
{
	struct room *r = mem_zalloc(1, sizeof(*r));

	r->loop = loop;
	r->network = network ? network : &network_defaults;
	return r;
}

void room_destroy(struct room **r)
{
	if (!*r)
		return;
	resolver_destroy(&(*r)->resolver);
	mem_free((*r)->host);
	mem_free(*r);
	*r = NULL;
}

void room_forget(struct room *r)
{
	r->has_warned = false;
}

static uint64_t open_files(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
		       ? limit.rlim_cur
		       : 0;
}

/* IPv6 has the same range. */
static uint64_t local_ports(void)
{
	FILE *file = fopen(PORT_RANGE, "re");
	unsigned first = 1, last = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%u %u", &first, &last) != 2)
		last = 0;
	fclose(file);
	return last >= first ? last - first + 1 : 0;
}

void room_judge(const struct room_limits *limits, uint64_t all, const char *host, uint64_t users,
		struct buf *out)
{
	bool lacks_files = limits->open_files && all + OWN_FILES > limits->open_files;
	bool lacks_ports = limits->ports && limits->pairs && users > limits->ports * limits->pairs;

	if (lacks_files || lacks_ports)
		buf_printf(out, "%" PRIu64 " users want a connection each", all);
	if (lacks_files)
		buf_printf(out,
			   "; this process may have %" PRIu64
			   " open files: raise the hard limit (ulimit -Hn, LimitNOFILE=)",
			   limits->open_files);
	if (lacks_ports)
		buf_printf(out,
			   "; %" PRIu64 " to %s can be had, %" PRIu64
			   " local ports for each of %" PRIu64
			   " %s of source and target address: widen net.ipv4.ip_local_port_range "
			   "(sysctl), or give more --source-addresses",
			   limits->ports * limits->pairs, host, limits->ports, limits->pairs,
			   limits->pairs == 1 ? "pair" : "pairs");
}

static void warn(struct room *r, uint64_t ports, uint64_t pairs)
{
	struct room_limits limits = { .open_files = open_files(), .ports = ports, .pairs = pairs };
	struct buf text;

	buf_init(&text, WARNING_BYTES_MAX);
	room_judge(&limits, r->all, r->host, r->users, &text);
	r->has_warned = text.len > 0;
	if (r->has_warned)
		log_line(LOG_WARNING, LOGGER, "%s", text.p);
	buf_fini(&text);
}

static uint64_t pairs_of(const struct sources *sources, const struct resolver_answer *answer)
{
	uint64_t pairs = 0;

	if (!sources->v4_count && !sources->v6_count)
		return answer->count;
	for (size_t i = 0; i < answer->count; i++)
		pairs += sources_count(sources, answer->addresses[i].name.ss_family);
	return pairs;
}

static void on_found(void *arg, const struct resolver_answer *answer)
{
	struct room *r = arg;

	r->is_looking_up = false;
	warn(r, local_ports(), pairs_of(&r->network->sources, answer));
}

/* False: it cannot be, and the requests will say why. */
static bool look_up(struct room *r, const struct http_url *url)
{
	char *host;

	if (!r->resolver &&
	    resolver_create(r->loop, r->network->dns_servers, &r->resolver, NULL) != OK)
		return false;
	r->is_looking_up = true;
	host = mem_strndup(url->host.p, url->host.len);
	resolver_look_up(r->resolver, host, url->port, on_found, r);
	mem_free(host);
	return true;
}

void room_check(struct room *r, uint64_t all, const char *host, uint64_t users)
{
	const struct proxy *proxy;
	struct http_url url;

	if (r->has_warned || r->is_looking_up || http_url_parse(str_of(host), &url, NULL) != OK)
		return;
	proxy = proxy_choose(&r->network->proxies, &url);
	if (proxy)
		url = proxy_url(proxy);
	mem_free(r->host);
	r->host = mem_strndup(url.host.p, url.host.len);
	r->all = all;
	r->users = users;
	if (users <= local_ports() || !look_up(r, &url))
		warn(r, 0, 0);
}
