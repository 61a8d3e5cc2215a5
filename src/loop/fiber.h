/* SPDX-License-Identifier: MIT
 *
 * fiber - straight-line code that can wait: a stack of its own, switched by hand.
 *
 * A fiber runs on the thread that started it. It is entered by fiber_start() or
 * fiber_resume() from the loop and gives the thread back by fiber_suspend(), by returning
 * from its function, or by fiber_exit(). Stacks come from a pool per thread: FIBER_STACK
 * bytes, touched lazily, with a guard page below. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FIBER_STACK_BYTES (128 * 1024)

struct fiber;
typedef void (*fiber_fn)(void *arg);

struct fiber_pool {
	struct fiber *idle; /* finished fibers whose stacks are used again */
	size_t made, live;
	size_t idle_min; /* of made - live, since the last trim */
	size_t spare;	 /* stacks that may go */
};

void fiber_pool_init(struct fiber_pool *pool);
/* No fiber of the pool may be suspended any more. */
void fiber_pool_fini(struct fiber_pool *pool);

/* Once a second or so: half of the stacks that were not needed since the last call may go. */
void fiber_pool_trim(struct fiber_pool *pool);
/* Unmaps one of them; false: none is left. It takes microseconds, so thousands are not for one turn
 * of a loop. */
bool fiber_pool_drop(struct fiber_pool *pool);

/* Runs fn(arg) on a stack of the pool until it suspends or ends. *out is the fiber when it
 * was suspended, NULL when it ended already. ERR_NO_MEMORY when no stack can be mapped
 * (the address space or the number of maps is used up). */
enum err fiber_start(struct fiber_pool *pool, fiber_fn fn, void *arg,
		     struct fiber **out) MUST_CHECK;
/* Goes on with a suspended fiber until it suspends or ends again. */
void fiber_resume(struct fiber *fiber);
/* Inside a fiber: back to whoever entered it. */
void fiber_suspend(void);
/* Inside a fiber: ends it here; nothing above on its stack is run any more. */
_Noreturn void fiber_exit(void);
/* The running fiber, NULL outside of all. */
struct fiber *fiber_current(void);
/* For whoever handles a crash: the ends of the running fiber's stack; false outside of all. */
bool fiber_stack(uintptr_t *low, uintptr_t *high);
