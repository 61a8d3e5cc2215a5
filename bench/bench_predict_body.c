/* SPDX-License-Identifier: MIT
 *
 * Bodies of POST /predict per second on one core: 30 rows of the order's 11 features, spelt as
 * Python's json.dumps() does. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/rng.h"
#include "infer/predict_body.h"

#define ROWS   30
#define ROUNDS 200000

static const struct schema schema = {
	.rows = ROWS,
	.feature_count = 11,
	.input_count = 11,
	.target_count = 1,
	.features = { { "\"down\"", 6 },
		      { "\"up\"", 4 },
		      { "\"rnti_count\"", 12 },
		      { "\"mcs_down\"", 10 },
		      { "\"mcs_up\"", 8 },
		      { "\"bler_down\"", 11 },
		      { "\"bler_up\"", 9 },
		      { "\"prb_down\"", 10 },
		      { "\"prb_up\"", 8 },
		      { "\"sinr_down\"", 11 },
		      { "\"sinr_up\"", 9 } },
};

static void write_body(struct buf *b)
{
	struct rng rng;

	rng_init(&rng, 1, 0);
	buf_add_text(b, "{\"data\": [");
	for (int row = 0; row < ROWS; row++) {
		buf_printf(b, "%s{\"timestamp\": \"2024-01-15T10:00:%02d\", \"features\": {",
			   row ? ", " : "", row);
		for (size_t i = 0; i < schema.feature_count; i++)
			buf_printf(b, "%s%.*s: %.2f", i ? ", " : "", STR_ARG(schema.features[i]),
				   (double)rng_below(&rng, 200000) / 100);
		buf_add_text(b, "}}");
	}
	buf_add_text(b, "]}");
}

int main(void)
{
	struct ask_fault fault;
	struct ask ask;
	float sum = 0;
	uint64_t begun_us;
	double elapsed_s;
	struct buf b;

	buf_init(&b, 1 << 20);
	write_body(&b);
	ask_init(&ask);
	begun_us = clock_us();
	for (int i = 0; i < ROUNDS; i++) {
		ask_begin(&ask, &schema);
		if (!predict_body_parse(buf_str(&b), &ask, &fault))
			return 1;
		sum += ask_rows(&ask, 0)[i % (ROWS * 11)];
	}
	elapsed_s = (double)(clock_us() - begun_us) / 1e6;
	printf("{\"bench\": \"predict_body\", \"body_bytes\": %zu, \"bodies_per_s\": %.0f, "
	       "\"mb_per_s\": %.0f, \"sum\": %g}\n",
	       b.len, ROUNDS / elapsed_s, (double)b.len * ROUNDS / elapsed_s / 1e6, (double)sum);
	ask_fini(&ask);
	buf_fini(&b);
	return 0;
}
