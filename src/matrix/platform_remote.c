/* SPDX-License-Identifier: MIT
 *
 * platform_remote - see the header. */
#include "matrix/platform_remote.h"

#include "base/mem.h"

struct platform_remote {
	struct platform base;
	const char *master_url, *target_url;
};

static enum err remote_start(struct platform *p, struct err_text *text)
{
	(void)p;
	(void)text;
	return OK;
}

static enum err remote_scale(struct platform *p, uint64_t count, struct err_text *text)
{
	(void)p;
	(void)count;
	(void)text;
	return OK;
}

static enum err remote_check_running(struct platform *p, enum platform_part *part,
				     struct err_text *text)
{
	*part = PLATFORM_MASTER;
	return remote_start(p, text);
}

static enum err remote_read_requests(struct platform *p, uint64_t *out, struct err_text *text)
{
	(void)p;
	(void)out;
	(void)text;
	return ERR_UNSUPPORTED;
}

static const char *remote_master_url(const struct platform *p)
{
	return ((const struct platform_remote *)p)->master_url;
}

static const char *remote_target_url(const struct platform *p)
{
	return ((const struct platform_remote *)p)->target_url;
}

static void remote_describe(const struct platform *p, struct buf *out)
{
	const struct platform_remote *r = (const struct platform_remote *)p;

	buf_add_text(out, "- Platform: the running master ");
	buf_add_url(out, r->master_url);
	buf_add_text(out, " and target ");
	buf_add_url(out, r->target_url);
	buf_add_text(out, "; nothing was scaled, replicas are as stated by the user\n");
}

static void remote_destroy(struct platform *p)
{
	mem_free(p);
}

static const struct platform_ops remote_ops = {
	.name = "remote",
	.start = remote_start,
	.scale_target = remote_scale,
	.check_target = remote_start,
	.scale_workers = remote_scale,
	.check_workers = remote_start,
	.check_running = remote_check_running,
	.read_requests = remote_read_requests,
	.master_url = remote_master_url,
	.target_url = remote_target_url,
	.describe = remote_describe,
	.destroy = remote_destroy,
};

struct platform *platform_remote_create(const char *master_url, const char *target_url)
{
	struct platform_remote *r = mem_zalloc(1, sizeof(*r));

	r->base.ops = &remote_ops;
	r->master_url = master_url;
	r->target_url = target_url;
	return &r->base;
}
