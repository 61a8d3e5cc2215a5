/* SPDX-License-Identifier: MIT
 *
 * serve_login - people with passwords, and the sessions of their browsers.
 *
 * Passwords are known by their hashes only. Looking at one costs some milliseconds on purpose, and
 * as often wrong ones are looked at, which hands out guesses: so after LIMIT_LOGIN_GUESSES wrong
 * ones there is one per second, whoever asks. Sessions, and programs whose password was right once,
 * do not wait for that.
 *
 * Belongs to one thread: for a server that its owner drives. Time is a parameter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SERVE_SESSION_BYTES 32 /* drawn at random */
#define SERVE_SESSION_TEXT  (2 * SERVE_SESSION_BYTES + 1)

struct serve_login;

enum serve_login_result { SERVE_LOGIN_RIGHT, SERVE_LOGIN_WRONG, SERVE_LOGIN_LATER };

/* said: user:hash, or the name of a file with a line of this for each user; blank lines and those
 * with # are passed over. Hashes are those of crypt(5). ERR_BAD_INPUT names file and line; no hash
 * is shown. */
enum err serve_login_create(struct serve_login **out, const char *said,
			    struct err_text *text) MUST_CHECK;
/* Nobody: who has a session was let in by somebody else. */
struct serve_login *serve_login_create_empty(void);
void serve_login_destroy(struct serve_login **l);

enum serve_login_result serve_login_check(struct serve_login *l, struct str user,
					  struct str password, uint64_t now_us);

/* A new session: hex digits. When there are LIMIT_LOGIN_SESSIONS, it takes the place of the one
 * that was used the longest ago. */
enum err serve_login_open(struct serve_login *l, char session[SERVE_SESSION_TEXT],
			  uint64_t now_us) MUST_CHECK;
/* Whether it is open; it is for LIMIT_LOGIN_SESSION_S longer then. */
bool serve_login_knows(struct serve_login *l, struct str session, uint64_t now_us);
void serve_login_close(struct serve_login *l, struct str session);
