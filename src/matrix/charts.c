/* SPDX-License-Identifier: MIT
 *
 * charts - see the header. */
#include "matrix/charts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct place {
	size_t at, len;
};

struct charts {
	int fd;
	char *path; /* which it had; for messages */
	size_t end, count;
	struct place *places;
};

enum err charts_open(const char *folder, size_t count, struct charts **out, struct err_text *text)
{
	struct charts *c = mem_zalloc(1, sizeof(*c));
	enum err err = OK;

	c->count = count;
	c->places = mem_zalloc(count, sizeof(*c->places));
	c->path = mem_printf("%s/.charts", folder);
	c->fd = open(c->path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (c->fd < 0 || unlink(c->path) != 0) {
		err = err_set(text, ERR_IO, "%s: cannot create: %s", c->path, strerror(errno));
		charts_close(&c);
	}
	*out = c;
	return err;
}

void charts_close(struct charts **c)
{
	if (!*c)
		return;
	if ((*c)->fd >= 0)
		close((*c)->fd);
	mem_free((*c)->path);
	mem_free((*c)->places);
	mem_free(*c);
	*c = NULL;
}

enum err charts_put(struct charts *c, size_t row, struct str members, struct err_text *text)
{
	enum err err;

	ensure(row < c->count);
	err = file_append(c->fd, members, c->path, text);
	if (err)
		return err;
	c->places[row] = (struct place){ c->end, members.len };
	c->end += members.len;
	return OK;
}

enum err charts_add(const struct charts *c, size_t row, struct buf *out, struct err_text *text)
{
	struct place left = c->places[row];
	char *to;

	if (!left.len)
		return OK;
	buf_add_char(out, ',');
	to = buf_room(out, left.len);
	while (to && left.len) {
		ssize_t got = pread(c->fd, to, left.len, (off_t)left.at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(text, ERR_IO, "%s: cannot read: %s", c->path,
				       got ? strerror(errno) : "it ends too early");
		to += got;
		left.at += (size_t)got;
		left.len -= (size_t)got;
	}
	if (to) {
		out->len += c->places[row].len;
		*to = '\0';
	}
	return OK;
}
