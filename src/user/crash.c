/* SPDX-License-Identifier: MIT
 *
 * crash - see the header.
 *
 * The handler runs on a stack of its own, for the scenario's may be what was used up. It writes one
 * line and lets the signal happen again without it, so that exit status and core file are those of
 * any crash. */
#include "user/crash.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"

#define HANDLER_STACK_BYTES (64 * 1024)
#define LINE_BYTES_MAX	    1024

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };

/* What cannot be asked for in the handler. path: NULL: not known. */
static _Thread_local struct watched {
	const struct scenario *scenario;
	const struct user_place *place;
	const char *path; /* of the object */
	uintptr_t begin;  /* where it is in memory */
	size_t size;
} watched;
static _Thread_local void *handler_stack;

static const char *task_of(const struct cic_user *u)
{
	const struct cic_task *task = u->turn ? u->turn->task : NULL;

	if (task)
		return task->name ? task->name : "?";
	return u->phase == USER_ENDING ? "on_stop" : "on_start";
}

static void registers_of(const ucontext_t *context, uintptr_t *pc, uintptr_t *sp)
{
#if defined(__x86_64__)
	*pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
	*sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	*pc = (uintptr_t)context->uc_mcontext.pc;
	*sp = (uintptr_t)context->uc_mcontext.sp;
#endif
}

/* Where the scenario's code was: the instruction, or if that is in a library the nearest thing on
 * the stack that looks like the way back into it. */
static uintptr_t find_code(uintptr_t pc, uintptr_t sp, uintptr_t stack_end, uintptr_t begin,
			   size_t size)
{
	if (pc - begin < size)
		return pc - begin;
	for (uintptr_t at = sp & ~(sizeof(at) - 1); at + sizeof(at) <= stack_end;
	     at += sizeof(at)) {
		uintptr_t word;

		memcpy(&word, (const void *)at, sizeof(word));
		/* What is called returns behind the call. */
		if (word - begin < size)
			return word - begin - 1;
	}
	return 0;
}

static void add_line(char *line, size_t size, uintptr_t pc, uintptr_t sp, uintptr_t stack_end)
{
	uintptr_t code;

	if (!watched.path)
		return;
	code = find_code(pc, sp, stack_end, watched.begin, watched.size);
	if (code)
		snprintf(line, size, "; its line: addr2line -e %s 0x%lx", watched.path,
			 (unsigned long)code);
}

/* snprintf() of words and integers takes no locks and no memory. */
static void on_crash(int number, siginfo_t *info, void *context)
{
	const struct cic_user *u = watched.place ? watched.place->running : NULL;
	uintptr_t pc = 0, sp = 0, low, high;
	char line[LINE_BYTES_MAX];
	size_t len;

	/* Somebody has sent it: it does not come by itself again. */
	if (info->si_code <= 0)
		(void)raise(number);
	if (!u || !fiber_stack(&low, &high))
		return;
	registers_of(context, &pc, &sp);
	len = (size_t)snprintf(line, sizeof(line) / 2,
			       "%s: class %s, %s: ", watched.scenario->file_name,
			       u->kind->class->name, task_of(u));
	if (len >= sizeof(line) / 2)
		len = sizeof(line) / 2 - 1;
	if (sp < low)
		len += (size_t)snprintf(
			line + len, sizeof(line) - len,
			"more than the %d kB of stack that a task has; large things "
			"belong into cic_data()",
			FIBER_STACK_BYTES / 1024);
	else
		len += (size_t)snprintf(line + len, sizeof(line) - len, "crashed (%s)",
					sigdescr_np(number));
	add_line(line + len, sizeof(line) - len, pc, sp < low ? low : sp, high);
	len = strlen(line);
	line[len < sizeof(line) - 1 ? len++ : len - 1] = '\n';
	(void)!write(STDERR_FILENO, line, len);
}

static void handle(int number)
{
	struct sigaction action = { .sa_sigaction = on_crash,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };
	struct sigaction before;

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
		(void)sigaction(number, &action, NULL);
}

static void find_object(void *handle)
{
	struct link_map *map;
	struct stat st;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || stat(map->l_name, &st) != 0)
		return;
	watched.path = map->l_name;
	watched.begin = map->l_addr;
	watched.size = (size_t)st.st_size;
}

void crash_watch(const struct scenario *scenario, const struct user_place *place)
{
	stack_t stack = { .ss_size = HANDLER_STACK_BYTES };
	sigset_t set;

	watched = (struct watched){ .scenario = scenario, .place = place };
	find_object(scenario->handle);
	stack.ss_sp = handler_stack = mem_alloc(HANDLER_STACK_BYTES);
	(void)sigaltstack(&stack, NULL);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&set, signals[i]);
		handle(signals[i]);
	}
	/* A load thread has all signals blocked; these cannot be, or there is no handler. */
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void crash_unwatch(void)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	(void)sigaltstack(&none, NULL);
	watched = (struct watched){ 0 };
	mem_free(handler_stack);
	handler_stack = NULL;
}
