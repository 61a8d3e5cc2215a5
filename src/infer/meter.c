/* SPDX-License-Identifier: MIT
 *
 * meter - see the header.
 *
 * The numbers are an array of atomics indexed by the positions of the labels' values in the
 * lists below; a page shows those that are not zero. A histogram's bucket is counted once, where
 * it belongs, and summed up when the page is written. */
#include "infer/meter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "infer/model.h"
#include "serve/metrics_text.h"

/* The last of each stands for all others. */
static const char *const paths[] = { "/predict", "/healthz", "/readyz", "/metrics", "other" };
static const char *const methods[] = { "GET",	"POST",	   "HEAD",    "PUT",   "DELETE",
				       "PATCH", "OPTIONS", "CONNECT", "TRACE", "other" };
static const char *const codes[] = { "200", "400", "404", "405", "413",
				     "422", "500", "501", "503", "other" };
/* Upper bounds in microseconds and as the label says it, in seconds. */
static const struct {
	uint64_t us;
	const char *le;
} bounds[] = {
	{ 50, "5e-05" },      { 100, "0.0001" },      { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" },    { 2500, "0.0025" },     { 5000, "0.005" },  { 10000, "0.01" },
	{ 25000, "0.025" },   { 50000, "0.05" },      { 100000, "0.1" },  { 250000, "0.25" },
	{ 500000, "0.5" },    { 1000000, "1.0" },     { 2500000, "2.5" }, { 5000000, "5.0" },
	{ 10000000, "10.0" }, { UINT64_MAX, "+Inf" },
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PATHS	    COUNT(paths)
#define METHODS	    COUNT(methods)
#define CODES	    COUNT(codes)
#define BUCKETS	    COUNT(bounds)

typedef _Atomic uint64_t counter;

struct meter {
	double wall_started_s;
	counter predictions;
	counter requests[PATHS][METHODS][CODES];
	counter buckets[PATHS][BUCKETS]; /* each request in one of them */
	counter duration_us[PATHS];
};

struct meter *meter_create(void)
{
	struct meter *m = mem_zalloc(1, sizeof(*m));

	m->wall_started_s = clock_wall_s();
	return m;
}

void meter_destroy(struct meter **m)
{
	mem_free(*m);
	*m = NULL;
}

/* The last place if the value is not in the list. */
static size_t place_of(const char *const *list, size_t count, const char *value)
{
	size_t i = 0;

	while (i < count - 1 && strcmp(list[i], value) != 0)
		i++;
	return i;
}

void meter_request(struct meter *m, const char *path, const char *method, unsigned status,
		   uint64_t duration_us)
{
	size_t p = place_of(paths, PATHS, path), bucket = 0;
	char code[16];

	snprintf(code, sizeof(code), "%u", status);
	while (duration_us > bounds[bucket].us)
		bucket++;
	atomic_fetch_add(&m->duration_us[p], duration_us);
	atomic_fetch_add(&m->buckets[p][bucket], 1);
	atomic_fetch_add(
		&m->requests[p][place_of(methods, METHODS, method)][place_of(codes, CODES, code)],
		1);
}

void meter_prediction(struct meter *m)
{
	atomic_fetch_add(&m->predictions, 1);
}

static void write_requests(struct meter *m, struct buf *out)
{
	metrics_text_family(out, "inference_requests_total", METRICS_COUNTER,
			    "Requests answered on the main port.");
	for (size_t p = 0; p < PATHS; p++)
		for (size_t v = 0; v < METHODS; v++)
			for (size_t c = 0; c < CODES; c++) {
				const struct metrics_label labels[] = { { "path", paths[p] },
									{ "method", methods[v] },
									{ "code", codes[c] } };
				uint64_t count = atomic_load(&m->requests[p][v][c]);

				if (count)
					metrics_text_sample(out, "inference_requests_total", labels,
							    3, (double)count);
			}
}

static void write_durations(struct meter *m, struct buf *out)
{
	metrics_text_family(out, "inference_request_duration_seconds", METRICS_HISTOGRAM,
			    "From the end of a request's head to its answer, on the main port.");
	for (size_t p = 0; p < PATHS; p++) {
		struct metrics_label labels[] = { { "path", paths[p] }, { "le", NULL } };
		double sum_s = (double)atomic_load(&m->duration_us[p]) / (double)CLOCK_S;
		uint64_t count = 0;

		for (size_t i = 0; i < BUCKETS; i++) {
			count += atomic_load(&m->buckets[p][i]);
			labels[1].value = bounds[i].le;
			metrics_text_sample(out, "inference_request_duration_seconds_bucket",
					    labels, 2, (double)count);
		}
		metrics_text_sample(out, "inference_request_duration_seconds_sum", labels, 1,
				    sum_s);
		metrics_text_sample(out, "inference_request_duration_seconds_count", labels, 1,
				    (double)count);
	}
}

static void write_one(struct buf *out, const char *name, enum metrics_kind kind, const char *help,
		      double value)
{
	metrics_text_family(out, name, kind, help);
	metrics_text_sample(out, name, NULL, 0, value);
}

static void write_info(const struct model *model, struct buf *out)
{
	const struct metrics_label build[] = { { "version", CICADA_VERSION } };

	metrics_text_family(out, "inference_model_info", METRICS_GAUGE, "The model in use.");
	if (model) {
		const struct metrics_label labels[] = { { "model", model->name },
							{ "run_id", model->run_id } };

		metrics_text_sample(out, "inference_model_info", labels, 2, 1);
	}
	metrics_text_family(out, "inference_build_info", METRICS_GAUGE, "This program.");
	metrics_text_sample(out, "inference_build_info", build, 1, 1);
}

/* Second word of /proc/self/statm: pages in memory. */
static double resident_bytes(void)
{
	struct str rest, word;
	uint64_t pages = 0;
	struct buf b;

	buf_init(&b, 4096);
	if (file_read("/proc/self/statm", &b, NULL) == OK) {
		rest = str_trim(buf_str(&b));
		if (str_cut(&rest, ' ', &word) && str_cut(&rest, ' ', &word) &&
		    !num_parse_u64(word, UINT32_MAX, &pages))
			pages = 0;
	}
	buf_fini(&b);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void write_process(struct meter *m, struct buf *out)
{
	struct rlimit files = { 0 };

	write_one(out, "process_cpu_seconds_total", METRICS_COUNTER, "User and system time spent.",
		  (double)clock_cpu_us() / (double)CLOCK_S);
	write_one(out, "process_resident_memory_bytes", METRICS_GAUGE, "Memory in use.",
		  resident_bytes());
	write_one(out, "process_start_time_seconds", METRICS_GAUGE, "Start, since 1970.",
		  m->wall_started_s);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		write_one(out, "process_max_fds", METRICS_GAUGE, "Files that may be open.",
			  (double)files.rlim_cur);
}

void meter_write(struct meter *m, const struct model *model, struct buf *out)
{
	write_requests(m, out);
	write_durations(m, out);
	write_one(out, "inference_predictions_total", METRICS_COUNTER, "Windows predicted.",
		  (double)atomic_load(&m->predictions));
	write_info(model, out);
	write_process(m, out);
}
