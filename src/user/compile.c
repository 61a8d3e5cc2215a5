/* SPDX-License-Identifier: MIT
 *
 * compile - see the header. An object appears under its name by rename(), whole: several
 * workers of one machine may compile the same source at the same time. */
#include "user/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cicada.h"

#define MESSAGE_BYTES_MAX (64 * 1024)
#define MESSAGE_LINES	  3
/* Enough for the few words we add to those of $CC. */
#define ARGUMENTS_MAX (LIMIT_COMPILER_WORDS + 16)

/* Optimised, for tasks run in the load threads; with names for a debugger. */
static const char *const flags[] = {
	"-shared", "-fPIC", "-O2", "-g",
	/* A frame larger than what is left of a stack meets its guard. */
	"-fstack-clash-protection", "-Werror=implicit-function-declaration",
	"-Werror=int-conversion", "-Werror=incompatible-pointer-types"
};
static const char *const compilers[] = { "cc", "gcc", "clang", "tcc" };

struct compiler {
	char *words; /* cut by NULs */
	const char *argv[ARGUMENTS_MAX];
	size_t count;
};

/* FNV-1a of 128 bits. It guards against chance, not malice: the folder is the user's own. */
typedef unsigned __int128 digest;

static digest digest_add(digest d, const void *bytes, size_t len)
{
	const digest prime = (digest)1 << 88 | 0x13b;
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		d = (d ^ p[i]) * prime;
	return d;
}

static bool is_file(const char *folder, const char *name)
{
	char *path = mem_printf("%s/%s", folder, name);
	bool is = access(path, R_OK) == 0;

	mem_free(path);
	return is;
}

/* The folder of cicada.h. */
static enum err find_include(char **out, struct err_text *text)
{
	static const char *const places[] = { "../include", "../../include" };
	const char *given = getenv("CICADA_INCLUDE");
	char program[4096];
	ssize_t len;

	if (given && *given) {
		*out = mem_strdup(given);
		if (is_file(given, "cicada.h"))
			return OK;
		return err_set(text, ERR_NOT_FOUND,
			       "no cicada.h in %s, where CICADA_INCLUDE points to", given);
	}
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len > 0) {
		program[len] = '\0';
		*strrchr(program, '/') = '\0';
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			*out = mem_printf("%s/%s", program, places[i]);
			if (is_file(*out, "cicada.h"))
				return OK;
			mem_free(*out);
			*out = NULL;
		}
	}
	return err_set(text, ERR_NOT_FOUND,
		       "cicada.h is neither in ../include nor in ../../include beside the program; "
		       "set CICADA_INCLUDE to its folder");
}

static bool is_installed(const char *name)
{
	struct str rest = str_of(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin"), folder;

	while (str_cut(&rest, ':', &folder)) {
		char *path = mem_printf("%.*s/%s", STR_ARG(folder), name);
		bool is = folder.len && access(path, X_OK) == 0;

		mem_free(path);
		if (is)
			return true;
	}
	return false;
}

/* Cuts c->words at its blanks. */
static enum err split_words(struct compiler *c, struct err_text *text)
{
	char *word = c->words + strspn(c->words, " \t");

	while (*word) {
		size_t len = strcspn(word, " \t");
		char *next = word + len + strspn(word + len, " \t");

		if (c->count == LIMIT_COMPILER_WORDS)
			return err_set(text, ERR_TOO_BIG, "CC has more than %d words",
				       LIMIT_COMPILER_WORDS);
		word[len] = '\0';
		c->argv[c->count++] = word;
		word = next;
	}
	return OK;
}

static enum err find_compiler(struct compiler *c, struct err_text *text)
{
	const char *given = getenv("CC");

	if (given && given[strspn(given, " \t")]) {
		c->words = mem_strdup(given);
		return split_words(c, text);
	}
	for (size_t i = 0; i < sizeof(compilers) / sizeof(compilers[0]); i++)
		if (is_installed(compilers[i])) {
			c->argv[c->count++] = compilers[i];
			return OK;
		}
	return err_set(text, ERR_NOT_FOUND,
		       "no C compiler (cc, gcc, clang or tcc) in PATH; install tcc, or set CC");
}

/* Makes the folder if need be; true if it is ours alone and code may be loaded from it. */
static bool own_folder(const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return false;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 077) && access(path, W_OK) == 0 && statvfs(path, &fs) == 0 &&
	       !(fs.f_flag & ST_NOEXEC);
}

static bool try_folder(char *path, char **out)
{
	if (own_folder(path)) {
		*out = path;
		return true;
	}
	mem_free(path);
	return false;
}

static enum err find_cache(char **out, struct err_text *text)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *parent;

	if (xdg && xdg[0] == '/' && try_folder(mem_printf("%s/cicada", xdg), out))
		return OK;
	if (home && home[0] == '/') {
		parent = mem_printf("%s/.cache", home);
		(void)mkdir(parent, 0700);
		if (try_folder(mem_printf("%s/cicada", parent), out)) {
			mem_free(parent);
			return OK;
		}
		mem_free(parent);
	}
	if (try_folder(mem_printf("/tmp/cicada-%u", (unsigned)geteuid()), out))
		return OK;
	return err_set(text, ERR_IO,
		       "no folder of our own for compiled scenarios; set XDG_CACHE_HOME to one "
		       "that can be written and is not mounted noexec");
}

/* An #include that is not of the form <...>. */
static bool includes_own_files(struct str source)
{
	struct str line;

	while (str_cut(&source, '\n', &line)) {
		line = str_trim(line);
		if (!line.len || line.p[0] != '#')
			continue;
		line = str_trim((struct str){ line.p + 1, line.len - 1 });
		if (line.len < 7 || memcmp(line.p, "include", 7) != 0)
			continue;
		line = str_trim((struct str){ line.p + 7, line.len - 7 });
		if (!line.len || line.p[0] != '<')
			return true;
	}
	return false;
}

static enum err read_into(digest *d, const char *path, size_t max, bool *includes,
			  struct err_text *text)
{
	struct buf bytes;
	enum err err;

	buf_init(&bytes, max);
	err = file_read(path, &bytes, text);
	*d = digest_add(*d, bytes.p, bytes.len);
	*includes = includes_own_files(buf_str(&bytes));
	buf_fini(&bytes);
	return err;
}

/* The object's path; *is_fixed: whoever has it has the right one. */
static enum err name_object(const struct compiler *c, const char *source, const char *include,
			    const char *cache, char **object, bool *is_fixed, struct err_text *text)
{
	digest d = (digest)0x6c62272e07bb0142 << 64 | 0x62b821756295c58d;
	const unsigned abi = CIC_ABI;
	const char *slash = strrchr(source, '/'), *base = slash ? slash + 1 : source;
	char *header = mem_printf("%s/cicada.h", include);
	bool includes = false, ignored;
	enum err err = read_into(&d, source, LIMIT_SCENARIO_SOURCE_BYTES, &includes, text);

	if (!err)
		err = read_into(&d, header, LIMIT_SCENARIO_SOURCE_BYTES, &ignored, text);
	mem_free(header);
	/* Stands in the object: what is wrong is said with its file. */
	d = digest_add(d, base, strlen(base) + 1);
	for (size_t i = 0; i < c->count; i++)
		d = digest_add(d, c->argv[i], strlen(c->argv[i]) + 1);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		d = digest_add(d, flags[i], strlen(flags[i]) + 1);
	d = digest_add(d, &abi, sizeof(abi));
	*is_fixed = !includes;
	if (!err)
		*object = mem_printf("%s/%016llx%016llx.so", cache, (unsigned long long)(d >> 64),
				     (unsigned long long)d);
	return err;
}

/* Into *messages until the stream ends. False: it did not in time. */
static bool read_messages(int fd, struct buf *messages)
{
	uint64_t until_us = clock_us() + LIMIT_COMPILER_S * CLOCK_S, now_us;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char bytes[4096];

	while ((now_us = clock_us()) < until_us) {
		ssize_t n;

		if (poll(&poll_fd, 1, (int)((until_us - now_us) / CLOCK_MS) + 1) <= 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0 || (n < 0 && errno != EINTR))
			return true;
		if (n > 0)
			buf_add(messages, bytes, (size_t)n);
	}
	return false;
}

/* Runs the compiler in a process group of its own; its words go to *messages. */
static enum err run_compiler(const struct compiler *c, struct buf *messages, int *status,
			     struct err_text *text)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	bool is_in_time;
	int ends[2], error;
	sigset_t none;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(text, ERR_IO, "cannot open a pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&pid, c->argv[0], &actions, &attributes, (char *const *)c->argv,
			     environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	close(ends[1]);
	is_in_time = error || read_messages(ends[0], messages);
	close(ends[0]);
	if (error)
		return err_set(text, ERR_NOT_FOUND, "cannot run the compiler %s: %s", c->argv[0],
			       strerror(error));
	if (!is_in_time)
		kill(-pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (!is_in_time)
		return err_set(text, ERR_TIMEOUT, "the compiler %s was not done within %d s",
			       c->argv[0], LIMIT_COMPILER_S);
	return OK;
}

/* Of an error in a macro of cicada.h the scenario's line is in a note behind it. */
static bool is_of_error(struct str line, const char *source)
{
	size_t len = strlen(source);
	bool is_own = line.len > len && memcmp(line.p, source, len) == 0;

	if (memmem(line.p, line.len, "error", 5))
		return memcmp(line.p, "cc1: ", 5) != 0;
	return is_own && memmem(line.p, line.len, "in expansion of macro", 21);
}

/* The first lines that speak of errors, else the first lines. */
static void say_messages(struct str messages, const char *source, struct err_text *text)
{
	struct str line, rest;
	int lines = 0;

	for (int pass = 0; pass < 2 && !lines; pass++) {
		rest = messages;
		while (lines < MESSAGE_LINES && str_cut(&rest, '\n', &line)) {
			size_t at = strlen(text->text);

			if (!line.len || (pass == 0 && !is_of_error(line, source)))
				continue;
			snprintf(text->text + at, sizeof(text->text) - at, "%s%.*s",
				 lines++ ? "\n" : "", STR_ARG(line));
		}
	}
}

static enum err compile_to(struct compiler *c, const char *source, const char *include,
			   const char *object, struct err_text *text)
{
	char *unfinished = mem_printf("%s.%ld", object, (long)getpid());
	char *search = mem_printf("-I%s", include);
	const char *const last[] = { search, "-o", unfinished, source, NULL };
	struct err_text words = { 0 };
	struct buf messages;
	int status = 0;
	enum err err;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		c->argv[c->count++] = flags[i];
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		c->argv[c->count++] = last[i];
	buf_init(&messages, MESSAGE_BYTES_MAX);
	err = run_compiler(c, &messages, &status, text);
	if (!err && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		say_messages(buf_str(&messages), source, &words);
		err = err_set(text, ERR_BAD_INPUT, "%s",
			      words.text[0] ? words.text : "the compiler failed without a word");
	}
	if (!err && rename(unfinished, object) < 0)
		err = err_set(text, ERR_IO, "cannot write %s: %s", object, strerror(errno));
	if (err)
		unlink(unfinished);
	buf_fini(&messages);
	mem_free(search);
	mem_free(unfinished);
	return err;
}

enum err compile_scenario(const char *source, char **object, struct err_text *text)
{
	struct compiler c = { 0 };
	char *include = NULL, *cache = NULL, *path = NULL;
	bool is_fixed = false;
	enum err err = find_include(&include, text);

	*object = NULL;
	if (!err)
		err = find_compiler(&c, text);
	if (!err)
		err = find_cache(&cache, text);
	if (!err)
		err = name_object(&c, source, include, cache, &path, &is_fixed, text);
	if (!err && !(is_fixed && access(path, R_OK) == 0))
		err = compile_to(&c, source, include, path, text);
	if (!err) {
		*object = path;
		path = NULL;
	}
	mem_free(path);
	mem_free(cache);
	mem_free(include);
	mem_free(c.words);
	return err;
}
