/* SPDX-License-Identifier: MIT
 *
 * fiber - stacks, entry and exit; the switch itself is fiber_switch.S. The sanitizers are
 * told of every switch, else they take a foreign stack for corruption. */
#include "loop/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

struct fiber {
	void *sp;	 /* where it left off */
	void *caller_sp; /* who entered it */
	char *stack;	 /* lowest usable byte, above the guard page */
	fiber_fn fn;
	void *arg;
	bool is_over;
	struct fiber_pool *pool;
	struct fiber *next_idle;
#ifdef FIBER_ASAN
	void *fake_stack, *caller_fake_stack;
	const void *caller_stack;
	size_t caller_stack_bytes;
#endif
#ifdef FIBER_TSAN
	void *tsan_fiber, *tsan_caller;
#endif
};

void fiber_switch(void **save_sp, void *to_sp);

static _Thread_local struct fiber *current;

struct fiber *fiber_current(void)
{
	return current;
}

bool fiber_stack(uintptr_t *low, uintptr_t *high)
{
	if (!current)
		return false;
	*low = (uintptr_t)current->stack;
	*high = *low + FIBER_STACK_BYTES;
	return true;
}

void fiber_pool_init(struct fiber_pool *pool)
{
	*pool = (struct fiber_pool){ 0 };
}

static size_t guard_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void unmap(struct fiber *fiber)
{
#ifdef FIBER_TSAN
	__tsan_destroy_fiber(fiber->tsan_fiber);
#endif
	munmap(fiber->stack - guard_bytes(), FIBER_STACK_BYTES + guard_bytes());
	mem_free(fiber);
}

void fiber_pool_fini(struct fiber_pool *pool)
{
	ensure(pool->live == 0);
	while (pool->idle) {
		struct fiber *fiber = pool->idle;

		pool->idle = fiber->next_idle;
		unmap(fiber);
	}
}

static void note_idle(struct fiber_pool *pool)
{
	if (pool->made - pool->live < pool->idle_min)
		pool->idle_min = pool->made - pool->live;
}

void fiber_pool_trim(struct fiber_pool *pool)
{
	pool->spare = (pool->idle_min + 1) / 2;
	pool->idle_min = pool->made - pool->live;
}

bool fiber_pool_drop(struct fiber_pool *pool)
{
	struct fiber *fiber = pool->idle;

	if (!pool->spare || !fiber)
		return false;
	pool->spare--;
	pool->idle = fiber->next_idle;
	pool->made--;
	unmap(fiber);
	note_idle(pool);
	return true;
}

/* From the loop into the fiber. */
static void enter(struct fiber *fiber)
{
	ensure(!current);
	current = fiber;
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(&fiber->caller_fake_stack, fiber->stack, FIBER_STACK_BYTES);
#endif
#ifdef FIBER_TSAN
	fiber->tsan_caller = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(fiber->tsan_fiber, 0);
#endif
	fiber_switch(&fiber->caller_sp, fiber->sp);
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(fiber->caller_fake_stack, NULL, NULL);
#endif
	current = NULL;
	if (fiber->is_over) {
		fiber->next_idle = fiber->pool->idle;
		fiber->pool->idle = fiber;
		fiber->pool->live--;
	}
}

/* From the fiber back into the loop. */
static void leave(struct fiber *fiber)
{
#ifdef FIBER_ASAN
	__sanitizer_start_switch_fiber(fiber->is_over ? NULL : &fiber->fake_stack,
				       fiber->caller_stack, fiber->caller_stack_bytes);
#endif
#ifdef FIBER_TSAN
	__tsan_switch_to_fiber(fiber->tsan_caller, 0);
#endif
	fiber_switch(&fiber->sp, fiber->caller_sp);
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->caller_stack,
					&fiber->caller_stack_bytes);
#endif
}

/* First code on a new stack. */
static void begin(void)
{
	struct fiber *fiber = current;

#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(NULL, &fiber->caller_stack, &fiber->caller_stack_bytes);
#endif
	fiber->fn(fiber->arg);
	fiber_exit();
}

/* Lays the stack out as fiber_switch() left one: saved registers, then begin() to return to. */
static void prepare(struct fiber *fiber)
{
	uintptr_t *top = (uintptr_t *)(fiber->stack + FIBER_STACK_BYTES);

#if defined(__x86_64__)
	*--top = 0; /* a return address for begin(), which never returns; keeps alignment */
	*--top = (uintptr_t)begin;
	for (int i = 0; i < 6; i++)
		*--top = 0;
#elif defined(__aarch64__)
	for (int i = 0; i < 20; i++)
		*--top = 0;
	top[1] = (uintptr_t)begin; /* x30 */
#endif
	fiber->sp = top;
}

static struct fiber *map_stack(struct fiber_pool *pool)
{
	size_t guard = guard_bytes();
	char *base = mmap(NULL, FIBER_STACK_BYTES + guard, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	struct fiber *fiber;

	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, guard, PROT_NONE)) {
		munmap(base, FIBER_STACK_BYTES + guard);
		return NULL;
	}
	fiber = mem_zalloc(1, sizeof(*fiber));
	fiber->stack = base + guard;
	fiber->pool = pool;
#ifdef FIBER_TSAN
	fiber->tsan_fiber = __tsan_create_fiber(0);
#endif
	pool->made++;
	return fiber;
}

enum err fiber_start(struct fiber_pool *pool, fiber_fn fn, void *arg, struct fiber **out)
{
	struct fiber *fiber = pool->idle;

	*out = NULL;
	if (fiber)
		pool->idle = fiber->next_idle;
	else if (!(fiber = map_stack(pool)))
		return ERR_NO_MEMORY;
#ifdef FIBER_ASAN
	/* What the last user of the stack poisoned. */
	__asan_unpoison_memory_region(fiber->stack, FIBER_STACK_BYTES);
#endif
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->is_over = false;
	pool->live++;
	note_idle(pool);
	prepare(fiber);
	enter(fiber);
	if (!fiber->is_over)
		*out = fiber;
	return OK;
}

void fiber_resume(struct fiber *fiber)
{
	enter(fiber);
}

void fiber_suspend(void)
{
	ensure(current);
	leave(current);
}

void fiber_exit(void)
{
	ensure(current);
	current->is_over = true;
	leave(current);
	__builtin_unreachable();
}
