/* SPDX-License-Identifier: MIT
 *
 * platform - where the target, the master and the workers run: the seam between the
 * matrix and the world. The driver says how many it wants and asks whether they are
 * there; how that comes about is the platform's business.
 *
 * All calls come from the driver's one thread. "scale" calls give the order and return;
 * the check calls are repeated by the driver until OK or its own deadline:
 *   OK       everything wanted is there and ready;
 *   ERR_BUSY not yet, *text says what is missing;
 *   else     it will not become ready by waiting, *text says why. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum platform_part { PLATFORM_MASTER, PLATFORM_TARGET, PLATFORM_WORKERS };

struct checklist;
struct platform;
struct pod_usage;
struct server_side;

struct platform_ops {
	const char *name;
	/* Brings up what every scenario needs, the master above all, also after it was
	 * lost. Blocks until it can be called, at most for the ready timeout. ERR_STATE: not the
	 * master, but somebody else who scales stands in the way. */
	enum err (*start)(struct platform *p, struct err_text *text);
	enum err (*scale_target)(struct platform *p, uint64_t replicas, struct err_text *text);
	enum err (*check_target)(struct platform *p, struct err_text *text);
	enum err (*scale_workers)(struct platform *p, uint64_t workers, struct err_text *text);
	enum err (*check_workers)(struct platform *p, struct err_text *text);
	/* While a test runs: OK, or the part that is no longer as ordered; ERR_STATE when
	 * somebody else has changed it, other errors when it was lost. Cheap. */
	enum err (*check_running)(struct platform *p, enum platform_part *part,
				  struct err_text *text);
	/* The same when the test is over and a decision is founded on it. NULL: what was said
	 * while it ran is enough. ERR_IO: it could not be found out. */
	enum err (*check_after)(struct platform *p, enum platform_part *part,
				struct err_text *text);
	/* After check_after() was OK: what a reader of the row has to know all the same, in a
	 * sentence. NULL: nothing. */
	void (*remark)(struct platform *p, struct buf *out);
	/* ERR_STATE: another driver has taken over what is scaled; nothing more is to be done.
	 * NULL: nobody can. */
	enum err (*check_ours)(struct platform *p, struct err_text *text);
	/* Requests all present replicas have answered so far. A difference of two reads
	 * means something only while check_running() stays OK. ERR_UNSUPPORTED: they cannot be
	 * known, *text says why if somebody could mend it. */
	enum err (*read_requests)(struct platform *p, uint64_t *out, struct err_text *text);
	/* What all present replicas say of themselves; *out is init'ed. NULL: it cannot be asked
	 * for. On failure what is in *out says nothing. */
	enum err (*read_server)(struct platform *p, struct server_side *out, struct err_text *text);
	/* What the platform itself has noted of what went wrong since the target was scaled, in a
	 * sentence. NULL: it notes nothing. */
	void (*explain)(struct platform *p, struct buf *out);
	/* What the cluster has measured of the replicas of late; answers within 2 s. NULL: nobody
	 * measures. */
	enum err (*read_usage)(struct platform *p, struct pod_usage *out, struct err_text *text);
	/* Lent until the next start(). */
	const char *(*master_url)(const struct platform *p);
	const char *(*target_url)(const struct platform *p);
	/* Markdown list lines about the machine and programs, for the report. */
	void (*describe)(const struct platform *p, struct buf *out);
	/* What stands in the way of start() and of a scenario; nothing is started or changed.
	 * *workers: how many there are, untouched when that is not known. NULL: nothing. */
	void (*rehearse)(struct platform *p, uint64_t *workers, struct checklist *out);
	/* Gives back what was changed of things that were there before. On failure *todo says
	 * what a person has to do. NULL: nothing of that kind. */
	enum err (*restore)(struct platform *p, struct buf *todo);
	/* Ends and waits for everything that was started. */
	void (*destroy)(struct platform *p);
};

/* First member of every platform. */
struct platform {
	const struct platform_ops *ops;
};

static inline void platform_destroy(struct platform **p)
{
	if (*p)
		(*p)->ops->destroy(*p);
	*p = NULL;
}
