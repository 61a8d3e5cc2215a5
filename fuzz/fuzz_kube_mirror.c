/* SPDX-License-Identifier: MIT
 *
 * fuzz_kube_mirror - any bytes of a watch, in pieces of any size: every object that is kept can
 * be read. The first byte of the input is the size of the pieces. */
#include "fuzz.h"

#include "kube/kube_access.h"
#include "kube/kube_mirror.c"
#include "kube/kube_objects.h"

static void read_objects(const struct kube_mirror *m)
{
	struct map ready;
	struct map_entry *e;

	map_init(&ready);
	for (size_t i = 0; (e = map_next(kube_mirror_objects(m), &i));) {
		struct kube_pod pod = kube_pod_read(e->value);
		struct kube_deployment d = kube_deployment_read(e->value);
		struct kube_autoscaler a = kube_autoscaler_read(e->value);

		kube_slice_collect_ready(e->value, &ready);
		FUZZ_CHECK(pod.name && pod.uid && a.name && a.target && a.owner);
		FUZZ_CHECK(!kube_deployment_is_settled(&d, d.wanted + 1));
	}
	for (size_t i = 0; (e = map_next(&ready, &i));)
		FUZZ_CHECK(e->value && strlen(e->value) < LIMIT_KUBE_EVENT_BYTES);
	map_fini(&ready);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct kube_access access = { .server = bytes };
	struct kube_api *api = kube_api_create(&access, "default", NULL, NULL);
	struct kube_mirror *m =
		kube_mirror_create(api, &(struct kube_query){ &kube_pods, NULL, NULL });
	size_t piece = len ? input[0] + 1u : 1;

	m->is_listed = true;
	for (size_t at = 1; at < len; at += piece)
		kube_mirror_feed(m, bytes + at, piece < len - at ? piece : len - at);
	read_objects(m);
	kube_mirror_destroy(&m);
	kube_api_destroy(&api);
	free(bytes);
	return 0;
}
