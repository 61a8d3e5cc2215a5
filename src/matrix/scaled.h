/* SPDX-License-Identifier: MIT
 *
 * scaled - one Deployment that the matrix scales: ordering replicas, knowing when they are
 * there, noticing that they are no longer what they were, and giving the old number back.
 *
 * What it knows of the cluster comes from watches; nothing here waits but calls that change
 * or must be sure of something. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct kube_api;
struct map;
struct scaled;

/* The strings and the api are lent until destroy. service: whose endpoints must be the replicas;
 * NULL: none. */
struct scaled *scaled_create(struct kube_api *api, const char *deployment, const char *service);
void scaled_destroy(struct scaled **s);
/* Reads how many replicas there are before anything is changed; once is enough. Until another order
 * scaled_check() is about those. */
enum err scaled_open(struct scaled *s, struct err_text *text) MUST_CHECK;
/* The same once more: somebody else may have scaled since. To a Deployment that was deleted and
 * made again nothing is owed. */
enum err scaled_read_before(struct scaled *s, struct err_text *text) MUST_CHECK;
const char *scaled_name(const struct scaled *s);
/* The replicas of the last order. */
uint64_t scaled_wanted(const struct scaled *s);

#define SCALED_UID_BYTES 64

/* What scaled_restore() gives back. */
struct scaled_before {
	char uid[SCALED_UID_BYTES]; /* of the Deployment that had it; "": not known */
	uint64_t replicas;
	const char *autoscaler; /* the one that is held; NULL: none */
	uint64_t min, max;	/* its bounds */
};

/* Lent until destroy. */
struct scaled_before scaled_before(const struct scaled *s);
/* Before scaled_open(): that is what was there before an earlier driver, which was killed and has
 * left it to this one to give it back. */
void scaled_take_over(struct scaled *s, const struct scaled_before *before);
/* Somebody else has given that back. */
void scaled_forget(struct scaled *s);
/* From now on this autoscaler is held at the replicas of each order. */
void scaled_hold(struct scaled *s, const char *autoscaler, uint64_t min, uint64_t max);

enum err scaled_order(struct scaled *s, uint64_t replicas, struct err_text *text) MUST_CHECK;
/* OK: exactly the ordered replicas are ready, no older pod is left, and the Service has them all.
 * ERR_BUSY: not yet, *text says what is missing. Else it will not come by waiting. */
enum err scaled_check(struct scaled *s, struct err_text *text) MUST_CHECK;
/* Since scaled_check() was OK, as far as the watches have told: ERR_CLOSED when a pod was lost,
 * restarted or is no longer ready, ERR_STATE when somebody else has scaled. */
enum err scaled_compare(struct scaled *s, struct err_text *text) MUST_CHECK;
/* The same after asking afresh; other errors: it could not be found out. */
enum err scaled_verify(struct scaled *s, struct err_text *text) MUST_CHECK;
/* Of the pods that the Service has: uid -> const char *address, lent until the next call. */
void scaled_collect_addresses(const struct scaled *s, struct map *out);
/* What picks out its pods, after scaled_open(); lent. */
const char *scaled_selector(const struct scaled *s);
/* Those of the pods that were seen last, by kube_pod_add_images(). False: some are still being
 * made. */
bool scaled_add_images(const struct scaled *s, struct buf *out);
/* The same of the pods that it has now; asks the API server. ERR_BUSY: some are still being made.
 */
enum err scaled_find_images(struct scaled *s, struct buf *out, struct err_text *text) MUST_CHECK;
/* Is there anything to undo? */
bool scaled_is_owed(const struct scaled *s);
/* Undoes all orders. What could not be undone stands in *todo as kubectl commands, one a line,
 * under the reason. */
enum err scaled_restore(struct scaled *s, struct buf *todo) MUST_CHECK;
/* Those commands, each on a line of its own: of all that scaled_restore() would do, */
void scaled_say_owed(const struct scaled *s, struct buf *out);
/* and one by one. */
void scaled_say_replicas(const char *ns, const char *deployment, const struct scaled_before *before,
			 struct buf *out);
void scaled_say_bounds(const char *ns, const struct scaled_before *before, struct buf *out);
