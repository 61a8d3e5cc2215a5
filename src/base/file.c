/* SPDX-License-Identifier: MIT
 *
 * file - see the header. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES (64 * 1024)

static enum err failed(const char *path, const char *why, struct err_text *text)
{
	return err_set(text, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, why);
}

static enum err read_all(int fd, const char *path, struct buf *out, struct err_text *text)
{
	for (;;) {
		char step[STEP_BYTES];
		ssize_t got = read(fd, step, sizeof(step));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed(path, strerror(errno), text);
		if (got == 0)
			return OK;
		buf_add(out, step, (size_t)got);
		if (out->is_full)
			return err_set(text, ERR_TOO_BIG, "%s: more than %zu bytes", path,
				       out->max);
	}
}

enum err file_read(const char *path, struct buf *out, struct err_text *text)
{
	/* Without O_NONBLOCK a named pipe would keep open() waiting for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	enum err err;

	if (fd < 0)
		return failed(path, strerror(errno), text);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		err = err_set(text, ERR_IO, "%s: not a regular file", path);
	else
		err = read_all(fd, path, out, text);
	close(fd);
	return err;
}

enum err file_append(int fd, struct str bytes, const char *path, struct err_text *text)
{
	while (bytes.len) {
		ssize_t wrote = write(fd, bytes.p, bytes.len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_set(text, ERR_IO, "%s: cannot write: %s", path, strerror(errno));
		bytes.p += wrote;
		bytes.len -= (size_t)wrote;
	}
	return OK;
}

enum err file_sync(int fd, const char *path, struct err_text *text)
{
	if (fsync(fd) != 0)
		return err_set(text, ERR_IO, "%s: cannot write to disk: %s", path, strerror(errno));
	return OK;
}

enum err file_write(int fd, struct str bytes, const char *path, struct err_text *text)
{
	enum err err = file_append(fd, bytes, path, text);

	return err ? err : file_sync(fd, path, text);
}
