/* SPDX-License-Identifier: MIT
 *
 * kube_yaml - a YAML document as a tree of JSON.
 *
 * Reads what kubeconfig files are made of: mappings, sequences, scalars. A plain true,
 * false or null is that; every other scalar, a number too, is a string. Aliases are
 * refused: they make a small file a large tree. JSON is YAML, so it is read as well. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct json_t;

/* The first document. The caller gives *out back with json_decref(). ERR_BAD_INPUT with the line
 * in *text; an empty document is JSON's null. */
enum err kube_yaml_parse(struct str yaml, struct json_t **out, struct err_text *text) MUST_CHECK;
