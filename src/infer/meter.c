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
#include "serve/metrics_text.h"

/* The last of each stands for all others. */
static const char *const paths[] = {
	"/predict",	"/healthz",	 "/readyz", "/metrics",	       "/invocations",
	"/ping",	"/version",	 "/v2",	    "/v2/health/live", "/v2/health/ready",
	"/v2/models/*", "/openapi.json", "other",
};
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

static const char *const outcomes[] = {
	[OUTCOME_PREDICTED] = "predicted",   [OUTCOME_INVALID] = "invalid",
	[OUTCOME_NOT_FINITE] = "not_finite", [OUTCOME_QUEUE_FULL] = "queue_full",
	[OUTCOME_DEADLINE] = "deadline",     [OUTCOME_CONNECTION_LOST] = "connection_lost",
};
/* Upper bounds of a batch's size; LIMIT_BATCH is the largest. */
static const char *const sizes[] = { "1", "2", "4", "8", "16", "32", "64", "+Inf" };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PATHS	    COUNT(paths)
#define METHODS	    COUNT(methods)
#define CODES	    COUNT(codes)
#define BUCKETS	    COUNT(bounds)
#define OUTCOMES    COUNT(outcomes)
#define SIZES	    COUNT(sizes)

typedef _Atomic uint64_t counter;

struct times {
	counter buckets[BUCKETS]; /* each time in one of them */
	counter sum_us;
};

struct meter {
	double wall_started_s;
	counter predictions;
	counter requests[PATHS][METHODS][CODES];
	counter outcomes[OUTCOMES];
	counter reloads[2]; /* refused, taken */
	struct times durations[PATHS], waits, runs;
	counter batches[SIZES], windows; /* each batch in one; their windows */
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

static void add_time(struct times *t, uint64_t us)
{
	size_t bucket = 0;

	while (us > bounds[bucket].us)
		bucket++;
	atomic_fetch_add(&t->sum_us, us);
	atomic_fetch_add(&t->buckets[bucket], 1);
}

void meter_request(struct meter *m, const char *path, const char *method, unsigned status,
		   uint64_t duration_us)
{
	size_t p = place_of(paths, PATHS, path);
	char code[16];

	snprintf(code, sizeof(code), "%u", status);
	add_time(&m->durations[p], duration_us);
	atomic_fetch_add(
		&m->requests[p][place_of(methods, METHODS, method)][place_of(codes, CODES, code)],
		1);
}

void meter_outcome(struct meter *m, enum outcome outcome)
{
	atomic_fetch_add(&m->outcomes[outcome], 1);
}

void meter_predicted(struct meter *m, size_t rows)
{
	atomic_fetch_add(&m->predictions, rows);
}

void meter_reload(struct meter *m, bool is_taken)
{
	atomic_fetch_add(&m->reloads[is_taken], 1);
}

void meter_wait(struct meter *m, uint64_t us)
{
	add_time(&m->waits, us);
}

void meter_batch(struct meter *m, size_t windows, uint64_t us)
{
	size_t i = 0;

	while (i < SIZES - 1 && windows > (size_t)1 << i)
		i++;
	add_time(&m->runs, us);
	atomic_fetch_add(&m->windows, windows);
	atomic_fetch_add(&m->batches[i], 1);
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

/* path: NULL: no such label. */
static void write_times(struct buf *out, const char *name, const char *path, struct times *t)
{
	/* The label of the path comes first and is left out by beginning behind it. */
	struct metrics_label all[] = { { "path", path }, { "le", NULL } };
	struct metrics_label *labels = path ? all : all + 1;
	const size_t label_count = path ? 1 : 0;
	char bucket[96], sum[96], total[96];
	double sum_s = (double)atomic_load(&t->sum_us) / (double)CLOCK_S;
	uint64_t count = 0;

	snprintf(bucket, sizeof(bucket), "%s_bucket", name);
	snprintf(sum, sizeof(sum), "%s_sum", name);
	snprintf(total, sizeof(total), "%s_count", name);
	for (size_t i = 0; i < BUCKETS; i++) {
		count += atomic_load(&t->buckets[i]);
		all[1].value = bounds[i].le;
		metrics_text_sample(out, bucket, labels, label_count + 1, (double)count);
	}
	metrics_text_sample(out, sum, labels, label_count, sum_s);
	metrics_text_sample(out, total, labels, label_count, (double)count);
}

static void write_durations(struct meter *m, struct buf *out)
{
	metrics_text_family(out, "inference_request_duration_seconds", METRICS_HISTOGRAM,
			    "From the end of a request's head to its answer, on the main port.");
	for (size_t p = 0; p < PATHS; p++)
		write_times(out, "inference_request_duration_seconds", paths[p], &m->durations[p]);
	metrics_text_family(out, "inference_queue_duration_seconds", METRICS_HISTOGRAM,
			    "How long a request waited until its batch was made.");
	write_times(out, "inference_queue_duration_seconds", NULL, &m->waits);
	metrics_text_family(out, "inference_compute_duration_seconds", METRICS_HISTOGRAM,
			    "How long the model took for a batch.");
	write_times(out, "inference_compute_duration_seconds", NULL, &m->runs);
}

static void write_batches(struct meter *m, struct buf *out)
{
	uint64_t count = 0;

	metrics_text_family(out, "inference_batch_size", METRICS_HISTOGRAM,
			    "Windows predicted at once.");
	for (size_t i = 0; i < SIZES; i++) {
		const struct metrics_label le = { "le", sizes[i] };

		count += atomic_load(&m->batches[i]);
		metrics_text_sample(out, "inference_batch_size_bucket", &le, 1, (double)count);
	}
	metrics_text_sample(out, "inference_batch_size_sum", NULL, 0,
			    (double)atomic_load(&m->windows));
	metrics_text_sample(out, "inference_batch_size_count", NULL, 0, (double)count);
}

static void write_outcomes(struct meter *m, struct buf *out)
{
	metrics_text_family(out, "inference_outcomes_total", METRICS_COUNTER,
			    "What became of the requests for predictions.");
	for (size_t i = 0; i < OUTCOMES; i++) {
		const struct metrics_label label = { "outcome", outcomes[i] };

		metrics_text_sample(out, "inference_outcomes_total", &label, 1,
				    (double)atomic_load(&m->outcomes[i]));
	}
}

static void write_one(struct buf *out, const char *name, enum metrics_kind kind, const char *help,
		      double value)
{
	metrics_text_family(out, name, kind, help);
	metrics_text_sample(out, name, NULL, 0, value);
}

static void write_info(const struct meter_model *models, size_t count, struct buf *out)
{
	const struct metrics_label build[] = { { "version", CICADA_VERSION } };

	metrics_text_family(out, "inference_model_info", METRICS_GAUGE, "The models in use.");
	for (size_t i = 0; i < count; i++) {
		const struct metrics_label labels[] = { { "name", models[i].name },
							{ "model", models[i].model },
							{ "run_id", models[i].run_id } };

		metrics_text_sample(out, "inference_model_info", labels, 3, 1);
	}
	metrics_text_family(out, "inference_build_info", METRICS_GAUGE, "This program.");
	metrics_text_sample(out, "inference_build_info", build, 1, 1);
}

static void write_reloads(struct meter *m, struct buf *out)
{
	static const char *const words[] = { "refused", "taken" };

	metrics_text_family(out, "inference_model_reloads_total", METRICS_COUNTER,
			    "Folders of models that were read again.");
	for (size_t i = 0; i < 2; i++) {
		const struct metrics_label label = { "outcome", words[i] };

		metrics_text_sample(out, "inference_model_reloads_total", &label, 1,
				    (double)atomic_load(&m->reloads[i]));
	}
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

void meter_write(struct meter *m, const struct meter_model *models, size_t model_count,
		 unsigned in_flight, struct buf *out)
{
	write_requests(m, out);
	write_outcomes(m, out);
	write_durations(m, out);
	write_batches(m, out);
	write_one(out, "inference_requests_in_flight", METRICS_GAUGE,
		  "Requests on the main port whose answer is not yet sent.", in_flight);
	write_one(out, "inference_predictions_total", METRICS_COUNTER,
		  "Rows forecast, all windows and steps.", (double)atomic_load(&m->predictions));
	write_reloads(m, out);
	write_info(models, model_count, out);
	write_process(m, out);
}
