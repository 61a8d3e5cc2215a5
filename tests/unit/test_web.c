/* SPDX-License-Identifier: MIT
 *
 * web: routes, starts and stops. The expected replies are those of a real Locust
 * 2.46.6. */
#include "web_fixture.h"

static void test_swarm_starts(void **state)
{
	(void)state;
	expect_swarm(FORM,
		     "user_count=9&spawn_rate=2.5&host=http%3A%2F%2F127.0.0.1%3A18080&x=%3Cignored",
		     "{\n  \"host\": \"http://127.0.0.1:18080\",\n"
		     "  \"message\": \"Swarming started\",\n  \"success\": true\n}\n");
	assert_int_equal(mode.starts, 1);
	assert_int_equal(mode.last.user_count, 9);
	assert_true(mode.last.spawn_rate == 2.5);
	assert_string_equal(mode.host, "http://127.0.0.1:18080");
	/* An edit keeps the host; a run time is told in seconds. */
	expect_swarm(FORM, "user_count=20&spawn_rate=2&run_time=1m4s",
		     "{\n  \"host\": \"http://127.0.0.1:18080\",\n"
		     "  \"message\": \"Swarming started\",\n  \"run_time\": 64,\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.run_time_s, 64);
}

static void test_swarm_takes_a_host_without_scheme(void **state)
{
	(void)state;
	expect_swarm(FORM, "user_count=1&spawn_rate=1&host=inference:8000",
		     "{\n  \"host\": \"http://inference:8000\",\n"
		     "  \"message\": \"Swarming started\",\n  \"success\": true\n}\n");
	assert_string_equal(mode.host, "http://inference:8000");
}

static void test_swarm_takes_json_too(void **state)
{
	(void)state;
	expect_swarm("application/json; charset=utf-8",
		     "{\"user_count\": 200, \"spawn_rate\": 20.5, \"host\": \"http://a:8000\"}",
		     "{\n  \"host\": \"http://a:8000\",\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.user_count, 200);
	assert_true(mode.last.spawn_rate == 20.5);
}

static void test_swarm_with_some_classes(void **state)
{
	(void)state;
	run.shares[0].weight = run.shares[1].weight = 1;
	expect_swarm("application/json",
		     "{\"user_count\": 2, \"spawn_rate\": 1, \"user_classes\": [\"Beta\"]}",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true,\n  \"user_classes\": [\n    \"Beta\"\n  ]\n}\n");
	assert_int_equal(mode.last.classes.words[0], 2);
	/* A change that names none leaves them. */
	expect_swarm(FORM, "user_count=3&spawn_rate=1",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.classes.words[0], 2);
	expect_swarm(FORM, "user_count=3&user_classes=Alpha&spawn_rate=1&user_classes=Beta",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true,\n  \"user_classes\": [\n    \"Alpha\",\n"
		     "    \"Beta\"\n  ]\n}\n");
	assert_int_equal(mode.last.classes.words[0], 3);
	expect_swarm(FORM, "user_count=3&spawn_rate=1&user_classes=Alpha&user_classes=Gamma",
		     "{\n  \"host\": null,\n  \"message\": \"user_classes: no user class is called "
		     "'Gamma'; /tasks shows them\",\n  \"success\": false\n}\n");
	expect_swarm("application/json",
		     "{\"user_count\": 2, \"spawn_rate\": 1, \"user_classes\": \"Beta\"}",
		     "{\n  \"host\": null,\n  \"message\": \"user_classes: give a list of "
		     "names\",\n  \"success\": false\n}\n");
	run.shares[0].weight = 0;
	expect_swarm(
		FORM, "user_count=3&spawn_rate=1&user_classes=Alpha",
		"{\n  \"host\": null,\n  \"message\": \"user_classes: none of them has a weight "
		"or a fixed_count\",\n  \"success\": false\n}\n");
	assert_int_equal(mode.starts, 3);
	mode.stops_at_once = true;
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	expect_swarm(FORM, "user_count=3&spawn_rate=1",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.classes.words[0], 0);
}

static void note_pairs(void *arg, struct str pairs)
{
	for (size_t i = 0; i < pairs.len; i++)
		buf_add_char(arg, pairs.p[i] ? pairs.p[i] : ' ');
}

/* More than a start has numbers, and what JSON has besides text. */
static void test_swarm_in_json_has_the_options_of_a_locustfile(void **state)
{
	static const struct web_field items[] = {
		{ .name = "a" }, { .name = "b" }, { .name = "c" }, { .name = "d" }, { .name = "e" },
		{ .name = "f" }, { .name = "g" }, { .name = "h" }, { .name = "i" }, { .name = "j" },
		{ .name = "k" }, { .name = "l" }, { .name = "m" }, { .name = "n" }, { .name = "o" },
		{ .name = "p" }, { .name = "q" }, { .name = "r" }, { .name = "s" }, { .name = "t" },
	};
	static const char wanted[] = "a 1 b 2.5 c true d text e 5 f 6 g 7 h 8 i 9 j 10 k 11 l 12 "
				     "m 13 n 14 o 15 p 16 q 17 r 18 s 19 t 20 ";
	struct buf pairs;
	struct web_fields fields = { items, 20, note_pairs, &pairs };

	(void)state;
	buf_init(&pairs, 1024);
	web->fields = &fields;
	expect_swarm(
		"application/json",
		"{\"user_count\": 2, \"spawn_rate\": 1, \"a\": 1, \"b\": 2.5, \"c\": true, "
		"\"d\": \"text\", \"e\": 5, \"f\": 6, \"g\": 7, \"h\": 8, \"i\": 9, \"j\": 10, "
		"\"k\": 11, \"l\": 12, \"m\": 13, \"n\": 14, \"o\": 15, \"p\": 16, \"q\": 17, "
		"\"r\": 18, \"s\": 19, \"t\": 20}",
		"{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		"  \"success\": true\n}\n");
	assert_string_equal(pairs.p, wanted);
	/* A start that is refused leaves them as they are. */
	buf_clear(&pairs);
	expect_swarm(FORM, "user_count=0&spawn_rate=1&a=2",
		     "{\n  \"host\": null,\n  \"message\": \"Missing user_count or spawn_rate from "
		     "/swarm request\",\n  \"success\": false\n}\n");
	expect_swarm(FORM, "user_count=2&spawn_rate=1e-9&a=2",
		     "{\n  \"host\": null,\n  \"message\": \"spawn_rate must be a number from "
		     "1e-06 upwards\",\n  \"success\": false\n}\n");
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	expect_swarm(FORM, "user_count=2&spawn_rate=1&a=2",
		     "{\n  \"host\": null,\n  \"message\": \"the test is still stopping; "
		     "start when its state is 'stopped'\",\n  \"success\": false\n}\n");
	assert_int_equal(pairs.len, 0);
	buf_fini(&pairs);
}

static void test_swarm_with_a_shape_needs_no_numbers(void **state)
{
	static const struct web_field item = { .name = "a" };
	struct shape_stages stages = { .stage = { { 60, 7, 3 } }, .count = 1 };
	struct buf pairs;
	struct web_fields fields = { &item, 1, note_pairs, &pairs };
	struct shape shape;
	struct follow follow;

	(void)state;
	shape_init_stages(&shape, "--stages", &stages);
	follow_init(&follow, &run, &shape);
	web->follow = &follow;
	buf_init(&pairs, 64);
	web->fields = &fields;
	for (unsigned i = 0; i < 2; i++) { /* the second one finds it running */
		expect_swarm(FORM, "host=http%3A%2F%2Fa&user_count=99&a=1",
			     "{\n  \"host\": \"http://a\",\n"
			     "  \"message\": \"Swarming started using shape class '--stages'\",\n"
			     "  \"success\": true\n}\n");
		assert_int_equal(mode.starts, 1);
		assert_int_equal(mode.last.user_count, 7);
	}
	assert_string_equal(pairs.p, "a 1 ");
	buf_fini(&pairs);
	web->fields = NULL;
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	expect_swarm(FORM, "",
		     "{\n  \"host\": \"http://a\",\n  \"message\": \"the test is still stopping; "
		     "start when its state is 'stopped'\",\n  \"success\": false\n}\n");
}

static void note_choice(void *arg, size_t choice)
{
	*(size_t *)arg = choice;
}

static bool want_seven(void *arg, const struct shape_now *now, struct shape_tick *tick)
{
	(void)arg;
	(void)now;
	*tick = (struct shape_tick){ .users = 7, .spawn_rate = 1 };
	return true;
}

static void test_swarm_chooses_among_shapes(void **state)
{
	static const struct shape_choice choices[] = { { "Stairs", false }, { "Hill", true } };
	static const struct {
		const char *form, *message;
		size_t choice;
	} cases[] = {
		{ "shape_class=Valley",
		  "shape_class: no load shape is called 'Valley'; give Stairs, Hill or Default",
		  9 },
		{ "shape_class=Hill", "Missing user_count or spawn_rate from /swarm request", 1 },
		{ "shape_class=Hill&user_count=1&spawn_rate=1",
		  "Swarming started using shape class 'Hill'", 1 },
		{ "", "Swarming started using shape class 'Stairs'", 0 },
	};
	size_t choice = 9;
	struct follow follow;
	struct shape shape;
	char want[512];

	(void)state;
	shape_init(&shape, "Stairs", want_seven, &choice);
	shape.choices = choices;
	shape.choice_count = 2;
	shape.choose = note_choice;
	follow_init(&follow, &run, &shape);
	web->follow = &follow;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(want, sizeof(want),
			 "{\n  \"host\": null,\n  \"message\": \"%s\",\n  \"success\": %s\n}\n",
			 cases[i].message, i < 2 ? "false" : "true");
		expect_swarm(FORM, cases[i].form, want);
		assert_int_equal(choice, cases[i].choice);
		assert_int_equal(shape.wants_numbers, choice == 1);
		if (i < 2)
			continue;
		assert_int_equal(run_stop(&run, NULL, NULL), OK);
		run_set_state(&run, RUN_STOPPED);
	}
}

static void test_swarm_may_do_without_the_shape(void **state)
{
	struct shape_stages stages = { .stage = { { 60, 7, 3 } }, .count = 1 };
	struct shape shape;
	struct follow follow;

	(void)state;
	shape_init_stages(&shape, "--stages", &stages);
	follow_init(&follow, &run, &shape);
	web->follow = &follow;
	expect_swarm(FORM, "user_count=5&spawn_rate=1&shape_class=Stairs",
		     "{\n  \"host\": null,\n  \"message\": \"shape_class: no load shape is called "
		     "'Stairs'; give --stages or Default\",\n  \"success\": false\n}\n");
	expect_swarm(FORM, "shape_class=Default",
		     "{\n  \"host\": null,\n  \"message\": \"Missing user_count or spawn_rate from "
		     "/swarm request\",\n  \"success\": false\n}\n");
	assert_int_equal(mode.starts, 0);
	/* The change of a test keeps to what rules it. */
	for (unsigned users = 5; users < 7; users++) {
		char form[64];

		snprintf(form, sizeof(form), "user_count=%u&spawn_rate=1%s", users,
			 users == 5 ? "&shape_class=Default" : "");
		expect_swarm(FORM, form,
			     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
			     "  \"success\": true\n}\n");
		assert_int_equal(mode.last.user_count, users);
		assert_false(mode.last.is_shaped);
	}
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	run.users_per_class[0] = run.users_per_class[1] = 0;
	run_set_state(&run, RUN_STOPPED);
	expect_swarm(FORM, "shape_class=--stages",
		     "{\n  \"host\": null,\n"
		     "  \"message\": \"Swarming started using shape class '--stages'\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.user_count, 7);
	assert_true(mode.last.is_shaped);
}

static void expect_tags(const char *type, const char *form, const char *reply)
{
	char whole[256];

	snprintf(whole, sizeof(whole),
		 "{\n  \"host\": null,\n  \"message\": \"%s\",\n  \"success\": %s\n}\n",
		 reply ? reply : "Swarming started", reply ? "false" : "true");
	expect_swarm(type, form, whole);
}

static unsigned drawn(size_t class_index)
{
	unsigned bits = 0;

	for (size_t i = 0; i < classes[class_index].task_count; i++)
		bits |= (!run.shares[class_index].draws || run.shares[class_index].draws[i]) << i;
	return bits;
}

static void test_swarm_chooses_tasks_by_tags(void **state)
{
	(void)state;
	run.shares[0].weight = run.shares[1].weight = 1;
	expect_tags(FORM, "user_count=1&spawn_rate=1&tags=nothing",
		    "tags: they leave no class that makes users a task; /settings has the tags of "
		    "all tasks");
	assert_int_equal(mode.starts, 0);
	assert_int_equal(drawn(0), 7);
	/* The class without such a task takes no part. */
	expect_tags(FORM, "user_count=1&spawn_rate=1&tags=slow", NULL);
	assert_int_equal(drawn(0), 2);
	assert_int_equal(drawn(1), 1);
	assert_int_equal(mode.last.classes.words[0], 1);
	/* Not said: as it is. */
	expect_tags(FORM, "user_count=1&spawn_rate=1&profile=nightly", NULL);
	assert_string_equal(run.profile, "nightly");
	assert_int_equal(drawn(0), 2);
	assert_int_equal(mode.last.classes.words[0], 1);
	/* Nor does a later test have the class again, unless it is named. */
	run.state = RUN_STOPPED;
	expect_tags(FORM, "user_count=1&spawn_rate=1", NULL);
	assert_int_equal(mode.last.classes.words[0], 1);
	run.state = RUN_STOPPED;
	expect_tags(FORM, "user_count=1&spawn_rate=1&tags=slow&tags=fast&exclude_tags=read", NULL);
	assert_int_equal(drawn(0), 1);
	expect_tags("application/json",
		    "{\"user_count\": 1, \"spawn_rate\": 1, \"user_classes\": [],"
		    " \"tags\": [], \"exclude_tags\": [\"fast\"]}",
		    NULL);
	assert_int_equal(drawn(0), 6);
	expect_tags(FORM, "user_count=1&spawn_rate=1&tags=", NULL);
	assert_int_equal(drawn(0), 7);
	/* By name: a worker that has heard of less goes by what it hears. */
	assert_non_null(run.shares[0].draws);
}

static void test_swarm_that_is_refused_chooses_nothing(void **state)
{
	static const char count[] = "user_count must be a whole number from 0 to 10000000";
	struct buf many;
	char profile[LIMIT_PROFILE_BYTES + 2], form[LIMIT_PROFILE_BYTES + 64];

	(void)state;
	run.shares[0].weight = run.shares[1].weight = 1;
	expect_tags(FORM, "user_count=10000001&spawn_rate=1&tags=slow&profile=nightly", count);
	assert_int_equal(drawn(0), 7);
	assert_null(run.profile);
	memset(profile, 'x', sizeof(profile) - 1);
	profile[sizeof(profile) - 1] = '\0';
	snprintf(form, sizeof(form), "user_count=1&spawn_rate=1&tags=slow&profile=%s", profile);
	expect_tags(FORM, form, "profile is longer than 256 bytes");
	assert_int_equal(drawn(0), 7);
	buf_init(&many, 4096);
	buf_add_text(&many, "user_count=1&spawn_rate=1");
	for (size_t i = 0; i <= LIMIT_AXIS_VALUES; i++)
		buf_add_text(&many, "&tags=a");
	expect_tags(FORM, many.p, "tags: more than 64 of them");
	buf_fini(&many);
	expect_tags(FORM, "user_count=1&spawn_rate=1&tags=nothing&profile=nightly",
		    "tags: they leave no class that makes users a task; /settings has the tags of "
		    "all tasks");
	assert_null(run.profile);
	assert_int_equal(mode.starts, 0);
}

static void expect_user(const char *body, unsigned status, const char *words)
{
	struct call c;

	begin_call(&c, "POST", "/user", "application/json", body);
	await(&c);
	assert_int_equal(c.status, status);
	if (!strstr(c.body, words))
		fail_msg("%s: %s", body, c.body);
	end_call(&c);
}

static void test_user_changes_the_share_of_a_class(void **state)
{
	static const char *const wrong[][2] = {
		{ "", "user_class_name" },
		{ "[]", "user_class_name" },
		{ "{\"weight\": 1}", "user_class_name" },
		{ "{\"user_class_name\": \"Gamma\", \"weight\": 1}", "'Gamma'" },
		{ "{\"user_class_name\": \"Beta\", \"weight\": \"1\"}", "weight must be" },
		{ "{\"user_class_name\": \"Beta\", \"weight\": -1}", "weight must be" },
		{ "{\"user_class_name\": \"Beta\", \"weight\": 1e10}", "weight must be" },
		{ "{\"user_class_name\": \"Beta\", \"fixed_count\": 1.5}", "fixed_count must be" },
		{ "{\"user_class_name\": \"Beta\", \"fixed_count\": -1}", "fixed_count must be" },
		{ "{\"user_class_name\": \"Beta\", \"fixed_count\": 10000001}",
		  "fixed_count must be" },
		{ "{\"user_class_name\": \"Beta\", \"abstract\": true}", "'abstract' cannot" },
		{ "{\"user_class_name\": \"Beta\", \"host\": 7}", "host must be" },
		{ "{\"user_class_name\": \"Beta\", \"host\": \"ftp://x\"}", "host: no ftp" },
		{ "{\"user_class_name\": \"Alpha\", \"tasks\": []}", "at least one task" },
		{ "{\"user_class_name\": \"Alpha\", \"tasks\": \"index\"}", "a list of names" },
		{ "{\"user_class_name\": \"Alpha\", \"tasks\": [1]}", "a list of names" },
		{ "{\"user_class_name\": \"Alpha\", \"tasks\": [\"index\", \"x\"]}",
		  "Alpha has no task 'x'" },
	};

	(void)state;
	expect_user("{\"user_class_name\": \"Beta\", \"weight\": 2.5, \"host\": null}", 201, "{}");
	assert_true(run.shares[1].weight == 2.5);
	assert_int_equal(run.shares[1].fixed_count, 0);
	expect_user("{\"user_class_name\": \"Beta\", \"fixed_count\": 3}", 201, "{}");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_user(wrong[i][0], 400, wrong[i][1]);
	assert_true(run.shares[1].weight == 2.5);
	assert_int_equal(run.shares[1].fixed_count, 3);
	/* Alpha has neither in this scenario: Beta is the last one with users. */
	expect_user("{\"user_class_name\": \"Beta\", \"weight\": 0, \"fixed_count\": 0}", 400,
		    "no class would be left");
}

static void test_user_changes_the_host_of_a_class(void **state)
{
	(void)state;
	expect_user("{\"user_class_name\": \"Beta\", \"weight\": 1, \"host\": \"b:81\"}", 201,
		    "{}");
	assert_string_equal(run_class_host(&run, 1), "http://b:81");
	assert_null(run_class_host(&run, 0));
	/* Another change leaves it, and so does a start that names none. */
	expect_user("{\"user_class_name\": \"Beta\", \"weight\": 2}", 201, "{}");
	expect_swarm(FORM, "user_count=5&spawn_rate=1&host=",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_string_equal(run_class_host(&run, 1), "http://b:81");
	expect_user("{\"user_class_name\": \"Beta\", \"host\": \"\"}", 400, "no other one");
	expect_swarm(FORM, "user_count=5&spawn_rate=1&host=http://t",
		     "{\n  \"host\": \"http://t\",\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_string_equal(run_class_host(&run, 1), "http://t");
	expect_user("{\"user_class_name\": \"Beta\", \"host\": \"https://b\"}", 201, "{}");
	assert_string_equal(run_class_host(&run, 1), "https://b");
	assert_string_equal(run_class_host(&run, 0), "http://t");
	expect_user("{\"user_class_name\": \"Beta\", \"host\": \"\"}", 201, "{}");
	assert_string_equal(run_class_host(&run, 1), "http://t");
}

static void test_user_changes_the_tasks_of_a_class(void **state)
{
	(void)state;
	expect_user("{\"user_class_name\": \"Alpha\", \"weight\": 1, "
		    "\"tasks\": [\"slow\", \"index\"]}",
		    201, "{}");
	assert_true(run.shares[0].draws[0] && run.shares[0].draws[1]);
	assert_false(run.shares[0].draws[2]);
	/* Another change leaves them. */
	expect_user("{\"user_class_name\": \"Alpha\", \"weight\": 3}", 201, "{}");
	assert_true(run.shares[0].draws[0] && run.shares[0].draws[1]);
	assert_false(run.shares[0].draws[2]);
	expect_user("{\"user_class_name\": \"Alpha\", \"tasks\": [\"fail\"]}", 201, "{}");
	assert_true(run.shares[0].draws[2]);
	assert_false(run.shares[0].draws[0] || run.shares[0].draws[1]);
}

static void test_swarm_says_what_is_wrong(void **state)
{
	static const struct {
		const char *form, *message;
	} cases[] = {
		{ "", "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=1", "Missing user_count or spawn_rate from /swarm request" },
		{ "spawn_rate=1", "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=0&spawn_rate=1",
		  "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=1&spawn_rate=0",
		  "Missing user_count or spawn_rate from /swarm request" },
		{ "user_count=x&spawn_rate=1",
		  "Invalid user_count value: 'x' (must be an integer)" },
		{ "user_count=1.5&spawn_rate=1",
		  "Invalid user_count value: '1.5' (must be an integer)" },
		{ "user_count=1&spawn_rate=fast",
		  "Invalid spawn_rate value: 'fast' (must be a number)" },
		{ "user_count=1&spawn_rate=nan",
		  "Invalid spawn_rate value: 'nan' (must be a number)" },
		{ "user_count=1&spawn_rate=1&run_time=soon",
		  "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc." },
		{ "user_count=-5&spawn_rate=1",
		  "user_count must be a whole number from 0 to 10000000" },
		{ "user_count=99999999999999999999999&spawn_rate=1",
		  "user_count must be a whole number from 0 to 10000000" },
		{ "user_count=5&spawn_rate=-1", "spawn_rate must be a number from 1e-06 upwards" },
		{ "user_count=%ff&spawn_rate=1",
		  "Invalid user_count value: '\xef\xbf\xbd' (must be an integer)" },
		{ "%zz=&&&=&user_count", "Missing user_count or spawn_rate from /swarm request" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *reply = mem_printf(
			"{\n  \"host\": null,\n  \"message\": \"%s\",\n  \"success\": false\n}\n",
			cases[i].message);

		expect_swarm(FORM, cases[i].form, reply);
		mem_free(reply);
	}
	expect_swarm("application/json", "{\"user_count\": [1], \"spawn_rate\": null",
		     "{\n  \"host\": null,\n"
		     "  \"message\": \"Missing user_count or spawn_rate from /swarm request\",\n"
		     "  \"success\": false\n}\n");
	assert_int_equal(mode.starts, 0);
	assert_int_equal(run.state, RUN_READY);
}

static void test_swarm_without_workers_is_locusts(void **state)
{
	(void)state;
	expect_swarm(FORM, "user_count=3&spawn_rate=1",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.starts, 0);
	assert_int_equal(run.state, RUN_READY);
}

static void test_swarm_while_stopping_is_refused(void **state)
{
	struct call c;

	(void)state;
	start_running();
	assert_int_equal(run_stop(&run, NULL, NULL), OK);
	begin_call(&c, "POST", "/swarm", FORM, "user_count=3&spawn_rate=1");
	await(&c);
	assert_non_null(strstr(c.body, "\"success\": false"));
	assert_non_null(strstr(c.body, "still stopping"));
	end_call(&c);
}

#define STOPPED "{\n  \"message\": \"Test stopped\",\n  \"success\": true\n}\n"

static void test_stop_answers_when_stopped(void **state)
{
	struct call c, second;

	(void)state;
	start_running();
	begin_call(&c, "GET", "/stop", "text/plain", "");
	begin_call(&second, "GET", "/stop", "text/plain", "");
	while (run.stop_waiter_count < 2)
		turn_for(CLOCK_MS);
	assert_false(c.is_over);
	assert_int_equal(mode.stops, 1);
	/* Other calls go on meanwhile. */
	json_decref(get_json("/stats/requests"));
	run_set_state(&run, RUN_STOPPED);
	await(&c);
	await(&second);
	assert_string_equal(c.body, STOPPED);
	assert_string_equal(second.body, STOPPED);
	end_call(&c);
	end_call(&second);
}

static void test_stop_answers_at_once_when_it_can(void **state)
{
	(void)state;
	expect_body("/stop", STOPPED); /* nothing runs */
	assert_int_equal(mode.stops, 0);
	mode.stops_at_once = true;
	start_running();
	expect_body("/stop", STOPPED);
	assert_int_equal(mode.stops, 1);
}

static void test_stop_is_bounded(void **state)
{
	struct call calls[LIMIT_API_STOPS], more;

	(void)state;
	start_running();
	for (size_t i = 0; i < LIMIT_API_STOPS; i++)
		begin_call(&calls[i], "GET", "/stop", "text/plain", "");
	while (run.stop_waiter_count < LIMIT_API_STOPS)
		turn_for(CLOCK_MS);
	call(&more, "GET", "/stop");
	assert_int_equal(more.status, 503);
	end_call(&more);
	/* The end of the server answers them too. */
	web_destroy(&web);
	assert_int_equal(run.stop_waiter_count, 0);
	for (size_t i = 0; i < LIMIT_API_STOPS; i++) {
		await(&calls[i]);
		assert_int_equal(calls[i].status, 503);
		assert_non_null(strstr(calls[i].body, "\"success\": false"));
		end_call(&calls[i]);
	}
}

static void test_stop_has_a_deadline(void **state)
{
	struct call c;

	(void)state;
	start_running();
	run.stop_timeout_s = 0.05 - STOP_EXTRA_S;
	call(&c, "GET", "/stop");
	assert_int_equal(c.status, 504);
	assert_non_null(strstr(c.body, "\"success\": false"));
	end_call(&c);
	assert_int_equal(run.stop_waiter_count, 0);
	assert_int_equal(run.state, RUN_STOPPING);
	run_set_state(&run, RUN_STOPPED); /* nobody is left to be told */
}

static void test_worker_count(void **state)
{
	(void)state;
	mode.workers = 4;
	expect_body("/worker-count", "{\n  \"worker_count\": 4\n}\n");
}

static void test_wrong_paths_and_methods(void **state)
{
	struct call c;

	(void)state;
	call(&c, "GET", "/swarm");
	assert_int_equal(c.status, 405);
	assert_non_null(strstr(c.reply.p, "Allow: "));
	end_call(&c);
	call(&c, "POST", "/stop");
	assert_int_equal(c.status, 405);
	assert_non_null(strstr(c.reply.p, "Content-Type: text/html; charset=utf-8\r\n"));
	assert_string_equal(c.body, "<!doctype html>\n<html lang=en>\n"
				    "<title>405 Method Not Allowed</title>\n"
				    "<h1>Method Not Allowed</h1>\n"
				    "<p>The method is not allowed for the requested URL.</p>\n");
	end_call(&c);
	call(&c, "GET", "/nothing");
	assert_int_equal(c.status, 404);
	assert_int_equal(strlen(c.body), 207); /* as of a real one */
	assert_non_null(strstr(c.body, "The requested URL was not found on the server. If you"));
	end_call(&c);
	call(&c, "OPTIONS", "/stats/requests");
	assert_true(c.status == 200 || c.status == 204);
	assert_non_null(strstr(c.reply.p, "Access-Control-Allow-Methods:"));
	end_call(&c);
}

static void test_origins_are_named(void **state)
{
	struct call c;

	(void)state;
	begin_call(&c, "GET", "/worker-count", "text/plain\r\nOrigin: http://a.example", "");
	await(&c);
	assert_non_null(strstr(c.reply.p, "Access-Control-Allow-Origin: http://a.example\r\n"));
	assert_non_null(strstr(c.reply.p, "Vary: Origin\r\n"));
	end_call(&c);
}

static void count_asked(void *arg, uint64_t ticket, struct serve_request *r)
{
	(void)ticket;
	(void)r;
	++*(unsigned *)arg;
}

/* Those that wait are answered, and so is what comes while their answers are sent. */
static void test_the_end_waits_for_no_guest(void **state)
{
	unsigned asked = 0;
	const struct web_guest guest = { count_asked, &asked };
	struct call calls[3];

	(void)state;
	web_destroy(&web);
	assert_int_equal(web_create(&loop, &run,
				    &(struct web_options){ .host = "127.0.0.1", .guest = &guest },
				    &web, &text),
			 OK);
	start_running();
	begin_call(&calls[0], "GET", "/of/a/guest", "text/plain", "");
	while (!asked)
		turn_for(CLOCK_MS);
	begin_call(&calls[1], "GET", "/of/a/guest", "text/plain", "");
	begin_call(&calls[2], "GET", "/stop", "text/plain", "");
	web_destroy(&web);
	await(&calls[0]);
	assert_int_equal(calls[0].status, 503);
	for (size_t i = 1; i < 3; i++) {
		while (!calls[i].is_over)
			assert_false(turn_for(GUARD_US));
		/* Or it was too late for any answer. */
		if (calls[i].reply.len)
			assert_memory_equal(calls[i].reply.p, "HTTP/1.1 503", 12);
	}
	for (size_t i = 0; i < 3; i++)
		end_call(&calls[i]);
	assert_int_equal(asked, 1);
}

static void test_swarm_takes_multipart_too(void **state)
{
	(void)state;
	expect_swarm("multipart/form-data; boundary=bb",
		     "--bb\r\nContent-Disposition: form-data; name=\"user_count\"\r\n\r\n7\r\n"
		     "--bb\r\nContent-Disposition: form-data; name=\"spawn_rate\"\r\n\r\n2\r\n"
		     "--bb--\r\n",
		     "{\n  \"host\": null,\n  \"message\": \"Swarming started\",\n"
		     "  \"success\": true\n}\n");
	assert_int_equal(mode.last.user_count, 7);
}

static void test_time_goes_on_without_calls(void **state)
{
	struct run_start start = { .user_count = 1, .spawn_rate = 1, .run_time_s = 1 };

	(void)state;
	assert_int_equal(run_start(&run, &start, &text), OK);
	await_state(RUN_STOPPING);
}

/* Both ways: what is served is described, and nothing else is. */
static void test_every_route_is_described(void **state)
{
	json_t *document = get_json("/openapi.json");
	json_t *paths = json_object_get(document, "paths"), *operations;
	const char *path, *method;
	json_t *operation;
	size_t described = 0, served = 0;

	(void)state;
	for (const struct serve_route *at = routes; at->method; at++, served++) {
		const json_t *entry = json_object_get(paths, at->path);

		if (!json_object_get(entry, strcmp(at->method, "GET") ? "post" : "get"))
			fail_msg("%s %s is not described", at->method, at->path);
	}
	json_object_foreach (paths, path, operations)
		json_object_foreach (operations, method, operation)
			described++;
	assert_int_equal(described, served);
	json_decref(document);
}

static void test_taken_port_is_said(void **state)
{
	struct web_options options = { .host = "127.0.0.1", .port = web_port(web) };
	struct web *none = NULL;
	char port[16];

	(void)state;
	assert_int_equal(web_create(&loop, &run, &options, &none, &text), ERR_BUSY);
	snprintf(port, sizeof(port), "%u", options.port);
	assert_non_null(strstr(text.text, port));
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCAL(test_swarm_starts),
		LOCAL(test_swarm_takes_a_host_without_scheme),
		LOCAL(test_swarm_takes_json_too),
		LOCAL(test_swarm_with_some_classes),
		LOCAL(test_the_end_waits_for_no_guest),
		LOCAL(test_swarm_in_json_has_the_options_of_a_locustfile),
		LOCAL(test_swarm_with_a_shape_needs_no_numbers),
		LOCAL(test_swarm_chooses_among_shapes),
		LOCAL(test_swarm_may_do_without_the_shape),
		LOCAL(test_swarm_chooses_tasks_by_tags),
		LOCAL(test_swarm_that_is_refused_chooses_nothing),
		LOCAL(test_user_changes_the_share_of_a_class),
		LOCAL(test_user_changes_the_host_of_a_class),
		LOCAL(test_user_changes_the_tasks_of_a_class),
		LOCAL(test_swarm_says_what_is_wrong),
		MASTER(test_swarm_without_workers_is_locusts),
		LOCAL(test_swarm_while_stopping_is_refused),
		LOCAL(test_stop_answers_when_stopped),
		LOCAL(test_stop_answers_at_once_when_it_can),
		LOCAL(test_stop_is_bounded),
		LOCAL(test_stop_has_a_deadline),
		MASTER(test_worker_count),
		LOCAL(test_wrong_paths_and_methods),
		LOCAL(test_origins_are_named),
		LOCAL(test_swarm_takes_multipart_too),
		LOCAL(test_time_goes_on_without_calls),
		LOCAL(test_every_route_is_described),
		LOCAL(test_taken_port_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
