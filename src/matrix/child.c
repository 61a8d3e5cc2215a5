/* SPDX-License-Identifier: MIT
 *
 * child - see the header. */
#include "matrix/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define LOG_LOOK_BYTES (256 * 1024)
#define LAST_LINES     3
#define LAST_BYTES     300

void child_fini(struct child *c)
{
	mem_free(c->name);
	mem_free(c->log_path);
	*c = (struct child){ 0 };
}

/* Between fork and exec: only calls that are safe there. Writes errno to report_fd when
 * it fails. */
static _Noreturn void become(const char *const argv[], char **environment, int log_fd,
			     int report_fd, pid_t parent)
{
	sigset_t none;
	int null_fd = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	/* The parent may have died before the request was made: then nobody signals. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(127);
	if (null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(log_fd, 1) == 1 && dup2(log_fd, 2) == 2)
		execve(argv[0], (char *const *)argv, environment);
	(void)!write(report_fd, &errno, sizeof(errno));
	_exit(127);
}

/* Our environment without what would turn the child into something else: in the order's
 * container the driver itself may be given LOCUST_MODE or TARGET_HOST. No proxy stands between
 * processes of one machine. The array is the
 * caller's, the strings are not. */
static char **child_environment(void)
{
	static const char *const dropped[] = { "LOCUST_",
					       "MASTER=", "TARGET_HOST=", "CICADA_TRUST_ENV=" };
	size_t count = 0, kept = 0;
	char **out;

	while (environ[count])
		count++;
	out = mem_zalloc(count + 1, sizeof(*out));
	for (size_t i = 0; i < count; i++) {
		bool is_dropped = false;

		for (size_t k = 0; k < sizeof(dropped) / sizeof(dropped[0]); k++)
			is_dropped |= !strncmp(environ[i], dropped[k], strlen(dropped[k]));
		if (!is_dropped)
			out[kept++] = environ[i];
	}
	return out;
}

static int open_log(struct child *c, const char *log_path)
{
	struct stat st;
	int fd = open(log_path,
		      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (c->was_started ? 0 : O_TRUNC),
		      0666);

	c->log_start = fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
	return fd;
}

enum err child_start(struct child *c, const char *name, const char *const argv[],
		     const char *log_path, struct err_text *text)
{
	int log_fd = open_log(c, log_path), report[2], failed = 0;
	pid_t parent = getpid(), pid;
	char **environment;

	ensure(!c->pid);
	if (log_fd < 0)
		return err_set(text, ERR_IO, "%s: cannot write: %s", log_path, strerror(errno));
	if (pipe2(report, O_CLOEXEC) != 0) {
		close(log_fd);
		return err_set(text, ERR_IO, "%s: no pipe: %s", name, strerror(errno));
	}
	environment = child_environment();
	pid = fork();
	if (pid == 0)
		become(argv, environment, log_fd, report[1], parent);
	if (pid < 0)
		failed = errno;
	mem_free(environment);
	close(log_fd);
	close(report[1]);
	/* The write end closes with a good exec, so this never waits for long. */
	if (pid > 0 && read(report[0], &failed, sizeof(failed)) > 0)
		waitpid(pid, NULL, 0);
	close(report[0]);
	if (failed)
		return err_set(text, failed == ENOENT ? ERR_NOT_FOUND : ERR_IO,
			       "%s: cannot be started: %s", argv[0], strerror(failed));
	setpgid(pid, pid);
	mem_free(c->name);
	mem_free(c->log_path);
	c->name = mem_strdup(name);
	c->log_path = mem_strdup(log_path);
	c->pid = pid;
	c->was_started = true;
	return OK;
}

bool child_is_running(struct child *c)
{
	siginfo_t info = { 0 };

	if (!c->pid)
		return false;
	/* Looks without reaping: while the leader is a zombie its group cannot be anybody
	 * else's, so what it left behind can be killed safely. */
	if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && !info.si_pid)
		return true;
	child_kill(c);
	return false;
}

/* Reads up to max_bytes of the log of this start, from its beginning or its end. */
static void read_log(const struct child *c, size_t max_bytes, bool from_end, struct buf *out)
{
	int fd = open(c->log_path, O_RDONLY | O_CLOEXEC);
	off_t from = c->log_start;
	struct stat st;
	char *room;

	buf_init(out, max_bytes);
	if (fd < 0)
		return;
	if (from_end && fstat(fd, &st) == 0 && st.st_size - from > (off_t)max_bytes)
		from = st.st_size - (off_t)max_bytes;
	room = buf_room(out, max_bytes);
	if (room) {
		ssize_t got = pread(fd, room, max_bytes, from);

		out->len = got > 0 ? (size_t)got : 0;
	}
	close(fd);
}

bool child_find_line(const struct child *c, const char *mark, char *out, size_t cap)
{
	struct buf log;
	struct str rest, line;
	bool is_found = false;

	read_log(c, LOG_LOOK_BYTES, false, &log);
	rest = buf_str(&log);
	while (!is_found && str_cut(&rest, '\n', &line) && rest.p) {
		const char *at = memmem(line.p, line.len, mark, strlen(mark));

		if (!at)
			continue;
		at += strlen(mark);
		is_found = true;
		snprintf(out, cap, "%.*s", (int)(line.p + line.len - at), at);
	}
	buf_fini(&log);
	return is_found;
}

enum err child_say_ended(const struct child *c, struct err_text *text)
{
	char how[64], *at;
	struct buf log;
	size_t lines = 0;

	if (WIFSIGNALED(c->wait_status))
		snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(c->wait_status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(c->wait_status));
	read_log(c, LAST_BYTES, true, &log);
	while (log.len && (log.p[log.len - 1] == '\n' || log.p[log.len - 1] == ' '))
		log.len--;
	at = log.p + log.len;
	while (log.len && at > log.p && (at[-1] != '\n' || ++lines < LAST_LINES))
		at--;
	err_set(text, ERR_CLOSED, "%s %s; last lines of %s: %.*s", c->name, how, c->log_path,
		(int)(log.p + log.len - at), log.len ? at : "");
	buf_fini(&log);
	return ERR_CLOSED;
}

void child_ask_to_end(struct child *c)
{
	if (c->pid)
		kill(c->pid, SIGTERM);
}

void child_kill(struct child *c)
{
	if (!c->pid)
		return;
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &c->wait_status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}
