/* SPDX-License-Identifier: MIT
 *
 * cpus - how many processors this process may use. */
#pragma once

/* The smaller of the affinity mask and the cgroup's CPU quota (rounded up); at least 1. */
unsigned cpus_available(void);

/* The quota of the cgroup that `membership` (the text of /proc/self/cgroup) names, and of all
 * groups above it, under `mount` (/sys/fs/cgroup): the smallest, rounded up; 0: none. Both
 * versions of cgroups. */
unsigned cpus_of_quota(const char *membership, const char *mount);
