/* SPDX-License-Identifier: MIT
 *
 * kube_objects - see the header. */
#include "kube/kube_objects.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/num.h"

static uint64_t count_of(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

/* The condition of this type, NULL when there is none. */
static const json_t *condition_of(const json_t *status, const char *type)
{
	const json_t *conditions = json_object_get(status, "conditions");

	for (size_t i = 0; i < json_array_size(conditions); i++)
		if (!strcmp(text_of(json_array_get(conditions, i), "type"), type))
			return json_array_get(conditions, i);
	return NULL;
}

struct kube_deployment kube_deployment_read(const json_t *object)
{
	const json_t *status = json_object_get(object, "status"),
		     *failure = condition_of(status, "ReplicaFailure");
	struct kube_deployment d = {
		.wanted = count_of(json_object_get(object, "spec"), "replicas"),
		.generation = count_of(json_object_get(object, "metadata"), "generation"),
		.observed_generation = count_of(status, "observedGeneration"),
		.replicas = count_of(status, "replicas"),
		.updated = count_of(status, "updatedReplicas"),
		.ready = count_of(status, "readyReplicas"),
		.available = count_of(status, "availableReplicas"),
		.is_paused =
			json_is_true(json_object_get(json_object_get(object, "spec"), "paused")),
	};

	if (!strcmp(text_of(failure, "status"), "True"))
		snprintf(d.trouble, sizeof(d.trouble), "%.60s: %.180s", text_of(failure, "reason"),
			 text_of(failure, "message"));
	return d;
}

bool kube_deployment_is_settled(const struct kube_deployment *d, uint64_t wanted)
{
	return d->observed_generation >= d->generation && d->wanted == wanted &&
	       d->replicas == wanted && d->updated == wanted && d->ready == wanted &&
	       d->available == wanted;
}

/* Of a message of several lines, as a log is: what was said at the end. */
static struct str last_line(const char *message)
{
	size_t end = strlen(message), begin;

	while (end && strchr(" \r\n", message[end - 1]))
		end--;
	for (begin = end; begin && message[begin - 1] != '\n'; begin--)
		;
	return (struct str){ message + begin, end - begin };
}

static void say_end(const json_t *container, const json_t *ended, struct kube_pod *pod)
{
	struct str said = last_line(text_of(ended, "message"));

	snprintf(pod->trouble, sizeof(pod->trouble),
		 "container %.60s ended with code %lld (%.60s), %llu restarts%s%.*s",
		 text_of(container, "name"),
		 (long long)json_integer_value(json_object_get(ended, "exitCode")),
		 text_of(ended, "reason"), (unsigned long long)count_of(container, "restartCount"),
		 said.len ? ": " : "", (int)said.len, said.p);
	/* It comes from a program that nobody here knows. */
	for (char *c = pod->trouble; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/* A container that waits for something else than its turn, or was restarted. Of one that waits to
 * be restarted the pause says nothing, its end does. */
static void find_container_trouble(const json_t *container, struct kube_pod *pod)
{
	const json_t *state = json_object_get(container, "state"),
		     *waiting = json_object_get(state, "waiting"),
		     *ended =
			     json_object_get(json_object_get(container, "lastState"), "terminated");
	const char *reason = text_of(waiting, "reason");

	if (json_is_object(json_object_get(state, "terminated")))
		ended = json_object_get(state, "terminated");
	if (*reason && strcmp(reason, "ContainerCreating") != 0 &&
	    strcmp(reason, "PodInitializing") != 0 &&
	    !(ended && !strcmp(reason, "CrashLoopBackOff")))
		snprintf(pod->trouble, sizeof(pod->trouble), "%.60s: %.180s", reason,
			 text_of(waiting, "message"));
	else if (ended && !json_is_true(json_object_get(container, "ready")))
		say_end(container, ended, pod);
}

static void read_containers(const json_t *status, const char *list, struct kube_pod *pod)
{
	const json_t *containers = json_object_get(status, list);

	for (size_t i = 0; i < json_array_size(containers); i++) {
		pod->restarts += count_of(json_array_get(containers, i), "restartCount");
		if (!pod->trouble[0])
			find_container_trouble(json_array_get(containers, i), pod);
	}
}

struct kube_pod kube_pod_read(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata"),
		     *status = json_object_get(object, "status"),
		     *scheduled = condition_of(status, "PodScheduled");
	const char *phase = text_of(status, "phase");
	struct kube_pod pod = {
		.name = text_of(metadata, "name"),
		.uid = text_of(metadata, "uid"),
		.is_ready = !strcmp(text_of(condition_of(status, "Ready"), "status"), "True"),
		.is_ending = json_is_string(json_object_get(metadata, "deletionTimestamp")),
		.is_over = !strcmp(phase, "Failed") || !strcmp(phase, "Succeeded"),
	};

	read_containers(status, "initContainerStatuses", &pod);
	read_containers(status, "containerStatuses", &pod);
	if (pod.is_over && *text_of(status, "reason"))
		snprintf(pod.trouble, sizeof(pod.trouble), "%.60s: %.180s",
			 text_of(status, "reason"), text_of(status, "message"));
	else if (!pod.trouble[0] && !strcmp(text_of(scheduled, "status"), "False"))
		snprintf(pod.trouble, sizeof(pod.trouble), "%.60s: %.180s",
			 text_of(scheduled, "reason"), text_of(scheduled, "message"));
	return pod;
}

void kube_slice_collect_ready(const json_t *object, struct map *ready)
{
	const json_t *endpoints = json_object_get(object, "endpoints");

	for (size_t i = 0; i < json_array_size(endpoints); i++) {
		const json_t *endpoint = json_array_get(endpoints, i),
			     *addresses = json_object_get(endpoint, "addresses");
		const char *uid = text_of(json_object_get(endpoint, "targetRef"), "uid"),
			   *address = json_string_value(json_array_get(addresses, 0));

		/* Not said means ready. */
		if (json_is_false(
			    json_object_get(json_object_get(endpoint, "conditions"), "ready")))
			continue;
		if (address)
			map_put(ready, str_of(*uid ? uid : address), (void *)address);
	}
}

/* The newer API of events counts in a series, and both leave out what they do not use. */
struct kube_event kube_event_read(const json_t *object)
{
	const json_t *whom = json_object_get(object, "involvedObject"),
		     *series = json_object_get(object, "series");
	const char *const times[] = {
		text_of(object, "lastTimestamp"),
		text_of(series, "lastObservedTime"),
		text_of(object, "eventTime"),
		text_of(json_object_get(object, "metadata"), "creationTimestamp"),
	};
	uint64_t count = count_of(object, "count");
	struct kube_event event = {
		.kind = text_of(whom, "kind"),
		.name = text_of(whom, "name"),
		.reason = text_of(object, "reason"),
		.message = text_of(object, "message"),
		.count = count ? count : count_of(series, "count"),
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]) && !event.at[0]; i++)
		snprintf(event.at, sizeof(event.at), "%s", times[i]);
	return event;
}

struct kube_autoscaler kube_autoscaler_read(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata"),
		     *spec = json_object_get(object, "spec"),
		     *target = json_object_get(spec, "scaleTargetRef"),
		     *owner = json_array_get(json_object_get(metadata, "ownerReferences"), 0);
	uint64_t min = count_of(spec, "minReplicas");

	return (struct kube_autoscaler){
		.name = text_of(metadata, "name"),
		.target_kind = text_of(target, "kind"),
		.target = text_of(target, "name"),
		.owner_kind = text_of(owner, "kind"),
		.owner = text_of(owner, "name"),
		.min = min ? min : 1,
		.max = count_of(spec, "maxReplicas"),
	};
}

/* ---- metrics.k8s.io ---- */

/* A quantity of Kubernetes: a number and perhaps a suffix. NAN: it is none. */
static double quantity(const char *text)
{
	static const struct {
		const char *suffix;
		double factor;
	} units[] = {
		{ "", 1 },	  { "n", 1e-9 },    { "u", 1e-6 },    { "m", 1e-3 },
		{ "k", 1e3 },	  { "M", 1e6 },	    { "G", 1e9 },     { "T", 1e12 },
		{ "P", 1e15 },	  { "E", 1e18 },    { "Ki", 0x1p10 }, { "Mi", 0x1p20 },
		{ "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "Pi", 0x1p50 }, { "Ei", 0x1p60 },
	};
	size_t len = strlen(text), digits = len;
	double value;

	while (digits && !(text[digits - 1] >= '0' && text[digits - 1] <= '9') &&
	       text[digits - 1] != '.')
		digits--;
	if (!num_parse_double((struct str){ text, digits }, &value) || value < 0)
		return NAN;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + digits, units[i].suffix))
			return value * units[i].factor;
	return NAN;
}

/* "2026-11-26T17:29:00Z" */
static double wall_of(const char *text)
{
	struct tm tm = { 0 };
	int end = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &end) != 6 ||
	    strcmp(text + end, "Z") != 0)
		return NAN;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (double)timegm(&tm);
}

/* "15.32s", "1m0.5s": as Go prints a duration. */
static double duration_of(const char *text)
{
	struct str rest = str_of(text), part;
	double minutes = 0, seconds;

	if (memchr(rest.p, 'm', rest.len) && str_cut(&rest, 'm', &part) &&
	    !num_parse_double(part, &minutes))
		return NAN;
	if (!rest.len || rest.p[rest.len - 1] != 's' ||
	    !num_parse_double((struct str){ rest.p, rest.len - 1 }, &seconds))
		return NAN;
	return 60 * minutes + seconds;
}

struct kube_usage kube_usage_read(const json_t *object)
{
	const json_t *containers = json_object_get(object, "containers");
	struct kube_usage usage = {
		.pod = text_of(json_object_get(object, "metadata"), "name"),
		.wall_s = wall_of(text_of(object, "timestamp")),
		.window_s = duration_of(text_of(object, "window")),
	};

	for (size_t i = 0; i < json_array_size(containers); i++) {
		const json_t *used = json_object_get(json_array_get(containers, i), "usage");

		usage.cpus += quantity(text_of(used, "cpu"));
		usage.memory_bytes += quantity(text_of(used, "memory"));
	}
	if (!json_array_size(containers))
		usage.cpus = usage.memory_bytes = NAN;
	return usage;
}

/* A node calls an image by any of the names that it has there; its content has one. */
static bool has_image(const struct buf *images, const char *said, const char *id)
{
	const char *digest = strrchr(id, '@');

	return images->p && strstr(images->p, digest ? digest + 1 : *id ? id : said);
}

bool kube_pod_add_images(const json_t *object, struct buf *out)
{
	const json_t *containers =
		json_object_get(json_object_get(object, "status"), "containerStatuses");
	bool are_known = true;

	for (size_t i = 0; i < json_array_size(containers); i++) {
		const json_t *container = json_array_get(containers, i);
		const char *id = text_of(container, "imageID");
		struct buf said;

		are_known &= *id != '\0';
		buf_init(&said, 2048);
		buf_printf(&said, "%.600s", text_of(container, "image"));
		if (*id)
			buf_printf(&said, " (%.600s)", id);
		if (said.len && !has_image(out, said.p, id))
			buf_printf(out, "%s%s", out->len ? ", " : "", said.p);
		buf_fini(&said);
	}
	return are_known;
}
