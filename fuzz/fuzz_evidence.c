/* SPDX-License-Identifier: MIT
 *
 * fuzz_evidence - what the evidence of a row is read from: its files, and the details of a master;
 * and report.json, as it is read to compare. */
#include "fuzz.h"

#include "base/limits.h"
#include "base/mem.h"
#include "matrix/evidence.h"
#include "matrix/hdr_log.h"
#include "matrix/master_details.h"
#include "matrix/result_row.h"
#include "matrix/versus.h"

/* Whatever was taken in can be written, and is JSON. */
static void check_written(const struct evidence *e)
{
	struct result_row row = result_row_blank(1, 1, 1);
	struct buf out;
	json_t *root;

	buf_init(&out, LIMIT_EVIDENCE_BYTES);
	buf_add_char(&out, '{');
	evidence_add_json(e, &row, LIMIT_REPORT_POINTS, &out);
	buf_add_char(&out, '}');
	root = json_loadb(out.p, out.len, 0, NULL);
	FUZZ_CHECK(root);
	json_decref(root);
	buf_fini(&out);
}

/* With itself, in which nothing can be slower. */
static void check_compared(struct str bytes)
{
	struct err_text why = { "" };
	struct versus_side side;
	struct versus v;
	struct buf out;

	if (versus_parse(bytes, &side, &why)) {
		FUZZ_CHECK(why.text[0] && !side.rows);
		return;
	}
	buf_init(&out, LIMIT_EVIDENCE_BYTES);
	versus_compare(&side, &side, 0.05, 0.05, &v);
	FUZZ_CHECK(!v.only_a && !v.only_b && !v.verdicts[COMPARE_WORSE]);
	versus_say(&v, &out);
	versus_add_junit(&v, &out);
	mem_free(v.items);
	versus_side_fini(&side);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct err_text why = { "" };
	struct evidence e;
	json_t *root;
	enum err err;

	evidence_init(&e);
	err = hdr_log_read((struct str){ (const char *)input, len }, &e.times, &why);
	FUZZ_CHECK(!err || why.text[0]);
	root = json_loadb((const char *)input, len, JSON_REJECT_DUPLICATES, NULL);
	err = evidence_read_json(root, &e, &why);
	if (!err)
		check_written(&e);
	if (!master_details_read(root, &e, &why))
		check_written(&e);
	json_decref(root);
	evidence_fini(&e);
	check_compared((struct str){ (const char *)input, len });
	return 0;
}
