/* SPDX-License-Identifier: MIT
 *
 * guest - see the header. */
#include "web/guest.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/serve_guard.h"

struct wait {
	struct list node;
	struct guest *guest;
	struct serve_request *r;
	uint64_t ticket;
	struct loop_timer deadline;
};

void guest_init(struct guest *g, struct loop *loop, const struct web_guest *who,
		void (*answered)(void *arg), void *arg)
{
	*g = (struct guest){ .loop = loop, .who = who, .answered = answered, .arg = arg };
	list_init(&g->waits);
}

/* The request is its caller's to answer. */
static struct serve_request *end_wait(struct wait *wait)
{
	struct serve_request *r = wait->r;

	loop_timer_clear(wait->guest->loop, &wait->deadline);
	list_remove(&wait->node);
	wait->guest->wait_count--;
	mem_free(wait);
	return r;
}

static void on_deadline(void *arg)
{
	struct wait *wait = arg;
	struct guest *g = wait->guest;

	serve_error(end_wait(wait), 504, "the locustfile did not answer within %d s",
		    LIMIT_WEB_GUEST_S);
	g->answered(g->arg);
}

void guest_fini(struct guest *g)
{
	LIST_EACH (node, &g->waits)
		serve_error(end_wait(CONTAINER_OF(node, struct wait, node)), 503,
			    "the load generator is ending");
}

void guest_ask(struct guest *g, struct serve_request *r)
{
	struct wait *wait;

	if (!g->who) {
		serve_no_path(r);
		return;
	}
	if (g->wait_count == LIMIT_WEB_GUESTS) {
		serve_error(r, 503, "%d requests wait for the locustfile already",
			    LIMIT_WEB_GUESTS);
		return;
	}
	wait = mem_zalloc(1, sizeof(*wait));
	*wait = (struct wait){ .guest = g, .r = r, .ticket = ++g->tickets };
	loop_timer_init(&wait->deadline, on_deadline, wait);
	loop_timer_set(g->loop, &wait->deadline, loop_now(g->loop) + LIMIT_WEB_GUEST_S * CLOCK_S);
	list_append(&g->waits, &wait->node);
	g->wait_count++;
	g->who->ask(g->who->arg, wait->ticket, r);
	serve_defer(r);
}

/* The session of the web interface follows the guest's. */
static void note_login(const struct guest *g, struct serve_request *r, const char *said)
{
	bool is_in = strcmp(said, "in") == 0;

	if (!g->guard || is_in == serve_guard_has_session(g->guard, r))
		return;
	if (!is_in)
		serve_guard_log_out(g->guard, r);
	else if (serve_guard_log_in(g->guard, r))
		log_line(LOG_ERROR, "locust.web", "No session: no random numbers from the system");
}

static void send(const struct guest *g, struct serve_request *r, const struct guest_reply *reply)
{
	struct str rest = reply->headers, name, value;
	const char *type = NULL;

	if (!reply->status) {
		serve_no_path(r);
		return;
	}
	while (str_cut(&rest, '\0', &name) && name.len && str_cut(&rest, '\0', &value)) {
		if (str_case_eq(name, "Content-Type"))
			type = value.p;
		else if (str_case_eq(name, GUEST_LOGIN_HEADER))
			note_login(g, r, value.p);
		else if (!str_case_eq(name, "Content-Length"))
			serve_add_header(r, name.p, value.p);
	}
	serve_reply(r, reply->status, type, reply->body.p, reply->body.len);
}

void guest_answer(struct guest *g, uint64_t ticket, const struct guest_reply *reply)
{
	LIST_EACH (node, &g->waits) {
		struct wait *wait = CONTAINER_OF(node, struct wait, node);

		if (wait->ticket == ticket) {
			send(g, end_wait(wait), reply);
			g->answered(g->arg);
			return;
		}
	}
}
