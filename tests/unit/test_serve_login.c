/* SPDX-License-Identifier: MIT
 *
 * serve_login: passwords by their hashes, how often one may guess, and sessions that end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "serve/serve_login.h"

/* "secret" and "other": openssl passwd -6 -salt abcdefgh, mkpasswd -m yescrypt -R 1. */
#define ANN \
	"ann:$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/" \
	"1GM/O6IND4WQhG."
#define BOB "bob:$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$49YCfJETrXKKXjY529HoPs8fJe0ACr0CbB8D2V7A0W2"

static struct serve_login *made(const char *said)
{
	struct serve_login *l;
	struct err_text text = { "" };

	if (serve_login_create(&l, said, &text))
		fail_msg("%s", text.text);
	return l;
}

static enum serve_login_result check(struct serve_login *l, const char *user, const char *password,
				     uint64_t now_us)
{
	return serve_login_check(l, str_of(user), str_of(password), now_us);
}

/* A file with this in it, whose name is given back. */
static const char *file_of(const char *content)
{
	static char path[32];
	int fd;

	snprintf(path, sizeof(path), "/tmp/cicada-login-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
	return path;
}

static void users_are_known_by_the_hashes_of_their_passwords(void **state)
{
	const char *path = file_of("# people\n\n  " ANN " \r\n" BOB);
	struct serve_login *l = made(path);

	(void)state;
	unlink(path);
	assert_int_equal(check(l, "ann", "secret", 0), SERVE_LOGIN_RIGHT);
	assert_int_equal(check(l, "bob", "other", 0), SERVE_LOGIN_RIGHT);
	assert_int_equal(check(l, "ann", "other", 0), SERVE_LOGIN_WRONG);
	assert_int_equal(check(l, "bob", "", 0), SERVE_LOGIN_WRONG);
	assert_int_equal(check(l, "an", "secret", 0), SERVE_LOGIN_WRONG);
	/* Once more: now it is known without a hash. */
	assert_int_equal(check(l, "ann", "secret", 0), SERVE_LOGIN_RIGHT);
	serve_login_destroy(&l);
	assert_null(l);
}

static void wrong_passwords_have_to_wait(void **state)
{
	struct serve_login *l = made(ANN);
	char endless[LIMIT_PASSWORD_BYTES + 2];

	(void)state;
	for (int i = 0; i < LIMIT_LOGIN_GUESSES; i++)
		assert_int_equal(check(l, i % 2 ? "ann" : "nobody", "guess", CLOCK_S),
				 SERVE_LOGIN_WRONG);
	assert_int_equal(check(l, "ann", "secret", CLOCK_S), SERVE_LOGIN_LATER);
	assert_int_equal(check(l, "nobody", "guess", 2 * CLOCK_S - 1), SERVE_LOGIN_LATER);
	assert_int_equal(check(l, "ann", "secret", 2 * CLOCK_S + 1), SERVE_LOGIN_RIGHT);
	assert_int_equal(check(l, "ann", "guess", 2 * CLOCK_S + 1), SERVE_LOGIN_WRONG);
	/* Whose password was right before does not wait. */
	assert_int_equal(check(l, "ann", "guess", 2 * CLOCK_S + 1), SERVE_LOGIN_LATER);
	assert_int_equal(check(l, "ann", "secret", 2 * CLOCK_S + 1), SERVE_LOGIN_RIGHT);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(check(l, "ann", endless, 2 * CLOCK_S + 1), SERVE_LOGIN_WRONG);
	serve_login_destroy(&l);
}

static void sessions_end_and_the_oldest_gives_way(void **state)
{
	const uint64_t length_us = LIMIT_LOGIN_SESSION_S * CLOCK_S;
	struct serve_login *l = made(ANN);
	char first[SERVE_SESSION_TEXT], second[SERVE_SESSION_TEXT], more[SERVE_SESSION_TEXT];

	(void)state;
	assert_int_equal(serve_login_open(l, first, 0), OK);
	assert_int_equal(serve_login_open(l, second, 1), OK);
	assert_int_equal(strspn(first, "0123456789abcdef"), 2 * SERVE_SESSION_BYTES);
	assert_string_not_equal(first, second);
	assert_true(serve_login_knows(l, str_of(first), length_us - 1));
	assert_true(serve_login_knows(l, str_of(first), length_us + 10));
	assert_false(serve_login_knows(l, str_of(second), length_us + 10));
	assert_false(serve_login_knows(l, str_of(""), 0));
	assert_false(serve_login_knows(l, (struct str){ first, sizeof(first) - 2 }, length_us));
	for (int i = 0; i < LIMIT_LOGIN_SESSIONS - 1; i++)
		assert_int_equal(serve_login_open(l, more, length_us + 20), OK);
	assert_true(serve_login_knows(l, str_of(first), length_us + 10));
	assert_int_equal(serve_login_open(l, second, length_us + 20), OK);
	assert_false(serve_login_knows(l, str_of(first), length_us + 20));
	serve_login_close(l, str_of(second));
	assert_false(serve_login_knows(l, str_of(second), length_us + 20));
	assert_true(serve_login_knows(l, str_of(more), length_us + 20));
	serve_login_close(l, str_of("nothing"));
	serve_login_destroy(&l);
}

static void what_is_no_user_is_said_so(void **state)
{
	static const struct {
		const char *content, *said;
	} cases[] = {
		{ "", ": no user in it" },
		{ "# nobody\n", ": no user in it" },
		{ "\nann\n", ":2: give USER:HASH" },
		{ ":" ANN, ":1: give USER:HASH" },
		{ "ann:secret", ":1: no hash of a strong kind" },
		{ "ann:$6$abcdefgh", ":1: no hash of a strong kind" },
		{ "ann:$1$abcdefgh$G//4keteveJp0qb8z2DxG/", ":1: no hash of a strong kind" },
		{ "ann:*", ":1: no hash of a strong kind" },
		{ ANN "\n" ANN, ":2: the user ann is there already" },
	};
	struct err_text text = { "" };
	struct serve_login *l;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = file_of(cases[i].content);

		assert_int_equal(serve_login_create(&l, path, &text), ERR_BAD_INPUT);
		unlink(path);
		assert_null(l);
		if (!strstr(text.text, cases[i].said))
			fail_msg("case %zu: %s", i, text.text);
		assert_null(strstr(text.text, "$6$"));
	}
	assert_int_equal(serve_login_create(&l, "ann:my secret", &text), ERR_BAD_INPUT);
	assert_null(strstr(text.text, "my secret"));
	assert_int_equal(serve_login_create(&l, "/nowhere/users", &text), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_known_by_the_hashes_of_their_passwords),
		cmocka_unit_test(wrong_passwords_have_to_wait),
		cmocka_unit_test(sessions_end_and_the_oldest_gives_way),
		cmocka_unit_test(what_is_no_user_is_said_so),
	};

	return cmocka_run_group_tests_name("serve_login", tests, NULL, NULL);
}
