/* SPDX-License-Identifier: MIT
 *
 * scenario - see the header. What a class says is checked here once, so that the engine need not
 * ask again for every task. */
#include "user/scenario.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "http/url.h"
#include "user/compile.h"
#include "user/symbols.h"

#define CLASS_PREFIX "cic_user_"
#define SHAPE_SYMBOL "cic_shape"
#define FEED_PREFIX  "cic_feed_"

struct loading {
	struct scenario *scenario;
	const struct cic_user_class **classes; /* the scenario's, still to be changed */
	struct err_text *text;
};

/* Of a class, feed or shape: "visitor.c:7", as a compiler says it. */
enum err scenario_refuse(const struct scenario *s, const struct cic_place *place, enum err err,
			 const struct err_text *why, struct err_text *text)
{
	const char *slash = place->file ? strrchr(place->file, '/') : NULL;
	const char *base = slash ? slash + 1 : place->file;
	bool is_elsewhere = base && strcmp(base, s->file_name) != 0;

	/* An object of the cache may have been compiled in another folder. */
	if (!base)
		return err_set(text, err, "%s: %s", s->file_name, err_say(why, err));
	if (is_elsewhere || strcmp(s->folder, ".") == 0)
		return err_set(text, err, "%s:%d: %s", is_elsewhere ? place->file : base,
			       place->line, err_say(why, err));
	return err_set(text, err, "%s/%s:%d: %s", s->folder, base, place->line, err_say(why, err));
}

static bool is_number(double value, double max)
{
	return isfinite(value) && value >= 0 && value <= max;
}

static enum err check_wait(const struct cic_user_class *class, struct err_text *text)
{
	const struct cic_wait *w = &class->wait;

	if (w->kind != CIC_WAIT_CONSTANT && w->kind != CIC_WAIT_BETWEEN &&
	    w->kind != CIC_WAIT_PACING)
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: unknown kind of wait %d; use CIC_CONSTANT, "
			       "CIC_BETWEEN, CIC_CONSTANT_PACING or CIC_CONSTANT_THROUGHPUT",
			       class->name, w->kind);
	if (w->kind == CIC_WAIT_PACING && !is_number(w->a, LIMIT_WAIT_S))
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: %g s from one task start to the next; give "
			       "CIC_CONSTANT_PACING seconds up to %.0f, CIC_CONSTANT_THROUGHPUT a "
			       "number above 0",
			       class->name, w->a, LIMIT_WAIT_S);
	if (!is_number(w->a, LIMIT_WAIT_S) || !is_number(w->b, LIMIT_WAIT_S) ||
	    (w->kind == CIC_WAIT_BETWEEN && w->a > w->b))
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: wait times %g and %g; give seconds from 0 to %.0f, the "
			       "smaller one first",
			       class->name, w->a, w->b, LIMIT_WAIT_S);
	return OK;
}

static enum err check_arrivals(const struct cic_user_class *class, struct err_text *text)
{
	const struct cic_arrivals *a = &class->arrivals;

	if (a->kind != CIC_ARRIVALS_KIND_NONE && a->kind != CIC_ARRIVALS_KIND_EVEN &&
	    a->kind != CIC_ARRIVALS_KIND_POISSON)
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: unknown kind of arrivals %d; use CIC_ARRIVALS_EVEN or "
			       "CIC_ARRIVALS_POISSON",
			       class->name, a->kind);
	if (!is_number(a->per_s, LIMIT_OPEN_PER_S))
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: %g arrivals per second and user; give a number up to "
			       "%g",
			       class->name, a->per_s, LIMIT_OPEN_PER_S);
	if (a->max_in_flight > LIMIT_OPEN_IN_FLIGHT || a->max_waiting > LIMIT_OPEN_WAITING)
		return err_set(text, ERR_TOO_BIG,
			       "class %s: .max_in_flight may be up to %d, .max_waiting up to %d",
			       class->name, LIMIT_OPEN_IN_FLIGHT, LIMIT_OPEN_WAITING);
	if (a->kind && (class->wait.kind != CIC_WAIT_CONSTANT || class->wait.a > 0))
		return err_set(text, ERR_BAD_INPUT,
			       "class %s has both .wait and .arrivals; remove .wait, or .arrivals "
			       "when its users are to wait",
			       class->name);
	return OK;
}

static enum err check_tasks(const struct cic_user_class *class, struct err_text *text)
{
	size_t count = 0;

	for (; class->tasks && class->tasks[count].run; count++) {
		if (count == LIMIT_USER_TASKS)
			return err_set(text, ERR_TOO_BIG, "class %s has more than %d tasks",
				       class->name, LIMIT_USER_TASKS);
		if (!is_number(class->tasks[count].weight, HUGE_VAL))
			return err_set(text, ERR_BAD_INPUT,
				       "class %s: the weight of task %zu is %g; give a number "
				       "from 0 on",
				       class->name, count + 1, class->tasks[count].weight);
	}
	if (!count)
		return err_set(text, ERR_BAD_INPUT,
			       "class %s has no task; add .tasks = CIC_TASKS({ function, 1 })",
			       class->name);
	return OK;
}

static enum err check_class(const struct cic_user_class *class, struct err_text *text)
{
	struct err_text why = { 0 };
	struct http_url url;
	enum err err;

	if (!is_number(class->weight, HUGE_VAL))
		return err_set(text, ERR_BAD_INPUT,
			       "class %s: the weight is %g; give a number from 0 on", class->name,
			       class->weight);
	if (class->data_bytes > LIMIT_USER_DATA_BYTES)
		return err_set(text, ERR_TOO_BIG,
			       "class %s: .data_bytes is %zu for each user; at most %d",
			       class->name, class->data_bytes, LIMIT_USER_DATA_BYTES);
	if (class->host && (err = http_url_parse(str_of(class->host), &url, &why)))
		return err_set(text, err, "class %s: .host: %s", class->name, err_say(&why, err));
	err = check_wait(class, text);
	if (!err)
		err = check_arrivals(class, text);
	return err ? err : check_tasks(class, text);
}

/* Nothing else may be read before this: another ABI is another structure. */
static enum err check_abi(const struct scenario *s, uint32_t abi, const char *symbol,
			  struct err_text *text)
{
	if (abi == CIC_ABI)
		return OK;
	if (!abi)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: %s has no .abi; define it with the macros of cicada.h",
			       s->file_name, symbol);
	return err_set(text, ERR_UNSUPPORTED,
		       "%s: %s was compiled for version %u of cicada.h, this program has version "
		       "%u; compile it again",
		       s->file_name, symbol, abi, CIC_ABI);
}

static enum err add_class(void *arg, const char *symbol)
{
	struct loading *loading = arg;
	struct scenario *s = loading->scenario;
	const struct cic_user_class *class = dlsym(s->handle, symbol);
	struct err_text why = { 0 };
	enum err err;

	if (!class)
		return err_set(loading->text, ERR_BAD_INPUT, "%s: %s", s->file_name, dlerror());
	if (s->class_count == LIMIT_USER_CLASSES)
		return err_set(loading->text, ERR_TOO_BIG, "%s: more than %d user classes",
			       s->file_name, LIMIT_USER_CLASSES);
	err = check_abi(s, class->abi, symbol, loading->text);
	if (err)
		return err;
	if (!class->name || !class->name[0])
		return err_set(loading->text, ERR_BAD_INPUT,
			       "%s: %s has no name; define it with CIC_USER", s->file_name, symbol);
	err = check_class(class, &why);
	if (err)
		return scenario_refuse(s, &class->place, err, &why, loading->text);
	loading->classes[s->class_count++] = class;
	return OK;
}

/* What its stages say is checked by whoever drives the test: a worker has no use for them. */
static enum err find_shape(struct scenario *s, struct err_text *text)
{
	const struct cic_shape *shape = dlsym(s->handle, SHAPE_SYMBOL);
	enum err err;

	if (!shape)
		return OK;
	err = check_abi(s, shape->abi, SHAPE_SYMBOL, text);
	if (err)
		return err;
	if (!shape->name || !shape->ask == !shape->stage_count)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: %s is incomplete; define it with CIC_SHAPE(function) or "
			       "CIC_STAGES({ seconds, users, spawn_rate }, ...)",
			       s->file_name, SHAPE_SYMBOL);
	s->shape = shape;
	return OK;
}

static enum err add_feed(void *arg, const char *symbol)
{
	struct loading *loading = arg;
	struct scenario *s = loading->scenario;
	struct cic_feed *feed = dlsym(s->handle, symbol);
	struct err_text why = { 0 };
	enum err err;

	if (!feed)
		return err_set(loading->text, ERR_BAD_INPUT, "%s: %s", s->file_name, dlerror());
	if (s->feed_count == LIMIT_FEEDS)
		return err_set(loading->text, ERR_TOO_BIG, "%s: more than %d feeds", s->file_name,
			       LIMIT_FEEDS);
	err = check_abi(s, feed->abi, symbol, loading->text);
	if (err)
		return err;
	if (!feed->name || !feed->name[0] || !feed->file || !feed->file[0])
		return err_set(loading->text, ERR_BAD_INPUT,
			       "%s: %s has no name or no file; define it with CIC_FEED(name, "
			       "\"file.csv\")",
			       s->file_name, symbol);
	if (feed->mode != CIC_FEED_CYCLE && feed->mode != CIC_FEED_RANDOM &&
	    feed->mode != CIC_FEED_ONCE) {
		err = err_set(&why, ERR_BAD_INPUT,
			      "feed %s: unknown mode %d; use CIC_FEED_CYCLE, CIC_FEED_RANDOM or "
			      "CIC_FEED_ONCE",
			      feed->name, feed->mode);
		return scenario_refuse(s, &feed->place, err, &why, loading->text);
	}
	s->feeds[s->feed_count++] = feed;
	return OK;
}

static int by_name(const void *a, const void *b)
{
	const struct cic_user_class *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static enum err check_names(const struct scenario *s, struct err_text *text)
{
	if (!s->class_count)
		return err_set(text, ERR_BAD_INPUT,
			       "%s: no user class; define one with CIC_USER(Name, ...)",
			       s->file_name);
	for (size_t i = 1; i < s->class_count; i++)
		if (strcmp(s->classes[i - 1]->name, s->classes[i]->name) == 0)
			return err_set(text, ERR_EXISTS, "%s: two user classes are called %s",
				       s->file_name, s->classes[i]->name);
	return OK;
}

static enum err ignore_symbol(void *arg, const char *symbol)
{
	(void)arg;
	(void)symbol;
	return OK;
}

/* path: which the words may begin with, and which for one of the cache says nothing. */
static enum err say_not_loaded(const struct scenario *s, const char *path, struct err_text *text)
{
	const char *why = dlerror();
	size_t len = strlen(path);
	bool has_path = strncmp(why, path, len) == 0 && strncmp(why + len, ": ", 2) == 0;
	bool lacks_symbol = strstr(why, "undefined symbol");

	return err_set(text, ERR_BAD_INPUT, "%s: %s%s", s->file_name,
		       has_path ? why + len + 2 : why,
		       lacks_symbol ? "; define it, or name its library: CC=\"cc -lNAME\"" : "");
}

static enum err load_object(struct loading *loading, const char *path, struct str bytes)
{
	struct scenario *s = loading->scenario;
	struct err_text why = { 0 };
	enum err err = symbols_each(bytes, CLASS_PREFIX, ignore_symbol, NULL, &why);
	char *full;

	/* Before dlopen(), which runs into the signal that a cut file raises. */
	if (err)
		return err_set(loading->text, err, "%s: %s", s->file_name, err_say(&why, err));
	/* Without a slash it would be searched in the library folders. */
	full = strchr(path, '/') ? mem_strdup(path) : mem_printf("./%s", path);
	s->handle = dlopen(full, RTLD_NOW | RTLD_LOCAL);
	if (!s->handle)
		err = say_not_loaded(s, full, loading->text);
	mem_free(full);
	if (err)
		return err;
	err = symbols_each(bytes, CLASS_PREFIX, add_class, loading, loading->text);
	if (!err)
		err = symbols_each(bytes, FEED_PREFIX, add_feed, loading, loading->text);
	if (err)
		return err;
	qsort(loading->classes, s->class_count, sizeof(*loading->classes), by_name);
	err = check_names(s, loading->text);
	return err ? err : find_shape(s, loading->text);
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcmp(path + len - end_len, end) == 0;
}

enum err scenario_load(const char *path, struct scenario *out, struct err_text *text)
{
	const char *slash = strrchr(path, '/');
	struct loading loading = { .scenario = out, .text = text };
	char *compiled = NULL;
	struct buf bytes;
	enum err err = OK;

	*out = (struct scenario){
		.file_name = mem_strdup(slash ? slash + 1 : path),
		.folder = slash ? mem_strndup(path, slash > path ? (size_t)(slash - path) : 1)
				: mem_strdup("."),
	};
	loading.classes = mem_zalloc(LIMIT_USER_CLASSES, sizeof(*loading.classes));
	out->classes = loading.classes;
	buf_init(&bytes, LIMIT_SCENARIO_FILE_BYTES);
	if (ends_with(path, ".c"))
		err = compile_scenario(path, &compiled, text);
	else if (!ends_with(path, ".so"))
		err = err_set(text, ERR_UNSUPPORTED,
			      "%s: a scenario is C source (.c) or a shared object (.so)", path);
	if (!err)
		err = file_read(compiled ? compiled : path, &bytes, text);
	if (!err)
		err = load_object(&loading, compiled ? compiled : path, buf_str(&bytes));
	buf_fini(&bytes);
	mem_free(compiled);
	if (err)
		scenario_unload(out);
	return err;
}

enum err scenario_open_feeds(struct scenario *s, struct feed_slice slice, struct err_text *text)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < s->feed_count; i++) {
		struct err_text why = { 0 };

		err = feed_open(s->feeds[i], s->folder, slice, &why);
		/* What is wrong inside the file is said with a line of that. */
		if (err == ERR_BAD_INPUT)
			err_set(text, err, "%s", why.text);
		else if (err)
			scenario_refuse(s, &s->feeds[i]->place, err, &why, text);
	}
	return err;
}

void scenario_rewind_feeds(const struct scenario *s)
{
	for (size_t i = 0; i < s->feed_count; i++)
		feed_rewind(s->feeds[i]);
}

enum err scenario_set_slice(const struct scenario *s, struct feed_slice slice,
			    struct err_text *text)
{
	enum err last = OK;

	for (size_t i = 0; i < s->feed_count; i++) {
		enum err err = feed_set_slice(s->feeds[i], slice, text);

		last = err ? err : last;
	}
	return last;
}

void scenario_unload(struct scenario *s)
{
	for (size_t i = 0; i < s->feed_count; i++)
		feed_close(s->feeds[i]);
	if (s->handle)
		dlclose(s->handle);
	mem_free((void *)s->classes);
	mem_free(s->file_name);
	mem_free(s->folder);
	*s = (struct scenario){ 0 };
}
