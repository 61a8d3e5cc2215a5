/* SPDX-License-Identifier: MIT
 *
 * stream - bytes over a connected, non-blocking socket, plain or through TLS (tls.h).
 *
 * The owner of the socket watches it edge-triggered for both directions and opens and closes
 * the descriptor; a stream only lies over it. All calls are those of one thread. None of them
 * waits and none raises a signal. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct stream;
struct tls_stream;

struct stream_ops {
	/* As send(2) and recv(2): bytes; 0 (recv only) at the end of the stream; -1 with errno.
	 * EAGAIN: call again when there was an edge, of either direction. EPROTO: the layer above
	 * the socket has failed, and failure() says why. */
	ssize_t (*send)(struct stream *s, const void *bytes, size_t len);
	ssize_t (*recv)(struct stream *s, void *to, size_t room);
	/* send() of two parts as one. NULL: the stream is not plain. */
	ssize_t (*send_two)(struct stream *s, struct str first, struct str second);
	/* Takes on alone what comes before the first byte sent (a handshake), for who must know
	 * its outcome. IO_FAIL: errno as of send(). NULL: nothing does. */
	enum io (*shake)(struct stream *s);
	/* To be called at each edge, before the others. to_the_end: it told of an end or an error,
	 * so no other edge will come. */
	void (*woken)(struct stream *s, bool to_the_end);
	/* Nothing has come that was not received: no byte, no end. */
	bool (*is_drained)(struct stream *s);
	/* The words of Python's clients for the last EPROTO, or for is_cut. NULL: has none. */
	void (*failure)(const struct stream *s, char *text, size_t size);
	/* Gives its memory back, after a farewell if that is possible at once. */
	void (*close)(struct stream *s);
	/* There are records above the socket: a recv that got less than its room may have left
	 * some behind, and each edge may be what it waits for. */
	bool is_layered;
};

/* Embedded by the owner of the socket. */
struct stream {
	const struct stream_ops *ops;
	struct tls_stream *tls; /* NULL: plain */
	int fd;
	bool is_cut; /* recv returned 0, but the peer did not say that this is the end */
};

static inline bool stream_would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

void stream_open_plain(struct stream *s, int fd);
