/* SPDX-License-Identifier: MIT
 *
 * claims - that nobody but this driver scales its Deployments: a Lease for each of them, as all
 * drivers of the namespace have it, whatever their folders.
 *
 * A thread of its own renews them, so that a driver that waits for a slow disk or the end of a test
 * loses none. What a Deployment has to get back is noted in its Lease: when a driver is gone
 * without having done that, whoever takes over knows it. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define CLAIMS_MAX 2

struct buf;
struct checklist;
struct claims;
struct kube_access;
struct kube_api;
struct pause;
struct scaled;

struct claims_config {
	const struct kube_access *access;
	struct kube_api *api; /* for the calls that are made here */
	struct scaled *const *parts;
	size_t count; /* CLAIMS_MAX at most */
	struct pause *pause;
	void (*say)(const char *line); /* before a wait; NULL: nobody listens */
};

/* All is lent until destroy. */
struct claims *claims_create(const struct claims_config *config);
void claims_destroy(struct claims **c);
/* What this driver is called in the Leases. */
const char *claims_holder(const struct claims *c);
/* Takes what is not ours yet; waits until a holder that may be dead has shown that it is. former:
 * one that is gone for sure; "": none is known. What an earlier driver has not given back is handed
 * to the parts. ERR_STATE: another driver is at work. */
enum err claims_take(struct claims *c, const char *former, struct err_text *text) MUST_CHECK;
/* Notes what the parts have to get back. From here on the claims are renewed. */
enum err claims_note(struct claims *c, struct err_text *text) MUST_CHECK;
/* ERR_STATE: another driver has taken over. Cheap. */
enum err claims_check(struct claims *c, struct err_text *text) MUST_CHECK;
/* Before something is changed: OK only if they were renewed of late, for which it waits. */
enum err claims_ensure(struct claims *c, struct err_text *text) MUST_CHECK;
/* Leaves what is ours to anybody. is_given_back: nothing is owed any more; an error if that cannot
 * be noted. */
enum err claims_release(struct claims *c, bool is_given_back, struct err_text *text) MUST_CHECK;
/* The command that removes what claims_note() has noted, on a line of its own. */
void claims_say_notes(const struct claims *c, struct buf *out);
/* Who has them; changes nothing. */
void claims_rehearse(struct claims *c, const char *former, struct checklist *out);
