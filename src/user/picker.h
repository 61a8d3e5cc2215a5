/* SPDX-License-Identifier: MIT
 *
 * picker - which user class comes next, so that at every moment there are as many of each as
 * their weights say. Pure; what comes depends only on the weights and how often it was asked. */
#pragma once

#include <stddef.h>

#include "base/limits.h"

#define PICKER_NONE SIZE_MAX

/* Locust's two orders (reference 3.2). */
enum picker_order {
	PICKER_BY_GAIN,	   /* from 2.27 on: the largest Kullback-Leibler gain */
	PICKER_ROUND_ROBIN /* before: smooth weighted round-robin over whole weights */
};

struct pick {
	size_t class; /* the caller's number */
	double weight;
	double have; /* by gain: weight + how often it was chosen; else how much it is owed */
	double gain; /* weight * log2(have / (have + 1)): the smallest is next */
};

struct picker {
	enum picker_order order;
	struct pick picks[LIMIT_USER_CLASSES];
	size_t count;
	double least; /* of the weights */
};

void picker_clear(struct picker *p, enum picker_order order);
/* In ascending order of names, which decides ties; weight > 0. Not once picking has begun. */
void picker_add(struct picker *p, size_t class, double weight);
/* PICKER_NONE: there are no classes. */
size_t picker_next(struct picker *p);
