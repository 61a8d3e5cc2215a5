/* SPDX-License-Identifier: MIT
 *
 * msg_scan - whether bytes are exactly one msgpack object that is safe to unpack.
 *
 * libmsgpack reserves room for as many elements as a header claims before it has seen one, and
 * takes any bytes for text. So each frame is walked once beforehand: no length beyond the
 * bytes that are there, bounded depth and number of objects, text that is UTF-8, no
 * extension types, nothing behind the object. */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum err msg_scan(struct str frame, struct err_text *text) MUST_CHECK;
/* The data of a message, [type, data, node_id], that msg_scan() found to be fine. */
struct str msg_scan_data(struct str frame);
