/* SPDX-License-Identifier: MIT
 *
 * log_kept - see the header. */
#include "base/log_kept.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"

static struct {
	pthread_mutex_t lock;
	char *lines[LIMIT_LOG_LINES]; /* a ring: the n-th line is at n % LIMIT_LOG_LINES */
	uint64_t count;
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

void log_kept_add(struct str line)
{
	char *copy = mem_strndup(line.p, line.len);
	char **at;

	pthread_mutex_lock(&kept.lock);
	at = &kept.lines[kept.count++ % LIMIT_LOG_LINES];
	mem_free(*at);
	*at = copy;
	pthread_mutex_unlock(&kept.lock);
}

void log_kept_hold(void)
{
	pthread_mutex_lock(&kept.lock);
}

void log_kept_release(void)
{
	pthread_mutex_unlock(&kept.lock);
}

uint64_t log_kept_each(void (*fn)(void *arg, struct str line), void *arg)
{
	uint64_t count;

	pthread_mutex_lock(&kept.lock);
	count = kept.count;
	for (uint64_t n = count > LIMIT_LOG_LINES ? count - LIMIT_LOG_LINES : 0; n < count; n++)
		fn(arg, str_of(kept.lines[n % LIMIT_LOG_LINES]));
	pthread_mutex_unlock(&kept.lock);
	return count;
}
