/* SPDX-License-Identifier: MIT
 *
 * fuzz_owed - restore.json: an error that names the file, or Deployments that have what it says. */
#include "fuzz.h"

#include "kube/kube_access.h"
#include "kube/kube_api.h"
#include "matrix/owed.h"
#include "matrix/scaled.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct kube_access access = { .server = bytes };
	struct kube_api *api = kube_api_create(&access, "llm", NULL, NULL);
	struct scaled *parts[] = { scaled_create(api, "inference", NULL),
				   scaled_create(api, "locust-worker", NULL) };
	struct err_text text = { "" };
	struct owed owed = { .namespace = "llm", .parts = parts, .count = 2 };
	enum err err = owed_parse("f", (struct str){ bytes, len }, &owed, &text);

	FUZZ_CHECK(!err || !strncmp(text.text, "f: ", 3));
	for (size_t i = 0; i < 2; i++) {
		struct scaled_before before = scaled_before(parts[i]);

		FUZZ_CHECK(!err || (!before.replicas && !before.autoscaler));
		FUZZ_CHECK(!before.autoscaler || kube_api_is_name(before.autoscaler));
		FUZZ_CHECK(before.replicas <= INT32_MAX && before.max <= INT32_MAX);
		scaled_destroy(&parts[i]);
	}
	kube_api_destroy(&api);
	free(bytes);
	return 0;
}
