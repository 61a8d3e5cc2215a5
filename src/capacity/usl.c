/* SPDX-License-Identifier: MIT
 *
 * usl - see the header.
 *
 * The fit is of another form of the law, X = N / (a + b (N - 1) + c N (N - 1)) with a = 1 / lambda,
 * b = sigma / lambda, c = kappa / lambda: it is nearly linear, so Gauss-Newton from the solution of
 * the linear problem N / X needs few steps and hardly ever a smaller one, and the bounds are b, c
 * >= 0. Where the best fit breaks a bound, the best one on the bounds is among the fits that leave
 * b, c or both out (the law of Amdahl, of coherency alone, of linear growth). */
#include "capacity/usl.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "capacity/chance.h"

#define TERMS	      3u
#define STEPS_MAX     200u
#define HALVINGS      40u
#define PULL_LEFT_MIN 0.001 /* a level that decides alone has no residual to judge it by */
#define LAMBDA_VAGUE  0.5   /* relative half width, above which lambda is not known */
#define PEAK_FAR      2.0   /* times the largest load */

struct points {
	const double *load, *rps;
	size_t count;
};

/* a, b, c; those not in `free` (a bit each) are 0. */
struct fit {
	double term[TERMS];
	unsigned free;
	double squares;
};

static void basis(double load, double out[TERMS])
{
	out[0] = 1;
	out[1] = load - 1;
	out[2] = load * (load - 1);
}

static double demand(const double term[TERMS], double load)
{
	double b[TERMS], sum = 0;

	basis(load, b);
	for (size_t i = 0; i < TERMS; i++)
		sum += term[i] * b[i];
	return sum;
}

/* INFINITY where the law would have no or a negative throughput. */
static double squares(const struct points *p, const double term[TERMS])
{
	double sum = 0;

	for (size_t i = 0; i < p->count; i++) {
		double d = demand(term, p->load[i]), off = p->rps[i] - p->load[i] / d;

		if (!(d > 0))
			return INFINITY;
		sum += off * off;
	}
	return sum;
}

/* Solves m x = v (symmetric, positive) in the free terms by Cholesky, each scaled to a diagonal of
 * 1. Others become 0. False: m does not tell the terms apart. */
static bool solve(double m[TERMS][TERMS], const double v[TERMS], unsigned free, double x[TERMS])
{
	double l[TERMS][TERMS] = { { 0 } }, scale[TERMS];

	for (size_t i = 0; i < TERMS; i++)
		scale[i] = free & 1u << i ? 1 / sqrt(m[i][i]) : 0;
	for (size_t i = 0; i < TERMS; i++) {
		x[i] = scale[i] * v[i];
		for (size_t k = 0; k <= i; k++) {
			double sum = scale[i] != 0 && scale[k] != 0 ? m[i][k] * scale[i] * scale[k]
								    : i == k;

			for (size_t j = 0; j < k; j++)
				sum -= l[i][j] * l[k][j];
			if (i == k && !(sum > 1e-12))
				return false;
			l[i][k] = i == k ? sqrt(sum) : sum / l[k][k];
		}
		for (size_t k = 0; k < i; k++)
			x[i] -= l[i][k] * x[k];
		x[i] /= l[i][i];
	}
	for (size_t i = TERMS; i-- > 0;) {
		for (size_t k = i + 1; k < TERMS; k++)
			x[i] -= l[k][i] * x[k];
		x[i] /= l[i][i];
	}
	for (size_t i = 0; i < TERMS; i++)
		x[i] *= scale[i];
	return true;
}

static void add_row(double m[TERMS][TERMS], double v[TERMS], const double row[TERMS], double value)
{
	for (size_t i = 0; i < TERMS; i++) {
		v[i] += row[i] * value;
		for (size_t k = 0; k < TERMS; k++)
			m[i][k] += row[i] * row[k];
	}
}

/* N / X = a + b (N - 1) + c N (N - 1), with an error of X at each level alike. */
static bool start(const struct points *p, struct fit *f)
{
	double m[TERMS][TERMS] = { { 0 } }, v[TERMS] = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		double row[TERMS], weight = p->rps[i] * p->rps[i] / p->load[i];

		basis(p->load[i], row);
		for (size_t k = 0; k < TERMS; k++)
			row[k] *= weight;
		add_row(m, v, row, weight * p->load[i] / p->rps[i]);
	}
	return solve(m, v, f->free, f->term);
}

/* The next step of Gauss-Newton. */
static bool find_step(const struct points *p, const struct fit *f, double step[TERMS])
{
	double m[TERMS][TERMS] = { { 0 } }, v[TERMS] = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		double row[TERMS], d = demand(f->term, p->load[i]);

		basis(p->load[i], row);
		for (size_t k = 0; k < TERMS; k++)
			row[k] *= -p->load[i] / (d * d);
		add_row(m, v, row, p->rps[i] - p->load[i] / d);
	}
	return solve(m, v, f->free, step);
}

/* False when a whole step has become too small to matter. */
static bool go(const struct points *p, struct fit *f, const double step[TERMS])
{
	double share = 1;

	for (size_t i = 0; i < HALVINGS; i++, share /= 2) {
		double next[TERMS], next_squares;

		for (size_t k = 0; k < TERMS; k++)
			next[k] = f->term[k] + share * step[k];
		next_squares = squares(p, next);
		if (!(next_squares < f->squares))
			continue;
		memcpy(f->term, next, sizeof(next));
		f->squares = next_squares;
		return true;
	}
	return false;
}

static bool fit(const struct points *p, unsigned free, struct fit *f)
{
	double step[TERMS];

	*f = (struct fit){ .free = free };
	if (!start(p, f))
		return false;
	f->squares = squares(p, f->term);
	for (size_t i = 0; i < STEPS_MAX && find_step(p, f, step); i++)
		if (!go(p, f, step))
			break;
	return isfinite(f->squares) && f->term[1] >= 0 && f->term[2] >= 0;
}

/* False: not even lambda alone. */
static bool fit_within_bounds(const struct points *p, struct fit *best)
{
	static const unsigned on_bounds[] = { 1u | 2u, 1u | 4u, 1u };
	struct fit f;
	bool has_any = false;

	if (fit(p, 1u | 2u | 4u, best))
		return true;
	for (size_t i = 0; i < sizeof(on_bounds) / sizeof(on_bounds[0]); i++) {
		if (!fit(p, on_bounds[i], &f) || (has_any && f.squares >= best->squares))
			continue;
		*best = f;
		has_any = true;
	}
	return has_any;
}

/* How throughput at a load changes with lambda, sigma, kappa. */
static void gradient(const struct usl *u, double load, double out[TERMS])
{
	double b[TERMS], d;

	basis(load, b);
	d = 1 + u->sigma.value * b[1] + u->kappa.value * b[2];
	out[0] = load / d;
	out[1] = -u->lambda.value * load / (d * d) * b[1];
	out[2] = -u->lambda.value * load / (d * d) * b[2];
}

/* x' m x. */
static double quadratic(const double (*m)[TERMS], const double x[TERMS])
{
	double sum = 0;

	for (size_t i = 0; i < TERMS; i++)
		for (size_t k = 0; k < TERMS; k++)
			sum += x[i] * m[i][k] * x[k];
	return sum;
}

/* Of the coefficients as if every level had an error of 1. False: they are not told apart. */
static bool invert_information(const struct points *p, const struct usl *u,
			       double out[TERMS][TERMS])
{
	double m[TERMS][TERMS] = { { 0 } }, unused[TERMS] = { 0 };

	for (size_t i = 0; i < p->count; i++) {
		double row[TERMS];

		gradient(u, p->load[i], row);
		add_row(m, unused, row, 0);
	}
	for (size_t i = 0; i < TERMS; i++) {
		double unit[TERMS] = { 0 };

		unit[i] = 1;
		if (!solve(m, unit, 7u, out[i]))
			return false;
	}
	return true;
}

/* The error of a throughput grows with it, by how much is not known, so each level's residual
 * stands for its own error, enlarged by how much the level has drawn the law to itself (HC3). */
static bool find_covariance(const struct points *p, struct usl *u)
{
	double inverse[TERMS][TERMS], m[TERMS][TERMS] = { { 0 } }, unused[TERMS] = { 0 };

	if (!invert_information(p, u, inverse))
		return false;
	for (size_t i = 0; i < p->count; i++) {
		double row[TERMS], pull, error;

		gradient(u, p->load[i], row);
		pull = quadratic((const double(*)[TERMS])inverse, row);
		error = (p->rps[i] - u->lambda.value * row[0]) / fmax(1 - pull, PULL_LEFT_MIN);
		for (size_t k = 0; k < TERMS; k++)
			row[k] *= error;
		add_row(m, unused, row, 0);
	}
	for (size_t i = 0; i < TERMS; i++)
		for (size_t k = 0; k < TERMS; k++) {
			double sum = 0;

			for (size_t j = 0; j < TERMS; j++)
				for (size_t l = 0; l < TERMS; l++)
					sum += inverse[i][j] * m[j][l] * inverse[l][k];
			u->covariance[i][k] = sum;
		}
	return true;
}

/* Half the width of the interval of a function of the coefficients, by its gradient. */
static double half_width(const struct usl *u, const double row[TERMS])
{
	return u->t * sqrt(fmax(quadratic(u->covariance, row), 0));
}

static struct interval around(const struct usl *u, double value, const double row[TERMS])
{
	double half = half_width(u, row);

	return (struct interval){ value, fmax(value - half, 0), value + half };
}

/* On a logarithmic scale: it is a root, and never below 0. */
static void find_peak(struct usl *u)
{
	double sigma = u->sigma.value, kappa = u->kappa.value, load, stretch, row[TERMS];

	if (!(u->kappa.low > 0) || !(sigma < 1))
		return;
	load = sqrt((1 - sigma) / kappa);
	if (load > PEAK_FAR * u->load_max)
		return;
	row[0] = 0;
	row[1] = -1 / (2 * (1 - sigma));
	row[2] = -1 / (2 * kappa);
	stretch = exp(half_width(u, row));
	u->has_peak = true;
	u->peak_load = (struct interval){ load, load / stretch, load * stretch };
	/* Flat at the peak, so that its place adds nothing to the error of its height. */
	u->peak_rps = usl_rps(u, load);
}

static enum err check(const struct points *p, struct usl *u, struct err_text *why)
{
	if (p->count > LIMIT_LEVELS)
		return err_set(why, ERR_TOO_BIG, "%zu measurements are more than %d", p->count,
			       LIMIT_LEVELS);
	for (size_t i = 0; i < p->count; i++) {
		size_t k = 0;

		if (!isfinite(p->load[i]) || !isfinite(p->rps[i]) || p->load[i] <= 0 ||
		    p->rps[i] <= 0)
			return err_set(why, ERR_BAD_INPUT,
				       "measurement %zu: load %g and throughput %g must be above 0",
				       i + 1, p->load[i], p->rps[i]);
		while (k < i && p->load[k] != p->load[i])
			k++;
		u->levels += k == i;
		u->load_max = fmax(u->load_max, p->load[i]);
	}
	if (u->levels < USL_LEVELS_MIN)
		return err_set(why, ERR_NOT_FOUND,
			       "%zu load levels are too few for a law with three coefficients: at "
			       "least %u are needed",
			       u->levels, USL_LEVELS_MIN);
	return OK;
}

/* The share of the variance that is explained. */
static double explain(const struct points *p, const struct fit *f)
{
	double middle = 0, all = 0;

	for (size_t i = 0; i < p->count; i++)
		middle += p->rps[i] / (double)p->count;
	for (size_t i = 0; i < p->count; i++)
		all += (p->rps[i] - middle) * (p->rps[i] - middle);
	return all > 0 ? 1 - f->squares / all : 0;
}

enum err usl_fit(const double *load, const double *rps, size_t count, struct usl *out,
		 struct err_text *why)
{
	static const double unit[TERMS][TERMS] = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } };
	struct points p = { load, rps, count };
	struct usl u = { .levels = 0 };
	struct fit f;
	enum err err = check(&p, &u, why);

	if (err)
		return err;
	if (!fit_within_bounds(&p, &f))
		return err_set(why, ERR_NOT_FOUND, "no such law fits the measurements");
	u.lambda.value = 1 / f.term[0];
	u.sigma.value = f.term[1] / f.term[0];
	u.kappa.value = f.term[2] / f.term[0];
	u.t = chance_t_quantile((1 + INTERVAL_CONFIDENCE) / 2, (double)(count - TERMS));
	u.r_squared = explain(&p, &f);
	if (f.term[0] > 0 && find_covariance(&p, &u)) {
		u.lambda = around(&u, u.lambda.value, unit[0]);
		u.sigma = around(&u, u.sigma.value, unit[1]);
		u.kappa = around(&u, u.kappa.value, unit[2]);
	} else {
		u.lambda.high = INFINITY;
	}
	if (!(interval_relative(&u.lambda) <= LAMBDA_VAGUE))
		return err_set(why, ERR_NOT_FOUND,
			       "the load levels do not tell how much one alone would carry: add "
			       "lower ones, down to where throughput grows with the load");
	find_peak(&u);
	*out = u;
	return OK;
}

struct interval usl_rps(const struct usl *u, double load)
{
	double row[TERMS];

	gradient(u, load, row);
	return around(u, u->lambda.value * row[0], row);
}
