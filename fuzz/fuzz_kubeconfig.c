/* SPDX-License-Identifier: MIT
 *
 * fuzz_kubeconfig - any kubeconfig file: it gives a server and a namespace, or an error with a
 * text. Files it names are looked for in a folder that is not there. */
#include "fuzz.h"

#include <string.h>

#include "kube/kube_access.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	char *bytes = fuzz_copy(input, len);
	struct err_text text = { "" };
	struct kube_access a;

	if (kube_access_parse((struct str){ bytes, len }, "file", "/nonexistent", NULL, &a,
			      &text)) {
		FUZZ_CHECK(text.text[0]);
	} else {
		FUZZ_CHECK(strncmp(a.server, "http", 4) == 0 && a.namespace[0]);
		kube_access_fini(&a);
	}
	free(bytes);
	return 0;
}
