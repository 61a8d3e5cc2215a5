/* SPDX-License-Identifier: MIT
 *
 * line: what it counts of a forecast for whose answer the server has no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "infer/door.h"
#include "infer/engine.h"
#include "infer/lane.h"
#include "infer/meter.h"

#define MODEL	 TEST_VECTORS "/../../models/lte-2x64"
#define HELD_MAX 30000 /* of a large answer */
#define ROWS	 30
#define ROW \
	"{\"timestamp\": \"2024-01-15T10:00:%02d\", \"features\": {\"down\": 1, \"up\": 2, " \
	"\"rnti_count\": 3, \"mcs_down\": 4, \"mcs_up\": 5, \"bler_down\": 0, \"bler_up\": 0, " \
	"\"prb_down\": 6, \"prb_up\": 7, \"sinr_down\": 8, \"sinr_up\": 9}}"

static void on_predict(void *arg, struct serve_request *r)
{
	struct lane *const *lane = arg;

	lane_predict(*lane, 0, r, &door_predict, "default");
}

static void on_gone(void *arg, struct serve_request *r)
{
	struct lane *const *lane = arg;

	lane_forget(*lane, r);
}

static const struct serve_route routes[] = { { "POST", "/predict", on_predict }, { NULL } };

static int dial(const struct lane *lane)
{
	const struct timeval patience = { .tv_sec = 20 };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(lane_port(lane)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Asks on a connection of its own and reads the answer to its end. */
static void ask(const struct lane *lane, unsigned steps, struct buf *answer)
{
	int fd = dial(lane);
	char bytes[4096];
	struct buf all, body;
	ssize_t n;

	buf_init(&body, LIMIT_PREDICT_BODY_BYTES);
	buf_init(&all, LIMIT_PREDICT_BODY_BYTES);
	for (int i = 0; i < ROWS; i++)
		buf_printf(&body, "%s" ROW, i ? ", " : "{\"data\": [", i);
	buf_add_text(&body, "]}");
	buf_printf(&all,
		   "POST /predict?inference_length=%u HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		   "Content-Length: %zu\r\n\r\n%s",
		   steps, body.len, body.p);
	assert_int_equal(send(fd, all.p, all.len, MSG_NOSIGNAL), all.len);
	buf_clear(answer);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		buf_add(answer, bytes, (size_t)n);
	close(fd);
	buf_fini(&body);
	buf_fini(&all);
}

static void assert_counted(struct meter *meter, const char *sample)
{
	struct buf page;

	buf_init(&page, LIMIT_METRICS_BYTES);
	meter_write(meter, NULL, 0, 0, &page);
	if (!strstr(page.p, sample))
		fail_msg("no %s in:\n%s", sample, page.p);
	buf_fini(&page);
}

static void start(struct lane **lane, struct seat *seat, struct meter *meter)
{
	const struct lane_options options = {
		.http = { .host = "127.0.0.1",
			  .max_body_bytes = LIMIT_PREDICT_BODY_BYTES,
			  .max_held_bytes = HELD_MAX,
			  .routes = routes,
			  .gone = on_gone,
			  .arg = lane },
		.seats = &seat,
		.model_count = 1,
		.line = { .meter = meter, .queue_max = 8, .deadline_us = 60 * CLOCK_S },
	};
	struct err_text text = { 0 };

	if (lane_create(lane, &options, &text) || lane_start(*lane, &text))
		fail_msg("%s", text.text);
}

static void an_answer_without_room_is_not_counted_as_predicted(void **state)
{
	struct meter *meter = meter_create();
	struct engine *engine = NULL;
	struct lane *lane = NULL;
	struct err_text text = { 0 };
	struct seat *seat;
	struct buf answer;

	(void)state;
	if (engine_create(&engine, "default", MODEL, 32, &text))
		fail_msg("%s", text.text);
	seat = seat_create(engine);
	start(&lane, seat, meter);
	buf_init(&answer, LIMIT_PREDICT_REPLY_BYTES);

	ask(lane, 1000, &answer);
	assert_non_null(strstr(answer.p, "HTTP/1.1 503 "));
	assert_non_null(strstr(answer.p, "Retry-After: 1\r\n"));
	assert_counted(meter, "inference_outcomes_total{outcome=\"predicted\"} 0\n");
	assert_counted(meter, "inference_outcomes_total{outcome=\"queue_full\"} 1\n");
	assert_counted(meter, "inference_predictions_total 0\n");

	ask(lane, 3, &answer);
	assert_non_null(strstr(answer.p, "HTTP/1.1 200 "));
	assert_counted(meter, "inference_outcomes_total{outcome=\"predicted\"} 1\n");
	assert_counted(meter, "inference_predictions_total 3\n");

	buf_fini(&answer);
	lane_stop(lane);
	lane_destroy(&lane);
	seat_destroy(&seat);
	engine_destroy(&engine);
	meter_destroy(&meter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_without_room_is_not_counted_as_predicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
