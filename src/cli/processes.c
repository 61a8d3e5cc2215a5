/* SPDX-License-Identifier: MIT
 *
 * processes - see the header. Each child has a pidfd: one way to hear of its end, in a loop and
 * without one, that no handler of a signal can miss. */
#include "cli/processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LOGGER	     "locust.main"
#define TERM_GRACE_S 5 /* from SIGTERM to SIGKILL */

static void report(const struct process *c, const siginfo_t *info)
{
	size_t count = c->all->count;

	if (info->si_code != CLD_EXITED)
		log_line(LOG_ERROR, LOGGER,
			 "Worker process %d (%zu of %zu) was ended by signal %d (%s)", (int)c->pid,
			 c->number, count, info->si_status, strsignal(info->si_status));
	else if (info->si_status)
		log_line(LOG_ERROR, LOGGER,
			 "Worker process %d (%zu of %zu) ended with exit code %d", (int)c->pid,
			 c->number, count, info->si_status);
}

/* It has ended, or does so at once. */
static void reap(struct process *c)
{
	siginfo_t info = { .si_code = CLD_EXITED };
	int code;

	if (c->all->loop)
		loop_unwatch(c->all->loop, &c->watch);
	while (waitid(P_PID, (id_t)c->pid, &info, WEXITED) != 0 && errno == EINTR)
		;
	close(c->fd);
	c->fd = -1;
	report(c, &info);
	code = info.si_status + (info.si_code == CLD_EXITED ? 0 : 128);
	if (code > c->all->code)
		c->all->code = code;
}

static void on_ended(void *arg, uint32_t events)
{
	(void)events;
	reap(arg);
}

static void signal_all(const struct processes *p, int number)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].fd >= 0)
			kill(p->items[i].pid, number);
}

/* The signal that the parent's death sends is lost when it died before this. */
static void become_child(pid_t parent)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
}

static enum err add(struct processes *p, pid_t pid)
{
	struct process *c = &p->items[p->count];

	*c = (struct process){ .pid = pid, .number = p->count + 1, .all = p };
	c->fd = pidfd_open(pid, 0);
	if (c->fd >= 0)
		p->count++;
	return c->fd >= 0 ? OK : ERR_IO;
}

enum err processes_fork(struct processes *p, size_t count, size_t *child, struct err_text *text)
{
	pid_t parent = getpid(), pid = 0;
	enum err err = OK;

	*p = (struct processes){ .count = 0 };
	*child = 0;
	ensure(count <= LIMIT_PROCESSES);
	for (size_t i = 0; i < count && !err; i++) {
		pid = fork();
		if (pid == 0) {
			*child = i + 1;
			become_child(parent);
			for (size_t j = 0; j < p->count; j++)
				close(p->items[j].fd);
			return OK;
		}
		err = pid < 0 ? ERR_IO : add(p, pid);
	}
	if (!err)
		return OK;
	err_set(text, err, "--processes: %s", strerror(errno));
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	(void)processes_end(p, 0);
	return err;
}

enum err processes_watch(struct processes *p, struct loop *loop, struct err_text *text)
{
	p->loop = loop;
	for (size_t i = 0; i < p->count; i++)
		p->items[i].watch.fd = -1;
	for (size_t i = 0; i < p->count; i++)
		if (loop_watch(loop, &p->items[i].watch, p->items[i].fd, EPOLLIN, on_ended,
			       &p->items[i]))
			return err_set(text, ERR_IO,
				       "cannot watch the worker processes; raise `ulimit -n`");
	return OK;
}

void processes_unwatch(struct processes *p)
{
	for (size_t i = 0; p->loop && i < p->count; i++)
		loop_unwatch(p->loop, &p->items[i].watch);
	p->loop = NULL;
}

/* Until one ends, or signal_fd (-1: none) is readable, or the time is over. True: all have ended.
 */
static bool wait_for_one(struct processes *p, int signal_fd, int timeout_ms)
{
	struct pollfd fds[LIMIT_PROCESSES + 1];
	size_t left = 0;

	/* poll() passes over negative descriptors. */
	for (size_t i = 0; i < p->count; i++) {
		fds[i] = (struct pollfd){ .fd = p->items[i].fd, .events = POLLIN };
		left += fds[i].fd >= 0;
	}
	if (!left)
		return true;
	fds[p->count] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
	if (poll(fds, p->count + 1, timeout_ms) <= 0)
		return false;
	for (size_t i = 0; i < p->count; i++)
		if (fds[i].revents)
			reap(&p->items[i]);
	return false;
}

static bool wait_for_all(struct processes *p, unsigned seconds)
{
	uint64_t until_us = clock_us() + seconds * CLOCK_S, now_us;

	while (!wait_for_one(p, -1, 0)) {
		now_us = clock_us();
		if (now_us >= until_us)
			return false;
		if (wait_for_one(p, -1, (int)((until_us - now_us) / CLOCK_MS) + 1))
			return true;
	}
	return true;
}

int processes_end(struct processes *p, unsigned patience_s)
{
	if (wait_for_all(p, patience_s))
		return p->code;
	signal_all(p, SIGTERM);
	if (!wait_for_all(p, TERM_GRACE_S)) {
		signal_all(p, SIGKILL);
		while (!wait_for_one(p, -1, -1))
			;
	}
	return p->code;
}

int processes_wait(struct processes *p, int signal_fd)
{
	struct signalfd_siginfo info;
	unsigned signals = 0;

	while (!wait_for_one(p, signal_fd, -1))
		if (read(signal_fd, &info, sizeof(info)) == sizeof(info))
			signal_all(p, signals++ ? SIGKILL : (int)info.ssi_signo);
	return p->code;
}
