/* SPDX-License-Identifier: MIT
 *
 * cluster_key - see the header. */
#include "cluster/cluster_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_BYTES 256

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_digits(struct str digits, uint8_t out[CLUSTER_KEY_BYTES])
{
	if (digits.len != 2 * CLUSTER_KEY_BYTES)
		return false;
	for (size_t i = 0; i < CLUSTER_KEY_BYTES; i++) {
		int high = digit_of(digits.p[2 * i]), low = digit_of(digits.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum err cluster_key_read(const char *path, struct cluster_key *out, struct err_text *text)
{
	struct buf file;
	enum err err;

	*out = (struct cluster_key){ 0 };
	buf_init(&file, FILE_BYTES);
	err = file_read(path, &file, text);
	if (err == ERR_TOO_BIG || (!err && !read_digits(str_trim(buf_str(&file)), out->bytes)))
		err = err_set(text, ERR_BAD_INPUT,
			      "%s: a cluster key is 64 hexadecimal digits; openssl rand -hex 32 "
			      "makes one",
			      path);
	if (file.p)
		explicit_bzero(file.p, file.len);
	buf_fini(&file);
	return err;
}

static enum err read_peers(struct cluster_key *out, const char *path, struct str rest,
			   struct err_text *text)
{
	struct str line, digits;

	for (unsigned number = 1; str_cut(&rest, '\n', &line); number++) {
		line = str_trim(line);
		if (!line.len || line.p[0] == '#')
			continue;
		if (out->peer_count == LIMIT_WORKERS)
			return err_set(text, ERR_TOO_BIG, "%s:%u: %d keys are the limit", path,
				       number, LIMIT_WORKERS);
		(void)str_cut(&line, ' ', &digits);
		if (!read_digits(digits, out->peers[out->peer_count++]))
			return err_set(text, ERR_BAD_INPUT,
				       "%s:%u: a public key is 64 hexadecimal digits; "
				       "--cluster-public shows that of a --cluster-key",
				       path, number);
	}
	return out->peer_count ? OK
			       : err_set(text, ERR_BAD_INPUT,
					 "%s: no key in it; --cluster-public shows that of a "
					 "--cluster-key",
					 path);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, CLUSTER_KEY_BYTES);
}

enum err cluster_key_read_peers(const char *path, struct cluster_key *out, struct err_text *text)
{
	struct buf file;
	enum err err;

	buf_init(&file, LIMIT_CLUSTER_PEERS_BYTES);
	err = file_read(path, &file, text);
	if (!err) {
		out->peers = mem_zalloc(LIMIT_WORKERS, sizeof(out->peers[0]));
		err = read_peers(out, path, buf_str(&file), text);
		qsort(out->peers, out->peer_count, sizeof(out->peers[0]), compare);
	}
	buf_fini(&file);
	return err;
}

void cluster_key_copy(struct cluster_key *out, const struct cluster_key *key)
{
	*out = *key;
	if (!key->peers)
		return;
	out->peers = mem_zalloc(key->peer_count, sizeof(out->peers[0]));
	memcpy(out->peers, key->peers, key->peer_count * sizeof(out->peers[0]));
}

void cluster_key_release(struct cluster_key *key)
{
	mem_free(key->peers);
	explicit_bzero(key, sizeof(*key));
}

bool cluster_key_knows(const struct cluster_key *key, const uint8_t bytes[CLUSTER_KEY_BYTES])
{
	return key->peer_count &&
	       bsearch(bytes, key->peers, key->peer_count, sizeof(key->peers[0]), compare);
}

bool cluster_key_knows_text(const struct cluster_key *key, const char *digits)
{
	uint8_t bytes[CLUSTER_KEY_BYTES];

	return read_digits(str_of(digits), bytes) && cluster_key_knows(key, bytes);
}

void cluster_key_text(const uint8_t bytes[CLUSTER_KEY_BYTES], char out[CLUSTER_KEY_TEXT])
{
	for (size_t i = 0; i < CLUSTER_KEY_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}
