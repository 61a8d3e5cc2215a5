/* SPDX-License-Identifier: MIT
 *
 * findings - see the header. */
#include "matrix/findings.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "capacity/answer.h"
#include "capacity/autoscale.h"
#include "capacity/knee.h"
#include "matrix/conclude.h"
#include "matrix/objectives.h"
#include "matrix/plan.h"
#include "matrix/result_row.h"

#define POD_METRIC "http_requests_per_second"
/* How many times the measured replicas an autoscaler may go to, when no target says more. */
#define REPLICAS_ROOM 2

/* ---- words ---- */

/* Of a search: "p95<200ms, fail_ratio<0.1%", else NULL. mem_free() it. */
static char *text_of_objectives(const struct conclude_questions *q)
{
	struct buf text;

	if (!q->agenda.plan->is_search)
		return NULL;
	buf_init(&text, 2 * OBJECTIVES_BYTES);
	objectives_say(q->agenda.objectives, &text);
	return buf_take(&text);
}

static double cost_of(const struct conclude_questions *q, const struct conclude *c)
{
	return c->has_sizing ? sizing_cost_per_million(c->sizing.replicas, q->target_rps,
						       q->cost_per_replica_hour)
			     : NAN;
}

/* "invalid: no steady state" of the row that is least to be believed; "": all are valid. */
static void say_worst(const struct result_row *rows, size_t count, struct answer *a,
		      struct buf *out)
{
	const struct result_row *worst = NULL;

	for (size_t i = 0; i < count; i++) {
		a->rows += rows[i].verdict != RESULT_VERDICT_NONE;
		a->rows_suspect += rows[i].verdict == RESULT_VERDICT_SUSPECT;
		a->rows_invalid += rows[i].verdict == RESULT_VERDICT_INVALID;
		if (rows[i].verdict > RESULT_VERDICT_VALID &&
		    (!worst || rows[i].verdict > worst->verdict))
			worst = &rows[i];
	}
	if (!worst)
		return;
	buf_printf(out, "%s: %s", result_verdict_name(worst->verdict), worst->reason);
	a->worst = out->p;
}

void findings_say(const struct conclude_questions *q, const struct conclude *c,
		  const struct result_row *rows, size_t count, struct buf *out)
{
	char *objectives = text_of_objectives(q);
	struct answer answer = { .objectives = objectives,
				 .levels = c->levels,
				 .level_count = c->count,
				 .target_rps = q->target_rps,
				 .head_room = q->head_room,
				 .sizing = c->has_sizing ? &c->sizing : NULL,
				 .why_no_sizing = c->no_sizing.text,
				 .cost_per_million = cost_of(q, c) };
	struct buf worst;

	buf_init(&worst, RESULT_CELL_BYTES);
	say_worst(rows, count, &answer, &worst);
	answer_say(&answer, out);
	buf_fini(&worst);
	mem_free(objectives);
}

/* ---- snippets ---- */

static const struct sizing_level *find_one(const struct conclude *c)
{
	return c->count ? &c->levels[0] : NULL;
}

static struct autoscale autoscale_of(const struct conclude_questions *q, const struct conclude *c)
{
	const struct sizing_level *first = find_one(c);
	uint64_t most = c->levels[c->count - 1].replicas * REPLICAS_ROOM;

	if (c->has_sizing && c->sizing.replicas > most)
		most = c->sizing.replicas;
	return (struct autoscale){
		.deployment = q->deployment,
		.name_space = q->name_space,
		.replicas_min = 1,
		.replicas_max = most,
		.rps_per_replica = first->rps.value / (double)first->replicas,
		.head_room = q->head_room,
		.pod_metric = POD_METRIC,
		.prometheus_url = q->prometheus_url,
		.rate_query = q->rate_query,
	};
}

/* Only where a capacity was asked for: best throughputs of a matrix are none of a service level. */
static bool wants_snippets(const struct conclude_questions *q, const struct conclude *c)
{
	return c->count && (q->agenda.plan->is_search || !isnan(q->target_rps));
}

/* And where it is one: of a service that was not at its limit nothing says when to scale. */
static bool has_snippets(const struct conclude_questions *q, const struct conclude *c)
{
	return wants_snippets(q, c) && !find_one(c)->is_floor;
}

static const struct {
	const char *name;
	void (*add)(const struct autoscale *a, struct buf *out);
} snippets[] = {
	{ "HorizontalPodAutoscaler", autoscale_add_hpa },
	{ "ScaledObject", autoscale_add_keda },
};

#define SNIPPETS (sizeof(snippets) / sizeof(snippets[0]))

static void add_snippets_markdown(const struct conclude_questions *q, const struct conclude *c,
				  struct buf *out)
{
	struct autoscale a;

	if (wants_snippets(q, c) && !has_snippets(q, c))
		buf_add_text(out,
			     "\nNo autoscaler: the load did not reach the limit, so nothing says "
			     "when to scale.\n");
	if (!has_snippets(q, c))
		return;
	a = autoscale_of(q, c);
	for (size_t i = 0; i < SNIPPETS; i++) {
		buf_printf(out, "\n%s that keeps to it:\n\n```yaml\n",
			   i ? "A ScaledObject of KEDA" : "A HorizontalPodAutoscaler");
		snippets[i].add(&a, out);
		buf_add_text(out, "```\n");
	}
}

static void add_snippets_json(const struct conclude_questions *q, const struct conclude *c,
			      struct buf *out)
{
	struct autoscale a;

	if (!has_snippets(q, c))
		return;
	a = autoscale_of(q, c);
	buf_add_text(out, ",\"snippets\":[");
	for (size_t i = 0; i < SNIPPETS; i++) {
		struct buf text;

		buf_init(&text, 8192);
		snippets[i].add(&a, &text);
		buf_printf(out, "%s{\"name\":\"%s\",\"text\":", i ? "," : "", snippets[i].name);
		buf_add_json(out, buf_str(&text));
		buf_add_char(out, '}');
		buf_fini(&text);
	}
	buf_add_char(out, ']');
}

/* ---- Markdown ---- */

static void add_interval(const struct interval *i, struct buf *out)
{
	buf_printf(out, "%.4g", i->value);
	if (isfinite(i->low) && isfinite(i->high))
		buf_printf(out, " (%.4g to %.4g)", i->low, i->high);
}

/* The load that leaves the head-room free, of a limit that a search has found: at the limit itself
 * every second run would be beyond it. NAN: there is none. */
static double planned_share(const struct conclude_questions *q, const struct sizing_level *level)
{
	return q->agenda.plan->is_search && !level->is_floor ? 1 - q->head_room : NAN;
}

/* NAN also where not even one user leaves it free. */
static double planned_users(const struct conclude_questions *q, const struct conclude *c, size_t i)
{
	double users = floor(planned_share(q, &c->levels[i]) * (double)c->users[i]);

	return users >= 1 ? users : NAN;
}

static void add_levels_markdown(const struct conclude_questions *q, const struct conclude *c,
				const struct result_row *rows, size_t count, struct buf *out)
{
	buf_add_text(
		out,
		"| Replicas | Capacity, requests/s | Users | Plan for, users | Efficiency, % | "
		"Knee, users |\n| ---: | ---: | ---: | ---: | ---: | --- |\n");
	for (size_t i = 0; i < c->count; i++) {
		double efficiency = sizing_efficiency(c->levels, c->count, i),
		       planned = planned_users(q, c, i);
		struct err_text why = { "" };
		struct knee knee;

		buf_printf(out, "| %" PRIu64 " | %s", c->levels[i].replicas,
			   c->levels[i].is_floor ? "at least " : "");
		add_interval(&c->levels[i].rps, out);
		buf_printf(out, " | %" PRIu64 " | ", c->users[i]);
		if (!isnan(planned))
			buf_printf(out, "%.0f", planned);
		buf_add_text(out, " | ");
		if (!isnan(efficiency))
			buf_printf(out, "%.0f", 100 * efficiency);
		buf_add_text(out, " | ");
		if (q->agenda.plan->is_search)
			buf_add_char(out, '-');
		else if (conclude_knee(rows, count, c->levels[i].replicas, &knee, &why))
			buf_add_text(out, why.text);
		else
			buf_printf(out, "%g (%g requests/s)", knee.load, knee.rps);
		buf_add_text(out, " |\n");
	}
}

static void add_law_markdown(const struct conclude *c, struct buf *out)
{
	const struct usl *u = &c->law;

	if (!c->has_law) {
		buf_printf(out, "\nNo scalability law over replicas: %s.\n", c->no_law.text);
		return;
	}
	buf_add_text(out, "\nUniversal Scalability Law over replicas: one carries ");
	add_interval(&u->lambda, out);
	buf_add_text(out, " requests/s, contention is ");
	add_interval(&u->sigma, out);
	buf_add_text(out, ", coherency ");
	add_interval(&u->kappa, out);
	if (u->has_peak) {
		buf_add_text(out, ", the most is ");
		add_interval(&u->peak_rps, out);
		buf_add_text(out, " requests/s at ");
		add_interval(&u->peak_load, out);
		buf_add_text(out, " replicas");
	}
	buf_add_text(out, ".\n");
}

/* Of the probe that could not be measured: its row says why. */
static void add_why_void(const struct search *s, const struct objectives *objectives,
			 const struct result_row *rows, size_t count, uint64_t replicas,
			 uint64_t workers, struct buf *out)
{
	for (size_t i = count; i-- > 0;) {
		const struct result_row *row = &rows[i];
		const char *why = row->reason[0] ? row->reason : row->note;
		struct err_text few = { "" };

		if (row->replicas != replicas || row->workers != workers ||
		    (double)row->users != s->next.load)
			continue;
		if (row->status == RESULT_OK && row->verdict != RESULT_VERDICT_INVALID &&
		    objectives_check_samples(objectives, row, &few))
			why = few.text;
		if (*why)
			buf_printf(out, ": %s", why);
		return;
	}
}

/* How each search went. */
static void add_searches(const struct conclude_questions *q, const struct result_row *rows,
			 size_t count, const char *before, const char *after, struct buf *out)
{
	const struct plan *plan = q->agenda.plan;

	for (size_t i = 0; i < plan->replicas.count; i++)
		for (size_t k = 0; k < plan->workers.count; k++) {
			struct search s = agenda_search(&q->agenda, rows, count, i, k);

			buf_printf(out, "%s%" PRIu64 " replica%s, %" PRIu64 " worker%s: ", before,
				   plan->replicas.value[i], plan->replicas.value[i] == 1 ? "" : "s",
				   plan->workers.value[k], plan->workers.value[k] == 1 ? "" : "s");
			search_say(&s, "users", out);
			if (s.end == SEARCH_UNMEASURABLE)
				add_why_void(&s, q->agenda.objectives, rows, count,
					     plan->replicas.value[i], plan->workers.value[k], out);
			buf_add_text(out, after);
		}
}

void findings_add_markdown(const struct conclude_questions *q, const struct conclude *c,
			   const struct result_row *rows, size_t count, struct buf *out)
{
	buf_add_text(out, "\n## Capacity\n\n");
	if (q->agenda.plan->is_search) {
		add_searches(q, rows, count, "- ", ".\n", out);
		buf_add_char(out, '\n');
	}
	add_levels_markdown(q, c, rows, count, out);
	add_law_markdown(c, out);
	add_snippets_markdown(q, c, out);
}

/* ---- glossary ---- */

const struct findings_term findings_terms[] = {
	{ "Capacity", "requests/s",
	  "that so many replicas answer without failure, at their limit or at the most that was "
	  "asked of them" },
	{ "Head_Room", "%", "of the capacity, that stays free at the target" },
	{ "Cost_Per_Million", "cost/million requests",
	  "at the target rate, in the currency of --cost-per-replica-hour" },
	{ "Efficiency", "%", "of what so many times one replica would answer" },
	{ "Planned_RPS", "requests/s", "the capacity less the head-room" },
	{ "Planned_Users", "users", "those at the limit less the head-room" },
	{ "Knee_Users", "users", "from which on more of them bring little more throughput" },
	{ "Knee_RPS", "requests/s", "throughput at the knee" },
	{ "Lambda", "requests/s", "of one replica, in the Universal Scalability Law" },
	{ "Sigma", "share", "contention: of the work, that only one replica does at a time" },
	{ "Kappa", "share", "coherency: what each pair of replicas costs by agreeing" },
	{ "Peak_Replicas", "replicas", "with which the law has the most throughput" },
	{ "Peak_RPS", "requests/s", "that it has there" },
	{ NULL, NULL, NULL },
};

/* ---- JSON ---- */

static void begin_answer(const char *question, bool is_known, struct buf *out)
{
	buf_printf(out, "{\"question\":\"%s\",\"is_known\":%s", question,
		   is_known ? "true" : "false");
}

static void add_text(const char *name, struct str text, struct buf *out)
{
	buf_printf(out, ",\"%s\":", name);
	buf_add_json(out, text);
}

static void add_figure(const char *comma, const char *name, const char *unit,
		       const struct interval *i, struct buf *out)
{
	buf_printf(out, "%s\"%s\":{\"unit\":\"%s\",\"value\":", comma, name, unit);
	buf_add_g9(out, i->value);
	if (isfinite(i->low) && isfinite(i->high)) {
		buf_add_text(out, ",\"low\":");
		buf_add_g9(out, i->low);
		buf_add_text(out, ",\"high\":");
		buf_add_g9(out, i->high);
	}
	buf_add_char(out, '}');
}

static void add_value(const char *comma, const char *name, const char *unit, double value,
		      struct buf *out)
{
	if (isfinite(value))
		add_figure(comma, name, unit, &(struct interval){ value, NAN, NAN }, out);
}

/* A line of the three sentences. */
static struct str line_of(struct str text, size_t number)
{
	struct str line = { "", 0 };

	for (size_t i = 0; i <= number && str_cut(&text, '\n', &line); i++)
		;
	return line;
}

static void add_sizing_json(const struct conclude_questions *q, const struct conclude *c,
			    struct str said, struct buf *out)
{
	const struct sizing *s = &c->sizing;

	begin_answer("target_rps", c->has_sizing, out);
	buf_printf(out, ",\"asked\":\"%.9g requests/s\"", q->target_rps);
	add_text("text", said, out);
	buf_add_text(out, ",\"figures\":{");
	if (c->has_sizing) {
		add_figure("", "Replicas", "replicas",
			   &(struct interval){ (double)s->replicas,
					       s->replicas_low ? (double)s->replicas_low : NAN,
					       s->replicas_high ? (double)s->replicas_high : NAN },
			   out);
		add_value(",", "Capacity", "requests/s", s->rps, out);
		add_value(",", "Head_Room", "%", 100 * q->head_room, out);
		add_value(",", "Cost_Per_Million", "cost/million requests", cost_of(q, c), out);
	}
	buf_add_char(out, '}');
	add_snippets_json(q, c, out);
	buf_add_char(out, '}');
}

static void add_level_json(const struct conclude_questions *q, const struct conclude *c, size_t i,
			   const struct result_row *rows, size_t count, struct buf *out)
{
	const struct sizing_level *level = &c->levels[i];
	const double share = planned_share(q, level);
	struct err_text ignored = { "" };
	struct knee knee;

	begin_answer("capacity", true, out);
	buf_printf(out,
		   ",\"asked\":\"%" PRIu64 " replica%s\",\"text\":\"%" PRIu64
		   " replica%s carr%s %s%.4g requests/s.\",\"is_floor\":%s,\"figures\":{",
		   level->replicas, level->replicas == 1 ? "" : "s", level->replicas,
		   level->replicas == 1 ? "" : "s", level->replicas == 1 ? "ies" : "y",
		   level->is_floor ? "at least " : "", level->rps.value,
		   level->is_floor ? "true" : "false");
	add_value("", "Replicas", "replicas", (double)level->replicas, out);
	add_figure(",", "Capacity", "requests/s", &level->rps, out);
	add_value(",", "Users", "users", (double)c->users[i], out);
	add_value(",", "Efficiency", "%", 100 * sizing_efficiency(c->levels, c->count, i), out);
	add_value(",", "Planned_RPS", "requests/s", share * level->rps.value, out);
	add_value(",", "Planned_Users", "users", planned_users(q, c, i), out);
	if (!q->agenda.plan->is_search &&
	    !conclude_knee(rows, count, level->replicas, &knee, &ignored)) {
		add_value(",", "Knee_Users", "users", knee.load, out);
		add_value(",", "Knee_RPS", "requests/s", knee.rps, out);
	}
	buf_add_text(out, "}}");
}

static void add_search_json(const struct conclude_questions *q, const struct conclude *c,
			    const struct result_row *rows, size_t count, struct buf *out)
{
	char *objectives = text_of_objectives(q);
	struct buf said;

	buf_init(&said, 64 * 1024);
	add_searches(q, rows, count, "", ". ", &said);
	begin_answer("slo", c->count > 0, out);
	add_text("asked", str_of(objectives), out);
	add_text("text", str_trim(buf_str(&said)), out);
	buf_add_text(out, ",\"figures\":{}");
	if (isnan(q->target_rps))
		add_snippets_json(q, c, out);
	buf_add_char(out, '}');
	buf_fini(&said);
	mem_free(objectives);
}

static void add_law_json(const struct conclude *c, struct buf *out)
{
	const struct usl *u = &c->law;

	begin_answer("scalability_law", c->has_law, out);
	add_text("text",
		 str_of(c->has_law ? "Universal Scalability Law over replicas." : c->no_law.text),
		 out);
	buf_add_text(out, ",\"figures\":{");
	if (c->has_law) {
		add_figure("", "Lambda", "requests/s", &u->lambda, out);
		add_figure(",", "Sigma", "share", &u->sigma, out);
		add_figure(",", "Kappa", "share", &u->kappa, out);
		if (u->has_peak) {
			add_figure(",", "Peak_Replicas", "replicas", &u->peak_load, out);
			add_figure(",", "Peak_RPS", "requests/s", &u->peak_rps, out);
		}
	}
	buf_add_text(out, "}}");
}

void findings_add_json(const struct conclude_questions *q, const struct conclude *c,
		       const struct result_row *rows, size_t count, struct buf *out)
{
	struct buf said;

	buf_init(&said, LIMIT_ANSWER_BYTES);
	findings_say(q, c, rows, count, &said);
	buf_add_text(out, "[\n");
	if (isnan(q->target_rps)) {
		begin_answer("best", c->count > 0, out);
		add_text("text", line_of(buf_str(&said), 0), out);
		buf_add_text(out, ",\"figures\":{}}");
	} else {
		add_sizing_json(q, c, line_of(buf_str(&said), 0), out);
	}
	if (q->agenda.plan->is_search) {
		buf_add_text(out, ",\n");
		add_search_json(q, c, rows, count, out);
	}
	for (size_t i = 0; i < c->count; i++) {
		buf_add_text(out, ",\n");
		add_level_json(q, c, i, rows, count, out);
	}
	buf_add_text(out, ",\n");
	add_law_json(c, out);
	buf_add_text(out, ",\n");
	begin_answer("trust", true, out);
	add_text("text", line_of(buf_str(&said), 2), out);
	buf_add_text(out, ",\"figures\":{}}]");
	buf_fini(&said);
}
