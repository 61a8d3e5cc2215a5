/* SPDX-License-Identifier: MIT
 *
 * strangers - what a master says to senders that are none of its workers.
 *
 * Each hears each answer only now and then: one that has waited for this master has much to say at
 * once, and one that does not read must not be piled up with files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "cluster/msg.h"
#include "cluster/seldom.h"

struct strangers {
	const struct msg_file *given; /* lent: what workers that ask get */
	size_t given_count;
	bool is_native; /* C source, which none but ours can run */
	struct seldom stops, files;
};

void strangers_init(struct strangers *s, const struct msg_file *given, size_t given_count,
		    bool is_native);
void strangers_fini(struct strangers *s);

/* Fills *answer, all but its node_id, and returns true when there is something to say. */
bool strangers_answer(struct strangers *s, struct str id, const struct msg *said, bool is_quitting,
		      uint64_t now_us, struct msg *answer);
