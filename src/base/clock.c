/* SPDX-License-Identifier: MIT
 *
 * clock - see the header. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_S + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t clock_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

double clock_wall_s(void)
{
	return (double)read_us(CLOCK_REALTIME) / 1e6;
}

uint64_t clock_cpu_us(void)
{
	return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t clock_thread_cpu_us(void)
{
	return read_us(CLOCK_THREAD_CPUTIME_ID);
}

void clock_sleep_us(uint64_t us)
{
	uint64_t until = clock_us() + us;
	struct timespec ts = { (time_t)(until / CLOCK_S), (long)(until % CLOCK_S) * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}
