/* SPDX-License-Identifier: MIT
 *
 * swarm - see the header. */
#include "web/swarm.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/opt.h"
#include "web/api_json.h"
#include "web/field.h"
#include "web/tag_choice.h"

#define LOGGER	 "locust.web"
#define NO_SHAPE "Default" /* Locust's word */

struct form {
	struct serve_request *r;
	json_t *json;	      /* NULL: a form */
	char numbers[16][40]; /* JSON numbers as text */
	unsigned number_count;
};

static void form_init(struct form *f, struct serve_request *r)
{
	const char *type = serve_header(r, "Content-Type");
	struct str body = serve_body(r);

	*f = (struct form){ .r = r };
	if (type && strncasecmp(type, "application/json", strlen("application/json")) == 0)
		f->json = json_loadb(body.p, body.len, 0, NULL);
}

static void form_fini(struct form *f)
{
	json_decref(f->json);
}

/* NULL: not given. */
static const char *field(struct form *f, const char *name)
{
	const json_t *value;
	char *text;

	if (!f->json)
		return serve_form(f->r, name);
	value = json_object_get(f->json, name);
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	if (!json_is_number(value) || f->number_count == sizeof(f->numbers) / sizeof(f->numbers[0]))
		return json_string_value(value);
	text = f->numbers[f->number_count++];
	if (json_is_integer(value))
		snprintf(text, sizeof(f->numbers[0]), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	else
		snprintf(text, sizeof(f->numbers[0]), "%.17g", json_real_value(value));
	return text;
}

/* The classes of a start: those that are named, and whether one of them makes users. */
struct choice {
	const struct run *run;
	struct run_classes *classes;
	json_t *names;
	bool makes_users;
};

static enum err choose(struct choice *c, const char *name, struct err_text *text)
{
	for (size_t i = 0; name && i < c->run->options.class_count; i++) {
		if (strcmp(c->run->options.classes[i].name, name) == 0) {
			run_classes_add(c->classes, i);
			json_array_append_new(c->names, api_json_string(name));
			c->makes_users |=
				c->run->shares[i].weight > 0 || c->run->shares[i].fixed_count;
			return OK;
		}
	}
	return err_set(text, ERR_NOT_FOUND,
		       "user_classes: no user class is called '%.100s'; /tasks shows them",
		       name ? name : "");
}

/* None given: those of the test that runs, else all. Else they are in the reply, too. */
static enum err read_classes(struct form *f, const struct run *run, struct run_classes *out,
			     json_t *root, struct err_text *text)
{
	struct choice c = { .run = run, .classes = out, .names = json_array() };
	const json_t *list = f->json ? json_object_get(f->json, "user_classes") : NULL;
	const char *name = f->json ? NULL : serve_form(f->r, "user_classes");
	enum err err = OK;

	if (list && !json_is_array(list) && !json_is_null(list))
		err = err_set(text, ERR_BAD_INPUT, "user_classes: give a list of names");
	for (size_t i = 0; i < json_array_size(list) && !err; i++)
		err = choose(&c, json_string_value(json_array_get(list, i)), text);
	for (; name && !err; name = serve_form_next(f->r, "user_classes", name))
		err = choose(&c, name, text);
	if (!err && !json_array_size(c.names)) {
		if (run_is_busy(run))
			*out = run->wanted.classes;
	} else if (!err && !c.makes_users) {
		err = err_set(text, ERR_BAD_INPUT,
			      "user_classes: none of them has a weight or a fixed_count");
	} else if (!err) {
		json_object_set(root, "user_classes", c.names);
	}
	json_decref(c.names);
	return err;
}

/* One field or several, a text or a list of texts. Those that find no room are counted. */
struct texts {
	struct opt_texts list;
	bool is_given;
	size_t left_out;
};

static void add_text(struct texts *out, const char *text)
{
	if (!text || !*text)
		return;
	if (out->list.count < LIMIT_AXIS_VALUES)
		out->list.value[out->list.count++] = text;
	else
		out->left_out++;
}

static void read_texts(struct form *f, const char *name, struct texts *out)
{
	const json_t *list = f->json ? json_object_get(f->json, name) : NULL;
	const char *text = f->json ? json_string_value(list) : serve_form(f->r, name);

	out->is_given = text || json_is_array(list);
	out->list.count = out->left_out = 0;
	for (size_t i = 0; i < json_array_size(list); i++)
		add_text(out, json_string_value(json_array_get(list, i)));
	for (; text; text = f->json ? NULL : serve_form_next(f->r, name, text))
		add_text(out, text);
}

/* Takes the classes that have no task left out of *classes. */
static enum err read_tags(struct form *f, struct run *run, bool is_shaped,
			  struct run_classes *classes, struct err_text *text)
{
	struct texts only, except;

	read_texts(f, "tags", &only);
	read_texts(f, "exclude_tags", &except);
	if (!only.is_given && !except.is_given) {
		if (!is_shaped)
			tag_choice_keep(run, classes);
		return OK;
	}
	if (only.left_out || except.left_out)
		return err_set(text, ERR_TOO_BIG, "tags: more than %d of them", LIMIT_AXIS_VALUES);
	if (is_shaped)
		return err_set(text, ERR_BAD_INPUT,
			       "tags: not with a load shape, which chooses classes by itself; give "
			       "--tags at the start of the program");
	return tag_choice_apply(run, &only.list, &except.list, classes, text);
}

static void answer(struct serve_request *r, json_t *root, bool success, const char *message)
{
	char *text;

	json_object_set_new(root, "success", json_boolean(success));
	json_object_set_new(root, "message", api_json_string(message));
	text = api_json_take(root);
	serve_reply(r, 200, "application/json", text, strlen(text));
	mem_free(text);
}

/* Whole numbers that fit nowhere become UINT64_MAX, for run_start() to refuse with the range. */
static bool parse_count(const char *text, uint64_t *out)
{
	struct str s = str_trim(str_of(text));
	bool is_negative = s.len && *s.p == '-';

	if (s.len && (*s.p == '-' || *s.p == '+'))
		s = (struct str){ s.p + 1, s.len - 1 };
	if (!s.len || strspn(s.p, "0123456789") < s.len)
		return false;
	if (!num_parse_u64(s, UINT64_MAX, out) || (is_negative && *out))
		*out = UINT64_MAX;
	return true;
}

/* NULL when the form can be used; else Locust's sentence. */
static const char *read_form(struct form *f, struct run_start *start, char *said, size_t said_bytes)
{
	const char *users = field(f, "user_count"), *rate = field(f, "spawn_rate");
	const char *run_time = field(f, "run_time");

	if (run_time && *run_time && !num_parse_duration(str_of(run_time), &start->run_time_s))
		return "Valid run_time formats are : 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.";
	if (users && *users && !parse_count(users, &start->user_count)) {
		snprintf(said, said_bytes,
			 "Invalid user_count value: '%.100s' (must be an integer)", users);
		return said;
	}
	if (rate && *rate && !num_parse_double(str_trim(str_of(rate)), &start->spawn_rate)) {
		snprintf(said, said_bytes, "Invalid spawn_rate value: '%.100s' (must be a number)",
			 rate);
		return said;
	}
	if (!start->user_count || start->spawn_rate == 0)
		return "Missing user_count or spawn_rate from /swarm request";
	return NULL;
}

/* Locust takes < and > out, since its old page showed the host unescaped. One that is only
 * name:port is meant as http://name:port. */
char *swarm_host(const char *text)
{
	char *copy, *to;

	if (!text || !*text)
		return NULL;
	copy = to = mem_printf("%s%s", strstr(text, "://") ? "" : "http://", text);
	for (const char *at = copy; *at; at++)
		if (*at != '<' && *at != '>')
			*to++ = *at;
	*to = '\0';
	return copy;
}

/* "A, B or Default"; what finds no room is left out. */
static void list_shapes(const struct shape *s, char *out, size_t bytes)
{
	size_t count = s && !s->choice_count ? 1 : s ? s->choice_count : 0, len = 0;

	*out = '\0';
	for (size_t i = 0; i < count && len < bytes; i++)
		len += (size_t)snprintf(out + len, bytes - len, "%.64s%s",
					s->choice_count ? s->choices[i].name : s->name,
					i + 1 < count ? ", " : " or ");
}

/* What rules the test: that which does while one runs, else what the form names, else the first
 * shape there is. NULL: the numbers of the form. */
static enum err choose_shape(struct form *f, const struct run *run, struct follow **follow,
			     struct err_text *text)
{
	const char *name = field(f, "shape_class");
	bool is_named = name && *name;
	char others[256];

	if (run_is_busy(run)) {
		if (!run->wanted.is_shaped)
			*follow = NULL;
	} else if (is_named && strcmp(name, NO_SHAPE) == 0) {
		*follow = NULL;
	} else if (*follow ? !shape_choose((*follow)->shape, is_named ? name : NULL) : is_named) {
		list_shapes(*follow ? (*follow)->shape : NULL, others, sizeof(others));
		return err_set(text, ERR_NOT_FOUND,
			       "shape_class: no load shape is called '%.100s'; give %s%s", name,
			       others, NO_SHAPE);
	}
	return OK;
}

/* NULL when the test runs; else why not. */
static const char *begin(struct run *run, struct follow *follow, const struct run_start *start,
			 struct err_text *text)
{
	enum err err = follow ? follow_start(follow, start, text) : run_start(run, start, text);

	if (err == ERR_UNREACHABLE) {
		log_line(LOG_WARNING, LOGGER, "%s", text->text);
		return NULL;
	}
	return err ? err_say(text, err) : NULL;
}

static const char *say_started(const struct follow *follow, enum web_compat compat, char *said,
			       size_t said_bytes)
{
	if (!follow)
		return "Swarming started";
	if (compat == WEB_COMPAT_2_12)
		return "Swarming started using shape class";
	snprintf(said, said_bytes, "Swarming started using shape class '%.256s'",
		 follow->shape->name);
	return said;
}

/* An empty secret is one that nobody has typed. */
static void tell_fields(const struct web_fields *fields, struct form *f)
{
	struct buf pairs;

	if (!fields)
		return;
	buf_init(&pairs, LIMIT_SERVE_BODY_BYTES);
	for (size_t i = 0; i < fields->count; i++) {
		const struct web_field *item = &fields->items[i];
		const unsigned number_count = f->number_count;
		const char *value = field(f, item->name);

		f->number_count = number_count; /* of what is copied here there may be any number */
		if (!value || (item->is_secret && !*value))
			continue;
		buf_add(&pairs, item->name, strlen(item->name) + 1);
		buf_add(&pairs, value, strlen(value) + 1);
	}
	if (pairs.len && !pairs.is_full)
		fields->given(fields->arg, buf_str(&pairs));
	buf_fini(&pairs);
}

static bool will_start(const struct run *run, const struct follow *follow,
		       const struct run_start *start)
{
	struct run_start asked = *start;

	if (follow) {
		asked.is_shaped = true;
		asked.spawn_rate = 1;
	}
	return !(follow && run_is_busy(run)) && run_check_start(run, &asked, NULL) == OK;
}

/* What lasts beyond this start: tags, profile, the locustfile's options. Of a start that is refused
 * it counts as little as the rest. */
static enum err take_choices(struct form *f, struct run *run, struct follow *follow,
			     const struct web_fields *fields, struct run_start *start,
			     struct err_text *text)
{
	const char *profile;
	enum err err = OK;

	if (!will_start(run, follow, start))
		return OK; /* begin() says why */
	profile = field(f, "profile");
	if (profile)
		err = run_check_profile(profile, text);
	if (!err)
		err = read_tags(f, run, follow, &start->classes, text);
	if (err)
		return err;
	if (profile)
		run_set_profile(run, profile);
	tell_fields(fields, f);
	return OK;
}

void swarm_answer(struct run *run, struct follow *follow, const struct web_fields *fields,
		  enum web_compat compat, struct serve_request *r)
{
	struct run_start start = { .user_count = 0 };
	struct err_text text = { "" };
	json_t *root = json_object();
	char said[320], *host;
	const char *message = NULL;
	struct form form;
	bool is_started;

	form_init(&form, r);
	host = swarm_host(field(&form, "host"));
	start.host = host;
	if (choose_shape(&form, run, &follow, &text))
		message = text.text;
	else if (!follow || follow->shape->wants_numbers)
		message = read_form(&form, &start, said, sizeof(said));
	if (!message && !follow && read_classes(&form, run, &start.classes, root, &text))
		message = text.text;
	if (!message && take_choices(&form, run, follow, fields, &start, &text))
		message = text.text;
	if (!message)
		message = begin(run, follow, &start, &text);
	is_started = !message;
	if (is_started && start.run_time_s)
		json_object_set_new(root, "run_time", json_integer((json_int_t)start.run_time_s));
	json_object_set_new(root, "host", api_json_string(host ? host : run->host));
	if (is_started)
		message = say_started(follow, compat, said, sizeof(said));
	answer(r, root, is_started, message);
	mem_free(host);
	form_fini(&form);
}
