/* SPDX-License-Identifier: MIT
 *
 * log - see the header. The host name is cut at its first dot, as Locust 2.46 does. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log_kept.h"

#define LINE_BYTES 4096

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };

static enum log_level level_min = LOG_INFO;
static int log_fd = STDERR_FILENO;
static bool is_json_wanted;

void log_set_level(enum log_level level)
{
	level_min = level;
}

enum err log_open(const char *path, struct err_text *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(text, ERR_IO, "%s: %s", path, strerror(errno));
	log_fd = fd;
	return OK;
}

void log_set_json(bool is_json)
{
	is_json_wanted = is_json;
}

bool log_parse_level(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcasecmp(name, level_names[i]))
			continue;
		*out = (enum log_level)i;
		return true;
	}
	return false;
}

/* Nothing sensible can be done when it is gone, or the disk full. */
static void write_line(const char *line, size_t len)
{
	if (write(log_fd, line, len) < 0)
		return;
}

void log_members(enum log_level level, const char *logger, struct str members)
{
	struct timespec now;
	struct tm utc;
	struct buf line;
	char when[32];

	if (level < level_min)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
	buf_init(&line, SIZE_MAX / 2);
	buf_printf(&line,
		   "{\"time\": \"%s.%03ldZ\", \"level\": \"%s\", \"logger\": \"%s\", %.*s}\n", when,
		   now.tv_nsec / 1000000, level_names[level], logger, STR_ARG(members));
	write_line(line.p, line.len);
	buf_fini(&line);
}

static void write_json(enum log_level level, const char *logger, const char *message)
{
	struct buf members;

	buf_init(&members, SIZE_MAX / 2);
	buf_add_text(&members, "\"message\": ");
	buf_add_json(&members, str_of(message));
	log_members(level, logger, buf_str(&members));
	buf_fini(&members);
}

/* [2026-01-31 12:00:00,123] host/INFO/locust.main: */
static size_t write_head(char *line, size_t size, enum log_level level, const char *logger)
{
	char host[65] = "localhost";
	struct timespec now;
	struct tm local;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	if (gethostname(host, sizeof(host) - 1) == 0)
		host[strcspn(host, ".")] = '\0';
	len = strftime(line, size, "[%Y-%m-%d %H:%M:%S", &local);
	len += (size_t)snprintf(line + len, size - len,
				",%03ld] %s/%s/%.128s: ", now.tv_nsec / 1000000, host,
				level_names[level], logger);
	return len;
}

void log_text(enum log_level level, const char *logger, const char *text)
{
	char head[512];
	struct buf line;

	if (is_json_wanted) {
		write_json(level, logger, text);
		return;
	}
	buf_init(&line, SIZE_MAX / 2);
	buf_add(&line, head, write_head(head, sizeof(head), level, logger));
	buf_add_text(&line, text);
	log_kept_add((struct str){ line.p, line.len < LINE_BYTES ? line.len : LINE_BYTES });
	buf_add_char(&line, '\n');
	write_line(line.p, line.len);
	buf_fini(&line);
}

void log_line(enum log_level level, const char *logger, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	size_t len;

	if (level < level_min)
		return;
	if (is_json_wanted) {
		va_start(ap, fmt);
		vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		write_json(level, logger, line);
		return;
	}
	len = write_head(line, sizeof(line), level, logger);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	log_kept_add((struct str){ line, len });
	line[len++] = '\n';
	write_line(line, len);
}
