/* SPDX-License-Identifier: MIT
 *
 * cpus - see the header.
 *
 * Version 2 has one hierarchy ("0::/path") with the quota in cpu.max ("200000 100000" or
 * "max 100000"). Version 1 has a line per controller ("4:cpu,cpuacct:/path"), mounted under
 * the controllers' names, and two files. A container often sees a membership whose path does
 * not exist under its own mount; walking up to the root then still finds its own limit. */
#include "base/cpus.h"

#include <sched.h>
#include <stdbool.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

#define FILE_BYTES	65536
#define MEMBERSHIP_FILE "/proc/self/cgroup"
#define MOUNT		"/sys/fs/cgroup"

/* The file's text into *b (empty if it cannot be read). */
static struct str read_text(struct buf *b, const char *folder, struct str path, const char *name)
{
	char *file = mem_printf("%s%.*s/%s", folder, STR_ARG(path), name);

	buf_clear(b);
	if (file_read(file, b, NULL))
		buf_clear(b);
	mem_free(file);
	return str_trim(buf_str(b));
}

/* Lowers *cpus to quota / period, rounded up. */
static void apply(struct str quota, struct str period, unsigned *cpus)
{
	uint64_t quota_us, period_us, need;

	if (!num_parse_u64(quota, UINT32_MAX, &quota_us) ||
	    !num_parse_u64(period, UINT32_MAX, &period_us) || !quota_us || !period_us)
		return;
	need = (quota_us + period_us - 1) / period_us;
	if (!*cpus || need < *cpus)
		*cpus = (unsigned)need;
}

static void read_v2(struct buf *b, const char *mount, struct str path, unsigned *cpus)
{
	struct str rest = read_text(b, mount, path, "cpu.max"), quota;

	if (str_cut(&rest, ' ', &quota))
		apply(quota, str_trim(rest), cpus);
}

static void read_v1(struct buf *b, const char *mount, struct str path, unsigned *cpus)
{
	static const char *const folders[] = { "/cpu", "/cpu,cpuacct" };
	struct buf period;

	buf_init(&period, FILE_BYTES);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char *folder = mem_printf("%s%s", mount, folders[i]);

		apply(read_text(b, folder, path, "cpu.cfs_quota_us"),
		      read_text(&period, folder, path, "cpu.cfs_period_us"), cpus);
		mem_free(folder);
	}
	buf_fini(&period);
}

static bool has_cpu(struct str controllers)
{
	struct str one;

	while (str_cut(&controllers, ',', &one))
		if (str_eq(one, "cpu"))
			return true;
	return false;
}

/* One line of the membership: id:controllers:path. */
static void read_line(struct buf *b, const char *mount, struct str line, unsigned *cpus)
{
	struct str id, controllers, path = line;
	bool is_v2;

	if (!str_cut(&path, ':', &id) || !str_cut(&path, ':', &controllers) || !path.p)
		return;
	is_v2 = str_eq(id, "0") && !controllers.len;
	if (!is_v2 && !has_cpu(controllers))
		return;
	for (;;) {
		while (path.len && path.p[path.len - 1] == '/')
			path.len--;
		if (is_v2)
			read_v2(b, mount, path, cpus);
		else
			read_v1(b, mount, path, cpus);
		if (!path.len)
			return;
		while (path.len && path.p[path.len - 1] != '/')
			path.len--;
	}
}

unsigned cpus_of_quota(const char *membership, const char *mount)
{
	struct str rest = str_of(membership), line;
	unsigned cpus = 0;
	struct buf b;

	buf_init(&b, FILE_BYTES);
	while (str_cut(&rest, '\n', &line))
		read_line(&b, mount, line, &cpus);
	buf_fini(&b);
	return cpus;
}

unsigned cpus_available(void)
{
	unsigned by_mask = 1, by_quota;
	struct buf membership;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		by_mask = (unsigned)CPU_COUNT(&set);
	buf_init(&membership, FILE_BYTES);
	if (file_read(MEMBERSHIP_FILE, &membership, NULL))
		buf_clear(&membership);
	by_quota = cpus_of_quota(buf_str(&membership).p, MOUNT);
	buf_fini(&membership);
	return by_quota && by_quota < by_mask ? by_quota : by_mask;
}
