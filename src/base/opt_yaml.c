/* SPDX-License-Identifier: MIT
 *
 * opt_yaml - see the header. libyaml reads ahead in the bytes it is given, so the texts go to a
 * buffer of their own, which has its full size from the start: settings point into it. */
#include "base/opt_yaml.h"

#include <string.h>

#include <yaml.h>

#include "base/limits.h"

/* The longest a text can become: an escape of two bytes is three in UTF-8, and each has its NUL. */
#define GROWTH 3

struct reader {
	yaml_parser_t parser;
	const char *name;
	struct err_text *text;
	struct buf texts;
	const char *keys[LIMIT_OPTIONS]; /* so far */
	size_t key_count;
	opt_setting_fn fn;
	void *arg;
};

static enum err bad(const struct reader *r, size_t line, const char *what)
{
	return err_set(r->text, ERR_BAD_OPTION, "%s:%zu: %s", r->name, line + 1, what);
}

static enum err bad_event(const struct reader *r, const yaml_event_t *at, const char *what)
{
	return bad(r, at->start_mark.line, what);
}

/* To be deleted when it is OK. */
static enum err next_event(struct reader *r, yaml_event_t *out)
{
	const char *problem;

	if (yaml_parser_parse(&r->parser, out))
		return OK;
	problem = r->parser.problem ? r->parser.problem : "this is not YAML";
	return bad(r, r->parser.problem_mark.line, problem);
}

/* A copy that lasts, with its NUL. */
static enum err keep_text(struct reader *r, const yaml_event_t *event, const char **out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	if (memchr(value, '\0', len))
		return bad_event(r, event, "a text with a NUL byte");
	*out = r->texts.p + r->texts.len;
	buf_add(&r->texts, value, len);
	buf_add_char(&r->texts, '\0');
	return r->texts.is_full ? bad_event(r, event, "the texts are too long") : OK;
}

static bool is_null(const yaml_event_t *event)
{
	struct str text = { (const char *)event->data.scalar.value, event->data.scalar.length };

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!text.len || str_eq(text, "~") || str_eq(text, "null"));
}

static enum err add_value(struct reader *r, const yaml_event_t *event, struct opt_texts *values)
{
	if (event->type == YAML_ALIAS_EVENT)
		return bad_event(r, event, "an alias; write the value itself");
	if (event->type != YAML_SCALAR_EVENT)
		return bad_event(r, event, "a value is a text, a number, or a list of these");
	if (is_null(event))
		return bad_event(r, event, "a value is missing");
	if (values->count == LIMIT_AXIS_VALUES)
		return bad_event(r, event, "more values than a list may have");
	return keep_text(r, event, &values->value[values->count++]);
}

static enum err read_list(struct reader *r, struct opt_texts *values)
{
	bool is_over = false;
	enum err err = OK;

	while (!err && !is_over) {
		yaml_event_t event;

		err = next_event(r, &event);
		if (err)
			break;
		is_over = event.type == YAML_SEQUENCE_END_EVENT;
		if (!is_over)
			err = add_value(r, &event, values);
		yaml_event_delete(&event);
	}
	return err;
}

/* spawn_rate is spawn-rate. */
static bool is_same_key(const char *a, const char *b)
{
	for (; *a && (*a == *b || (*a == '_' && *b == '-') || (*a == '-' && *b == '_')); a++)
		b++;
	return !*a && !*b;
}

static enum err read_key(struct reader *r, const yaml_event_t *event, const char **out)
{
	enum err err;

	if (event->type != YAML_SCALAR_EVENT)
		return bad_event(r, event, "a key is the name of an option");
	err = keep_text(r, event, out);
	for (size_t i = 0; !err && i < r->key_count; i++)
		if (is_same_key(*out, r->keys[i]))
			err = bad_event(r, event, "this key was there already");
	if (!err && r->key_count == LIMIT_OPTIONS)
		err = bad_event(r, event, "more keys than there are options");
	if (!err)
		r->keys[r->key_count++] = *out;
	return err;
}

static enum err read_setting(struct reader *r, const yaml_event_t *key)
{
	struct opt_setting setting = { .line = (unsigned)key->start_mark.line + 1 };
	struct err_text why = { "" };
	yaml_event_t event;
	enum err err = read_key(r, key, &setting.key);

	if (!err)
		err = next_event(r, &event);
	if (err)
		return err;
	setting.is_list = event.type == YAML_SEQUENCE_START_EVENT;
	err = setting.is_list ? read_list(r, &setting.values)
			      : add_value(r, &event, &setting.values);
	yaml_event_delete(&event);
	if (!err && r->fn(r->arg, &setting, &why))
		err = bad_event(r, key, why.text);
	return err;
}

static enum err read_mapping(struct reader *r)
{
	bool is_over = false;
	enum err err = OK;

	while (!err && !is_over) {
		yaml_event_t event;

		err = next_event(r, &event);
		if (err)
			break;
		is_over = event.type == YAML_MAPPING_END_EVENT;
		if (!is_over)
			err = read_setting(r, &event);
		yaml_event_delete(&event);
	}
	return err;
}

/* One document, which may be empty. */
static enum err read_stream(struct reader *r)
{
	bool is_over = false, has_document = false;
	enum err err = OK;

	while (!err && !is_over) {
		yaml_event_t event;

		err = next_event(r, &event);
		if (err)
			break;
		is_over = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_MAPPING_START_EVENT)
			err = read_mapping(r);
		else if (event.type == YAML_DOCUMENT_START_EVENT && has_document)
			err = bad_event(r, &event, "a second document; one file is one plan");
		else if (event.type == YAML_ALIAS_EVENT ||
			 event.type == YAML_SEQUENCE_START_EVENT ||
			 (event.type == YAML_SCALAR_EVENT && !is_null(&event)))
			err = bad_event(r, &event, "a file of settings has lines of key: value");
		has_document |= event.type == YAML_DOCUMENT_START_EVENT;
		yaml_event_delete(&event);
	}
	return err;
}

enum err opt_yaml_read(const char *name, struct buf *bytes, opt_setting_fn fn, void *arg,
		       struct err_text *text)
{
	struct reader r = { .name = name, .text = text, .fn = fn, .arg = arg };
	struct str yaml = buf_str(bytes);
	enum err err;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(text, ERR_NO_MEMORY, "libyaml does not start");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml.p, yaml.len);
	buf_init(&r.texts, GROWTH * yaml.len + 1);
	buf_room(&r.texts, GROWTH * yaml.len + 1);
	err = read_stream(&r);
	yaml_parser_delete(&r.parser);
	buf_fini(bytes);
	*bytes = r.texts;
	return err;
}
