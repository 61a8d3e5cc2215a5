/* SPDX-License-Identifier: MIT
 *
 * kube_yaml - see the header. libyaml's parser gives events; one function per kind of node
 * reads them, as deep as LIMIT_JSON_DEPTH. */
#include "kube/kube_yaml.h"

#include <string.h>

#include <jansson.h>
#include <yaml.h>

#include "base/limits.h"

struct reader {
	yaml_parser_t parser;
	struct err_text *text;
	unsigned depth;
};

static enum err bad(const struct reader *r, const yaml_event_t *at, const char *what)
{
	return err_set(r->text, ERR_BAD_INPUT, "line %zu: %s", at->start_mark.line + 1, what);
}

static enum err next_event(struct reader *r, yaml_event_t *out)
{
	if (yaml_parser_parse(&r->parser, out))
		return OK;
	return err_set(r->text, ERR_BAD_INPUT, "line %zu: %s", r->parser.problem_mark.line + 1,
		       r->parser.problem ? r->parser.problem : "this is not YAML");
}

static enum err read_scalar(const struct reader *r, const yaml_event_t *event, json_t **out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct str s = { value, len };

	if (memchr(value, '\0', len))
		return bad(r, event, "a text with a NUL byte");
	if (is_plain && (str_eq(s, "true") || str_eq(s, "false")))
		*out = json_boolean(value[0] == 't');
	else if (is_plain && (str_eq(s, "null") || str_eq(s, "~") || !len))
		*out = json_null();
	else
		*out = json_stringn(value, len);
	return *out ? OK : bad(r, event, "a text that is not UTF-8");
}

static enum err read_node(struct reader *r, const yaml_event_t *event, json_t **out);

static enum err read_sequence(struct reader *r, json_t **out)
{
	enum err err = OK;
	bool is_over = false;

	*out = json_array();
	while (!err && !is_over) {
		yaml_event_t event;
		json_t *item = NULL;

		err = next_event(r, &event);
		if (err)
			break;
		is_over = event.type == YAML_SEQUENCE_END_EVENT;
		if (!is_over)
			err = read_node(r, &event, &item);
		if (item)
			json_array_append_new(*out, item);
		yaml_event_delete(&event);
	}
	return err;
}

/* The value that belongs to a key. */
static enum err read_member(struct reader *r, const yaml_event_t *key, json_t *object)
{
	yaml_event_t event;
	json_t *value = NULL;
	const char *name = (const char *)key->data.scalar.value;
	enum err err;

	if (key->type != YAML_SCALAR_EVENT || memchr(name, '\0', key->data.scalar.length))
		return bad(r, key, "a key that is no text");
	if (json_object_get(object, name))
		return bad(r, key, "a key that was there already");
	err = next_event(r, &event);
	if (err)
		return err;
	err = read_node(r, &event, &value);
	/* Takes the value also when the name is not UTF-8. */
	if (!err && json_object_set_new(object, name, value) != 0)
		err = bad(r, key, "a key that is not UTF-8");
	else if (err)
		json_decref(value);
	yaml_event_delete(&event);
	return err;
}

static enum err read_mapping(struct reader *r, json_t **out)
{
	enum err err = OK;
	bool is_over = false;

	*out = json_object();
	while (!err && !is_over) {
		yaml_event_t event;

		err = next_event(r, &event);
		if (err)
			break;
		is_over = event.type == YAML_MAPPING_END_EVENT;
		if (!is_over)
			err = read_member(r, &event, *out);
		yaml_event_delete(&event);
	}
	return err;
}

/* *out may be a part of the tree when this fails. */
static enum err read_node(struct reader *r, const yaml_event_t *event, json_t **out)
{
	enum err err;

	if (++r->depth > LIMIT_JSON_DEPTH)
		return bad(r, event, "nested too deeply");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		err = read_scalar(r, event, out);
		break;
	case YAML_SEQUENCE_START_EVENT:
		err = read_sequence(r, out);
		break;
	case YAML_MAPPING_START_EVENT:
		err = read_mapping(r, out);
		break;
	default:
		err = bad(r, event, "an alias; write the value itself");
		break;
	}
	r->depth--;
	return err;
}

enum err kube_yaml_parse(struct str yaml, json_t **out, struct err_text *text)
{
	struct reader r = { .text = text };
	json_t *root = NULL;
	enum err err = OK;
	bool is_over = false;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(text, ERR_NO_MEMORY, "libyaml does not start");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml.p, yaml.len);
	while (!err && !root && !is_over) {
		yaml_event_t event;

		err = next_event(&r, &event);
		if (err)
			break;
		is_over = event.type == YAML_STREAM_END_EVENT;
		if (!is_over && event.type != YAML_STREAM_START_EVENT &&
		    event.type != YAML_DOCUMENT_START_EVENT)
			err = read_node(&r, &event, &root);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&r.parser);
	if (err)
		json_decref(root);
	else
		*out = root ? root : json_null();
	return err;
}
