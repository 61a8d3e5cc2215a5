/* SPDX-License-Identifier: MIT
 *
 * serve_tls - the certificate and key of a server, from files. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* TLS 1.2 and 1.3. */
#define SERVE_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct serve_tls {
	struct buf cert, key; /* PEM */
};

/* Both files, whose contents have to fit each other; the text names the one that is wrong. To be
 * released also after a failure. */
enum err serve_tls_read(struct serve_tls *t, const char *cert_file, const char *key_file,
			struct err_text *text) MUST_CHECK;
/* All zero is fine. */
void serve_tls_release(struct serve_tls *t);
