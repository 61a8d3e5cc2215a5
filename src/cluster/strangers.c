/* SPDX-License-Identifier: MIT
 *
 * strangers - see the header. */
#include "cluster/strangers.h"

#include "base/clock.h"

#define STOP_EVERY_US (5 * CLOCK_S)
#define FILE_EVERY_US (500 * CLOCK_MS) /* they ask each second */

void strangers_init(struct strangers *s, const struct msg_file *given, size_t given_count,
		    bool is_native)
{
	*s = (struct strangers){ .given = given,
				 .given_count = given_count,
				 .is_native = is_native };
	seldom_init(&s->stops, STOP_EVERY_US);
	seldom_init(&s->files, FILE_EVERY_US);
}

void strangers_fini(struct strangers *s)
{
	seldom_fini(&s->stops);
	seldom_fini(&s->files);
}

/* To be of use it must introduce itself, which every worker does after a stop. */
static bool turn_away(struct strangers *s, struct str id, bool is_quitting, uint64_t now_us,
		      struct msg *answer)
{
	*answer = (struct msg){ .type = is_quitting ? MSG_QUIT : MSG_STOP };
	return seldom_take(&s->stops, id, now_us);
}

/* It asks over a connection of its own, before it is a worker. */
static bool give_scenario(struct strangers *s, struct str id, bool takes_source, uint64_t now_us,
			  struct msg *answer)
{
	*answer = (struct msg){ .type = MSG_LOCUSTFILE };
	if (!s->given_count) {
		answer->locustfile.error = str_of("the master has no source to give; give the "
						  "worker its scenario with -f");
	} else if (s->is_native && !takes_source) {
		answer->locustfile.error = str_of("the master runs a scenario in C; give Locust's "
						  "workers a locustfile of their own with -f");
	} else {
		answer->locustfile.files = s->given;
		answer->locustfile.file_count = s->given_count;
	}
	return seldom_take(&s->files, id, now_us);
}

bool strangers_answer(struct strangers *s, struct str id, const struct msg *said, bool is_quitting,
		      uint64_t now_us, struct msg *answer)
{
	switch (said->type) {
	case MSG_STATS:
		if (!said->report.number.number)
			return turn_away(s, id, is_quitting, now_us, answer);
		/* Of no test that is known here, so it need not be kept. Its heartbeats make that
		 * it is turned away. */
		*answer = (struct msg){ .type = MSG_REPORT_ACK, .report_ack = said->report.number };
		return true;
	case MSG_HEARTBEAT:
	case MSG_SPAWNING:
	case MSG_SPAWNING_COMPLETE:
		return turn_away(s, id, is_quitting, now_us, answer);
	case MSG_LOCUSTFILE:
		return give_scenario(s, id, said->locustfile.is_native, now_us, answer);
	default:
		return false;
	}
}
