/* SPDX-License-Identifier: MIT
 *
 * kube_mirror: lists and watches as a real API server sent them, whole and in pieces. */
#include "canned_fixture.h"

#include <jansson.h>

#include "base/map.h"
#include "kube/kube_access.h"
#include "kube/kube_mirror.h"
#include "kube/kube_objects.h"

#define REPLY(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define POD(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define LIST(version, items) \
	REPLY("200 OK", \
	      "{\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[" items "]}")
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define TOO_OLD \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"metadata\":{},\"code\":410}}\n"

struct world {
	struct canned c;
	char server[64];
	struct kube_access access;
	struct kube_api *api;
	struct kube_mirror *mirror;
	struct err_text text;
};

static void begin(struct world *w, const char *const *replies, size_t count)
{
	memset(w, 0, sizeof(*w));
	canned_start(&w->c, replies, count);
	snprintf(w->server, sizeof(w->server), "http://127.0.0.1:%u", w->c.port);
	w->access = (struct kube_access){ .server = w->server };
	w->api = kube_api_create(&w->access, "llm", NULL, NULL);
	w->mirror = kube_mirror_create(w->api, &(struct kube_query){ &kube_pods, "app=x", NULL });
}

static void end(struct world *w)
{
	kube_mirror_destroy(&w->mirror);
	kube_api_destroy(&w->api);
	canned_stop(&w->c);
}

/* Steps until an object of this name is there. */
static void step_until(struct world *w, const char *name)
{
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(kube_mirror_step(w->mirror, &w->text), OK);
		if (map_get(kube_mirror_objects(w->mirror), str_of(name)))
			return;
		usleep(10000);
	}
	fail_msg("%s never came", name);
}

static void a_watch_goes_on_where_it_ended_and_after_410_and_401_with_a_list(void **state)
{
	static const char *const replies[] = {
		LIST("5", POD("a", "3")),
		REPLY("200 OK", EVENT("ADDED", POD("b", "6")) EVENT("DELETED", POD("a", "7")) EVENT(
					"BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"9\"}}")),
		REPLY("200 OK", TOO_OLD),
		LIST("20", POD("c", "19")),
		REPLY("410 Gone", "{}"),
		LIST("30", POD("d", "29")),
		REPLY("401 Unauthorized", "{}"),
		LIST("40", POD("e", "39")),
	};
	struct world w;

	(void)state;
	begin(&w, replies, 8);
	step_until(&w, "e");
	assert_int_equal(kube_mirror_objects(w.mirror)->count, 1);
	canned_stop(&w.c);
	assert_string_equal(
		w.c.lines,
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&limit=500 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&watch=true&"
		"allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=20 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&watch=true&"
		"allowWatchBookmarks=true&resourceVersion=9&timeoutSeconds=20 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&limit=500 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&watch=true&"
		"allowWatchBookmarks=true&resourceVersion=20&timeoutSeconds=20 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&limit=500 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&watch=true&"
		"allowWatchBookmarks=true&resourceVersion=30&timeoutSeconds=20 HTTP/1.1\n"
		"GET /api/v1/namespaces/llm/pods?labelSelector=app%3Dx&limit=500 HTTP/1.1\n");
	end(&w);
}

static void a_watch_that_is_forbidden_names_the_rule(void **state)
{
	static const char *const replies[] = {
		LIST("5", ""), REPLY("403 Forbidden", "{\"message\":\"pods is forbidden: User "
						      "\\\"x\\\" cannot watch resource\"}")
	};
	struct world w;
	enum err err = OK;

	(void)state;
	begin(&w, replies, 2);
	for (int i = 0; !err && i < 3000; i++) {
		err = kube_mirror_step(w.mirror, &w.text);
		usleep(10000);
	}
	assert_int_equal(err, ERR_REFUSED);
	assert_non_null(strstr(w.text.text,
			       "{apiGroups: [\"\"], resources: [\"pods\"], verbs: [\"watch\"]}"));
	end(&w);
}

static json_t *load_events(const char *name, json_t **root)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_VECTORS "/kubernetes/%s.json", name);
	*root = json_load_file(path, 0, NULL);
	return json_object_get(json_object_get(*root, "response"), "events");
}

static void feed(struct world *w, const json_t *event, size_t piece)
{
	char *line = json_dumps(event, JSON_COMPACT);
	size_t len = strlen(line);

	line[len++] = '\n';
	for (size_t at = 0; at < len; at += piece)
		kube_mirror_feed(w->mirror, line + at, piece < len - at ? piece : len - at);
	free(line);
}

static void a_pod_is_followed_from_its_birth_to_its_end(void **state)
{
	static const char *const replies[] = { LIST("5", "") };
	static const size_t pieces[] = { 1, 7, 1 << 20 };
	static const char name[] = "inference-5f75c4ccfc-xrc84";

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *root, *events = load_events("90-watch-pods-selector", &root);
		struct world w;
		bool was_ready = false, was_ending = false;

		begin(&w, replies, 1);
		assert_int_equal(kube_mirror_refresh(w.mirror, &w.text), OK);
		for (size_t k = 0; k < json_array_size(events); k++) {
			const json_t *object;
			struct kube_pod pod;

			feed(&w, json_array_get(events, k), pieces[i]);
			object = map_get(kube_mirror_objects(w.mirror), str_of(name));
			pod = kube_pod_read(object);
			was_ready |= pod.is_ready && !pod.is_ending;
			was_ending |= pod.is_ending;
		}
		assert_true(was_ready && was_ending);
		assert_int_equal(kube_mirror_objects(w.mirror)->count, 0);
		json_decref(root);
		end(&w);
	}
}

static void a_bookmark_is_never_taken_as_the_state(void **state)
{
	static const char *const replies[] = { LIST("5", "") };
	json_t *root, *events = load_events("80-watch-deployment-scale-bookmark", &root);
	struct world w;

	(void)state;
	begin(&w, replies, 1);
	assert_int_equal(kube_mirror_refresh(w.mirror, &w.text), OK);
	for (size_t k = 0; k < json_array_size(events); k++) {
		struct kube_deployment d;

		feed(&w, json_array_get(events, k), 1000);
		d = kube_deployment_read(
			map_get(kube_mirror_objects(w.mirror), str_of("inference")));
		assert_in_range(d.wanted, 1, 3);
	}
	json_decref(root);
	end(&w);
}

static void a_line_that_is_not_understood_is_answered_with_a_list(void **state)
{
	static const char *const replies[] = { LIST("5", POD("a", "3")), LIST("9", POD("b", "8")) };
	struct world w;

	(void)state;
	begin(&w, replies, 2);
	assert_int_equal(kube_mirror_refresh(w.mirror, &w.text), OK);
	kube_mirror_feed(w.mirror, "{\"type\": \"ADDED\", \n", 19);
	kube_mirror_feed(w.mirror, EVENT("ADDED", POD("c", "6")),
			 strlen(EVENT("ADDED", POD("c", "6"))));
	assert_null(map_get(kube_mirror_objects(w.mirror), str_of("c")));
	step_until(&w, "b");
	assert_null(map_get(kube_mirror_objects(w.mirror), str_of("a")));
	end(&w);
}

/* A server that asks for five seconds is upgraded just now, and what was measured shall not be lost
 * for that. A step, which comes again, does not wait so long. */
static void a_refresh_is_more_patient_than_a_step(void **state)
{
	static const char busy[] =
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\r\n";
	static const char *const replies[] = { busy, busy, LIST("5", POD("a", "3")) };
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_not_equal(kube_mirror_step(w.mirror, &w.text), OK);
	assert_int_equal(kube_mirror_refresh(w.mirror, &w.text), OK);
	assert_int_equal(kube_mirror_objects(w.mirror)->count, 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watch_goes_on_where_it_ended_and_after_410_and_401_with_a_list),
		cmocka_unit_test(a_watch_that_is_forbidden_names_the_rule),
		cmocka_unit_test(a_pod_is_followed_from_its_birth_to_its_end),
		cmocka_unit_test(a_bookmark_is_never_taken_as_the_state),
		cmocka_unit_test(a_line_that_is_not_understood_is_answered_with_a_list),
		cmocka_unit_test(a_refresh_is_more_patient_than_a_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
