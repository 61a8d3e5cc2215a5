/* SPDX-License-Identifier: MIT
 *
 * cicada_options - the command line of cicada: Locust's names, its variables, and those of the
 * order (LOCUST_MODE, MASTER, TARGET_HOST). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/token.h"
#include "cluster/cluster_key.h"
#include "http/client.h"
#include "http/network.h"
#include "net/tls.h"
#include "run/shape.h"
#include "serve/serve_login.h"
#include "user/feed.h"
#include "user/open.h"
#include "web/compat.h"

/* ~/.locust.conf, locust.conf, pyproject.toml, --config. */
#define CICADA_OPTION_FILES 4

struct cicada_options {
	const char *scenario;	   /* -f */
	bool has_default_scenario; /* it was not named */
	const char *host;
	uint64_t users, run_time_s, stop_timeout_s;
	double spawn_rate;
	bool has_users;
	bool has_ignored; /* of users, spawn_rate and run_time, were there a shape */
	const char *web_host;
	uint64_t web_port;
	const char *web_host_display_name; /* in the line that says where it is */
	const char *web_token_file;
	struct token web_token; /* what is in it */
	const char *web_login_text;
	const char *web_base_path;
	struct serve_login *web_login; /* who that is */
	bool has_guest_login;	       /* the locustfile says it */
	bool has_open_metrics;
	struct opt_texts web_hosts;
	const char *web_tls_cert, *web_tls_key;
	const char *api_compat;
	enum web_compat web_compat; /* what it says */
	bool is_headless, is_headful, is_main, want_autostart;
	uint64_t autoquit_s; /* UINT64_MAX: never */
	bool is_master, is_worker;
	const char *master_bind_host;
	uint64_t master_bind_port;
	uint64_t expect_workers, expect_workers_max_wait_s;
	const char *master_host;
	uint64_t master_port;
	const char *processes_text;
	size_t processes; /* workers that are children of this process */
	const char *cluster_key_file, *cluster_peers_file;
	struct cluster_key cluster_key; /* what is in them */
	bool want_cluster_public;
	uint64_t threads;
	uint64_t seed; /* not given: another one in every process */
	bool want_reset_stats, want_only_summary, want_print_stats;
	const char *csv_prefix, *json_file, *html_file;
	bool want_csv_full_history, want_json;
	struct opt_texts fail_if;
	bool want_abort_on_fail;
	uint64_t abort_window_s;
	const char *junit_file;
	uint64_t warmup_s;
	uint64_t exit_code_on_error;
	struct tls_options tls;
	bool want_http2, want_http2_prior_knowledge;
	enum http_version http_version; /* what these two come to */
	const char *stages_text;
	struct shape_stages stages; /* what it says; count 0: not given */
	const char *arrivals_kind;
	struct cic_arrivals arrivals;
	double think_time_s; /* NAN: as the classes say */
	struct cic_wait think_time;
	const char *source_addresses;
	bool want_env;		     /* --trust-env */
	struct http_network network; /* sources and proxies: what these two say */
	const char *log_level, *log_file;
	bool want_skip_log_setup;
	bool want_equal_weights, want_task_ratio, want_task_ratio_json;
	bool want_calibrate;
	bool want_list, want_help, want_version;
	bool is_usable; /* after a peek: master and key are known */
	struct opt_texts user_classes, config_users;
	struct opt_texts tags, exclude_tags;
	const char *profile;
	const char *feed_slice_text; /* "2/4", "auto" */
	bool want_feed_slice_auto;
	struct feed_slice feed_slice;
	struct opt_texts ignored; /* names of what was given but means nothing here */
	const char *config_file;
	struct buf files[CICADA_OPTION_FILES]; /* what texts of files point at */
	struct opt_texts unknown; /* after a peek: settings there, perhaps a locustfile's */
	char *class_names;	  /* and those of LOCUST_USER_CLASSES */
	/* What master_host points at when it came as MASTER=host:port. */
	char master_address[256];
};

/* Defaults, files, environment, command line, then what they mean together. ERR_BAD_OPTION names
 * the option or variable. --help, --version and --list are the caller's. others: keys of files that
 * are a locustfile's, up to NULL; NULL: none. */
enum err cicada_options_read(struct cicada_options *o, int argc, char **argv,
			     const char *const *others, struct err_text *text) MUST_CHECK;
/* What can be said before a locustfile is imported, which may have options of its own: scenario,
 * mode, master and processes; what is unknown or wrong is passed over. For
 * cicada_options_release(). */
void cicada_options_peek(struct cicada_options *o, int argc, char **argv);
/* In a child of --processes; number: from 1 on. */
void cicada_options_become_worker(struct cicada_options *o, size_t number);
/* Also after a failure. */
void cicada_options_release(struct cicada_options *o);
void cicada_options_print_help(void);
/* NULL: users wait as their classes say. */
const struct cic_wait *cicada_options_wait(const struct cicada_options *o);
/* NULL when no file was given. */
const struct cluster_key *cicada_options_key(const struct cicada_options *o);
