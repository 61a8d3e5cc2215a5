/* SPDX-License-Identifier: MIT
 *
 * fuzz_doors - bodies of MLflow's and KServe's protocols: the first byte chooses the door and
 * whether the model wants times. What is taken holds finite numbers and can be answered. */
#include "fuzz.h"

#include <jansson.h>
#include <math.h>

#include "infer/door.h"
#include "infer/engine.h"
#include "infer/model.h"

static const struct schema plain = {
	.rows = 2,
	.feature_count = 2,
	.input_count = 2,
	.target_count = 1,
	.features = { { "\"down\"", 6 }, { "\"up\"", 4 } },
	.targets = { { "\"up\"", 4 } },
	.fed_by = { FED_BY_NONE, 0 },
};

static const struct schema timed = {
	.rows = 2,
	.feature_count = 2,
	.input_count = 4,
	.target_count = 1,
	.time_count = 1,
	.times = { PART_HOUR },
	.features = { { "\"down\"", 6 }, { "\"up\"", 4 } },
	.targets = { { "\"up\"", 4 } },
	.fed_by = { FED_BY_NONE, 0 },
};

static void predict(struct ask *a)
{
	for (size_t step = 0; step < a->steps; step++)
		for (size_t w = 0; w < a->window_count; w++) {
			ask_predictions(a, w, step)[0] = (double)step;
			if (step + 1 < a->steps)
				ask_advance(a, w, step);
		}
}

static void check_answer(const struct door *door, struct ask *a)
{
	struct model model = { .run_id = "r" };
	struct engine engine = { .model = &model, .name = "m", .reply_end = "" };
	const struct door_reply reply = {
		.engine = &engine, .ask = a, .identifier = "m", .now = ""
	};
	struct buf out;
	json_t *json;

	predict(a);
	buf_init(&out, 1 << 24);
	door->write(&reply, &out);
	FUZZ_CHECK(!out.is_full);
	json = json_loadb(out.p, out.len, 0, NULL);
	FUZZ_CHECK(json);
	json_decref(json);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct door *door = len && input[0] & 1 ? &door_kserve : &door_mlflow;
	const struct schema *schema = len && input[0] & 2 ? &timed : &plain;
	char *bytes = fuzz_copy(len ? input + 1 : input, len ? len - 1 : 0);
	struct ask_fault fault = { 0 };
	struct ask ask;

	ask_init(&ask);
	ask_begin(&ask, schema);
	if (door->read((struct str){ bytes, len ? len - 1 : 0 }, &ask, &fault)) {
		for (size_t i = 0; i < ask.window_count * schema->rows * schema->input_count; i++)
			FUZZ_CHECK(isfinite(ask_rows(&ask, 0)[i]));
		check_answer(door, &ask);
	} else {
		FUZZ_CHECK((fault.status == 400 || fault.status == 422) && fault.text[0]);
	}
	ask_fini(&ask);
	free(bytes);
	return 0;
}
