/* SPDX-License-Identifier: MIT
 *
 * Nanoseconds per reply of the HTTP response parser, one JSON line per kind of reply. Each
 * figure is the least of several rounds: what disturbs a round only ever adds to it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "http/response.h"

#define ROUNDS	    20
#define ROUND_TURNS 200000

static const struct {
	const char *name, *bytes;
} replies[] = {
	{ "nginx_small", "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"
			 "Date: Tue, 24 Nov 2026 02:20:41 GMT\r\nContent-Type: text/plain\r\n"
			 "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok" },
	{ "json_predict", "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 02:20:41 GMT\r\n"
			  "Content-Type: application/json\r\nContent-Length: 104\r\n\r\n"
			  "{\"predictions\":[0.123456,0.234567],\"model\":\"lstm\","
			  "\"run_id\":\"0123456789abcdef\",\"timestamp\":1795468985.03}" },
	{ "chunked", "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n"
		     "Date: Tue, 24 Nov 2026 02:20:41 GMT\r\nContent-Type: text/plain\r\n"
		     "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
		     "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n" },
};

static double round_ns(const char *bytes)
{
	size_t len = strlen(bytes), used, body_len;
	static char buffer[1024];
	uint64_t from_us;

	ensure(len < sizeof(buffer));
	from_us = clock_us();
	for (int turn = 0; turn < ROUND_TURNS; turn++) {
		struct http_response r;

		/* Decoding happens in place, so a fresh copy is part of each turn. */
		memcpy(buffer, bytes, len);
		http_response_init(&r, false);
		ensure(http_response_head(&r, buffer, len) == IO_OK);
		ensure(http_response_body(&r, buffer + r.head_bytes, len - r.head_bytes, &used,
					  &body_len) == IO_OK);
		ensure(r.head_bytes + used == len);
	}
	return (double)(clock_us() - from_us) * 1000.0 / ROUND_TURNS;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		double best_ns = round_ns(replies[i].bytes);

		for (int k = 1; k < ROUNDS; k++) {
			double ns = round_ns(replies[i].bytes);

			best_ns = ns < best_ns ? ns : best_ns;
		}
		printf("{\"bench\": \"response\", \"reply\": \"%s\", \"bytes\": %zu, \"ns\": "
		       "%.1f}\n",
		       replies[i].name, strlen(replies[i].bytes), best_ns);
	}
	return 0;
}
