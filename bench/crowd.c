/* SPDX-License-Identifier: MIT
 *
 * A crowd that seldom does anything: each user asks once in 100 s on average. The first task only
 *waits, so that users that are started together do not ask together; it waits as users do between
 * tasks, for a sleep inside a task would keep its stack.
 *
 *	cicada -f bench/crowd.c -H URL --headless -u 200000 -r 20000 -t 150s */
#include <cicada.h>

static void look(struct cic_user *u)
{
	bool *has_come = cic_data(u);

	if (*has_come)
		cic_get(u, "/");
	*has_come = true;
}

CIC_USER(Onlooker, .wait = CIC_BETWEEN(0, 200), .data_bytes = sizeof(bool),
	 .tasks = CIC_TASKS({ look, 1 }));
