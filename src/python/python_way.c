/* SPDX-License-Identifier: MIT
 *
 * python_way - how requests get to their servers, where that is not how the program's options have
 * it: without verification, with certificates of the locustfile's own, through its proxies.
 *
 * Each such way is an HTTP client of its own beside the load's; a locustfile has a few, of which
 * way 1 is the most common one, of servers that are not verified. */
#include "python/python_int.h"

#include "base/limits.h"
#include "base/mem.h"
#include "http/client.h"
#include "http/network.h"
#include "net/tls.h"

struct python_way {
	struct tls_options tls;
	struct http_network network;
	char *ca_file, *cert_file, *key_file; /* what tls points to; NULL: as the options say */
	struct http_client *client;	      /* NULL: not needed yet in this load */
};

static void way_destroy(struct python_way *way)
{
	mem_free(way->ca_file);
	mem_free(way->cert_file);
	mem_free(way->key_file);
	mem_free(way);
}

static struct python_way *way_create(const struct python_options *options, bool is_insecure)
{
	struct python_way *way = mem_zalloc(1, sizeof(*way));

	way->tls = *options->tls;
	way->tls.is_insecure = is_insecure;
	if (is_insecure)
		way->tls.ca_file = NULL; /* that of the others */
	way->network = *options->network;
	return way;
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static void set_files(struct python_way *way, const char *ca, const char *cert, const char *key)
{
	way->ca_file = copy(ca);
	way->cert_file = copy(cert);
	way->key_file = copy(key);
	if (ca)
		way->tls.ca_file = way->ca_file;
	if (!cert)
		return;
	way->tls.cert_file = way->cert_file;
	way->tls.key_file = way->key_file;
}

/* Proxies of its own are all that there are. False: one is none. */
static bool set_proxies(struct python_way *way, const char *http, const char *https)
{
	struct proxies *proxies = &way->network.proxies;

	if (!http && !https)
		return true;
	*proxies = (struct proxies){ 0 };
	return (!http || proxy_set(&proxies->http, "proxies", http)) &&
	       (!https || proxy_set(&proxies->https, "proxies", https));
}

static unsigned add(struct python *p, struct python_way *way)
{
	p->ways[p->way_count++] = way;
	return p->way_count;
}

PyObject *python_way(PyObject *module, PyObject *args)
{
	const char *ca, *cert, *key, *http, *https;
	struct python *p = python_self();
	struct err_text why = { "" };
	struct python_way *way;
	int is_insecure, is_any_host;
	enum err err;

	(void)module;
	if (!PyArg_ParseTuple(args, "pzzzzzp", &is_insecure, &ca, &cert, &key, &http, &https,
			      &is_any_host))
		return NULL;
	if (!p->options)
		return PyErr_Format(PyExc_RuntimeError, "the locustfile is not loaded yet");
	if (p->way_count == LIMIT_PYTHON_WAYS)
		return PyErr_Format(PyExc_ValueError,
				    "a locustfile may name %d sets of certificates and proxies",
				    LIMIT_PYTHON_WAYS);
	way = way_create(p->options, is_insecure);
	way->tls.is_any_host = is_any_host;
	set_files(way, ca, cert, key);
	err = tls_options_check(&way->tls, &why);
	if (!err && !set_proxies(way, http, https))
		err = err_set(&why, ERR_BAD_INPUT,
			      "a proxy has a URL such as http://user:password@10.0.0.1:3128");
	if (!err)
		return PyLong_FromUnsignedLong(add(p, way));
	way_destroy(way);
	return PyErr_Format(PyExc_OSError, "%s", err_say(&why, err));
}

void python_way_init(struct python *p)
{
	ensure(add(p, way_create(p->options, true)) == PYTHON_WAY_INSECURE);
}

struct http_client *python_way_client(struct python *p, unsigned number)
{
	struct python_way *way = number ? p->ways[number - 1] : NULL;

	if (!way)
		return p->place->http;
	if (!way->client) {
		way->client = http_client_create(p->place->loop);
		http_client_use_tls(way->client, &way->tls);
		http_client_use_version(way->client, p->options->http_version);
		http_client_use_network(way->client, &way->network);
	}
	return way->client;
}

void python_way_count(struct python *p, struct health *health)
{
	for (unsigned i = 0; i < p->way_count; i++) {
		struct http_client *client = p->ways[i]->client;
		struct http_count conns;

		if (!client)
			continue;
		conns = http_client_take_count(client);
		health->opened += conns.opened;
		health->closed += conns.closed;
		health->failed += conns.failed;
		http_client_trim(client);
	}
}

void python_way_detach_all(struct python *p)
{
	for (unsigned i = 0; i < p->way_count; i++)
		http_client_destroy(&p->ways[i]->client);
}

void python_way_fini(struct python *p)
{
	while (p->way_count)
		way_destroy(p->ways[--p->way_count]);
}
