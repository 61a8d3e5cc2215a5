/* SPDX-License-Identifier: MIT
 *
 * absent - python.h for a program built without CPython. Nothing but python_open() is ever called,
 * for it never succeeds. */
#include "python/python.h"

enum err python_open(const char *path, bool as_main, int *argc, char ***argv,
		     const struct opt_texts *settings, struct python **out, int *exit_code,
		     struct err_text *text)
{
	(void)settings;
	(void)as_main;
	(void)exit_code;
	(void)argc;
	(void)argv;
	*out = NULL;
	return err_set(text, ERR_UNSUPPORTED,
		       "%s: this cicada was built without Python; install python3-dev, "
		       "python3-gevent and python3-greenlet, and build it again",
		       path);
}

enum err python_load(struct python *p, const struct python_options *options,
		     struct scenario *scenario, struct err_text *text)
{
	(void)p;
	(void)options;
	*scenario = (struct scenario){ 0 };
	return err_set(text, ERR_UNSUPPORTED, "no Python");
}

const char *const *python_settings(const struct python *p)
{
	(void)p;
	return NULL;
}

const char *const *python_files(const struct python *p)
{
	static const char *const none[] = { NULL };

	(void)p;
	return none;
}

const struct load_guest *python_guest(const struct python *p)
{
	(void)p;
	return NULL;
}

enum err python_begin(struct python *p, struct loop *control, const struct python_wishes *wishes,
		      struct err_text *text)
{
	(void)p;
	(void)control;
	(void)wishes;
	return err_set(text, ERR_UNSUPPORTED, "no Python");
}

void python_tell_joined(struct python *p, const char *id, int64_t index)
{
	(void)p;
	(void)id;
	(void)index;
}

void python_tell_spawn(struct python *p, struct str data)
{
	(void)p;
	(void)data;
}

void python_tell_report(struct python *p, struct str from, struct str data)
{
	(void)p;
	(void)from;
	(void)data;
}

void python_tell_custom(struct python *p, struct str from, struct str type, struct str data)
{
	(void)type;
	python_tell_report(p, from, data);
}

void python_tell_heartbeat(struct python *p, struct str worker)
{
	python_tell_report(p, worker, worker);
}

const struct python_field *python_fields(const struct python *p, size_t *count)
{
	(void)p;
	*count = 0;
	return NULL;
}

void python_tell_form(struct python *p, struct str pairs)
{
	(void)p;
	(void)pairs;
}

bool python_tell_web(struct python *p, uint64_t ticket, const char *method, const char *path,
		     struct str data)
{
	(void)ticket;
	(void)method;
	(void)path;
	python_tell_report(p, data, data);
	return false;
}

void python_give_cluster(struct python *p, const struct python_cluster *given)
{
	(void)p;
	(void)given;
}

void python_tell_spawned(struct python *p, uint64_t user_count)
{
	(void)p;
	(void)user_count;
}

void python_tell(struct python *p, const char *event)
{
	(void)p;
	(void)event;
}

void python_give_stats(struct python *p, const struct stats *stats)
{
	(void)p;
	(void)stats;
}

bool python_has_taken(const struct python *p)
{
	(void)p;
	return true;
}

void python_quit(struct python *p, int code, void (*done)(void *arg, int code), void *arg)
{
	(void)p;
	done(arg, code);
}

void python_end(struct python *p)
{
	(void)p;
}

void python_watch(struct python *p)
{
	(void)p;
}

void python_close(struct python **p)
{
	*p = NULL;
}
