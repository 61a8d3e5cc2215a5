/* SPDX-License-Identifier: MIT
 *
 * platform_local - see the header.
 *
 * Replicas and workers are numbered slots. Scaling up fills empty slots, scaling down ends
 * the highest ones; it happens between tests only, because a listener that closes resets
 * the connections waiting in its queue. When the master was lost its workers go too: a
 * worker of a dead master does not report to the next one. */
#include "matrix/platform_local.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/num.h"
#include "fetch/fetch.h"
#include "matrix/child.h"
#include "matrix/counter_text.h"
#include "matrix/pause.h"
#include "matrix/server_side.h"

#define PROBE_TIMEOUT_MS 2000
#define END_GRACE_S	 5
#define LOOK_AGAIN_MS	 20

/* What the programs print when they can be reached. */
#define MASTER_WEB_MARK	 "Starting web interface at "
#define MASTER_BIND_MARK "Listening for workers on tcp://"
#define REPLICA_MARK	 "cicada-inference ready on "

struct slot {
	struct child child;
	char admin[64]; /* host:port of a replica, "" until it is known */
	bool is_ready;	/* answered its readiness probe since the start */
};

struct slots {
	struct slot *slot;
	size_t count; /* of slots, empty ones included */
	size_t wanted;
};

struct platform_local {
	struct platform base;
	struct platform_local_config config;
	struct fetch *fetch;
	int port_fd; /* holds the shared port */
	char target_url[64], master_url[128];
	/* What master and workers are told of the load; NULL: nothing. */
	const char *load_option, *load_value;
	char think_time[32];
	uint64_t target_port, bind_port;
	struct child master;
	struct slots replicas, workers;
};

static struct platform_local *of(struct platform *p)
{
	return (struct platform_local *)p;
}

static bool is_stopped(void *arg)
{
	return pause_is_stopped(arg);
}

/* ---- processes ---- */

static enum err log_path(const struct platform_local *l, const char *name, char out[PATH_MAX],
			 struct err_text *text)
{
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s.log", l->config.logs, name) >= PATH_MAX)
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", l->config.logs);
	return OK;
}

static enum err start_child(struct platform_local *l, struct child *c, const char *name,
			    const char *const argv[], struct err_text *text)
{
	char path[PATH_MAX];
	enum err err = log_path(l, name, path, text);

	return err ? err : child_start(c, name, argv, path, text);
}

/* Ends children[0..count) together: asks, waits a while, then kills. */
static void end_children(struct platform_local *l, struct child *const *children, size_t count,
			 uint64_t grace_s)
{
	struct pause *pause = l->config.pause;
	uint64_t end_us = pause->now_us(pause) + grace_s * CLOCK_S;
	bool is_any_running = true;

	for (size_t i = 0; i < count; i++)
		child_ask_to_end(children[i]);
	while (is_any_running && pause->now_us(pause) < end_us) {
		is_any_running = false;
		for (size_t i = 0; i < count; i++)
			is_any_running |= child_is_running(children[i]);
		if (is_any_running && !pause_for(pause, LOOK_AGAIN_MS * CLOCK_MS))
			break;
	}
	for (size_t i = 0; i < count; i++)
		child_kill(children[i]);
}

static void shrink(struct platform_local *l, struct slots *slots, size_t wanted, uint64_t grace_s)
{
	struct child **ending = mem_zalloc(slots->count + 1, sizeof(struct child *));
	size_t count = 0;

	for (size_t i = wanted; i < slots->count; i++)
		ending[count++] = &slots->slot[i].child;
	end_children(l, ending, count, grace_s);
	mem_free(ending);
}

static void grow(struct slots *slots, size_t wanted)
{
	if (wanted > slots->count) {
		slots->slot = mem_realloc(slots->slot, wanted * sizeof(*slots->slot));
		memset(slots->slot + slots->count, 0,
		       (wanted - slots->count) * sizeof(*slots->slot));
		slots->count = wanted;
	}
	slots->wanted = wanted;
}

static void fini_slots(struct slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		child_fini(&slots->slot[i].child);
	mem_free(slots->slot);
}

/* ---- master ---- */

static bool find_master_addresses(struct platform_local *l)
{
	char bind[128], *colon;

	if (!child_find_line(&l->master, MASTER_WEB_MARK, l->master_url, sizeof(l->master_url)) ||
	    !child_find_line(&l->master, MASTER_BIND_MARK, bind, sizeof(bind)))
		return false;
	l->master_url[strcspn(l->master_url, " ")] = '\0';
	colon = strrchr(bind, ':');
	return colon && num_parse_u64(str_trim(str_of(colon + 1)), 65535, &l->bind_port);
}

static enum err wait_for_master(struct platform_local *l, struct err_text *text)
{
	struct pause *pause = l->config.pause;
	uint64_t end_us = pause->now_us(pause) + l->config.ready_timeout_s * CLOCK_S;

	while (!find_master_addresses(l)) {
		if (!child_is_running(&l->master))
			return child_say_ended(&l->master, text);
		if (pause->now_us(pause) >= end_us)
			return err_set(text, ERR_TIMEOUT,
				       "the master has not said where it listens within %" PRIu64
				       " s; see %s, or give a longer --ready-timeout",
				       l->config.ready_timeout_s, l->master.log_path);
		if (!pause_for(pause, LOOK_AGAIN_MS * CLOCK_MS))
			return err_set(text, ERR_INTERRUPTED, "interrupted");
	}
	return OK;
}

static enum err local_start(struct platform *p, struct err_text *text)
{
	struct platform_local *l = of(p);
	char web[16], bind[16], stop[32];
	const char *const argv[] = { l->config.cicada,
				     "--master",
				     "-f",
				     l->config.scenario,
				     "--web-host",
				     "127.0.0.1",
				     "--web-port",
				     web,
				     "--master-bind-host",
				     "127.0.0.1",
				     "--master-bind-port",
				     bind,
				     "--stop-timeout",
				     stop,
				     l->load_option,
				     l->load_value,
				     NULL };
	enum err err;

	if (child_is_running(&l->master))
		return OK;
	shrink(l, &l->workers, 0, END_GRACE_S);
	snprintf(web, sizeof(web), "%" PRIu64, l->config.web_port);
	snprintf(bind, sizeof(bind), "%" PRIu64, l->config.bind_port);
	snprintf(stop, sizeof(stop), "%" PRIu64, l->config.stop_timeout_s);
	err = start_child(l, &l->master, "master", argv, text);
	if (!err)
		err = wait_for_master(l, text);
	if (err)
		child_kill(&l->master);
	return err;
}

/* ---- target ---- */

static enum err start_replica(struct platform_local *l, size_t i, struct err_text *text)
{
	struct slot *slot = &l->replicas.slot[i];
	char port[16], name[32];
	const char *argv[16] = {
		l->config.inference, "--host",	     "127.0.0.1", "--port",    port,
		"--reuse-port",	     "--admin-port", "0",	  "--threads", "1"
	};

	snprintf(port, sizeof(port), "%" PRIu64, l->target_port);
	snprintf(name, sizeof(name), "inference-%zu", i + 1);
	if (l->config.model) {
		argv[10] = "--model";
		argv[11] = l->config.model;
	}
	slot->admin[0] = '\0';
	slot->is_ready = false;
	return start_child(l, &slot->child, name, argv, text);
}

static enum err local_scale_target(struct platform *p, uint64_t replicas, struct err_text *text)
{
	struct platform_local *l = of(p);
	enum err err = OK;

	shrink(l, &l->replicas, replicas, l->config.stop_timeout_s + END_GRACE_S);
	grow(&l->replicas, replicas);
	for (size_t i = 0; !err && i < replicas; i++)
		if (!child_is_running(&l->replicas.slot[i].child))
			err = start_replica(l, i, text);
	return err;
}

static void find_admin_address(struct slot *slot)
{
	char line[160], *admin;

	if (!child_find_line(&slot->child, REPLICA_MARK, line, sizeof(line)))
		return;
	admin = strstr(line, " admin ");
	if (admin)
		snprintf(slot->admin, sizeof(slot->admin), "%s", admin + strlen(" admin "));
}

static enum err ask_replica(struct platform_local *l, const struct slot *slot, const char *path,
			    unsigned attempts, struct fetch_reply *reply, struct err_text *text)
{
	char url[128];
	struct fetch_request request = { .url = url,
					 .timeout_ms = PROBE_TIMEOUT_MS,
					 .attempts = attempts };
	enum err err;

	snprintf(url, sizeof(url), "http://%s%s", slot->admin, path);
	err = fetch_call(l->fetch, &request, reply, text);
	return err ? err : fetch_expect(&request, reply, text);
}

static enum err check_replica(struct platform_local *l, struct slot *slot, struct err_text *text)
{
	struct fetch_reply reply;
	enum err err;

	if (!child_is_running(&slot->child))
		return child_say_ended(&slot->child, text);
	if (slot->is_ready)
		return OK;
	if (!slot->admin[0])
		find_admin_address(slot);
	if (!slot->admin[0])
		return err_set(text, ERR_BUSY, "%s has not said that it is ready; see %s",
			       slot->child.name, slot->child.log_path);
	fetch_reply_init(&reply);
	err = ask_replica(l, slot, "/readyz", 1, &reply, text);
	fetch_reply_fini(&reply);
	slot->is_ready = !err;
	return err && err != ERR_INTERRUPTED ? ERR_BUSY : err;
}

static enum err local_check_target(struct platform *p, struct err_text *text)
{
	struct platform_local *l = of(p);
	enum err err = OK;

	for (size_t i = 0; !err && i < l->replicas.wanted; i++)
		err = check_replica(l, &l->replicas.slot[i], text);
	return err;
}

static enum err local_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	struct platform_local *l = of(p);
	struct fetch_reply reply;
	enum err err = OK;

	*out = 0;
	fetch_reply_init(&reply);
	for (size_t i = 0; !err && i < l->replicas.wanted; i++) {
		const struct slot *slot = &l->replicas.slot[i];
		uint64_t count = 0;

		err = ask_replica(l, slot, "/metrics", 3, &reply, text);
		if (!err && !counter_text_sum(buf_str(&reply.body), COUNTER_OF_REQUESTS, &count))
			err = err_set(text, ERR_BAD_INPUT, "http://%s/metrics: %s is no count",
				      slot->admin, COUNTER_OF_REQUESTS);
		*out += count;
	}
	fetch_reply_fini(&reply);
	return err;
}

static enum err local_read_server(struct platform *p, struct server_side *out,
				  struct err_text *text)
{
	struct platform_local *l = of(p);
	struct fetch_reply reply;
	enum err err = OK;

	fetch_reply_init(&reply);
	for (size_t i = 0; !err && i < l->replicas.wanted; i++) {
		err = ask_replica(l, &l->replicas.slot[i], "/metrics", 1, &reply, text);
		if (!err)
			server_side_add(out, l->replicas.slot[i].child.name, buf_str(&reply.body));
	}
	fetch_reply_fini(&reply);
	return err;
}

/* ---- workers ---- */

static enum err local_scale_workers(struct platform *p, uint64_t workers, struct err_text *text)
{
	struct platform_local *l = of(p);
	char port[16], stop[32], name[32];
	const char *const argv[] = { l->config.cicada,
				     "--worker",
				     "-f",
				     l->config.scenario,
				     "--master-host",
				     "127.0.0.1",
				     "--master-port",
				     port,
				     "--stop-timeout",
				     stop,
				     "--threads",
				     "1",
				     l->load_option,
				     l->load_value,
				     NULL };
	enum err err = OK;

	snprintf(port, sizeof(port), "%" PRIu64, l->bind_port);
	snprintf(stop, sizeof(stop), "%" PRIu64, l->config.stop_timeout_s);
	shrink(l, &l->workers, workers, END_GRACE_S);
	grow(&l->workers, workers);
	for (size_t i = 0; !err && i < workers; i++) {
		if (child_is_running(&l->workers.slot[i].child))
			continue;
		snprintf(name, sizeof(name), "worker-%zu", i + 1);
		err = start_child(l, &l->workers.slot[i].child, name, argv, text);
	}
	return err;
}

static enum err check_children(struct slots *slots, struct err_text *text)
{
	for (size_t i = 0; i < slots->wanted; i++)
		if (!child_is_running(&slots->slot[i].child))
			return child_say_ended(&slots->slot[i].child, text);
	return OK;
}

/* That they are connected, the driver hears from the master. */
static enum err local_check_workers(struct platform *p, struct err_text *text)
{
	return check_children(&of(p)->workers, text);
}

static enum err local_check_running(struct platform *p, enum platform_part *part,
				    struct err_text *text)
{
	struct platform_local *l = of(p);
	enum err err;

	*part = PLATFORM_MASTER;
	if (!child_is_running(&l->master))
		return child_say_ended(&l->master, text);
	*part = PLATFORM_TARGET;
	err = check_children(&l->replicas, text);
	if (err)
		return err;
	*part = PLATFORM_WORKERS;
	return check_children(&l->workers, text);
}

/* ---- the rest ---- */

static const char *local_master_url(const struct platform *p)
{
	return ((const struct platform_local *)p)->master_url;
}

static const char *local_target_url(const struct platform *p)
{
	return ((const struct platform_local *)p)->target_url;
}

static void local_describe(const struct platform *p, struct buf *out)
{
	const struct platform_local *l = (const struct platform_local *)p;

	buf_printf(out,
		   "- Platform: local processes on loopback; replicas share %s by SO_REUSEPORT, "
		   "one thread each\n- Load scenario: %s\n- Model: %s\n",
		   l->target_url, l->config.scenario,
		   l->config.model ? l->config.model : "the service's default");
}

static void local_destroy(struct platform *p)
{
	struct platform_local *l = of(p);
	size_t count = 0;
	struct child **all =
		mem_zalloc(1 + l->workers.count + l->replicas.count, sizeof(struct child *));

	for (size_t i = 0; i < l->workers.count; i++)
		all[count++] = &l->workers.slot[i].child;
	all[count++] = &l->master;
	for (size_t i = 0; i < l->replicas.count; i++)
		all[count++] = &l->replicas.slot[i].child;
	end_children(l, all, count, END_GRACE_S);
	mem_free(all);
	fini_slots(&l->workers);
	fini_slots(&l->replicas);
	child_fini(&l->master);
	fetch_destroy(&l->fetch);
	if (l->port_fd >= 0)
		close(l->port_fd);
	mem_free(l);
}

static void set_load(struct platform_local *l)
{
	if (l->config.arrivals) {
		l->load_option = "--arrivals";
		l->load_value = l->config.arrivals;
	} else if (!isnan(l->config.think_time_s)) {
		snprintf(l->think_time, sizeof(l->think_time), "%.9g", l->config.think_time_s);
		l->load_option = "--think-time";
		l->load_value = l->think_time;
	}
}

static enum err hold_port(struct platform_local *l, struct err_text *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				       .sin_port = htons((uint16_t)l->config.target_port) };
	socklen_t len = sizeof(address);
	int on = 1;

	l->port_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->port_fd < 0 ||
	    setsockopt(l->port_fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
	    bind(l->port_fd, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(l->port_fd, (struct sockaddr *)&address, &len) != 0)
		return err_set(text, ERR_BUSY,
			       "--target-port %" PRIu64 ": %s; give another one, or 0 for any",
			       l->config.target_port, strerror(errno));
	l->target_port = ntohs(address.sin_port);
	snprintf(l->target_url, sizeof(l->target_url), "http://127.0.0.1:%" PRIu64, l->target_port);
	return OK;
}

static const struct platform_ops local_ops = {
	.name = "local",
	.start = local_start,
	.scale_target = local_scale_target,
	.check_target = local_check_target,
	.scale_workers = local_scale_workers,
	.check_workers = local_check_workers,
	.check_running = local_check_running,
	.read_requests = local_read_requests,
	.read_server = local_read_server,
	.master_url = local_master_url,
	.target_url = local_target_url,
	.describe = local_describe,
	.destroy = local_destroy,
};

enum err platform_local_create(const struct platform_local_config *config, struct platform **out,
			       struct err_text *text)
{
	struct platform_local *l = mem_zalloc(1, sizeof(*l));
	enum err err;

	l->base.ops = &local_ops;
	l->config = *config;
	set_load(l);
	l->fetch = fetch_create(is_stopped, config->pause);
	err = hold_port(l, text);
	if (err)
		local_destroy(&l->base);
	else
		*out = &l->base;
	return err;
}
