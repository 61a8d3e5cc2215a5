/* SPDX-License-Identifier: MIT
 *
 * Requests per second of the whole engine, and per CPU-second of the generator: one load
 * thread, users without waits, GET of a tiny reply.
 *
 *	bench_load [URL [USERS [SECONDS]]]
 *
 * Without a URL the target is a server of ours in a process of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/serve.h"
#include "user/load.h"

#define USERS	64
#define SECONDS 3

static void get_root(struct cic_user *u)
{
	cic_get(u, "/");
}

static const struct cic_user_class class = {
	.abi = CIC_ABI,
	.name = "Visitor",
	.tasks = CIC_TASKS({ get_root, 1 }),
};

struct bench {
	struct loop loop;
	struct load *load;
	struct loop_timer timer;
	uint64_t seconds, users;
	uint64_t began_us, cpu_began_us, cpu_us, duration_us;
	uint64_t requests, failures;
	int deltas;
};

static void answer(void *arg, struct serve_request *r)
{
	(void)arg;
	serve_reply(r, 200, "text/plain", "ok", 2);
}

/* Serves until killed; its port comes through the pipe. */
static pid_t start_server(uint16_t *port)
{
	static const struct serve_route routes[] = { { "GET", "/", answer }, { 0 } };
	struct serve_options options = { .host = "127.0.0.1", .threads = 1, .routes = routes };
	struct err_text text = { 0 };
	struct serve *serve;
	int ends[2];
	pid_t pid;

	ensure(pipe(ends) == 0);
	pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ensure(serve_create(&serve, &options, &text) == OK);
		*port = serve_port(serve);
		ensure(write(ends[1], port, sizeof(*port)) == sizeof(*port));
		for (;;)
			pause();
	}
	ensure(read(ends[0], port, sizeof(*port)) == sizeof(*port));
	return pid;
}

/* The first delta is the start and thrown away; the second is measured. */
static void on_delta(void *arg, const struct stats *delta, const uint64_t *users)
{
	struct bench *b = arg;

	ensure(users[0] == b->users);
	if (b->deltas++ == 0) {
		b->began_us = clock_us();
		b->cpu_began_us = clock_cpu_us();
		loop_timer_set(&b->loop, &b->timer, b->began_us + b->seconds * CLOCK_S);
		return;
	}
	b->duration_us = clock_us() - b->began_us;
	b->cpu_us = clock_cpu_us() - b->cpu_began_us;
	b->requests = delta->total.num_requests;
	b->failures = delta->total.num_failures;
	loop_stop(&b->loop);
}

static void on_timer(void *arg)
{
	load_collect(((struct bench *)arg)->load);
}

int main(int argc, char **argv)
{
	const struct cic_user_class *const classes[] = { &class };
	const struct scenario scenario = { .classes = classes, .class_count = 1 };
	struct bench b = { .users = argc > 2 ? strtoul(argv[2], NULL, 10) : USERS,
			   .seconds = argc > 3 ? strtoul(argv[3], NULL, 10) : SECONDS };
	struct load_options options = {
		.scenario = &scenario, .threads = 1, .on_delta = on_delta, .arg = &b
	};
	struct err_text text = { 0 };
	char host[64];
	uint16_t port;
	pid_t server = 0;

	if (argc < 2) {
		server = start_server(&port);
		snprintf(host, sizeof(host), "http://127.0.0.1:%u", port);
	}
	ensure(loop_init(&b.loop, &text) == OK);
	ensure(load_create(&b.loop, &options, &b.load, &text) == OK);
	loop_timer_init(&b.timer, on_timer, &b);
	load_set_users(b.load, &b.users, argc < 2 ? host : argv[1], 0);
	loop_timer_set(&b.loop, &b.timer, clock_us() + CLOCK_S / 2);
	loop_run(&b.loop);
	load_destroy(&b.load);
	loop_fini(&b.loop);
	if (server) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	printf("{\"bench\": \"load\", \"users\": %llu, \"requests_per_s\": %.0f, "
	       "\"requests_per_cpu_s\": %.0f, \"failures\": %llu}\n",
	       (unsigned long long)b.users, (double)b.requests * 1e6 / (double)b.duration_us,
	       (double)b.requests * 1e6 / (double)b.cpu_us, (unsigned long long)b.failures);
	return b.failures ? 1 : 0;
}
