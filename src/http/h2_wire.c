/* SPDX-License-Identifier: MIT
 *
 * h2_wire - see the header. Bytes are received on the stack: nghttp2 keeps what it needs, so a
 * waiting connection has no buffer for them. */
#include "http/h2_wire.h"

#include <errno.h>

/* Room offered to a recv. */
#define RECV_BYTES (16 * 1024)

enum io h2_wire_send(struct h2 *h, struct stream *s, size_t *sent)
{
	struct str bytes;

	while ((bytes = h2_output(h)).len) {
		ssize_t n = s->ops->send(s, bytes.p, bytes.len);

		if (n >= 0) {
			h2_sent(h, (size_t)n);
			*sent += (size_t)n;
		} else if (stream_would_block(errno)) {
			return IO_AGAIN;
		} else if (errno != EINTR) {
			return IO_FAIL;
		}
	}
	return IO_OK;
}

enum io h2_wire_receive(struct h2 *h, struct stream *s, bool to_the_end)
{
	char bytes[RECV_BYTES];
	bool was_filled = true;

	while (was_filled || to_the_end) {
		ssize_t n = s->ops->recv(s, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stream_would_block(errno) ? IO_AGAIN : IO_FAIL;
		if (n == 0)
			return IO_OK;
		h2_take(h, bytes, (size_t)n);
		/* A connection of no further use is closed; nobody looks at the rest. */
		if (h2_state(h) != H2_WAITING && h2_is_ending(h))
			return IO_AGAIN;
		was_filled = (size_t)n == sizeof(bytes) || s->ops->is_layered;
	}
	return IO_AGAIN;
}
