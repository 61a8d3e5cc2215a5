/* SPDX-License-Identifier: MIT
 *
 * clock - the only readers of the system's clocks.
 *
 * Inside, time is monotonic uint64_t microseconds. Wall time exists only where a
 * person or Locust's protocol reads it. State machines take the time as a
 * parameter and never call these. */
#pragma once

#include <stdint.h>

#define CLOCK_S	 1000000ull
#define CLOCK_MS 1000ull

uint64_t clock_us(void);
/* Seconds since 1970, UTC. */
double clock_wall_s(void);
/* CPU time this process (user + system) has used. */
uint64_t clock_cpu_us(void);
/* CPU time the calling thread has used. */
uint64_t clock_thread_cpu_us(void);
/* Sleeps on the monotonic clock, also across signals. For threads without a loop. */
void clock_sleep_us(uint64_t us);
