/* SPDX-License-Identifier: MIT
 *
 * picker - see the header. By gain only the chosen class's gain changes, so a user costs one scan
 * over the classes and one logarithm. */
#include "user/picker.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* Of the smallest weight; by twice its value 1.5 and 2 are not the same to 2.12. */
#define WHOLE_MIN 2

void picker_clear(struct picker *p, enum picker_order order)
{
	p->order = order;
	p->count = 0;
}

static double gain_of(double weight, double have)
{
	return weight * log2(have / (have + 1));
}

void picker_add(struct picker *p, size_t class, double weight)
{
	bool is_by_gain = p->order == PICKER_BY_GAIN;

	if (!p->count || weight < p->least)
		p->least = weight;
	p->picks[p->count++] = (struct pick){ .class = class,
					      .weight = weight,
					      .have = is_by_gain ? weight : 0,
					      .gain = is_by_gain ? gain_of(weight, weight) : 0 };
}

static bool is_better(const struct pick *a, const struct pick *b)
{
	if (a->gain != b->gain)
		return a->gain < b->gain;
	if (a->have != b->have)
		return a->have < b->have;
	return a->weight < b->weight;
}

static struct pick *next_by_gain(struct picker *p)
{
	struct pick *best = NULL;

	for (size_t i = 0; i < p->count; i++)
		if (!best || is_better(&p->picks[i], best))
			best = &p->picks[i];
	if (!best)
		return NULL;
	best->have++;
	best->gain = gain_of(best->weight, best->have);
	return best;
}

/* Each is owed its weight; who is owed the most comes, and pays for all. */
static struct pick *next_in_turn(struct picker *p)
{
	struct pick *best = NULL;
	double sum = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct pick *pick = &p->picks[i];
		double whole = rint(WHOLE_MIN * pick->weight / p->least);

		sum += whole;
		pick->have += whole;
		if (!best || pick->have > best->have)
			best = pick;
	}
	if (best)
		best->have -= sum;
	return best;
}

size_t picker_next(struct picker *p)
{
	struct pick *next = p->order == PICKER_BY_GAIN ? next_by_gain(p) : next_in_turn(p);

	return next ? next->class : PICKER_NONE;
}
