/* SPDX-License-Identifier: MIT
 *
 * kube_access - where the API server is, and with what right we come.
 *
 * From the service account of the pod we run in, or from a kubeconfig file. Tokens are
 * read again for every call, for those of service accounts are exchanged every hour. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

#define KUBE_SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

struct kube_access {
	char *server;	      /* https://host:port, no slash at the end */
	char *namespace;      /* never NULL */
	char *token;	      /* NULL: none, or in token_file */
	char *token_file;     /* NULL: none */
	struct buf ca;	      /* PEM; empty: whom the system trusts */
	struct buf cert, key; /* PEM; empty: none */
	bool is_unverified;   /* insecure-skip-tls-verify */
	char *origin;	      /* for messages: where all this is from */
};

/* Are we in a pod with a service account in this folder? */
bool kube_access_is_in_pod(const char *folder);
/* From the folder and KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT. */
enum err kube_access_from_pod(const char *folder, struct kube_access *out,
			      struct err_text *text) MUST_CHECK;
/* From a kubeconfig file. context NULL: the current one. ERR_UNSUPPORTED where a program would
 * have to be run for a token. */
enum err kube_access_from_file(const char *path, const char *context, struct kube_access *out,
			       struct err_text *text) MUST_CHECK;
/* The same from its bytes; files it names are relative to `folder`, path is for messages. */
enum err kube_access_parse(struct str yaml, const char *path, const char *folder,
			   const char *context, struct kube_access *out,
			   struct err_text *text) MUST_CHECK;
/* The token of this moment, "" when there is none. */
enum err kube_access_token(const struct kube_access *a, struct buf *out,
			   struct err_text *text) MUST_CHECK;
/* Of a zeroed one, too. */
void kube_access_fini(struct kube_access *a);
