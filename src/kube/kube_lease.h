/* SPDX-License-Identifier: MIT
 *
 * kube_lease - a Lease: of several programs one may do something.
 *
 * Its holder renews it every KUBE_LEASE_RENEW_S. Whoever wants it and sees it unchanged for as long
 * as its holder has said takes it over; no clocks are compared for that, what counts is the own
 * time since the last change that was seen. A note in an annotation is for whoever comes next.
 *
 * Belongs to one thread at a time, as the api of a call does. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "kube/kube_api.h"

#define KUBE_LEASE_S	      15
#define KUBE_LEASE_RENEW_S    5
#define KUBE_LEASE_NOTE	      "cicada-driver/before" /* the annotation */
#define KUBE_LEASE_NOTE_BYTES 1024
#define KUBE_LEASE_TIME_BYTES 40

/* Who has it; "": nobody. */
struct kube_lease_sign {
	char holder[LIMIT_KUBE_NAME_BYTES + 1];
	char renewed[KUBE_LEASE_TIME_BYTES];
	uint64_t lasts_s;
};

struct kube_lease {
	char *name;
	const char *self; /* what we are called as a holder; lent */
	char version[KUBE_VERSION_BYTES];
	uint64_t transitions;
	/* After take: what the holder before has left; then what was written last. */
	char note[KUBE_LEASE_NOTE_BYTES];
	struct kube_lease_sign other; /* what was seen last of somebody else's */
	uint64_t seen_us;	      /* since when it is so */
};

void kube_lease_init(struct kube_lease *l, const char *name, const char *self);
void kube_lease_fini(struct kube_lease *l);
/* former: a holder that is known to be gone; NULL: none is. OK: it is ours. ERR_BUSY: l->other has
 * it and may be dead; ask again after a while. ERR_STATE: it lives. */
enum err kube_lease_take(struct kube_lease *l, struct kube_api *api, const char *former,
			 struct err_text *text) MUST_CHECK;
/* When it is ours. note: a line to be left in it, "" for none; NULL: as it is. ERR_STATE: l->other
 * has taken it over. Other errors pass. */
enum err kube_lease_renew(struct kube_lease *l, struct kube_api *api, const char *note,
			  struct err_text *text) MUST_CHECK;
/* Leaves it to anybody, with this note ("": none). */
enum err kube_lease_release(struct kube_lease *l, struct kube_api *api, const char *note,
			    struct err_text *text) MUST_CHECK;
/* Who has it; changes nothing. ERR_NOT_FOUND: there is none. */
enum err kube_lease_look(const struct kube_lease *l, struct kube_api *api,
			 struct kube_lease_sign *out, struct err_text *text) MUST_CHECK;
