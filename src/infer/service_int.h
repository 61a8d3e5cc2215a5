/* SPDX-License-Identifier: MIT
 *
 * service_int - shared by service.c (life) and service_routes.c (requests). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "serve/serve.h"

struct lane;
struct meter;
struct service;
struct shelf;

/* What a handler is told: whose request it is, and on which lane (NULL: the admin port). */
struct place {
	struct service *service;
	struct lane *lane;
};

struct service {
	struct shelf *shelf;
	struct meter *meter;
	atomic_bool has_models; /* from then on the shelf is there */
	atomic_bool has_lanes;	/* from then on there are as many until the admin port has closed */
	atomic_bool is_ready;
	struct serve *admin;
	struct place admin_place;
	struct place *places; /* one per lane */
	size_t lane_count;
	uint16_t port, admin_port;
	bool logs_access;
};

/* Requests of the main port whose answer is not yet sent. */
unsigned service_in_flight(const struct service *s);

/* Handlers are given their struct place. */
extern const struct serve_route service_main_routes[], service_admin_routes[];
void service_on_answer(void *arg, const struct serve_answer *answer);
void service_on_gone(void *arg, struct serve_request *r);
