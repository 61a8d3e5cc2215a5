/* SPDX-License-Identifier: MIT
 *
 * owed - see the header. */
#include "matrix/owed.h"

#include <inttypes.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/folder.h"
#include "kube/kube_api.h"
#include "matrix/scaled.h"

bool owed_is_there(const char *folder)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/" OWED_FILE, folder) < sizeof(path) &&
	       access(path, F_OK) == 0;
}

enum err owed_remove(const char *folder, struct err_text *text)
{
	return folder_remove(folder, OWED_FILE, text);
}

/* ---- writing ---- */

void owed_add_part(const struct scaled *s, struct buf *out)
{
	struct scaled_before before = scaled_before(s);

	buf_printf(out, "{\"name\":\"%s\",\"replicas\":%" PRIu64, scaled_name(s), before.replicas);
	if (before.uid[0])
		buf_printf(out, ",\"uid\":\"%s\"", before.uid);
	if (before.autoscaler)
		buf_printf(out,
			   ",\"autoscaler\":\"%s\",\"minReplicas\":%" PRIu64
			   ",\"maxReplicas\":%" PRIu64,
			   before.autoscaler, before.min, before.max);
	buf_add_char(out, '}');
}

enum err owed_write(const char *folder, const struct owed *o, struct err_text *text)
{
	struct buf out;
	enum err err;

	buf_init(&out, LIMIT_OWED_BYTES);
	buf_printf(&out, "{\"namespace\":\"%s\",\"holder\":", o->namespace);
	buf_add_json(&out, str_of(o->holder));
	buf_add_text(&out, ",\"deployments\":[");
	for (size_t i = 0; i < o->count; i++) {
		buf_add_text(&out, i ? ",\n" : "\n");
		owed_add_part(o->parts[i], &out);
	}
	buf_add_text(&out, "]}\n");
	err = folder_replace(folder, OWED_FILE, buf_str(&out), text);
	buf_fini(&out);
	return err;
}

/* ---- reading ---- */

/* A name as Kubernetes has them, or NULL. */
static const char *name_in(const json_t *object, const char *key)
{
	const char *name = json_string_value(json_object_get(object, key));

	return name && kube_api_is_name(name) ? name : NULL;
}

static bool read_count(const json_t *object, const char *key, uint64_t *out)
{
	json_int_t count = json_integer_value(json_object_get(object, key));

	*out = (uint64_t)count;
	return json_is_integer(json_object_get(object, key)) && count >= 0 && count <= INT32_MAX;
}

static bool read_before(const json_t *object, struct scaled_before *out)
{
	const char *uid = name_in(object, "uid");

	*out = (struct scaled_before){ .autoscaler = name_in(object, "autoscaler") };
	if (uid && strlen(uid) < sizeof(out->uid))
		snprintf(out->uid, sizeof(out->uid), "%s", uid);
	return read_count(object, "replicas", &out->replicas) &&
	       (!json_object_get(object, "autoscaler") ||
		(out->autoscaler && read_count(object, "minReplicas", &out->min) &&
		 read_count(object, "maxReplicas", &out->max)));
}

static struct scaled *find_part(const struct owed *o, const char *name)
{
	for (size_t i = 0; i < o->count; i++)
		if (!strcmp(scaled_name(o->parts[i]), name))
			return o->parts[i];
	return NULL;
}

bool owed_read_part(struct str bytes, struct scaled *s)
{
	json_t *object = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = name_in(object, "name");
	struct scaled_before before;
	bool is_of_it = name && !strcmp(name, scaled_name(s)) && read_before(object, &before);

	if (is_of_it)
		scaled_take_over(s, &before);
	json_decref(object);
	return is_of_it;
}

struct note {
	const char *path;
	const char *ns;
	const json_t *deployments;
};

/* Of other Deployments than ours: who started that driver has to know. */
static enum err say_strangers(const struct note *note, struct err_text *text)
{
	struct buf todo;
	enum err err;

	buf_init(&todo, LIMIT_OWED_BYTES);
	for (size_t i = 0; i < json_array_size(note->deployments); i++) {
		const json_t *object = json_array_get(note->deployments, i);
		struct scaled_before before;

		if (!read_before(object, &before) || !name_in(object, "name"))
			continue;
		if (before.autoscaler)
			scaled_say_bounds(note->ns, &before, &todo);
		scaled_say_replicas(note->ns, name_in(object, "name"), &before, &todo);
	}
	err = err_set(text, ERR_STATE,
		      "%s: an earlier driver was killed and has left other Deployments scaled; "
		      "give them back, then remove the file:\n%s",
		      note->path, buf_str(&todo).p);
	buf_fini(&todo);
	return err;
}

static enum err take_over(const struct note *note, const struct owed *o, struct err_text *text)
{
	struct scaled_before before;
	size_t size = json_array_size(note->deployments);

	for (size_t i = 0; i < size; i++) {
		const json_t *object = json_array_get(note->deployments, i);
		const char *name = name_in(object, "name");

		if (!name || !read_before(object, &before))
			return err_set(text, ERR_BAD_INPUT,
				       "%s: Deployment %zu cannot be read; give the Deployments "
				       "their replicas back by hand, then remove the file",
				       note->path, i + 1);
		if (strcmp(note->ns, o->namespace) != 0 || !find_part(o, name))
			return say_strangers(note, text);
	}
	for (size_t i = 0; i < size; i++) {
		const json_t *object = json_array_get(note->deployments, i);

		if (read_before(object, &before))
			scaled_take_over(find_part(o, name_in(object, "name")), &before);
	}
	return OK;
}

enum err owed_parse(const char *path, struct str bytes, struct owed *o, struct err_text *text)
{
	json_t *root = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, NULL);
	const struct note note = { path, name_in(root, "namespace"),
				   json_object_get(root, "deployments") };
	const char *holder = json_string_value(json_object_get(root, "holder"));
	enum err err;

	o->holder[0] = '\0';
	if (holder && strlen(holder) < sizeof(o->holder))
		snprintf(o->holder, sizeof(o->holder), "%s", holder);
	if (note.ns && json_is_array(note.deployments))
		err = take_over(&note, o, text);
	else
		err = err_set(text, ERR_BAD_INPUT,
			      "%s: not what a driver has noted; give the Deployments their "
			      "replicas back by hand, then remove the file",
			      path);
	json_decref(root);
	return err;
}

enum err owed_take_over(const char *folder, struct owed *o, struct err_text *text)
{
	char path[PATH_MAX];
	struct buf bytes;
	enum err err;

	if ((size_t)snprintf(path, sizeof(path), "%s/" OWED_FILE, folder) >= sizeof(path))
		return err_set(text, ERR_TOO_BIG, "%s: the path is too long", folder);
	buf_init(&bytes, LIMIT_OWED_BYTES);
	err = file_read(path, &bytes, text);
	if (!err)
		err = owed_parse(path, buf_str(&bytes), o, text);
	else if (err == ERR_NOT_FOUND)
		err = OK;
	buf_fini(&bytes);
	return err;
}
