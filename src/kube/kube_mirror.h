/* SPDX-License-Identifier: MIT
 *
 * kube_mirror - a copy of the objects of one query that a watch keeps up to date.
 *
 * Begins with a list; from then on a watch tells what changes, and kube_mirror_step()
 * takes in what has arrived without waiting. A watch that ends, breaks or goes silent is
 * opened again where it was; when the server has forgotten that place (410), the list is
 * read again. So the copy is never wrong for long, and kube_mirror_refresh() makes it right
 * for a decision that must not be founded on an old one. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "kube/kube_api.h"

struct kube_mirror;
struct map;

/* The query's strings are copied. Does not call yet. */
struct kube_mirror *kube_mirror_create(struct kube_api *api, const struct kube_query *query);
/* Before the api. */
void kube_mirror_destroy(struct kube_mirror **m);
/* Errors of the way (ERR_CLOSED, ERR_IO, ...) pass: the objects are those of before, and a later
 * step tries again. ERR_REFUSED and ERR_NOT_FOUND do not pass by themselves. Waits only for a
 * list that is due. */
enum err kube_mirror_step(struct kube_mirror *m, struct err_text *text) MUST_CHECK;
/* Reads the list now, with all the patience there is for a call. */
enum err kube_mirror_refresh(struct kube_mirror *m, struct err_text *text) MUST_CHECK;
/* name -> json_t *, until the next step or refresh. */
const struct map *kube_mirror_objects(const struct kube_mirror *m);
/* Bytes of the watch, in any pieces. */
void kube_mirror_feed(struct kube_mirror *m, const char *bytes, size_t len);
