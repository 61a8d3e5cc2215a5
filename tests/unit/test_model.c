/* SPDX-License-Identifier: MIT
 *
 * model: a small folder written here is read back; each damage is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "infer/model.h"

#define HEAD \
	"\"format\":\"cicada-lstm-1\",\"model\":\"LSTM\",\"run_id\":\"r1\",\"weights\":\"w.st\","
#define SIZES "\"window\":3,\"layers\":2,\"hidden\":2,"
#define COLUMNS \
	"\"features\":[{\"name\":\"down\",\"offset\":1,\"scale\":2}," \
	"{\"name\":\"up\",\"offset\":0.5,\"scale\":4}]," \
	"\"targets\":[{\"name\":\"t\",\"offset\":0,\"scale\":1}]"
#define GOOD "{" HEAD SIZES COLUMNS "}"

struct shape {
	const char *name;
	int rows, columns;
};

static const struct shape good_shapes[] = {
	{ "lstm.weight_ih_l0", 8, 2 }, { "lstm.weight_hh_l0", 8, 2 }, { "lstm.bias_ih_l0", 8, 0 },
	{ "lstm.bias_hh_l0", 8, 0 },   { "lstm.weight_ih_l1", 8, 2 }, { "lstm.weight_hh_l1", 8, 2 },
	{ "lstm.bias_ih_l1", 8, 0 },   { "lstm.bias_hh_l1", 8, 0 },   { "fc.weight", 1, 2 },
	{ "fc.bias", 1, 0 },
};
#define SHAPES (sizeof(good_shapes) / sizeof(good_shapes[0]))

static char folder[] = "/tmp/cicada-model-XXXXXX";

static void write_bytes(const char *name, const void *bytes, size_t len)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	mem_free(path);
}

/* Value n of the file is n / 8, except the `bad`-th, which is `bad_value`. */
static void write_weights(const struct shape *shapes, size_t count, size_t bad, float bad_value)
{
	size_t values = 0, total = 0;
	struct buf b, header;
	uint64_t length;

	buf_init(&b, 1 << 20);
	buf_init(&header, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		const struct shape *s = &shapes[i];

		total = (size_t)(s->rows * (s->columns ? s->columns : 1));
		buf_printf(&header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%d", i ? "," : "{",
			   s->name, s->rows);
		if (s->columns)
			buf_printf(&header, ",%d", s->columns);
		buf_printf(&header, "],\"data_offsets\":[%zu,%zu]}", values * 4,
			   (values + total) * 4);
		values += total;
	}
	buf_add_char(&header, '}');
	length = header.len;
	buf_add(&b, &length, 8);
	buf_add_str(&b, buf_str(&header));
	for (size_t i = 0; i < values; i++) {
		float value = i == bad ? bad_value : (float)i / 8;

		buf_add(&b, &value, 4);
	}
	write_bytes("w.st", b.p, b.len);
	buf_fini(&header);
	buf_fini(&b);
}

static void expect_refusal(const char *place)
{
	struct err_text text = { 0 };
	struct model *m = NULL;

	assert_int_not_equal(model_create(&m, folder, &text), OK);
	assert_null(m);
	if (!strstr(text.text, place))
		fail_msg("expected '%s', got '%s'", place, text.text);
}

static void a_good_folder_is_read(void **state)
{
	struct err_text text = { 0 };
	struct model *m = NULL;

	(void)state;
	write_bytes("model.json", GOOD, strlen(GOOD));
	write_weights(good_shapes, SHAPES, SIZE_MAX, 0);
	assert_int_equal(model_create(&m, folder, &text), OK);
	assert_string_equal(m->name, "LSTM");
	assert_string_equal(m->run_id, "r1");
	assert_int_equal(m->window, 3);
	assert_int_equal(m->layer_count, 2);
	assert_int_equal(m->feature_count, 2);
	assert_string_equal(m->inputs[1].name, "up");
	assert_true(m->inputs[1].offset == 0.5 && m->inputs[1].scale == 4);
	assert_int_equal(m->layers[0].in, 2);
	assert_true(m->layers[0].weight_hh[0] == 16.0f / 8);
	assert_true(m->head_bias[0] == 98.0f / 8);
	model_destroy(&m);
	assert_null(m);
}

static void each_damage_of_the_description_is_named(void **state)
{
	static const struct {
		const char *json, *place;
	} cases[] = {
		{ "{", "model.json: line 1" },
		{ "{" HEAD SIZES COLUMNS ",\"window\":3}", "model.json: line 1: duplicate" },
		{ "{}", "model.json: format" },
		{ "{\"format\":\"onnx\"}", "model.json: format" },
		{ "{\"format\":\"cicada-lstm-1\",\"model\":3}", "model.json: model" },
		{ "{" HEAD "\"window\":0,\"layers\":2,\"hidden\":2," COLUMNS "}", "window" },
		{ "{" HEAD "\"window\":2.5,\"layers\":2,\"hidden\":2," COLUMNS "}", "window" },
		{ "{" HEAD "\"window\":3,\"layers\":1000,\"hidden\":2," COLUMNS "}", "layers" },
		{ "{" HEAD "\"window\":3,\"layers\":2,\"hidden\":-2," COLUMNS "}", "hidden" },
		{ "{" HEAD SIZES "\"features\":[],\"targets\":[]}", "features" },
		{ "{" HEAD SIZES "\"features\":[{}]}", "features[0]: name" },
		{ "{" HEAD SIZES "\"features\":[{\"name\":\"a\"}]}", "features[0]: offset" },
		{ "{" HEAD SIZES "\"features\":[{\"name\":\"a\",\"offset\":0,\"scale\":0}]}",
		  "features[0]: offset must be finite, and scale" },
		{ "{" HEAD SIZES "\"features\":[{\"name\":\"a\",\"offset\":0,\"scale\":1},"
		  "{\"name\":\"a\",\"offset\":0,\"scale\":1}]}",
		  "features[1]: name stands twice" },
		{ "{\"format\":\"cicada-lstm-1\",\"model\":\"m\",\"run_id\":\"r\","
		  "\"weights\":\"../w.st\"," SIZES COLUMNS "}",
		  "model.json: weights" },
		{ "{\"format\":\"cicada-lstm-1\",\"model\":\"m\",\"run_id\":\"r\","
		  "\"weights\":\"none\"," SIZES COLUMNS "}",
		  "/none: No such file" },
		{ "{" HEAD SIZES "\"time_features\":5," COLUMNS "}", "time_features: must be" },
		{ "{" HEAD SIZES "\"time_features\":[\"hour\",7]," COLUMNS "}",
		  "time_features[1]" },
		{ "{" HEAD SIZES "\"time_features\":[\"noon\"]," COLUMNS "}",
		  "time_features[0]: must be minute, hour" },
		{ "{" HEAD SIZES "\"time_features\":[\"hour\",\"hour\"]," COLUMNS "}",
		  "time_features[1]: stands twice" },
		{ "{" HEAD SIZES "\"interval_s\":0," COLUMNS "}", "interval_s: must be" },
		{ "{" HEAD SIZES "\"interval_s\":\"60\"," COLUMNS "}", "interval_s: must be" },
		{ "{" HEAD SIZES "\"time_features\":[\"hour\"]," COLUMNS "}",
		  "w.st: tensor lstm.weight_ih_l0: shape must be [8, 4]" },
		{ "{" HEAD "\"window\":3,\"layers\":3,\"hidden\":2," COLUMNS "}",
		  "w.st: tensor lstm.weight_ih_l2: missing" },
		{ "{" HEAD "\"window\":3,\"layers\":1,\"hidden\":2," COLUMNS "}",
		  "w.st: has tensors that the model does not name" },
	};

	(void)state;
	write_weights(good_shapes, SHAPES, SIZE_MAX, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_bytes("model.json", cases[i].json, strlen(cases[i].json));
		expect_refusal(cases[i].place);
	}
}

static const char *run_id_with(const char *mlmodel)
{
	static char id[64];
	struct err_text text = { 0 };
	struct model *m = NULL;

	write_bytes("MLmodel", mlmodel, strlen(mlmodel));
	if (model_create(&m, folder, &text))
		fail_msg("%s", text.text);
	snprintf(id, sizeof(id), "%s", m->run_id);
	model_destroy(&m);
	return id;
}

static void mlflow_has_the_last_word_about_the_run(void **state)
{
	char *path = mem_printf("%s/MLmodel", folder);

	(void)state;
	write_bytes("model.json", GOOD, strlen(GOOD));
	write_weights(good_shapes, SHAPES, SIZE_MAX, 0);
	assert_string_equal(run_id_with("flavors:\n  run_id: no\nrun_id: 0af9\n"), "0af9");
	assert_string_equal(run_id_with("run_id: \"a-b\" # of today\r\n"), "a-b");
	assert_string_equal(run_id_with("run_id: 'x.y'\nrun_id: z"), "x.y");
	assert_string_equal(run_id_with("run_id:a1"), "a1");
	/* What says nothing leaves it to model.json. */
	assert_string_equal(run_id_with(""), "r1");
	assert_string_equal(run_id_with("run_id:"), "r1");
	assert_string_equal(run_id_with("run_id: null\n"), "r1");
	assert_string_equal(run_id_with("# run_id: x\nrun_ids: x\n- run_id: x"), "r1");
	write_bytes("MLmodel", "a: b\nrun_id: {x}\n", 17);
	expect_refusal("MLmodel: line 2: run_id: must be 1 to 128 letters");
	write_bytes("MLmodel", "run_id: \"x\n", 11);
	expect_refusal("MLmodel: line 1: run_id");
	assert_int_equal(unlink(path), 0);
	mem_free(path);
}

static void each_damage_of_the_weights_is_named(void **state)
{
	struct shape shapes[SHAPES];

	(void)state;
	write_bytes("model.json", GOOD, strlen(GOOD));
	for (size_t i = 0; i < SHAPES; i++) {
		char *place = mem_printf("w.st: tensor %s: shape must be [%d", good_shapes[i].name,
					 good_shapes[i].rows);

		memcpy(shapes, good_shapes, sizeof(shapes));
		shapes[i].rows++;
		write_weights(shapes, SHAPES, SIZE_MAX, 0);
		expect_refusal(place);
		mem_free(place);
	}
	write_weights(good_shapes, SHAPES, 17, 1.0f / 0.0f);
	expect_refusal("w.st: tensor lstm.weight_hh_l0: value 1 is not finite");
	write_weights(good_shapes, SHAPES - 1, SIZE_MAX, 0);
	expect_refusal("w.st: tensor fc.bias: missing");
	write_bytes("w.st", "x", 1);
	expect_refusal("w.st: header length");
}

static void a_folder_without_a_model_is_refused(void **state)
{
	struct err_text text = { 0 };
	struct model *m = NULL;

	(void)state;
	assert_int_equal(model_create(&m, "/nowhere", &text), ERR_NOT_FOUND);
	assert_non_null(strstr(text.text, "/nowhere/model.json"));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	static const char *const names[] = { "model.json", "w.st" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *path = mem_printf("%s/%s", folder, names[i]);

		unlink(path);
		mem_free(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_folder_is_read),
		cmocka_unit_test(each_damage_of_the_description_is_named),
		cmocka_unit_test(mlflow_has_the_last_word_about_the_run),
		cmocka_unit_test(each_damage_of_the_weights_is_named),
		cmocka_unit_test(a_folder_without_a_model_is_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
