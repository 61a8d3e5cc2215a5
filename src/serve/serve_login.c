/* SPDX-License-Identifier: MIT
 *
 * serve_login - see the header.
 *
 * A program says its password with every request. One that was right is remembered as a keyed
 * digest, so that the next request costs no slow hash. The key is drawn anew in every process. */
#include "serve/serve_login.h"

#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"

#define DIGEST_BYTES 32 /* SHA-256 */
/* Of a hash. The thread that looks at it does other things, too. */
#define HASH_MAX_S 1

struct user {
	char *name, *hash;
	unsigned char digest[DIGEST_BYTES]; /* of the password, once it was right */
	bool has_digest;
};

struct session {
	char id[SERVE_SESSION_TEXT];
	uint64_t ends_us; /* 0: there is none */
};

struct serve_login {
	struct user users[LIMIT_LOGIN_USERS];
	size_t user_count;
	struct session sessions[LIMIT_LOGIN_SESSIONS];
	unsigned char key[DIGEST_BYTES];
	uint64_t guesses_until_us; /* each wrong one moves it by a second */
	struct crypt_data scratch;
};

static void forget(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}

/* The same hash again when the password is right. Lent until the next call. */
static const char *hash_of(struct serve_login *l, const char *password, const char *hash)
{
	return crypt_rn(password, hash, &l->scratch, sizeof(l->scratch));
}

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum err check_hash(struct serve_login *l, const char *hash, const char *place,
			   struct err_text *text)
{
	double begun_s = cpu_s();
	const char *made = crypt_checksalt(hash) == CRYPT_SALT_OK ? hash_of(l, "", hash) : NULL;

	if (!made || strlen(made) != strlen(hash))
		return err_set(text, ERR_BAD_INPUT,
			       "%s: no hash of a strong kind behind the user's name; "
			       "`openssl passwd -6` or `mkpasswd` makes one",
			       place);
	if (cpu_s() - begun_s > HASH_MAX_S)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: a hash that takes more than %d s to look at; make one with "
			       "fewer rounds",
			       place, HASH_MAX_S);
	return OK;
}

static struct user *find_user(struct serve_login *l, struct str name)
{
	for (size_t i = 0; i < l->user_count; i++)
		if (str_eq(name, l->users[i].name))
			return &l->users[i];
	return NULL;
}

/* place: of the line, for people. */
static enum err add_user(struct serve_login *l, struct str line, const char *place,
			 struct err_text *text)
{
	struct str name;
	char *hash;
	enum err err;

	if (!str_cut(&line, ':', &name) || !name.len || !line.p)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: give USER:HASH; `openssl passwd -6` makes a hash", place);
	if (find_user(l, name))
		return err_set(text, ERR_BAD_INPUT, "%s: the user %.*s is there already", place,
			       STR_ARG(name));
	if (l->user_count == LIMIT_LOGIN_USERS)
		return err_set(text, ERR_TOO_BIG, "%s: %d users are the limit", place,
			       LIMIT_LOGIN_USERS);
	hash = mem_printf("%.*s", STR_ARG(line));
	err = check_hash(l, hash, place, text);
	l->users[l->user_count++] =
		(struct user){ .name = mem_printf("%.*s", STR_ARG(name)), .hash = hash };
	return err;
}

static enum err read_users(struct serve_login *l, const char *path, struct err_text *text)
{
	char place[512];
	unsigned number = 0;
	struct str rest, line;
	struct buf file;
	enum err err;

	buf_init(&file, LIMIT_LOGIN_FILE_BYTES);
	err = file_read(path, &file, text);
	rest = buf_str(&file);
	while (!err && str_cut(&rest, '\n', &line)) {
		number++;
		line = str_trim(line);
		snprintf(place, sizeof(place), "%.400s:%u", path, number);
		if (line.len && line.p[0] != '#')
			err = add_user(l, line, place, text);
	}
	if (!err && !l->user_count)
		err = err_set(text, ERR_BAD_INPUT,
			      "%s: no user in it; give a line USER:HASH for each", path);
	if (file.p)
		forget(file.p, file.len);
	buf_fini(&file);
	return err;
}

enum err serve_login_create(struct serve_login **out, const char *said, struct err_text *text)
{
	struct serve_login *l = mem_zalloc(1, sizeof(*l));
	enum err err;

	if (getrandom(l->key, sizeof(l->key), 0) != sizeof(l->key))
		err = err_set(text, ERR_IO, "no random numbers from the system");
	else if (strchr(said, ':') && access(said, F_OK) != 0)
		err = add_user(l, str_of(said), "USER:HASH", text);
	else
		err = read_users(l, said, text);
	if (err)
		serve_login_destroy(&l);
	*out = l;
	return err;
}

struct serve_login *serve_login_create_empty(void)
{
	return mem_zalloc(1, sizeof(struct serve_login));
}

void serve_login_destroy(struct serve_login **at)
{
	struct serve_login *l = *at;

	*at = NULL;
	if (!l)
		return;
	for (size_t i = 0; i < l->user_count; i++) {
		mem_free(l->users[i].name);
		mem_free(l->users[i].hash);
	}
	forget(l, sizeof(*l));
	mem_free(l);
}

/* How long it takes does not tell how much of it was right. */
static bool is_same(const void *a, const void *b, size_t len)
{
	return gnutls_memcmp(a, b, len) == 0;
}

static void digest(const struct serve_login *l, const char *password, unsigned char *out)
{
	ensure(gnutls_hmac_fast(GNUTLS_MAC_SHA256, l->key, sizeof(l->key), password,
				strlen(password), out) == 0);
}

static bool is_right(struct serve_login *l, const struct user *user, const char *password)
{
	const char *made = hash_of(l, password, user->hash);

	return made && strlen(made) == strlen(user->hash) &&
	       is_same(made, user->hash, strlen(made));
}

static bool may_guess(const struct serve_login *l, uint64_t now_us)
{
	return l->guesses_until_us + CLOCK_S <= now_us + LIMIT_LOGIN_GUESSES * CLOCK_S;
}

static void note_guess(struct serve_login *l, uint64_t now_us)
{
	if (l->guesses_until_us < now_us)
		l->guesses_until_us = now_us;
	l->guesses_until_us += CLOCK_S;
}

static enum serve_login_result check_password(struct serve_login *l, struct user *user,
					      const char *password, uint64_t now_us)
{
	unsigned char said[DIGEST_BYTES];
	/* For a user that does not exist as much work is done. */
	const struct user *looked_at = user ? user : &l->users[0];

	digest(l, password, said);
	if (user && user->has_digest && is_same(said, user->digest, sizeof(said)))
		return SERVE_LOGIN_RIGHT;
	if (!may_guess(l, now_us))
		return SERVE_LOGIN_LATER;
	if (!is_right(l, looked_at, password) || !user) {
		note_guess(l, now_us);
		return SERVE_LOGIN_WRONG;
	}
	memcpy(user->digest, said, sizeof(said));
	user->has_digest = true;
	return SERVE_LOGIN_RIGHT;
}

enum serve_login_result serve_login_check(struct serve_login *l, struct str user,
					  struct str password, uint64_t now_us)
{
	char text[LIMIT_PASSWORD_BYTES + 1];
	enum serve_login_result result;

	if (!l->user_count || password.len > LIMIT_PASSWORD_BYTES)
		return SERVE_LOGIN_WRONG;
	snprintf(text, sizeof(text), "%.*s", STR_ARG(password));
	result = check_password(l, find_user(l, user), text, now_us);
	forget(text, sizeof(text));
	return result;
}

static struct session *find_session(struct serve_login *l, struct str id, uint64_t now_us)
{
	struct session *found = NULL;

	if (id.len != SERVE_SESSION_TEXT - 1)
		return NULL;
	for (size_t i = 0; i < LIMIT_LOGIN_SESSIONS; i++)
		if (l->sessions[i].ends_us > now_us && is_same(l->sessions[i].id, id.p, id.len))
			found = &l->sessions[i];
	return found;
}

enum err serve_login_open(struct serve_login *l, char session[SERVE_SESSION_TEXT], uint64_t now_us)
{
	struct session *at = &l->sessions[0];
	unsigned char drawn[SERVE_SESSION_BYTES];

	if (getrandom(drawn, sizeof(drawn), 0) != sizeof(drawn))
		return ERR_IO;
	for (size_t i = 0; i < LIMIT_LOGIN_SESSIONS; i++)
		if (l->sessions[i].ends_us < at->ends_us)
			at = &l->sessions[i];
	for (size_t i = 0; i < sizeof(drawn); i++)
		snprintf(at->id + 2 * i, 3, "%02x", drawn[i]);
	at->ends_us = now_us + LIMIT_LOGIN_SESSION_S * CLOCK_S;
	memcpy(session, at->id, sizeof(at->id));
	return OK;
}

bool serve_login_knows(struct serve_login *l, struct str session, uint64_t now_us)
{
	struct session *found = find_session(l, session, now_us);

	if (found)
		found->ends_us = now_us + LIMIT_LOGIN_SESSION_S * CLOCK_S;
	return found != NULL;
}

void serve_login_close(struct serve_login *l, struct str session)
{
	struct session *found = find_session(l, session, 0);

	if (found)
		found->ends_us = 0;
}
