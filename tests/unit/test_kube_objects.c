/* SPDX-License-Identifier: MIT
 *
 * kube_objects: held against what a real API server said while Deployments were scaled. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/map.h"
#include "kube/kube_objects.h"
#include "matrix/warnings.h"

static json_t *load(const char *name)
{
	char path[512];
	json_t *root;

	snprintf(path, sizeof(path), TEST_VECTORS "/kubernetes/%s.json", name);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	return root;
}

/* The Deployment as it was in a recorded state. */
static json_t *deployment_of(json_t *seen)
{
	return json_pack("{s:{s:O}, s:{s:O}, s:O}", "metadata", "generation",
			 json_object_get(seen, "generation"), "spec", "replicas",
			 json_object_get(seen, "spec.replicas"), "status",
			 json_object_get(seen, "status"));
}

/* Settled at `wanted` in those of the recorded states that have an x. */
static void check_sequence(const char *name, uint64_t wanted, const char *settled)
{
	json_t *root = load(name), *states = json_object_get(root, "deployment_seen");

	assert_int_equal(json_array_size(states), strlen(settled));
	for (size_t i = 0; settled[i]; i++) {
		json_t *object = deployment_of(json_array_get(states, i));
		struct kube_deployment d = kube_deployment_read(object);

		if (kube_deployment_is_settled(&d, wanted) != (settled[i] == 'x'))
			fail_msg("%s, state %zu: settled is not '%c'", name, i, settled[i]);
		json_decref(object);
	}
	json_decref(root);
}

static void a_scale_is_done_when_everything_says_so(void **state)
{
	(void)state;
	/* Up: only with the last pod available. */
	check_sequence("s1-scale-up-1-4", 4, ".....x");
	check_sequence("s4-scale-0-2", 2, ".....x");
	/* Down: the first states have the new number and the old counts. */
	check_sequence("s2-scale-down-4-1", 1, "..xxx");
	check_sequence("s3-scale-1-0", 0, "..xx");
	/* Up and down again before the first was done: at times more are ready than wanted. */
	check_sequence("s5-bounce-2-4-1", 1, ".....xxxx");
	/* An update: the counts are right before the controller has seen it. */
	check_sequence("s6-rolling-update", 1, "x..x");
}

static void a_quota_shows_as_trouble(void **state)
{
	json_t *root = load("s11-scale-up-quota"), *states, *object;
	struct kube_deployment d;

	(void)state;
	states = json_object_get(root, "deployment_seen");
	object = deployment_of(json_array_get(states, json_array_size(states) - 1));
	d = kube_deployment_read(object);
	assert_false(kube_deployment_is_settled(&d, 5));
	assert_int_equal(d.ready, 3);
	assert_non_null(strstr(d.trouble, "FailedCreate: pods"));
	assert_non_null(strstr(d.trouble, "exceeded quota"));
	json_decref(object);
	json_decref(root);
}

static json_t *items_of(const json_t *root)
{
	return json_object_get(json_object_get(json_object_get(root, "response"), "body"), "items");
}

static void pods_say_why_they_are_not_ready(void **state)
{
	static const struct {
		const char *vector, *trouble;
		uint64_t restarts;
	} want[] = {
		{ "74-list-pods-unschedulable", "Unschedulable: 0/1 nodes are available", 0 },
		{ "75-list-pods-crashloop",
		  "container server ended with code 1 (Error), 1 restarts", 1 },
		{ "76-list-pods-noimage", "ErrImageNeverPull: Container image", 0 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *root = load(want[i].vector);
		struct kube_pod pod = kube_pod_read(json_array_get(items_of(root), 0));

		assert_false(pod.is_ready);
		assert_false(pod.is_ending);
		assert_int_equal(pod.restarts, want[i].restarts);
		assert_non_null(strstr(pod.trouble, want[i].trouble));
		json_decref(root);
	}
}

/* As a kubelet says it: the pause in between is in `state`, why it is needed in `lastState`. */
static void a_pod_that_crashes_again_and_again_says_what_it_said_last(void **state)
{
	json_t *object = json_loads(
		"{\"status\":{\"containerStatuses\":[{\"name\":\"inference\",\"ready\":false,"
		"\"restartCount\":2,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\","
		"\"message\":"
		"\"back-off 20s restarting failed container=inference "
		"pod=inference-79b6c86b5-sqtlb\"}},"
		"\"lastState\":{\"terminated\":{\"exitCode\":2,\"reason\":\"Error\",\"message\":"
		"\"starts\\ncicada-inference: \\u001b[1m--no-such-option: no such "
		"option\\n\"}}}]}}",
		0, NULL);
	struct kube_pod pod = kube_pod_read(object);

	(void)state;
	assert_string_equal(pod.trouble,
			    "container inference ended with code 2 (Error), 2 restarts: "
			    "cicada-inference: ?[1m--no-such-option: no such option");
	json_decref(object);
}

/* A list by selector holds pods that end, too. */
static void ready_pods_are_told_from_ending_ones(void **state)
{
	json_t *root = load("08-list-pods-selector");
	size_t ready = 0, ending = 0;

	(void)state;
	for (size_t i = 0; i < json_array_size(items_of(root)); i++) {
		struct kube_pod pod = kube_pod_read(json_array_get(items_of(root), i));

		assert_true(*pod.name && *pod.uid);
		ready += pod.is_ready && !pod.is_ending;
		ending += pod.is_ending;
		if (pod.is_ready)
			assert_string_equal(pod.trouble, "");
	}
	assert_int_equal(ready, 1);
	assert_int_equal(ending, 5);
	json_decref(root);
}

static void ready_endpoints_are_counted_once(void **state)
{
	static const char first[] =
		"{\"endpoints\": [{\"addresses\": [\"10.0.0.1\"], \"conditions\": {\"ready\": "
		"true},"
		" \"targetRef\": {\"uid\": \"a\"}}, {\"addresses\": [\"10.0.0.2\"], "
		"\"conditions\": {\"ready\": false}, \"targetRef\": {\"uid\": \"b\"}}]}";
	static const char second[] =
		"{\"endpoints\": [{\"addresses\": [\"fd00::1\"], \"conditions\": {}, "
		"\"targetRef\": {\"uid\": \"a\"}}, {\"addresses\": [\"10.0.0.9\"]}]}";
	const char *const slices[] = { first, second, "{\"endpoints\": null}", "{}" };
	struct map ready;

	(void)state;
	map_init(&ready);
	for (size_t i = 0; i < 4; i++) {
		json_t *slice = json_loads(slices[i], 0, NULL);

		kube_slice_collect_ready(slice, &ready);
		json_decref(slice);
	}
	assert_int_equal(ready.count, 2);
	assert_non_null(map_get(&ready, str_of("a")));
	assert_non_null(map_get(&ready, str_of("10.0.0.9")));
	map_fini(&ready);
}

static void an_autoscaler_names_its_target_and_its_maker(void **state)
{
	json_t *object = json_loads(
		"{\"metadata\": {\"name\": \"keda-hpa-x\", \"ownerReferences\": [{\"kind\": "
		"\"ScaledObject\", \"name\": \"x\"}]}, \"spec\": {\"maxReplicas\": 9, "
		"\"scaleTargetRef\": {\"kind\": \"Deployment\", \"name\": \"inference\"}}}",
		0, NULL);
	struct kube_autoscaler a = kube_autoscaler_read(object);

	(void)state;
	assert_string_equal(a.name, "keda-hpa-x");
	assert_string_equal(a.owner_kind, "ScaledObject");
	assert_string_equal(a.owner, "x");
	assert_string_equal(a.target_kind, "Deployment");
	assert_string_equal(a.target, "inference");
	assert_int_equal(a.min, 1);
	assert_int_equal(a.max, 9);
	json_decref(object);
}

static void fields_of_a_wrong_type_are_missing_ones(void **state)
{
	json_t *object = json_loads("{\"metadata\": [1], \"spec\": {\"replicas\": \"3\"}, "
				    "\"status\": {\"readyReplicas\": -4, \"conditions\": {}, "
				    "\"containerStatuses\": [7, null]}}",
				    0, NULL);
	struct kube_deployment d = kube_deployment_read(object);
	struct kube_pod pod = kube_pod_read(object);

	(void)state;
	assert_int_equal(d.wanted + d.ready, 0);
	assert_string_equal(pod.name, "");
	assert_false(pod.is_ready);
	json_decref(object);
	assert_false(kube_pod_read(NULL).is_ready);
}

/* What `events` say of the Deployment "web" since 10:00:05. */
static void expect_warnings(const char *events, const char *said)
{
	json_t *items = json_loads(events, 0, NULL);
	struct buf out;

	assert_non_null(items);
	buf_init(&out, 4096);
	warnings_add(items, "web", "2026-01-01T10:00:05Z", &out);
	assert_string_equal(buf_str(&out).p, said);
	buf_fini(&out);
	json_decref(items);
}

#define EVENT(kind, name, rest) \
	"{\"involvedObject\":{\"kind\":\"" kind "\",\"name\":\"" name "\"},\"reason\":\"R\"," rest \
	"}"
#define AT(s) "\"lastTimestamp\":\"2026-01-01T10:00:" s "Z\""

static void warnings_are_those_of_the_deployment_and_the_newest(void **state)
{
	(void)state;
	expect_warnings("[]", "");
	expect_warnings(
		"[" EVENT("Pod", "web-1a-x", AT("04")) "," EVENT(
			"Pod", "webs-1a-x",
			AT("09")) "," EVENT("Pod", "web-b-1a-x",
					    AT("09")) "," EVENT("Pod", "web",
								AT("09")) "," EVENT("ReplicaSet",
										    "web-b-1a",
										    AT("09")) ",7,"
											      "null"
											      ",{}"
											      "]",
		"");
	expect_warnings(
		"[" EVENT("Pod", "web-1a-x", AT("05") ",\"message\":\"one\",\"count\":3") "]",
		"Events: Pod web-1a-x: R (3 times): one");
	/* Three, of which two have the same second. */
	expect_warnings("[" EVENT("Deployment", "web", AT("07")) "," EVENT(
				"ReplicaSet", "web-1a",
				"\"lastTimestamp\":null,\"eventTime\":\"2026-01-"
				"01T10:00:07.123Z\"") "," EVENT("Pod", "web-1a-x", AT("06")) "]",
			"Events: Deployment web: R: ; ReplicaSet web-1a: R: ");
}

/* As metrics-server 0.7 says it. */
static struct kube_usage usage_of(const char *cpu, const char *memory, const char *window)
{
	json_t *object =
		json_pack("{s:{s:s}, s:s, s:s, s:[{s:s, s:{s:s, s:s}}]}", "metadata", "name",
			  "inference-1", "timestamp", "2026-11-26T17:29:07Z", "window", window,
			  "containers", "name", "server", "usage", "cpu", cpu, "memory", memory);
	struct kube_usage usage = kube_usage_read(object);

	json_decref(object);
	return usage;
}

static void what_pods_use_is_read_in_all_its_units(void **state)
{
	static const struct {
		const char *cpu, *memory, *window;
		double cpus, memory_bytes, window_s;
	} cases[] = {
		{ "256923341n", "20216Ki", "15.32s", 0.256923341, 20216 * 1024., 15.32 },
		{ "12u", "1G", "1m0.5s", 12e-6, 1e9, 60.5 },
		{ "250m", "1.5Gi", "20s", 0.25, 1.5 * 0x1p30, 20 },
		{ "2", "129e6", "30s", 2, 129e6, 30 },
		{ "0", "0", "0s", 0, 0, 0 },
		{ "x", "1Xi", "15", NAN, NAN, NAN },
		{ "-1", "", "1h", NAN, NAN, NAN },
		{ "nan", "m", "m", NAN, NAN, NAN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kube_usage u = usage_of(cases[i].cpu, cases[i].memory, cases[i].window);
		const double got[] = { u.cpus, u.memory_bytes, u.window_s },
			     want[] = { cases[i].cpus, cases[i].memory_bytes, cases[i].window_s };

		assert_true(u.wall_s == 1795714147);
		for (size_t k = 0; k < 3; k++)
			if (!(fabs(got[k] - want[k]) <= 1e-9 * want[k]) &&
			    !(isnan(got[k]) && isnan(want[k])))
				fail_msg("case %zu, %zu: %g", i, k, got[k]);
	}
}

static void what_says_nothing_of_usage_is_not_known(void **state)
{
	static const char *const texts[] = { "{}", "[]", "{\"containers\":[{}]}",
					     "{\"containers\":5,\"timestamp\":\"2026-11\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *object = json_loads(texts[i], 0, NULL);
		struct kube_usage u = kube_usage_read(object);

		assert_true(isnan(u.cpus) && isnan(u.memory_bytes) && isnan(u.wall_s));
		json_decref(object);
	}
}

static void images_are_named_once(void **state)
{
	json_t *pod = json_loads("{\"status\":{\"containerStatuses\":["
				 "{\"image\":\"a:1\",\"imageID\":\"r/a@sha256:12\"},"
				 "{\"image\":\"b:2\",\"imageID\":\"\"},{}]}}",
				 0, NULL);
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_false(kube_pod_add_images(pod, &out));
	assert_false(kube_pod_add_images(pod, &out));
	assert_string_equal(out.p, "a:1 (r/a@sha256:12), b:2");
	json_decref(pod);
	/* The same content by another name, as another node may call it. */
	pod = json_loads("{\"status\":{\"containerStatuses\":["
			 "{\"image\":\"s/a:2\",\"imageID\":\"s/a@sha256:12\"}]}}",
			 0, NULL);
	assert_true(kube_pod_add_images(pod, &out));
	assert_string_equal(out.p, "a:1 (r/a@sha256:12), b:2");
	json_decref(pod);
	pod = json_loads("{\"status\":{\"containerStatuses\":["
			 "{\"image\":\"a:1\",\"imageID\":\"sha256:12\"}]}}",
			 0, NULL);
	buf_clear(&out);
	assert_true(kube_pod_add_images(pod, &out));
	assert_string_equal(out.p, "a:1 (sha256:12)");
	json_decref(pod);
	/* One for which there is no room on any node: nobody makes anything of it. */
	pod = json_loads("{\"status\":{\"phase\":\"Pending\"}}", 0, NULL);
	buf_clear(&out);
	assert_true(kube_pod_add_images(pod, &out) && !out.len);
	buf_fini(&out);
	json_decref(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_pods_use_is_read_in_all_its_units),
		cmocka_unit_test(what_says_nothing_of_usage_is_not_known),
		cmocka_unit_test(images_are_named_once),
		cmocka_unit_test(a_pod_that_crashes_again_and_again_says_what_it_said_last),
		cmocka_unit_test(a_scale_is_done_when_everything_says_so),
		cmocka_unit_test(a_quota_shows_as_trouble),
		cmocka_unit_test(pods_say_why_they_are_not_ready),
		cmocka_unit_test(ready_pods_are_told_from_ending_ones),
		cmocka_unit_test(ready_endpoints_are_counted_once),
		cmocka_unit_test(an_autoscaler_names_its_target_and_its_maker),
		cmocka_unit_test(fields_of_a_wrong_type_are_missing_ones),
		cmocka_unit_test(warnings_are_those_of_the_deployment_and_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
