/* SPDX-License-Identifier: MIT
 *
 * junit - see the header. */
#include "run/junit.h"

#include <inttypes.h>
#include <time.h>

#include "base/mem.h"
#include "base/xml.h"

#define ERRORS_SHOWN 20 /* of one name */

static void begin_case(struct buf *out, const char *kind, double seconds)
{
	buf_printf(out, "    <testcase classname=\"cicada.%s\" time=\"%.3f\" name=\"", kind,
		   seconds);
}

static void add_gate(struct buf *out, const struct gate *gate, double seconds)
{
	const char *tag = gate->has_failed ? "failure" : "system-out";

	begin_case(out, "gates", seconds);
	xml_add(out, gate->bound.text);
	buf_printf(out, "\">\n      <%s%s>", tag,
		   gate->has_failed ? " message=\"the gate has failed\"" : "");
	gate_add_value(gate, out);
	buf_printf(out, "</%s>\n    </testcase>\n", tag);
}

static void add_errors(struct buf *out, const struct stats *s, const struct stats_entry *e)
{
	struct map_entry *slot;
	unsigned shown = 0;

	for (size_t i = 0; shown < ERRORS_SHOWN && (slot = map_next(&s->errors, &i));) {
		const struct stats_error *error = slot->value;

		if (strcmp(error->method, e->method) != 0 || strcmp(error->name, e->name) != 0)
			continue;
		shown++;
		buf_printf(out, "\n%" PRIu64 " x ", error->occurrences);
		xml_add(out, error->error);
	}
}

static void add_name(struct buf *out, const struct stats *s, const struct stats_entry *e,
		     bool is_failure, double seconds)
{
	const char *tag = is_failure ? "failure" : "system-out";

	begin_case(out, "requests", seconds);
	xml_add(out, e->method);
	buf_add_text(out, *e->method ? " " : "");
	xml_add(out, e->name);
	buf_printf(out, "\">\n      <%s%s>%" PRIu64 " of %" PRIu64 " requests failed", tag,
		   is_failure ? " message=\"requests failed\"" : "", e->num_failures,
		   e->num_requests);
	add_errors(out, s, e);
	buf_printf(out, "</%s>\n    </testcase>\n", tag);
}

static void begin_suite(struct buf *out, const struct run *run, size_t tests, size_t failures,
			double seconds)
{
	time_t start = (time_t)run->stats.total.start_time;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&start, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
		   "  <testsuite name=\"cicada\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		   "skipped=\"0\" time=\"%.3f\" timestamp=\"%s\">\n",
		   tests, failures, seconds, when);
}

void junit_write(const struct run *run, const struct gates *gates, struct buf *out)
{
	bool are_failures = !gates_judge_failures(gates);
	size_t count, tests = gates->count, failures = 0;
	struct stats_entry **rows = stats_sorted(&run->stats, &count);

	for (size_t i = 0; i < gates->count; i++)
		failures += gates->items[i].has_failed;
	for (size_t i = 0; i < count; i++) {
		tests += rows[i]->num_failures > 0;
		failures += are_failures && rows[i]->num_failures > 0;
	}
	begin_suite(out, run, tests, failures, gates->seconds);
	for (size_t i = 0; i < gates->count; i++)
		add_gate(out, &gates->items[i], gates->seconds);
	for (size_t i = 0; i < count; i++)
		if (rows[i]->num_failures)
			add_name(out, &run->stats, rows[i], are_failures, gates->seconds);
	buf_add_text(out, "  </testsuite>\n</testsuites>\n");
	mem_free(rows);
}
