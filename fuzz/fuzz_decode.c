/* SPDX-License-Identifier: MIT
 *
 * fuzz_decode - bodies of any bytes; the first one chooses the coding. */
#include "fuzz.h"

#include "base/limits.h"
#include "http/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static const char *const codings[] = { "gzip", "deflate", "br", "identity" };
	static struct decoder *decoder;
	struct err_text why = { 0 };
	struct decoded *out;
	char *bytes;

	if (!len)
		return 0;
	/* One for all inputs: what the last one left behind must not matter. */
	if (!decoder)
		decoder = decoder_create();
	bytes = fuzz_copy(input + 1, len - 1);
	if (decoder_run(decoder, str_of(codings[input[0] % 4]), (struct str){ bytes, len - 1 },
			&out, &why))
		FUZZ_CHECK(!out && why.text[0]);
	else if (out)
		FUZZ_CHECK(out->bytes.len <= LIMIT_DECODED_BODY_BYTES && out->bytes.p &&
			   !out->bytes.p[out->bytes.len]);
	decoder_release(decoder, &out);
	free(bytes);
	return 0;
}
