/* SPDX-License-Identifier: MIT
 *
 * pause - see the header. Signals only count; a wait in slices needs no wake-up and
 * has no race between looking and sleeping. */
#include "matrix/pause.h"

#include "base/clock.h"

static uint64_t system_now_us(struct pause *p)
{
	(void)p;
	return clock_us();
}

static void system_sleep_us(struct pause *p, uint64_t us)
{
	(void)p;
	clock_sleep_us(us);
}

void pause_init(struct pause *p, const volatile sig_atomic_t *stops)
{
	*p = (struct pause){ .now_us = system_now_us, .sleep_us = system_sleep_us, .stops = stops };
}

bool pause_is_stopped(const struct pause *p)
{
	return *p->stops > p->stops_tolerated;
}

bool pause_until(struct pause *p, uint64_t end_us)
{
	for (;;) {
		uint64_t now_us = p->now_us(p), left_us = end_us > now_us ? end_us - now_us : 0;

		if (pause_is_stopped(p))
			return false;
		if (!left_us)
			return true;
		p->sleep_us(p, left_us < PAUSE_SLICE_MS * CLOCK_MS ? left_us
								   : PAUSE_SLICE_MS * CLOCK_MS);
	}
}

bool pause_for(struct pause *p, uint64_t us)
{
	return pause_until(p, p->now_us(p) + us);
}

enum err pause_interrupted(struct err_text *text)
{
	return err_set(text, ERR_INTERRUPTED, "interrupted");
}
