/* SPDX-License-Identifier: MIT
 *
 * kube_lease - see the header. Every write names the version that it is for, so of two programs
 * that see a Lease free one gets it. */
#include "kube/kube_lease.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define LASTS_MAX_S 600 /* what is believed of another holder */
#define PATCH_BYTES (8 * 1024)

/* A Lease as the API server has it. */
struct seen {
	struct kube_lease_sign sign;
	char version[KUBE_VERSION_BYTES];
	uint64_t transitions;
	char note[KUBE_LEASE_NOTE_BYTES];
};

void kube_lease_init(struct kube_lease *l, const char *name, const char *self)
{
	*l = (struct kube_lease){ .name = mem_strdup(name), .self = self };
}

void kube_lease_fini(struct kube_lease *l)
{
	mem_free(l->name);
	*l = (struct kube_lease){ NULL };
}

/* ---- reading ---- */

/* For messages: printable, and cut. */
static void copy_text(const json_t *object, const char *key, char *out, size_t cap)
{
	const char *value = json_string_value(json_object_get(object, key));
	size_t len = 0;

	for (; value && *value && len + 1 < cap; value++)
		out[len++] = *value > ' ' && *value <= '~' ? *value : ' ';
	out[len] = '\0';
}

static uint64_t count_of(const json_t *object, const char *key, uint64_t most)
{
	json_int_t count = json_integer_value(json_object_get(object, key));

	return count < 0 ? 0 : (uint64_t)count > most ? most : (uint64_t)count;
}

static void read_object(const json_t *object, struct seen *out)
{
	const json_t *metadata = json_object_get(object, "metadata"),
		     *spec = json_object_get(object, "spec");
	const char *note = json_string_value(
		json_object_get(json_object_get(metadata, "annotations"), KUBE_LEASE_NOTE));

	*out = (struct seen){ .transitions = count_of(spec, "leaseTransitions", INT32_MAX - 1) };
	copy_text(spec, "holderIdentity", out->sign.holder, sizeof(out->sign.holder));
	copy_text(spec, "renewTime", out->sign.renewed, sizeof(out->sign.renewed));
	out->sign.lasts_s = count_of(spec, "leaseDurationSeconds", LASTS_MAX_S);
	if (!out->sign.lasts_s)
		out->sign.lasts_s = KUBE_LEASE_S;
	copy_text(metadata, "resourceVersion", out->version, sizeof(out->version));
	/* A part of one says nothing. */
	if (note && strlen(note) < sizeof(out->note))
		snprintf(out->note, sizeof(out->note), "%s", note);
}

static enum err read_lease(const struct kube_lease *l, struct kube_api *api, struct seen *out,
			   struct err_text *text)
{
	const struct kube_ref ref = { &kube_leases, l->name, NULL };
	json_t *object = NULL;
	enum err err = kube_api_get(api, &ref, &object, text);

	if (!err)
		read_object(object, out);
	if (!err && !out->version[0])
		err = err_set(text, ERR_BAD_INPUT, "get leases %s: the reply is no Lease", l->name);
	json_decref(object);
	return err;
}

enum err kube_lease_look(const struct kube_lease *l, struct kube_api *api,
			 struct kube_lease_sign *out, struct err_text *text)
{
	struct seen seen;
	enum err err = read_lease(l, api, &seen, text);

	if (!err)
		*out = seen.sign;
	return err;
}

/* ---- writing ---- */

/* As MicroTime wants it. */
static void add_now(struct buf *out)
{
	double wall_s = clock_wall_s();
	time_t seconds = (time_t)wall_s;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "\"%s.%06uZ\"", when, (unsigned)((wall_s - (double)seconds) * 1e6));
}

static void add_spec(const struct kube_lease *l, bool is_taken, struct buf *out)
{
	buf_printf(out, "\"spec\":{\"leaseDurationSeconds\":%d,\"holderIdentity\":", KUBE_LEASE_S);
	buf_add_json(out, str_of(l->self));
	if (is_taken) {
		buf_printf(out,
			   ",\"leaseTransitions\":%" PRIu64 ",\"acquireTime\":", l->transitions);
		add_now(out);
	}
	buf_add_text(out, ",\"renewTime\":");
	add_now(out);
	buf_add_char(out, '}');
}

/* The note in the metadata; NULL: as it is. */
static void add_note(const char *note, struct buf *out)
{
	if (!note)
		return;
	buf_add_text(out, ",\"annotations\":{\"" KUBE_LEASE_NOTE "\":");
	if (*note)
		buf_add_json(out, str_of(note));
	else
		buf_add_text(out, "null");
	buf_add_char(out, '}');
}

static void keep_written(struct kube_lease *l, const json_t *object, const char *note)
{
	struct seen seen;

	read_object(object, &seen);
	memcpy(l->version, seen.version, sizeof(l->version));
	if (note && note != l->note)
		snprintf(l->note, sizeof(l->note), "%s", note);
}

static enum err add_lease(struct kube_lease *l, struct kube_api *api, const char *note,
			  struct err_text *text)
{
	json_t *object = NULL;
	struct buf body;
	enum err err;

	buf_init(&body, PATCH_BYTES);
	buf_printf(&body,
		   "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
		   "\"metadata\":{\"name\":\"%s\",\"labels\":{\"app.kubernetes.io/name\":"
		   "\"locust-driver\",\"app.kubernetes.io/part-of\":\"cicada\"}",
		   l->name);
	if (note && *note)
		add_note(note, &body);
	buf_add_text(&body, "},");
	add_spec(l, true, &body);
	buf_add_char(&body, '}');
	err = kube_api_add(api, &kube_leases, buf_str(&body).p, &object, text);
	if (!err)
		keep_written(l, object, note);
	json_decref(object);
	buf_fini(&body);
	return err;
}

/* spec: that member of the object. */
static enum err patch(struct kube_lease *l, struct kube_api *api, const char *note, struct str spec,
		      struct err_text *text)
{
	const struct kube_ref ref = { &kube_leases, l->name, NULL };
	json_t *object = NULL;
	struct buf body;
	enum err err;

	buf_init(&body, PATCH_BYTES);
	buf_add_text(&body, "{\"metadata\":{\"resourceVersion\":");
	buf_add_json(&body, str_of(l->version));
	add_note(note, &body);
	buf_add_text(&body, "},");
	buf_add_str(&body, spec);
	buf_add_char(&body, '}');
	err = kube_api_merge_exactly(api, &ref, buf_str(&body).p, &object, text);
	if (!err)
		keep_written(l, object, note);
	json_decref(object);
	buf_fini(&body);
	return err;
}

static enum err patch_as_holder(struct kube_lease *l, struct kube_api *api, const char *note,
				bool is_taken, struct err_text *text)
{
	struct buf spec;
	enum err err;

	buf_init(&spec, PATCH_BYTES);
	add_spec(l, is_taken, &spec);
	err = patch(l, api, note, buf_str(&spec), text);
	buf_fini(&spec);
	return err;
}

/* ---- take, renew, release ---- */

static bool is_free(const struct kube_lease *l, const struct seen *seen, const char *former)
{
	const char *holder = seen->sign.holder;

	return !*holder || !strcmp(holder, l->self) || (former && !strcmp(holder, former));
}

/* OK: it may be taken over. */
static enum err watch_other(struct kube_lease *l, const struct seen *seen)
{
	bool is_known = l->other.holder[0] != '\0',
	     is_same = !strcmp(l->other.holder, seen->sign.holder) &&
		       !strcmp(l->other.renewed, seen->sign.renewed);

	if (is_known && is_same)
		return clock_us() - l->seen_us > seen->sign.lasts_s * CLOCK_S ? OK : ERR_BUSY;
	l->other = seen->sign;
	l->seen_us = clock_us();
	return is_known ? ERR_STATE : ERR_BUSY;
}

/* Somebody was faster; who, the next call finds out. */
static enum err not_yet(enum err err)
{
	return err == ERR_STATE ? ERR_BUSY : err;
}

enum err kube_lease_take(struct kube_lease *l, struct kube_api *api, const char *former,
			 struct err_text *text)
{
	struct seen seen;
	enum err err = read_lease(l, api, &seen, text);

	if (err == ERR_NOT_FOUND) {
		l->transitions = 0;
		return not_yet(add_lease(l, api, NULL, text));
	}
	if (err)
		return err;
	if (!is_free(l, &seen, former)) {
		err = watch_other(l, &seen);
		if (err)
			return err_set(text, err, "Lease %s is of %s", l->name, l->other.holder);
	}
	memcpy(l->version, seen.version, sizeof(l->version));
	l->transitions = seen.transitions + 1;
	err = patch_as_holder(l, api, NULL, true, text);
	memcpy(l->note, seen.note, sizeof(l->note));
	return not_yet(err);
}

/* After a conflict: did somebody only write on it, or take it? */
static enum err read_version(struct kube_lease *l, struct kube_api *api, struct err_text *text)
{
	struct seen seen;
	enum err err = read_lease(l, api, &seen, text);

	if (err)
		return err;
	if (strcmp(seen.sign.holder, l->self) != 0) {
		l->other = seen.sign;
		return err_set(text, ERR_STATE, "Lease %s is of %s by now", l->name,
			       *seen.sign.holder ? seen.sign.holder : "nobody");
	}
	memcpy(l->version, seen.version, sizeof(l->version));
	return OK;
}

enum err kube_lease_renew(struct kube_lease *l, struct kube_api *api, const char *note,
			  struct err_text *text)
{
	enum err err = patch_as_holder(l, api, note, false, text);

	if (err == ERR_NOT_FOUND)
		return not_yet(add_lease(l, api, note ? note : l->note, text));
	if (err != ERR_STATE)
		return err;
	err = read_version(l, api, text);
	return err ? err : not_yet(patch_as_holder(l, api, note, false, text));
}

enum err kube_lease_release(struct kube_lease *l, struct kube_api *api, const char *note,
			    struct err_text *text)
{
	static const char spec[] = "\"spec\":{\"holderIdentity\":null}";
	enum err err = patch(l, api, note, str_of(spec), text);

	if (err != ERR_STATE)
		return err;
	/* The answer to the last renewal may not have been waited for. */
	err = read_version(l, api, text);
	return err ? err : patch(l, api, note, str_of(spec), text);
}
