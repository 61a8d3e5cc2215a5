/* SPDX-License-Identifier: MIT
 *
 * safetensors - named arrays of 32-bit floats from a file of that format.
 *
 * The file is 8 bytes of little-endian header length, a JSON object of that length, then
 * the values. Every statement of the header is checked against the size of the file
 * before it is used; only dtype F32 is accepted, and tensors may not share bytes.
 * Errors name the tensor and the field. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SAFETENSORS_RANK_MAX 4

struct safetensors;

struct tensor {
	const char *name;
	size_t rank, shape[SAFETENSORS_RANK_MAX];
	size_t count;	   /* product of the shape */
	const char *bytes; /* count little-endian floats, not aligned; tensor_copy() reads them */
};

/* The bytes are lent until safetensors_destroy(). */
enum err safetensors_create(struct safetensors **out, struct str bytes,
			    struct err_text *text) MUST_CHECK;
void safetensors_destroy(struct safetensors **s);

size_t safetensors_count(const struct safetensors *s);
/* By position, below safetensors_count(). */
const struct tensor *safetensors_at(const struct safetensors *s, size_t i);
/* NULL when there is none of that name. */
const struct tensor *safetensors_find(const struct safetensors *s, const char *name);
/* Writes t->count floats. */
void tensor_copy(const struct tensor *t, float *out);
