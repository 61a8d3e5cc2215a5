/* SPDX-License-Identifier: MIT
 *
 * moment: times in many spellings, moved on, and as positions on circles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/rng.h"
#include "infer/moment.h"

#define SECOND_US 1000000ll
#define DAY_US	  (86400 * SECOND_US)

static const char *written(const char *text, int64_t later_us)
{
	static char out[64];
	struct moment m;
	struct buf b;

	if (!moment_parse(str_of(text), &m))
		fail_msg("refused: %s", text);
	m.us += later_us;
	buf_init(&b, sizeof(out) - 1);
	moment_write(&m, &b);
	memcpy(out, b.p, b.len + 1);
	buf_fini(&b);
	return out;
}

static void times_are_written_as_they_were_read(void **state)
{
	(void)state;
	assert_string_equal(written("2024-01-15", 0), "2024-01-15T00:00:00");
	assert_string_equal(written("2024-01-15 10:01", 0), "2024-01-15T10:01:00");
	assert_string_equal(written("2024-01-15t10:01:02Z", 0), "2024-01-15T10:01:02Z");
	assert_string_equal(written("2024-01-15T10:01:02,5-0130", 0),
			    "2024-01-15T10:01:02.500000-01:30");
	assert_string_equal(written("2024-01-15T10:01:02.1234567+02", 0),
			    "2024-01-15T10:01:02.123456+02:00");
	assert_string_equal(written("2023-02-29", 0), "2023-03-01T00:00:00");
	assert_string_equal(written("2023-12-31T24:00", 0), "2024-01-01T00:00:00");
	assert_string_equal(written("2024-02-28T23:59:30", 60 * SECOND_US), "2024-02-29T00:00:30");
	assert_string_equal(written("1970-01-01T00:00:00", -1), "1969-12-31T23:59:59.999999");
	assert_string_equal(written("0000-01-01", -DAY_US), "0000-01-01T00:00:00");
	assert_string_equal(written("9999-12-31", 5 * DAY_US), "9999-12-31T00:00:00");
}

static void other_texts_are_no_times(void **state)
{
	static const char *const texts[] = {
		"",
		"noon",
		"2024",
		"2024-1-15",
		"2024-00-15",
		"2024-13-15",
		"2024-01-32",
		"2024-01-15T",
		"2024-01-15T10",
		"2024-01-15T10:60",
		"2024-01-15T25:00",
		"2024-01-15T10:00:61",
		"2024-01-15T10:00:00.",
		"2024-01-15T10:00:00+1",
		"2024-01-15T10:00:00+24",
		"2024-01-15T10:00:00+01:",
		"2024-01-15T10:00:00Zx",
		"2024-01-15 ",
	};
	struct moment m;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (moment_parse(str_of(texts[i]), &m))
			fail_msg("taken: %s", texts[i]);
}

/* The C library as the second opinion. */
static void the_calendar_is_the_usual_one(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 5, 0);
	for (int i = 0; i < 20000; i++) {
		time_t when = (time_t)rng_below(&rng, 8000000000ull) - 4000000000ll;
		const enum moment_part parts[] = { PART_WEEKDAY, PART_MONTH };
		char want[32];
		struct moment m;
		struct tm utc;
		float at[4];

		gmtime_r(&when, &utc);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &utc);
		assert_string_equal(written(want, 0), want);
		assert_true(moment_parse(str_of(want), &m));
		assert_true(m.us == when * SECOND_US);
		moment_fill(&m, parts, 2, at);
		assert_float_equal(at[0], sin(2 * M_PI * ((utc.tm_wday + 6) % 7) / 7), 1e-6);
		assert_float_equal(at[1], cos(2 * M_PI * ((utc.tm_wday + 6) % 7) / 7), 1e-6);
		assert_float_equal(at[2], sin(2 * M_PI * utc.tm_mon / 12), 1e-6);
	}
}

static void zones_count_between_times(void **state)
{
	struct moment a, b;

	(void)state;
	assert_true(moment_parse(str_of("2024-01-15T10:00:00+01:00"), &a));
	assert_true(moment_parse(str_of("2024-01-15T10:00:00Z"), &b));
	assert_true(moment_between_us(&a, &b) == 3600 * SECOND_US);
	assert_true(moment_between_us(&b, &a) == -3600 * SECOND_US);
}

static void the_clock_is_a_circle(void **state)
{
	const enum moment_part parts[] = { PART_MINUTE, PART_HOUR, PART_DAY_SECOND };
	static const float want[] = { 0, -1, 1, 0 };
	struct moment m;
	float at[6];

	(void)state;
	assert_true(moment_parse(str_of("2024-01-15T06:30:00-08:00"), &m));
	moment_fill(&m, parts, 3, at);
	for (int i = 0; i < 4; i++)
		assert_float_equal(at[i], want[i], 1e-6);
	assert_float_equal(at[4], sin(2 * M_PI * 6.5 / 24), 1e-6);
	assert_int_equal(moment_part_of("day_second"), PART_DAY_SECOND);
	assert_int_equal(moment_part_of("second"), PART_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_as_they_were_read),
		cmocka_unit_test(other_texts_are_no_times),
		cmocka_unit_test(the_calendar_is_the_usual_one),
		cmocka_unit_test(zones_count_between_times),
		cmocka_unit_test(the_clock_is_a_circle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
