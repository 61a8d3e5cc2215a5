/* SPDX-License-Identifier: MIT
 *
 * key_list - see the header. */
#include "cluster/key_list.h"

#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static struct key_list_look look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return (struct key_list_look){ 0 };
	return (struct key_list_look){ .device = st.st_dev,
				       .inode = st.st_ino,
				       .bytes = (uint64_t)st.st_size,
				       .changed_s = (uint64_t)st.st_mtim.tv_sec,
				       .changed_ns = (uint64_t)st.st_mtim.tv_nsec };
}

static bool is_same(const struct key_list_look *a, const struct key_list_look *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void key_list_init(struct key_list *l, const char *path, struct cluster_key *key)
{
	/* It may be another one than the key was read from already. */
	*l = (struct key_list){ .path = path, .key = key };
}

static bool has_same_peers(const struct cluster_key *a, const struct cluster_key *b)
{
	return a->peer_count == b->peer_count &&
	       memcmp(a->peers, b->peers, a->peer_count * sizeof(a->peers[0])) == 0;
}

enum err key_list_look(struct key_list *l, bool *is_new, struct err_text *text)
{
	const struct key_list_look now = look_at(l->path);
	const bool is_due = is_same(&now, &l->seen) && !is_same(&now, &l->read);
	struct cluster_key newer = { 0 };
	enum err err;

	*is_new = false;
	l->seen = now;
	if (!is_due)
		return OK;
	l->read = now;
	err = cluster_key_read_peers(l->path, &newer, text);
	if (!err && !has_same_peers(l->key, &newer)) {
		*is_new = true;
		mem_free(l->key->peers);
		l->key->peers = newer.peers;
		l->key->peer_count = newer.peer_count;
		newer.peers = NULL;
	}
	cluster_key_release(&newer);
	return err;
}
