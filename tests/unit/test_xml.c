/* SPDX-License-Identifier: MIT
 *
 * xml: text stays text, whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/xml.h"

static void text_is_escaped_and_whole(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	xml_add(&out, "a<b>&\"'\n\x01\xc3\xa4\xff!");
	assert_string_equal(out.p,
			    "a&#60;b&#62;&#38;&#34;&#39;&#10;\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd!");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_escaped_and_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
