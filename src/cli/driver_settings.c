/* SPDX-License-Identifier: MIT
 *
 * driver_settings - see the header. */
#include "cli/driver_settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/driver_options.h"

enum err driver_folder(char out[PATH_MAX], struct err_text *text)
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (len <= 0)
		return err_set(text, ERR_IO, "/proc/self/exe cannot be read; is /proc mounted?");
	out[len] = '\0';
	*strrchr(out, '/') = '\0';
	return OK;
}

/* In the build tree ../../scenarios, in an installation ../share/cicada/scenarios. */
static enum err find_own_scenario(char out[PATH_MAX], struct err_text *text)
{
	static const char *const places[] = { "../../scenarios/inference.c",
					      "../share/cicada/scenarios/inference.c" };
	char folder[PATH_MAX];
	enum err err = driver_folder(folder, text);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];

		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, places[i]) <
			    sizeof(path) &&
		    realpath(path, out))
			return OK;
	}
	return err_set(text, ERR_NOT_FOUND,
		       "scenarios/inference.c is not found from %s; name a scenario with -f",
		       folder);
}

enum err driver_find_scenario(const struct driver_options *o, char out[PATH_MAX],
			      struct err_text *text)
{
	if (!o->scenario)
		return find_own_scenario(out, text);
	if (access(o->scenario, R_OK) != 0)
		return err_set(text, ERR_NOT_FOUND, "-f %s: cannot be read", o->scenario);
	if ((size_t)snprintf(out, PATH_MAX, "%s", o->scenario) >= PATH_MAX)
		return err_set(text, ERR_TOO_BIG, "-f: the path is too long");
	return OK;
}

/* The scenario's bytes count, not its name alone: who has edited it measures something else. */
static enum err describe_local(const struct driver_options *o, struct buf *out,
			       struct err_text *text)
{
	char path[PATH_MAX];
	struct buf bytes;
	enum err err = driver_find_scenario(o, path, text);

	if (err)
		return err;
	buf_init(&bytes, LIMIT_SCENARIO_FILE_BYTES);
	err = file_read(path, &bytes, text);
	if (!err)
		buf_printf(out, " scenario=%s digest=%016" PRIx64 " model=%s", path,
			   digest_add(DIGEST_START, buf_str(&bytes).p, bytes.len),
			   o->model ? o->model : "default");
	buf_fini(&bytes);
	return err;
}

const char *driver_master_url(const struct driver_options *o)
{
	return o->master ? o->master : "http://locust-master:8089";
}

const char *driver_target_url(const struct driver_options *o)
{
	return o->host ? o->host : "http://inference:8000";
}

static void describe_urls(const struct driver_options *o, struct buf *out)
{
	buf_add_text(out, " master=");
	buf_add_url(out, driver_master_url(o));
	buf_add_text(out, " host=");
	buf_add_url(out, driver_target_url(o));
}

enum err driver_describe(const struct driver_options *o, struct buf *out, struct err_text *text)
{
	enum err err = OK;

	plan_describe(&o->plan, out);
	if (o->slo)
		buf_printf(out, " slo=%s", o->slo);
	if (!isnan(o->think_time_s))
		buf_printf(out, " think-time=%.9g", o->think_time_s);
	if (o->arrivals)
		buf_printf(out, " arrivals=%s", o->arrivals);
	buf_printf(out, " platform=%s", o->platform);
	if (!strcmp(o->platform, "local"))
		err = describe_local(o, out, text);
	else
		describe_urls(o, out);
	if (!strcmp(o->platform, "kubernetes"))
		buf_printf(out, " namespace=%s context=%s target=%s service=%s workers=%s",
			   o->namespace ? o->namespace : "default",
			   o->context ? o->context : "default", o->target_deployment,
			   o->target_service, o->worker_deployment);
	if (!err && out->is_full)
		err = err_set(text, ERR_TOO_BIG, "the settings of the plan are too long");
	return err;
}
