/* SPDX-License-Identifier: MIT
 *
 * kserve - the Open Inference Protocol, version 2, as KServe and Triton speak it over HTTP.
 *
 * POST /v2/models/{model}/infer takes one tensor, [windows, rows, features] or [rows, features], of
 * any numeric type, flat or in lists, and gives the tensor "predictions". The parameter
 * inference_length asks for several steps. Tensors are JSON; the binary extension is not spoken. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "infer/door.h"

#define KSERVE_MODELS "/v2/models/"

enum kserve_page { KSERVE_MODEL, KSERVE_READY, KSERVE_INFER, KSERVE_NONE };

/* What a path below KSERVE_MODELS asks for; writes the model's name. */
enum kserve_page kserve_route(const char *path, char *name, size_t size);
/* GET /v2 */
void kserve_write_server(struct buf *out);
/* GET /v2/models/{model} */
void kserve_write_model(const struct engine *e, struct buf *out);
