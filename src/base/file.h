/* SPDX-License-Identifier: MIT
 *
 * file - whole files as bytes, and bytes that are on disk. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the file to *out, whose maximum bounds it (ERR_TOO_BIG). The text names the path.
 * A folder, a pipe or a device is ERR_IO: those may never end. */
enum err file_read(const char *path, struct buf *out, struct err_text *text) MUST_CHECK;
/* Writes all bytes to fd; they may be on disk later. path is for messages. */
enum err file_append(int fd, struct str bytes, const char *path, struct err_text *text) MUST_CHECK;
/* Waits until all that was written is on disk. */
enum err file_sync(int fd, const char *path, struct err_text *text) MUST_CHECK;
/* Both. */
enum err file_write(int fd, struct str bytes, const char *path, struct err_text *text) MUST_CHECK;
