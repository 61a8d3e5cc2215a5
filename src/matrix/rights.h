/* SPDX-License-Identifier: MIT
 *
 * rights - what platform kubernetes asks the API server for, as a Role says it, and whether that is
 * granted. deploy/kubernetes has the Role; tests hold both against what the driver really asks. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct checklist;
struct kube_api;

struct rights_wanted {
	const char *target, *workers; /* Deployments */
	bool want_pause_autoscaler;
};

/* Asks for each of them without using it. What is missing is in the checklist, as rules too. Else:
 * the API server cannot be asked. */
enum err rights_check(struct kube_api *api, const struct rights_wanted *wanted,
		      struct checklist *out, struct err_text *text) MUST_CHECK;
/* ERR_REFUSED: one is missing. Before anything is changed, for without the right to watch, say,
 * much goes well until something has to be waited for. An API server that cannot be asked is no
 * fault here: the next call meets it. */
enum err rights_demand(struct kube_api *api, const struct rights_wanted *wanted,
		       struct err_text *text) MUST_CHECK;
