/* SPDX-License-Identifier: MIT
 *
 * peer - what the master knows of one worker, and what it still has to tell it.
 *
 * Commands are owed, not sent: peer_owe() notes that the worker is to be told, peer_pay() tells
 * it in the order below, with the content of that moment. What the connection does not take
 * stays owed. So a full queue delays a command but cannot lose it or send an outdated one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "cluster/msg.h"
#include "run/run.h"

/* Bits, paid from the lowest up. */
enum peer_debt {
	PEER_OWED_ACK = 1,
	PEER_OWED_CLASSES = 2, /* those with a new share */
	PEER_OWED_STOP = 4,
	PEER_OWED_SPAWN = 8,
	PEER_OWED_COMPLETE = 16,
	PEER_OWED_QUIT = 32,
	PEER_OWED_ANSWER = 64 /* for its reports */
};

#define PEER_VERSION_BYTES 24

struct peer {
	char *id;
	size_t index;
	/* READY, SPAWNING, RUNNING: takes part. STOPPED: between client_stopped and client_ready.
	 * MISSING: silent. */
	enum run_state state;
	/* Its version understands these from a master. */
	bool knows_heartbeat, knows_classes, knows_complete;
	char version[PEER_VERSION_BYTES]; /* of Locust, as it introduced itself; "" unknown */
	char cicada[PEER_VERSION_BYTES];  /* of Cicada; "" it is none, or has not said yet */
	double cpu_percent, lag_p99_ms;	  /* lag: of its last report; NAN: it does not say */
	uint64_t memory_bytes;
	bool was_cpu_high;
	uint64_t *users;			   /* per class of the run, as reported */
	struct buf logs;			   /* its last lines, each ended by NUL */
	uint64_t heard_us, spawned_us, stopped_us; /* last frame; last spawn, stop sent */
	double last_timestamp;			   /* of spawn messages */
	unsigned owed;
	struct msg_number number; /* of the last of its reports that is here, without a gap */
	bool is_on_control;	  /* of ours, but its reports do not take the second port */

	/* The present test. */
	bool was_spawned;  /* it was sent users */
	bool has_begun;	   /* and said so: its statistics are of this test */
	bool has_ramped;   /* it has sent a report of MSG_PHASE_TEST */
	bool is_confirmed; /* it has reported the counts it was sent last */
	bool is_awaited;   /* stopping: its last statistics are not in */
	bool has_stopped;  /* stopping: it said client_stopped */
	bool has_drained;  /* stopping: it sent a report of MSG_PHASE_DRAIN */
};

struct peer *peer_create(struct str id, size_t index, size_t class_count, uint64_t now_us);
void peer_destroy(struct peer **p);

/* It introduced itself: whatever was known of its users and versions is void. */
void peer_begin(struct peer *p, const struct msg_client_ready *ready, size_t class_count);
/* The version of Cicada that it says it is; "": none. */
void peer_note_cicada(struct peer *p, struct str version);
/* A new test begins. */
void peer_forget_test(struct peer *p);

static inline bool peer_takes_part(const struct peer *p)
{
	return p->state == RUN_READY || p->state == RUN_SPAWNING || p->state == RUN_RUNNING;
}

/* Whether a numbered report is the next one; then it is noted. Else it was here before, or one
 * before it is missing and will come again. */
bool peer_take_number(struct peer *p, const struct msg_number *number);

/* Adds to what is owed and drops what it makes void. */
void peer_owe(struct peer *p, enum peer_debt debt);
/* The lowest debt, 0: none. */
enum peer_debt peer_next_debt(const struct peer *p);
