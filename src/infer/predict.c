/* SPDX-License-Identifier: MIT
 *
 * predict - the answers of POST /predict, and what other doors write alike. */
#include "infer/door.h"

#include "infer/engine.h"
#include "infer/predict_body.h"

void door_write_numbers(const double *values, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		buf_add_text(out, i ? ", " : "[");
		buf_add_g9(out, values[i]);
	}
	buf_add_char(out, ']');
}

void door_write_window(const struct ask *a, size_t window, struct buf *out)
{
	const size_t targets = a->schema->target_count;

	if (!a->has_steps) {
		door_write_numbers(ask_predictions(a, window, 0), targets, out);
		return;
	}
	for (size_t step = 0; step < a->steps; step++) {
		buf_add_text(out, step ? ", " : "[");
		door_write_numbers(ask_predictions(a, window, step), targets, out);
	}
	buf_add_char(out, ']');
}

void door_write_record(const struct ask *a, size_t window, size_t step, struct buf *out)
{
	const double *values = ask_predictions(a, window, step);
	const struct moment when = ask_moment(a, window, step);

	buf_add_char(out, '{');
	if (a->has_times) {
		buf_printf(out, "\"%s\": \"", a->index_name);
		moment_write(&when, out);
		buf_add_text(out, "\", ");
	}
	for (size_t i = 0; i < a->schema->target_count; i++) {
		buf_add_text(out, i ? ", " : "");
		buf_add_str(out, a->schema->targets[i]);
		buf_add_text(out, ": ");
		buf_add_g9(out, values[i]);
	}
	buf_add_char(out, '}');
}

/* As the services answer whose clients ask in columns. */
static void write_columns(const struct door_reply *reply, struct buf *out)
{
	buf_add_text(out, "{\"status\": \"SUCCESS\", \"identifier\": ");
	buf_add_json(out, str_of(reply->identifier));
	buf_add_text(out, ", \"run_id\": ");
	buf_add_json(out, str_of(engine_run_id(reply->engine)));
	for (size_t step = 0; step < reply->ask->steps; step++) {
		buf_add_text(out, step ? ", " : ", \"predictions\": [");
		door_write_record(reply->ask, 0, step, out);
	}
	buf_printf(out, "], \"req_id\": \"%08x\", \"cached\": false}\n", (unsigned)reply->id);
}

static void write_windows(const struct ask *a, struct buf *out)
{
	for (size_t i = 0; i < a->window_count; i++) {
		buf_add_text(out, i ? ", " : "[");
		door_write_window(a, i, out);
	}
	buf_add_char(out, ']');
}

static void write(const struct door_reply *reply, struct buf *out)
{
	if (reply->ask->form == ASK_COLUMNS) {
		write_columns(reply, out);
		return;
	}
	buf_add_text(out, "{\"predictions\": ");
	if (reply->ask->form == ASK_WINDOWS)
		write_windows(reply->ask, out);
	else
		door_write_window(reply->ask, 0, out);
	buf_add_text(out, reply->engine->reply_end);
	buf_add_text(out, reply->now);
	buf_add_text(out, "\"}\n");
}

const struct door door_predict = { .read = predict_body_parse, .write = write };
