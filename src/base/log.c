/* SPDX-License-Identifier: MIT
 *
 * log - see the header. The host name is cut at its first dot, as Locust 2.46 does. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };

static enum log_level level_min = LOG_INFO;

void log_set_level(enum log_level level)
{
	level_min = level;
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

void log_line(enum log_level level, const char *logger, const char *fmt, ...)
{
	char line[4096], host[65] = "localhost";
	struct timespec now;
	struct tm local;
	va_list ap;
	size_t len;

	if (level < level_min)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	if (gethostname(host, sizeof(host) - 1) == 0)
		host[strcspn(host, ".")] = '\0';
	len = strftime(line, sizeof(line), "[%Y-%m-%d %H:%M:%S", &local);
	len += (size_t)snprintf(line + len, sizeof(line) - len,
				",%03ld] %s/%s/%s: ", now.tv_nsec / 1000000, host,
				level_names[level], logger);
	va_start(ap, fmt);
	len += (size_t)vsnprintf(line + len, sizeof(line) - len, fmt, ap);
	va_end(ap);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* Nothing sensible can be done when standard error is gone. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}
