/* SPDX-License-Identifier: MIT
 *
 * delay-server KIND A_US B_US SHARE [STALL_AT_MS STALL_MS [one]]
 *
 * Serves on a free port of loopback until SIGTERM, then prints its record as JSON: the requests
 * read, and the time in us of every answer, in order. It leaves after 300 s by itself. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "delay/delay.h"

static struct delay_server *server;

static void on_signal(int number)
{
	(void)number;
	delay_stop(server);
}

static enum delay_kind kind_of(const char *name)
{
	static const char *const names[] = { "fixed", "uniform", "exponential", "bimodal" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return (enum delay_kind)i;
	fprintf(stderr, "delay-server: '%s' is no kind of delay\n", name);
	exit(2);
}

static void print_record(void)
{
	size_t count;
	const uint32_t *times = delay_times(server, &count);

	printf("{\"heads\": %llu, \"times_us\": [", (unsigned long long)delay_heads(server));
	for (size_t i = 0; i < count; i++)
		printf("%s%u", i ? ", " : "", times[i]);
	puts("]}");
}

int main(int argc, char **argv)
{
	struct delay_options options = { 0 };

	if (argc < 5) {
		fprintf(stderr, "usage: delay-server KIND A_US B_US SHARE "
				"[STALL_AT_MS STALL_MS [one]]\n");
		return 2;
	}
	options.kind = kind_of(argv[1]);
	options.a_us = atof(argv[2]);
	options.b_us = atof(argv[3]);
	options.share = atof(argv[4]);
	if (argc > 6) {
		options.stall_at_us = strtoull(argv[5], NULL, 10) * CLOCK_MS;
		options.stall_us = strtoull(argv[6], NULL, 10) * CLOCK_MS;
	}
	options.one_at_a_time = argc > 7;
	server = delay_create(&options);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_signal);
	alarm(300);
	printf("ready on %u\n", delay_port(server));
	fflush(stdout);
	delay_run(server);
	print_record();
	delay_destroy(&server);
	return 0;
}
