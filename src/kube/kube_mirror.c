/* SPDX-License-Identifier: MIT
 *
 * kube_mirror - see the header.
 *
 * An event is a line: {"type": ..., "object": ...}; a chunk of the transport may be a part of
 * one or several. A BOOKMARK carries an empty object (a Deployment with 0 replicas): only its
 * version counts. A line that is not understood makes the copy worthless, so it is read again
 * from the list. */
#include "kube/kube_mirror.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define WATCH_S		20 /* a server that hangs is noticed a little later than this */
#define REOPEN_MS	1000
#define LIST_TIMEOUT_MS 5000 /* of a step, which comes again */

struct kube_mirror {
	struct kube_api *api;
	struct kube_query query;
	char *label_selector, *field_selector; /* of query, owned */
	struct map objects;
	char version[KUBE_VERSION_BYTES];
	struct fetch_stream *watch;
	struct buf line; /* the event that is not whole yet */
	uint64_t opened_us;
	bool is_listed; /* version is a place to watch from */
};

static void forget(struct kube_mirror *m)
{
	struct map_entry *e;

	for (size_t i = 0; (e = map_next(&m->objects, &i));)
		json_decref(e->value);
	map_clear(&m->objects);
}

struct kube_mirror *kube_mirror_create(struct kube_api *api, const struct kube_query *query)
{
	struct kube_mirror *m = mem_zalloc(1, sizeof(*m));

	m->api = api;
	if (query->label_selector)
		m->label_selector = mem_strdup(query->label_selector);
	if (query->field_selector)
		m->field_selector = mem_strdup(query->field_selector);
	m->query = (struct kube_query){ query->kind, m->label_selector, m->field_selector };
	map_init(&m->objects);
	buf_init(&m->line, LIMIT_KUBE_EVENT_BYTES);
	return m;
}

void kube_mirror_destroy(struct kube_mirror **m)
{
	if (!*m)
		return;
	fetch_stream_close(&(*m)->watch);
	forget(*m);
	map_fini(&(*m)->objects);
	buf_fini(&(*m)->line);
	mem_free((*m)->label_selector);
	mem_free((*m)->field_selector);
	mem_free(*m);
	*m = NULL;
}

const struct map *kube_mirror_objects(const struct kube_mirror *m)
{
	return &m->objects;
}

/* ---- events ---- */

static const json_t *metadata_of(const json_t *object)
{
	return json_object_get(object, "metadata");
}

static void put(struct kube_mirror *m, json_t *object)
{
	const char *name = json_string_value(json_object_get(metadata_of(object), "name"));

	if (!name || m->objects.count >= LIMIT_KUBE_OBJECTS)
		return;
	json_decref(map_put(&m->objects, str_of(name), json_incref(object)));
}

static void drop(struct kube_mirror *m, const json_t *object)
{
	const char *name = json_string_value(json_object_get(metadata_of(object), "name"));

	if (name)
		json_decref(map_remove(&m->objects, str_of(name)));
}

/* False: the copy cannot be kept up to date from here. */
static bool apply(struct kube_mirror *m, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type")), *version;
	json_t *object = json_object_get(event, "object");

	version = json_string_value(json_object_get(metadata_of(object), "resourceVersion"));
	/* ERROR is a Status, above all the 410 of a version that was forgotten. */
	if (!type || !version || strlen(version) >= sizeof(m->version) || !strcmp(type, "ERROR"))
		return false;
	if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED"))
		put(m, object);
	else if (!strcmp(type, "DELETED"))
		drop(m, object);
	snprintf(m->version, sizeof(m->version), "%s", version);
	return true;
}

static void read_line(struct kube_mirror *m)
{
	json_t *event = m->line.is_full ? NULL : json_loadb(m->line.p, m->line.len, 0, NULL);

	if (!event || !apply(m, event))
		m->is_listed = false;
	json_decref(event);
	buf_clear(&m->line);
}

void kube_mirror_feed(struct kube_mirror *m, const char *bytes, size_t len)
{
	struct str rest = { bytes, len };

	/* What follows an event that was not understood is not understood either. */
	while (rest.len && m->is_listed) {
		const char *end = memchr(rest.p, '\n', rest.len);
		size_t part = end ? (size_t)(end - rest.p) : rest.len;

		buf_add(&m->line, rest.p, part);
		if (end && (m->line.len || m->line.is_full))
			read_line(m);
		part += end != NULL;
		rest = (struct str){ rest.p + part, rest.len - part };
	}
}

static void on_bytes(const char *bytes, size_t len, void *arg)
{
	kube_mirror_feed(arg, bytes, len);
}

/* ---- list and watch ---- */

static enum err read_list(struct kube_mirror *m, uint64_t timeout_ms, struct err_text *text)
{
	json_t *items = NULL;
	enum err err;

	fetch_stream_close(&m->watch);
	buf_clear(&m->line);
	m->is_listed = false;
	err = kube_api_list(m->api, &m->query, timeout_ms, &items, m->version, text);
	if (err)
		return err;
	forget(m);
	for (size_t i = 0; i < json_array_size(items); i++)
		put(m, json_array_get(items, i));
	json_decref(items);
	m->is_listed = true;
	return OK;
}

enum err kube_mirror_refresh(struct kube_mirror *m, struct err_text *text)
{
	return read_list(m, KUBE_CALL_TIMEOUT_MS, text);
}

static enum err open_watch(struct kube_mirror *m, struct err_text *text)
{
	uint64_t now_us = clock_us();

	/* A server that ends every watch at once is not asked without a pause. */
	if (m->opened_us && now_us < m->opened_us + REOPEN_MS * CLOCK_MS)
		return OK;
	m->opened_us = now_us;
	buf_clear(&m->line);
	return kube_api_watch(m->api, &m->query, m->version, WATCH_S, on_bytes, m, &m->watch, text);
}

/* The watch is over; what did it end with? */
static enum err read_end(struct kube_mirror *m, enum err err, struct err_text *text)
{
	const struct fetch_reply *reply = fetch_stream_reply(m->watch);

	/* After 401 too: the list is what finds out whether the token was only an old one. */
	if (reply->status == 410 || reply->status == 401)
		m->is_listed = false;
	else if (!err && reply->status != 200)
		err = kube_api_explain_watch(m->api, &m->query, reply, text);
	fetch_stream_close(&m->watch);
	return err;
}

enum err kube_mirror_step(struct kube_mirror *m, struct err_text *text)
{
	enum err err = OK;

	if (m->watch) {
		err = fetch_stream_step(m->watch, text);
		if (err == ERR_BUSY)
			err = OK;
		else
			err = read_end(m, err, text);
	}
	if (err)
		return err;
	if (!m->is_listed)
		return read_list(m, LIST_TIMEOUT_MS, text);
	return m->watch ? OK : open_watch(m, text);
}
