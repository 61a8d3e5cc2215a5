/* SPDX-License-Identifier: MIT
 *
 * report_html: the page in one file, which nothing that a report says can get out of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "serve/asset.h"

extern const struct asset asset_matrix_alone;

#define BEGIN "<script id=\"report\" type=\"application/json\">"

static struct buf page_of(const char *json)
{
	struct asset_page html;
	struct buf page;

	buf_init(&page, LIMIT_RESULT_FILE_BYTES);
	asset_begin(&html, &asset_matrix_alone, &page);
	/* Wherever it is cut. */
	for (; *json; json++)
		asset_add((struct str){ json, 1 }, &page);
	asset_end(&html, &page);
	assert_false(page.is_full);
	return page;
}

/* What stands between the tags of the report's element. */
static struct str report_of(const struct buf *page)
{
	const char *begin = strstr(page->p, BEGIN), *end;

	assert_non_null(begin);
	begin += strlen(BEGIN);
	end = strstr(begin, "</script>");
	assert_non_null(end);
	return (struct str){ begin, (size_t)(end - begin) };
}

static void the_report_is_in_it_and_cannot_end_its_element(void **state)
{
	struct buf page = page_of("{\"a\":\"</script><script>x</script><!--\",\"b\":1}");

	(void)state;
	assert_true(str_eq(report_of(&page),
			   "{\"a\":\"\\u003c/script>\\u003cscript>x\\u003c/script>\\u003c!--\","
			   "\"b\":1}"));
	buf_fini(&page);
}

static void a_report_that_speaks_of_the_place_is_put_in_once(void **state)
{
	struct buf page = page_of("{\"a\":\"{{report}}\"}");

	(void)state;
	assert_true(str_eq(report_of(&page), "{\"a\":\"{{report}}\"}"));
	buf_fini(&page);
}

static void it_is_small_and_asks_for_nothing(void **state)
{
	struct buf page = page_of("{}");

	(void)state;
	assert_in_range(page.len, 10000, 500000);
	assert_non_null(strstr(page.p, "default-src 'none'; script-src 'sha256-"));
	assert_null(strstr(page.p, " src=\"http"));
	assert_null(strstr(page.p, "<link rel=\"stylesheet\""));
	/* Nothing that bundle.mjs should have put in is missing. */
	assert_null(strstr(page.p, "{{"));
	buf_fini(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_report_is_in_it_and_cannot_end_its_element),
		cmocka_unit_test(a_report_that_speaks_of_the_place_is_put_in_once),
		cmocka_unit_test(it_is_small_and_asks_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
