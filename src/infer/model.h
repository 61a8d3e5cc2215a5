/* SPDX-License-Identifier: MIT
 *
 * model - a trained LSTM with a dense head, as its folder describes it.
 *
 * A folder holds model.json (what goes in and comes out, with scaling) and the safetensors
 * file it names, with PyTorch's parameter names; a file MLmodel beside them has the last word
 * about the run's id. After model_create() everything is checked: names and lengths within the
 * limits, every tensor of the right shape, every number finite. Read-only from then on, so all
 * threads may share it.
 *
 * The inputs of a row are its features and then, two for each part of its time that the model
 * wants, sines and cosines.
 *
 *   scaled input  = (value - offset) / scale         per input
 *   prediction    = scaled output * scale + offset   per target */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "infer/moment.h"

struct model_column {
	const char *name;
	double offset, scale; /* scale is not 0 */
};

/* PyTorch's layout and gate order (input, forget, cell, output). in is the number of
 * inputs for the first layer and `hidden` for the others. */
struct model_layer {
	size_t in;
	float *weight_ih; /* [4 * hidden][in] */
	float *weight_hh; /* [4 * hidden][hidden] */
	float *bias_ih;	  /* [4 * hidden] */
	float *bias_hh;	  /* [4 * hidden] */
};

struct model {
	const char *name, *run_id;
	size_t window; /* rows of one prediction */
	size_t layer_count, hidden, feature_count, target_count, time_count;
	size_t input_count; /* feature_count + 2 * time_count */
	enum moment_part times[LIMIT_MODEL_COLUMNS];
	double interval_s;	     /* from one row to the next */
	struct model_column *inputs; /* the features first; a time has no name, offset 0, scale 1 */
	struct model_column *targets;
	struct model_layer *layers;
	float *head_weight; /* [target_count][hidden] */
	float *head_bias;   /* [target_count] */
	void *json;	    /* owns the names */
	char *mlflow_id;    /* owns run_id if MLmodel said it */
};

/* Errors name the file and the field. */
enum err model_create(struct model **out, const char *folder, struct err_text *text) MUST_CHECK;
void model_destroy(struct model **m);
