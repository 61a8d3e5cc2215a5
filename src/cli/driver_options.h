/* SPDX-License-Identifier: MIT
 *
 * driver_options - what cicada-driver is told; docs/driver.md is its manual. */
#pragma once

#include <linux/limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/token.h"
#include "matrix/objectives.h"
#include "matrix/plan.h"
#include "matrix/verdict.h"

#define DRIVER_NO_PAGE UINT64_MAX

struct driver_options {
	struct plan plan;
	const char *order;
	const char *slo, *until_interval, *arrivals;
	struct objectives objectives; /* what slo says */
	double tolerance_pct, think_time_s;
	double target_rps, head_room_pct, cost_per_replica_hour; /* NAN: not asked for */
	const char *prometheus_url;
	struct opt_texts fail_if;
	struct verdict_bounds bounds; /* what these say */
	uint64_t seed;
	const char *results, *platform, *master, *host, *scenario, *model;
	const char *master_token_file, *master_ca_file;
	struct token master_token; /* what these two say */
	struct buf master_ca;
	uint64_t target_port, web_port, bind_port, metrics_port;
	uint64_t page_port; /* DRIVER_NO_PAGE */
	const char *page_host;
	struct opt_texts page_hosts;
	const char *kubeconfig, *context, *service_account, *namespace;
	const char *target_deployment, *worker_deployment, *target_service;
	const char *termination_log;
	uint64_t linger_s;
	bool want_pause_autoscaler, want_fresh;
	const char *plan_file;
	struct buf plan_bytes; /* what the texts of that file point at */
	bool want_plan;	       /* the word `plan` */
	bool want_dry_run;
	const char *rerun; /* the folder behind the word `rerun`, whose plan file it is */
	char rerun_plan[PATH_MAX];
	bool want_version, want_help;
};

/* Sets *o also when it fails: ERR_BAD_OPTION for the command line and variables, ERR_BAD_INPUT for
 * the plan file. The plan in it has not been checked and has its listed order. */
enum err driver_options_read(struct driver_options *o, int argc, char **argv,
			     struct err_text *text) MUST_CHECK;
/* As a plan file, by which the same is measured again elsewhere; without user and password of
 * addresses. */
void driver_options_write(const struct driver_options *o, struct buf *out);
void driver_options_release(struct driver_options *o);
void driver_options_print_help(FILE *to);
