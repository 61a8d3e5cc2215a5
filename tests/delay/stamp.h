/* SPDX-License-Identifier: MIT
 *
 * stamp - when the bytes of a TCP socket came and went, as the kernel has noted it.
 *
 * A program's own clock says when it had read and when its send had returned. The first is late by
 * the time until it was woken, or had answered others; the second by all that follows from the
 * packet, on loopback the receiver's wake-up, or early when the packet had to wait. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* From here on; sockets accepted by a listener inherit it. */
void stamp_enable(int fd);
/* As recv(); *at_us: wall time at which the last of the bytes arrived, 0 when it is not known. */
ssize_t stamp_recv(int fd, void *to, size_t room, uint64_t *at_us);
/* Wall time at which the last byte sent has left; 0 when it is not known. Call it after each send
 * whose answer may be waited for: until then the socket has something to say (EPOLLERR). */
uint64_t stamp_sent(int fd);
