/* SPDX-License-Identifier: MIT
 *
 * peer - see the header. */
#include "cluster/peer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cluster/peers.h"

struct peer *peer_create(struct str id, size_t index, size_t class_count, uint64_t now_us)
{
	struct peer *p = mem_zalloc(1, sizeof(*p));

	p->id = mem_strndup(id.p, id.len);
	p->index = index;
	p->state = RUN_STOPPED;
	p->lag_p99_ms = NAN;
	p->heard_us = now_us;
	p->users = mem_zalloc(class_count + 1, sizeof(*p->users));
	buf_init(&p->logs, LIMIT_WORKER_LOG_BYTES);
	return p;
}

void peer_destroy(struct peer **pp)
{
	struct peer *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	mem_free(p->id);
	mem_free(p->users);
	buf_fini(&p->logs);
	mem_free(p);
}

void peer_forget_test(struct peer *p)
{
	p->was_spawned = p->has_begun = p->has_ramped = p->is_confirmed = false;
	p->is_awaited = p->has_stopped = p->has_drained = false;
}

/* It is for people to see: what is not text, or too much of it, says nothing. */
static void note_version(char out[PEER_VERSION_BYTES], struct str version)
{
	bool is_text = version.len < PEER_VERSION_BYTES && peers_is_id(version);

	snprintf(out, PEER_VERSION_BYTES, "%.*s", STR_ARG(is_text ? version : str_of("")));
}

void peer_note_cicada(struct peer *p, struct str version)
{
	note_version(p->cicada, version);
}

void peer_begin(struct peer *p, const struct msg_client_ready *ready, size_t class_count)
{
	p->state = RUN_READY;
	p->lag_p99_ms = NAN;
	note_version(p->version, ready->version);
	note_version(p->cicada, str_of(""));
	/* Debian's 2.12.1 has no version text and foreign workers have none either. */
	p->knows_heartbeat = msg_version_at_least(ready->version, 2, 19);
	p->knows_classes = msg_version_at_least(ready->version, 2, 25);
	p->knows_complete = msg_version_at_least(ready->version, 2, 29);
	memset(p->users, 0, class_count * sizeof(*p->users));
	p->was_spawned = p->has_begun = p->is_confirmed = false;
	/* What was owed to the old one means nothing to it. */
	p->owed = 0;
}

bool peer_take_number(struct peer *p, const struct msg_number *number)
{
	if (number->stream != p->number.stream)
		p->number = (struct msg_number){ .stream = number->stream };
	if (number->first && number->first - 1 > p->number.number)
		p->number.number = number->first - 1;
	if (number->number != p->number.number + 1)
		return false;
	p->number.number++;
	return true;
}

void peer_owe(struct peer *p, enum peer_debt debt)
{
	static const unsigned voids[] = {
		[PEER_OWED_ACK] = 0,
		[PEER_OWED_CLASSES] = 0,
		[PEER_OWED_STOP] = PEER_OWED_SPAWN | PEER_OWED_COMPLETE,
		[PEER_OWED_SPAWN] = PEER_OWED_COMPLETE,
		[PEER_OWED_COMPLETE] = 0,
		[PEER_OWED_QUIT] = PEER_OWED_ACK | PEER_OWED_CLASSES | PEER_OWED_STOP |
				   PEER_OWED_SPAWN | PEER_OWED_COMPLETE,
		[PEER_OWED_ANSWER] = 0,
	};

	p->owed = (p->owed & ~voids[debt]) | debt;
}

enum peer_debt peer_next_debt(const struct peer *p)
{
	return (enum peer_debt)(p->owed & -p->owed);
}
