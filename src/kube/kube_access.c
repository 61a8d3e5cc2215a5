/* SPDX-License-Identifier: MIT
 *
 * kube_access - see the header. Everything of a kubeconfig that would change whom we talk to
 * or as whom, and that is not understood here, is an error instead of being passed over. */
#include "kube/kube_access.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube_yaml.h"

static void access_init(struct kube_access *a)
{
	*a = (struct kube_access){ NULL };
	buf_init(&a->ca, LIMIT_KUBE_FILE_BYTES);
	buf_init(&a->cert, LIMIT_KUBE_FILE_BYTES);
	buf_init(&a->key, LIMIT_KUBE_FILE_BYTES);
}

void kube_access_fini(struct kube_access *a)
{
	mem_free(a->server);
	mem_free(a->namespace);
	mem_free(a->token);
	mem_free(a->token_file);
	mem_free(a->origin);
	buf_fini(&a->ca);
	buf_fini(&a->cert);
	buf_fini(&a->key);
	*a = (struct kube_access){ NULL };
}

/* It becomes a header line. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.len > 0;
}

enum err kube_access_token(const struct kube_access *a, struct buf *out, struct err_text *text)
{
	struct str token;
	enum err err;

	buf_clear(out);
	if (!a->token_file) {
		buf_add_text(out, a->token ? a->token : "");
		return OK;
	}
	err = file_read(a->token_file, out, text);
	if (err)
		return err;
	token = str_trim(buf_str(out));
	if (!is_token(token))
		return err_set(text, ERR_BAD_INPUT, "%s: this is no token", a->token_file);
	buf_drop(out, (size_t)(token.p - out->p));
	out->len = token.len;
	out->p[token.len] = '\0';
	return OK;
}

/* ---- service account ---- */

bool kube_access_is_in_pod(const char *folder)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	char *path = mem_printf("%s/token", folder);
	bool is_readable = access(path, R_OK) == 0;

	mem_free(path);
	return host && *host && is_readable;
}

static enum err read_pod_files(const char *folder, struct kube_access *a, struct err_text *text)
{
	char *ca = mem_printf("%s/ca.crt", folder), *ns = mem_printf("%s/namespace", folder);
	struct buf name;
	enum err err;

	buf_init(&name, LIMIT_KUBE_NAME_BYTES + 16);
	a->token_file = mem_printf("%s/token", folder);
	err = file_read(ca, &a->ca, text);
	if (!err)
		err = file_read(ns, &name, text);
	if (!err) {
		struct str trimmed = str_trim(buf_str(&name));

		a->namespace = mem_strndup(trimmed.p, trimmed.len);
	}
	buf_fini(&name);
	mem_free(ca);
	mem_free(ns);
	return err;
}

enum err kube_access_from_pod(const char *folder, struct kube_access *out, struct err_text *text)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST"),
		   *port = getenv("KUBERNETES_SERVICE_PORT");
	struct kube_access a;
	enum err err;

	if (!host || !*host)
		return err_set(text, ERR_NOT_FOUND,
			       "KUBERNETES_SERVICE_HOST is not set: this is no pod; name a "
			       "kubeconfig file with --kubeconfig");
	access_init(&a);
	a.server = mem_printf(strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host,
			      port && *port ? port : "443");
	a.origin = mem_printf("the service account in %s", folder);
	err = read_pod_files(folder, &a, text);
	if (err)
		kube_access_fini(&a);
	else
		*out = a;
	return err;
}

/* ---- kubeconfig ---- */

struct config {
	const char *path, *folder;
	struct err_text *text;
};

/* The named entry of contexts, clusters or users: { name: ..., <kind>: { ... } }. */
static enum err find_entry(const struct config *c, const json_t *root, const char *list,
			   const char *kind, const char *name, const json_t **out)
{
	const json_t *entries = json_object_get(root, list);

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		const char *found = json_string_value(json_object_get(entry, "name"));

		if (!found || strcmp(found, name) != 0)
			continue;
		*out = json_object_get(entry, kind);
		if (json_is_object(*out))
			return OK;
		return err_set(c->text, ERR_BAD_INPUT, "%s: %s '%.100s' has no %s", c->path, list,
			       name, kind);
	}
	return err_set(c->text, ERR_NOT_FOUND, "%s: there is no '%.100s' among the %s", c->path,
		       name, list);
}

static enum err refuse(const struct config *c, const json_t *entry, const char *const *names,
		       const char *remedy)
{
	for (; *names; names++) {
		const json_t *value = json_object_get(entry, *names);

		if (value && !json_is_null(value))
			return err_set(c->text, ERR_UNSUPPORTED, "%s: %s is not supported; %s",
				       c->path, *names, remedy);
	}
	return OK;
}

static char *absolute(const struct config *c, const char *path)
{
	return *path == '/' ? mem_strdup(path) : mem_printf("%s/%s", c->folder, path);
}

/* <name>-data is the PEM in base64, <name> a file with it; the former counts, as in kubectl. */
static enum err read_pem(const struct config *c, const json_t *entry, const char *name,
			 struct buf *out)
{
	char data_name[64], *path;
	const char *file = json_string_value(json_object_get(entry, name)), *data;
	enum err err;

	snprintf(data_name, sizeof(data_name), "%s-data", name);
	data = json_string_value(json_object_get(entry, data_name));
	if (data && *data) {
		if (base64_read(str_of(data), out) && !out->is_full)
			return OK;
		return err_set(c->text, ERR_BAD_INPUT, "%s: %s is not base64", c->path, data_name);
	}
	if (!file || !*file)
		return OK;
	path = absolute(c, file);
	err = file_read(path, out, c->text);
	mem_free(path);
	return err;
}

static enum err read_cluster(const struct config *c, const json_t *cluster, struct kube_access *a)
{
	static const char *const foreign[] = { "proxy-url", "tls-server-name", NULL };
	const char *server = json_string_value(json_object_get(cluster, "server"));
	size_t len = server ? strlen(server) : 0;
	enum err err = refuse(c, cluster, foreign, "name the API server's own address");

	if (err)
		return err;
	while (len && server[len - 1] == '/')
		len--;
	if (!len || len > LIMIT_URL_BYTES / 2 ||
	    (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0))
		return err_set(c->text, ERR_BAD_INPUT,
			       "%s: the cluster's server is no http(s) address", c->path);
	a->server = mem_strndup(server, len);
	a->is_unverified = json_is_true(json_object_get(cluster, "insecure-skip-tls-verify"));
	return read_pem(c, cluster, "certificate-authority", &a->ca);
}

static enum err read_user(const struct config *c, const json_t *user, struct kube_access *a)
{
	static const char *const programs[] = { "exec", "auth-provider", NULL };
	static const char *const foreign[] = { "username", "as", "as-uid", "as-groups", NULL };
	const char *token = json_string_value(json_object_get(user, "token")),
		   *file = json_string_value(json_object_get(user, "tokenFile"));
	enum err err = refuse(c, user, programs,
			      "give the user a token (kubectl create token NAME) or a client "
			      "certificate");

	if (!err)
		err = refuse(c, user, foreign, "use a token or a client certificate");
	if (!err)
		err = read_pem(c, user, "client-certificate", &a->cert);
	if (!err)
		err = read_pem(c, user, "client-key", &a->key);
	if (err)
		return err;
	if (!a->cert.len != !a->key.len)
		return err_set(c->text, ERR_BAD_INPUT,
			       "%s: client-certificate and client-key belong together", c->path);
	if (file && *file) {
		a->token_file = absolute(c, file);
	} else if (token && *token) {
		if (!is_token(str_of(token)))
			return err_set(c->text, ERR_BAD_INPUT,
				       "%s: the user's token has blanks in it", c->path);
		a->token = mem_strdup(token);
	}
	return OK;
}

static enum err read_context(const struct config *c, const json_t *root, const char *name,
			     struct kube_access *a)
{
	const json_t *context, *cluster, *user;
	const char *cluster_name, *user_name, *ns;
	enum err err = find_entry(c, root, "contexts", "context", name, &context);

	if (err)
		return err;
	cluster_name = json_string_value(json_object_get(context, "cluster"));
	user_name = json_string_value(json_object_get(context, "user"));
	ns = json_string_value(json_object_get(context, "namespace"));
	if (!cluster_name)
		return err_set(c->text, ERR_BAD_INPUT, "%s: context '%.100s' names no cluster",
			       c->path, name);
	a->namespace = mem_strdup(ns && *ns ? ns : "default");
	a->origin = mem_printf("%s, context %.100s", c->path, name);
	err = find_entry(c, root, "clusters", "cluster", cluster_name, &cluster);
	if (!err)
		err = read_cluster(c, cluster, a);
	if (err || !user_name || !*user_name)
		return err;
	err = find_entry(c, root, "users", "user", user_name, &user);
	return err ? err : read_user(c, user, a);
}

enum err kube_access_parse(struct str yaml, const char *path, const char *folder,
			   const char *context, struct kube_access *out, struct err_text *text)
{
	struct config c = { .path = path, .folder = folder, .text = text };
	struct err_text why = { "" };
	struct kube_access a;
	json_t *root = NULL;
	enum err err = kube_yaml_parse(yaml, &root, &why);

	if (err)
		return err_set(text, err, "%s: %s", path, err_say(&why, err));
	access_init(&a);
	if (!context)
		context = json_string_value(json_object_get(root, "current-context"));
	if (context && *context)
		err = read_context(&c, root, context, &a);
	else
		err = err_set(text, ERR_NOT_FOUND,
			      "%s: there is no current-context; name one with --context", path);
	json_decref(root);
	if (err)
		kube_access_fini(&a);
	else
		*out = a;
	return err;
}

enum err kube_access_from_file(const char *path, const char *context, struct kube_access *out,
			       struct err_text *text)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + (slash == path))
			     : mem_strdup(".");
	struct buf bytes;
	enum err err;

	buf_init(&bytes, LIMIT_KUBE_FILE_BYTES);
	err = file_read(path, &bytes, text);
	if (!err)
		err = kube_access_parse(buf_str(&bytes), path, folder, context, out, text);
	buf_fini(&bytes);
	mem_free(folder);
	return err;
}
