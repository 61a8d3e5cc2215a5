/* SPDX-License-Identifier: MIT
 *
 * h2_wire - moves the bytes of an HTTP/2 connection through a stream, by the rules of an
 * edge-triggered socket (client.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "http/h2.h"
#include "net/stream.h"

/* Sends what is to be sent and adds the bytes to *sent. IO_AGAIN: the rest at the next edge;
 * IO_FAIL: errno says why. */
enum io h2_wire_send(struct h2 *h, struct stream *s, size_t *sent) MUST_CHECK;

/* Takes all frames there are, also those behind an answer. IO_AGAIN: more at the next edge; IO_OK:
 * the stream has ended; IO_FAIL: errno says why. to_the_end: there will be no other edge. */
enum io h2_wire_receive(struct h2 *h, struct stream *s, bool to_the_end) MUST_CHECK;
