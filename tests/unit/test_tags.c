/* SPDX-License-Identifier: MIT
 *
 * Which tasks are left by --tags and --exclude-tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "user/tags.h"

static void nothing(struct cic_user *u)
{
	(void)u;
}

static const struct cic_user_class shop = {
	.abi = CIC_ABI,
	.name = "Shop",
	.weight = 3,
	.tasks = CIC_TASKS({ nothing, 1, "plain" }, { nothing, 2, "read", .tags = "fast read" },
			   { nothing, 3, "write", .tags = "slow,write" },
			   { nothing, 4, "both", .tags = "read write" }),
};
static const struct cic_user_class admin = { .abi = CIC_ABI,
					     .name = "Admin",
					     .tasks = CIC_TASKS({ nothing, 1, "admin" }) };
static const struct cic_user_class *const classes[] = { &admin, &shop };
static const struct scenario scenario = { .classes = classes,
					  .class_count = 2,
					  .file_name = "shop.c" };
static const struct opt_texts none;

static void append(char *to, size_t size, const char *text, const char *more)
{
	size_t at = strlen(to);

	snprintf(to + at, size - at, "%s%s", text, more);
}

/* What is left, as "Class:task,task "; "" when nothing is. */
static void assert_left(struct opt_texts only, struct opt_texts except, const char *wanted)
{
	struct err_text why = { 0 };
	char left[128] = "";
	struct scenario out;
	enum err err = tags_choose(&scenario, &only, &except, &out, &why);

	assert_int_equal(err, *wanted ? OK : ERR_NOT_FOUND);
	if (err)
		assert_non_null(strstr(why.text, "shop.c: no task is left"));
	for (size_t i = 0; i < out.class_count; i++) {
		append(left, sizeof(left), out.classes[i]->name, ":");
		for (const struct cic_task *t = out.classes[i]->tasks; t->run; t++)
			append(left, sizeof(left), t->name, ",");
	}
	assert_string_equal(left, wanted);
	tags_release(&scenario, &out);
}

static void without_options_all_is_left_as_it_is(void **state)
{
	struct err_text why = { 0 };
	struct scenario out;

	(void)state;
	assert_int_equal(tags_choose(&scenario, &none, &none, &out, &why), OK);
	assert_ptr_equal(out.classes, scenario.classes);
	tags_release(&scenario, &out);
	assert_ptr_equal(out.classes, scenario.classes);
}

static void tasks_with_one_of_the_tags_stay(void **state)
{
	(void)state;
	assert_left((struct opt_texts){ { "read" }, 1 }, none, "Shop:read,both,");
	assert_left((struct opt_texts){ { "fast", "slow" }, 2 }, none, "Shop:read,write,");
	assert_left((struct opt_texts){ { "[fast, slow]" }, 1 }, none, "Shop:read,write,");
	assert_left((struct opt_texts){ { "rea" }, 1 }, none, "");
	assert_left((struct opt_texts){ { "reads" }, 1 }, none, "");
}

static void tasks_with_an_excluded_tag_go(void **state)
{
	(void)state;
	assert_left(none, (struct opt_texts){ { "read" }, 1 }, "Admin:admin,Shop:plain,write,");
	assert_left((struct opt_texts){ { "read" }, 1 }, (struct opt_texts){ { "write" }, 1 },
		    "Shop:read,");
	assert_left((struct opt_texts){ { "read" }, 1 }, (struct opt_texts){ { "read" }, 1 }, "");
}

static void a_class_keeps_the_rest_of_itself(void **state)
{
	struct err_text why = { 0 };
	struct scenario out;
	const struct opt_texts only = { { "slow" }, 1 };

	(void)state;
	assert_int_equal(tags_choose(&scenario, &only, &none, &out, &why), OK);
	assert_int_equal(out.class_count, 1);
	assert_true(out.classes[0]->weight == 3);
	assert_true(out.classes[0]->tasks[0].weight == 3);
	assert_null(out.classes[0]->tasks[1].run);
	tags_release(&scenario, &out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_all_is_left_as_it_is),
		cmocka_unit_test(tasks_with_one_of_the_tags_stay),
		cmocka_unit_test(tasks_with_an_excluded_tag_go),
		cmocka_unit_test(a_class_keeps_the_rest_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
