/* SPDX-License-Identifier: MIT
 *
 * Simulated services whose capacity is known: c servers with one queue and exponential times
 * (M/M/c), open and closed, and one that keeps the Universal Scalability Law. What comes out has
 * the form of what a load test measures. Everything is drawn from one seed. */
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/rng.h"
#include "stat/hist.h"

#define SIM_SERVERS_MAX 16
#define SIM_USERS_MAX	256
#define SIM_SECONDS_MAX 2400

struct sim_service {
	size_t servers;
	double per_s; /* that each of them answers, mu */
};

struct sim_window {
	size_t seconds;
	double rps[SIM_SECONDS_MAX], response_ms[SIM_SECONDS_MAX];
	struct hist hist;
	double response_sum_s;
};

static inline double sim_exponential(struct rng *rng, double mean)
{
	return -mean * log1p(-rng_unit(rng));
}

/* A window of `seconds`, which begins at 0; what is answered before is warm-up. */
static inline void sim_begin(struct sim_window *w, size_t seconds)
{
	hist_init(&w->hist);
	w->seconds = seconds;
	w->response_sum_s = 0;
	for (size_t i = 0; i < seconds; i++)
		w->rps[i] = w->response_ms[i] = 0;
}

static inline void sim_answer(struct sim_window *w, double at_s, double response_s)
{
	if (at_s < 0 || at_s >= (double)w->seconds)
		return;
	w->rps[(size_t)at_s]++;
	w->response_ms[(size_t)at_s] += response_s * 1000;
	w->response_sum_s += response_s;
	hist_add(&w->hist, (uint64_t)(response_s * 1e6), 1);
}

static inline void sim_end(struct sim_window *w)
{
	for (size_t i = 0; i < w->seconds; i++)
		w->response_ms[i] /= w->rps[i]; /* NAN for none */
}

/* When a request that arrives now is answered: first come, first served. */
static inline double sim_serve(const struct sim_service *s, double free_s[SIM_SERVERS_MAX],
			       double arrival_s, struct rng *rng)
{
	size_t first = 0;

	for (size_t i = 1; i < s->servers; i++)
		if (free_s[i] < free_s[first])
			first = i;
	free_s[first] = fmax(free_s[first], arrival_s) + sim_exponential(rng, 1 / s->per_s);
	return free_s[first];
}

/* Poisson arrivals. Ends with hist_fini(&w->hist). */
static inline void sim_open(const struct sim_service *s, double arrivals_per_s, double warm_s,
			    size_t seconds, struct rng *rng, struct sim_window *w)
{
	double free_s[SIM_SERVERS_MAX] = { 0 }, at_s = -warm_s;

	for (size_t i = 0; i < s->servers; i++)
		free_s[i] = at_s;
	sim_begin(w, seconds);
	while ((at_s += sim_exponential(rng, 1 / arrivals_per_s)) < (double)seconds) {
		double done_s = sim_serve(s, free_s, at_s, rng);

		sim_answer(w, done_s, done_s - at_s);
	}
	sim_end(w);
}

/* Users that wait wait_s in the mean, exponentially, between an answer and the next request. */
static inline void sim_closed(const struct sim_service *s, size_t users, double wait_s,
			      double warm_s, size_t seconds, struct rng *rng, struct sim_window *w)
{
	double free_s[SIM_SERVERS_MAX] = { 0 }, next_s[SIM_USERS_MAX];

	for (size_t i = 0; i < s->servers; i++)
		free_s[i] = -warm_s;
	for (size_t i = 0; i < users; i++)
		next_s[i] = -warm_s + sim_exponential(rng, wait_s);
	sim_begin(w, seconds);
	for (;;) {
		size_t user = 0;
		double done_s;

		for (size_t i = 1; i < users; i++)
			if (next_s[i] < next_s[user])
				user = i;
		if (next_s[user] >= (double)seconds)
			break;
		done_s = sim_serve(s, free_s, next_s[user], rng);
		sim_answer(w, done_s, done_s - next_s[user]);
		next_s[user] = done_s + sim_exponential(rng, wait_s);
	}
	sim_end(w);
}

/* `load` requests are always in flight, and are answered at the rate that the law says. */
static inline void sim_usl(double lambda, double sigma, double kappa, double load, size_t seconds,
			   struct rng *rng, struct sim_window *w)
{
	double rate = lambda * load / (1 + sigma * (load - 1) + kappa * load * (load - 1));
	double at_s = 0;

	sim_begin(w, seconds);
	while ((at_s += sim_exponential(rng, 1 / rate)) < (double)seconds)
		sim_answer(w, at_s, load / rate);
	sim_end(w);
}

/* The probability to wait in M/M/c (Erlang's C formula), by way of his B. */
static inline double sim_erlang_c(size_t servers, double offered)
{
	double b = 1;

	for (size_t i = 1; i <= servers; i++)
		b = offered * b / ((double)i + offered * b);
	return b / (1 - offered / (double)servers * (1 - b));
}

/* P(response > t): a service time, and with the probability to wait a waiting time before it. */
static inline double sim_above(const struct sim_service *s, double arrivals_per_s, double t)
{
	double spare = (double)s->servers * s->per_s - arrivals_per_s, mu = s->per_s;
	double waits = sim_erlang_c(s->servers, arrivals_per_s / mu);

	if (fabs(mu - spare) < 1e-9 * mu)
		return exp(-mu * t) * (1 + waits * mu * t);
	return exp(-mu * t) + waits * mu / (mu - spare) * (exp(-spare * t) - exp(-mu * t));
}

/* The rate of an open loop at which the percentile `share` of response times is limit_s. */
static inline double sim_limit(const struct sim_service *s, double share, double limit_s)
{
	double low = 0, high = (double)s->servers * s->per_s * (1 - 1e-9);

	for (int i = 0; i < 100; i++) {
		double middle = (low + high) / 2;

		if (sim_above(s, middle, limit_s) > 1 - share)
			high = middle;
		else
			low = middle;
	}
	return low;
}
