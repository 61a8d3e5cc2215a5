/* SPDX-License-Identifier: MIT
 *
 * model - a trained LSTM with a dense head, as its folder describes it.
 *
 * A folder holds model.json (what goes in and comes out, with scaling) and the safetensors
 * file it names, with PyTorch's parameter names. After model_create() everything is
 * checked: names and lengths within the limits, every tensor of the right shape, every
 * number finite. Read-only from then on, so all threads may share it.
 *
 *   scaled input  = (value - offset) / scale         per feature
 *   prediction    = scaled output * scale + offset   per target */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct model_column {
	const char *name;
	double offset, scale; /* scale is not 0 */
};

/* PyTorch's layout and gate order (input, forget, cell, output). in is the number of
 * features for the first layer and `hidden` for the others. */
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
	size_t layer_count, hidden, feature_count, target_count;
	struct model_column *features, *targets;
	struct model_layer *layers;
	float *head_weight; /* [target_count][hidden] */
	float *head_bias;   /* [target_count] */
	void *json;	    /* owns the names */
};

/* Errors name the file and the field. */
enum err model_create(struct model **out, const char *folder, struct err_text *text) MUST_CHECK;
void model_destroy(struct model **m);
