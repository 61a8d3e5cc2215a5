/* SPDX-License-Identifier: MIT
 *
 * folder - see the header. */
#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static enum err failed(struct err_text *text, const char *what, const char *path)
{
	return err_set(text, ERR_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static enum err join(char out[PATH_MAX], const char *folder, const char *name,
		     struct err_text *text)
{
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	return OK;
}

enum err folder_create(const char *path, struct err_text *text)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	struct stat made;

	if (!len || len >= sizeof(part))
		return err_set(text, ERR_BAD_INPUT, "'%s': not a usable folder name", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0777) != 0 && errno != EEXIST)
			return failed(text, "make the folder", part);
	}
	if (stat(path, &made) == 0 && !S_ISDIR(made.st_mode)) {
		errno = ENOTDIR;
		return failed(text, "write into", path);
	}
	if (access(path, W_OK | X_OK) != 0)
		return failed(text, "write into", path);
	return OK;
}

static enum err sync_folder(const char *folder, struct err_text *text)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err err = OK;

	if (fd < 0 || fsync(fd) != 0)
		err = failed(text, "write to disk", folder);
	if (fd >= 0)
		close(fd);
	return err;
}

enum err folder_begin(struct folder_file *f, const char *folder, const char *name,
		      struct err_text *text)
{
	enum err err = join(f->path, folder, name, text);

	f->folder = folder;
	if (!err && (size_t)snprintf(f->beside, sizeof(f->beside), "%s/.%s.new", folder, name) >=
			    sizeof(f->beside))
		err = err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	if (err)
		return err;
	f->fd = open(f->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return f->fd < 0 ? failed(text, "create", f->beside) : OK;
}

enum err folder_add(struct folder_file *f, struct str bytes, struct err_text *text)
{
	return file_append(f->fd, bytes, f->beside, text);
}

enum err folder_end(struct folder_file *f, enum err added, struct err_text *text)
{
	enum err err = added ? added : file_sync(f->fd, f->beside, text);

	if (close(f->fd) != 0 && !err)
		err = failed(text, "write", f->beside);
	if (!err && rename(f->beside, f->path) != 0)
		err = failed(text, "rename to its place", f->beside);
	if (err) {
		unlink(f->beside);
		return err;
	}
	return sync_folder(f->folder, text);
}

enum err folder_replace(const char *folder, const char *name, struct str bytes,
			struct err_text *text)
{
	struct folder_file f;
	enum err err = folder_begin(&f, folder, name, text);

	return err ? err : folder_end(&f, folder_add(&f, bytes, text), text);
}

enum err folder_set_aside(const char *folder, const char *name, struct err_text *text)
{
	const char *dot = strrchr(name, '.');
	int stem = (int)(dot ? dot - name : (ptrdiff_t)strlen(name));
	char path[PATH_MAX], aside[PATH_MAX], when[32];
	enum err err = join(path, folder, name, text);
	struct stat st;
	struct tm tm;

	if (err)
		return err;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK : failed(text, "look at", path);
	gmtime_r(&st.st_mtime, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	for (int i = 0; i < 1000; i++) {
		char number[16] = "";

		if (i)
			snprintf(number, sizeof(number), "-%d", i);
		if ((size_t)snprintf(aside, sizeof(aside), "%s/%.*s.%s%s%s", folder, stem, name,
				     when, number, dot ? dot : "") >= sizeof(aside))
			return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
		if (access(aside, F_OK) == 0)
			continue;
		return rename(path, aside) == 0 ? OK : failed(text, "rename", path);
	}
	return err_set(text, ERR_EXISTS, "%s: too many earlier results; remove some", path);
}

enum err folder_remove(const char *folder, const char *name, struct err_text *text)
{
	char path[PATH_MAX];
	enum err err = join(path, folder, name, text);

	if (err)
		return err;
	if (unlink(path) != 0)
		return errno == ENOENT ? OK : failed(text, "remove", path);
	return sync_folder(folder, text);
}
