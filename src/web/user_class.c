/* SPDX-License-Identifier: MIT
 *
 * user_class - see the header. */
#include "web/user_class.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "web/swarm.h"

#define NO_CLASS SIZE_MAX

/* NULL when it is missing or null. */
static const json_t *field(const json_t *body, const char *name)
{
	const json_t *value = json_object_get(body, name);

	return json_is_null(value) ? NULL : value;
}

static size_t find_class(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->options.class_count; i++)
		if (strcmp(run->options.classes[i].name, name) == 0)
			return i;
	return NO_CLASS;
}

static bool mark_task(const struct run_class *class, const char *name, bool *draws)
{
	bool is_known = false;

	/* Tasks of one name are one, as they are in a locustfile. */
	for (size_t i = 0; i < class->task_count; i++)
		if (class->tasks[i].name && strcmp(class->tasks[i].name, name) == 0)
			draws[i] = is_known = true;
	return is_known;
}

static enum err read_tasks(const json_t *tasks, const struct run_class *class, bool *draws,
			   struct err_text *text)
{
	size_t i;
	json_t *name;

	if (!json_is_array(tasks))
		return err_set(text, ERR_BAD_INPUT, "tasks must be a list of names");
	json_array_foreach ((json_t *)tasks, i, name) {
		if (!json_is_string(name))
			return err_set(text, ERR_BAD_INPUT, "tasks must be a list of names");
		if (!mark_task(class, json_string_value(name), draws))
			return err_set(text, ERR_NOT_FOUND,
				       "tasks: class %s has no task '%.100s'; /tasks shows them",
				       class->name, json_string_value(name));
	}
	return OK;
}

/* Whatever else Locust would set: its effect would be none here, which must not pass for one. */
static enum err refuse_others(const json_t *body, struct err_text *text)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)body, key, value)
		if (!json_is_null(value) && strcmp(key, "user_class_name") != 0 &&
		    strcmp(key, "weight") != 0 && strcmp(key, "fixed_count") != 0 &&
		    strcmp(key, "tasks") != 0 && strcmp(key, "host") != 0)
			return err_set(text, ERR_UNSUPPORTED,
				       "'%.100s' cannot be changed, only host, weight, fixed_count "
				       "and tasks",
				       key);
	return OK;
}

static enum err read_share(const json_t *body, struct run_share *share, struct err_text *text)
{
	const json_t *weight = field(body, "weight"), *fixed = field(body, "fixed_count");

	if (weight && !json_is_number(weight))
		return err_set(text, ERR_BAD_INPUT, "weight must be a number");
	if (fixed && (!json_is_integer(fixed) || json_integer_value(fixed) < 0))
		return err_set(text, ERR_BAD_INPUT, "fixed_count must be a whole number from 0 on");
	if (weight)
		share->weight = json_number_value(weight);
	if (fixed)
		share->fixed_count = (uint64_t)json_integer_value(fixed);
	return OK;
}

/* mem_free(*out). NULL, of an empty text: the class goes back to the host that it had before. */
static enum err read_host(const json_t *host, char **out, struct err_text *text)
{
	if (!json_is_string(host))
		return err_set(text, ERR_BAD_INPUT, "host must be a text");
	*out = swarm_host(json_string_value(host));
	return OK;
}

static enum err change(struct run *run, const json_t *body, struct err_text *text)
{
	const char *name = json_string_value(field(body, "user_class_name"));
	size_t class_index = name ? find_class(run, name) : NO_CLASS;
	bool draws[LIMIT_USER_TASKS] = { false };
	struct run_share share;
	char *host = NULL;
	enum err err;

	if (!name)
		return err_set(text, ERR_BAD_INPUT,
			       "give a JSON object with user_class_name, and host, weight, "
			       "fixed_count or tasks");
	if (class_index == NO_CLASS)
		return err_set(text, ERR_NOT_FOUND,
			       "no user class is called '%.100s'; /tasks shows them", name);
	share = run->shares[class_index];
	err = refuse_others(body, text);
	if (!err)
		err = read_share(body, &share, text);
	if (!err && field(body, "host")) {
		err = read_host(field(body, "host"), &host, text);
		share.host = host;
	}
	if (!err && field(body, "tasks")) {
		err = read_tasks(field(body, "tasks"), &run->options.classes[class_index], draws,
				 text);
		share.draws = draws;
	}
	if (!err)
		err = run_set_share(run, class_index, &share, text);
	mem_free(host);
	return err;
}

void user_class_answer(struct run *run, struct serve_request *r)
{
	struct str bytes = serve_body(r);
	json_t *body = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	struct err_text text = { "" };
	enum err err = change(run, body, &text);

	if (err)
		serve_error(r, 400, "%s", err_say(&text, err));
	else
		serve_reply(r, 201, "application/json", "{}", 2);
	json_decref(body);
}

enum err user_class_configure(struct run *run, struct str json, struct err_text *text)
{
	json_error_t fault;
	json_t *root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &fault), *item;
	enum err err = OK;
	size_t i;

	if (!root)
		return err_set(text, ERR_BAD_INPUT, "line %d: %s", fault.line, fault.text);
	if (json_is_array(root))
		json_array_foreach (root, i, item)
			err = err ? err : change(run, item, text);
	else
		err = change(run, root, text);
	json_decref(root);
	return err;
}
