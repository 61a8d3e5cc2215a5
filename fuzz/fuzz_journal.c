/* SPDX-License-Identifier: MIT
 *
 * fuzz_journal - run.jsonl: rows that make reports, or an error with its line. The first line may
 * be our own, so that the others are reached. */
#include "fuzz.h"

#include "base/buf.h"
#include "base/mem.h"
#include "matrix/journal.h"
#include "matrix/result_row.h"

#define OWN "{\"record\":\"plan\",\"version\":1,\"hash\":\"3894659532261e6d\"}\n"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	const struct journal_plan plan = { "users=1,2,3", 3, NULL };
	struct err_text text = { "" };
	struct journal_past past;
	struct buf bytes;

	if (!len)
		return 0;
	buf_init(&bytes, len + sizeof(OWN));
	if (*input == 'o')
		buf_add_text(&bytes, OWN);
	buf_add(&bytes, input + 1, len - 1);
	if (journal_parse("f", buf_str(&bytes), &plan, &past, &text)) {
		FUZZ_CHECK(!strncmp(text.text, "f:", 2) && !past.rows);
	} else {
		FUZZ_CHECK(past.count <= plan.scenarios && past.whole_bytes <= bytes.len);
		FUZZ_CHECK(*input != 'o' || past.kind == JOURNAL_SAME);
		for (size_t i = 0; i < past.count; i++)
			for (size_t k = 0; k < RESULT_COLUMNS; k++) {
				char cell[RESULT_CELL_BYTES];

				result_cell(&past.rows[i], &result_columns[k], cell);
				FUZZ_CHECK(strlen(cell) < sizeof(cell));
			}
		mem_free(past.rows);
		mem_free(past.environment);
	}
	buf_fini(&bytes);
	return 0;
}
