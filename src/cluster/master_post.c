/* SPDX-License-Identifier: MIT
 *
 * master_post - what the master sends: the content of each message at the moment when it goes out.
 */
#include "cluster/master_int.h"

#include "base/limits.h"
#include "base/mem.h"

bool master_post(struct master *m, const char *id, struct msg *msg)
{
	struct buf frame;
	bool is_sent;

	msg->node_id = str_of(id);
	buf_init(&frame, LIMIT_MESSAGE_BYTES);
	msg_encode(msg, &frame);
	is_sent = !frame.is_full && m->options.send(m->options.arg, id, buf_str(&frame));
	buf_fini(&frame);
	return is_sent;
}

uint64_t master_wanted_users(const struct master *m, const struct peer *p, size_t class_index)
{
	return m->dispatch ? dispatch_users(m->dispatch, p->id, class_index) : 0;
}

/* Where classes have hosts of their own all of them are told by update_user_class, which one for
 * all would take back. */
static const char *host_of_all(const struct master *m, const struct peer *p)
{
	if (!m->run.host || (p->knows_classes && run_has_class_hosts(&m->run)))
		return "";
	return m->run.host;
}

static bool post_spawn(struct master *m, struct peer *p)
{
	size_t classes = m->run.options.class_count;
	double timestamp = run_wall_s(&m->run);
	struct msg msg = { .type = MSG_SPAWN };

	/* Workers drop what is not newer than the last one. */
	if (timestamp <= p->last_timestamp)
		timestamp = p->last_timestamp + 1e-5;
	for (size_t i = 0; i < classes; i++)
		m->counts[i] = (struct msg_count){ str_of(m->classes[i].name),
						   master_wanted_users(m, p, i) };
	msg.spawn = (struct msg_spawn){ .timestamp = timestamp,
					.test = m->test,
					.counts = { m->counts, classes },
					.host = str_of(host_of_all(m, p)),
					.stop_timeout_s = m->run.stop_timeout_s,
					.expect_workers = m->options.expect_workers,
					.tags = m->options.tags,
					.exclude_tags = m->options.exclude_tags,
					.own_options = { buf_str(&m->own_options),
							 m->own_option_count } };
	if (!master_post(m, p->id, &msg))
		return false;
	p->last_timestamp = timestamp;
	p->spawned_us = m->now_us;
	p->was_spawned = true;
	return true;
}

static bool post_class(struct master *m, struct peer *p, size_t class_index)
{
	const struct run_class *class = &m->run.options.classes[class_index];
	const struct run_share *share = &m->run.shares[class_index];
	const char *host = run_class_host(&m->run, class_index);
	struct msg msg = { .type = MSG_UPDATE_USER_CLASS };
	struct str *names = mem_zalloc(class->task_count + 1, sizeof(*names));
	bool is_sent;

	msg.user_class = (struct msg_user_class){ .name = str_of(class->name),
						  .host = str_of(host ? host : ""),
						  .has_weight = true,
						  .weight = share->weight,
						  .has_fixed_count = true,
						  .fixed_count = share->fixed_count,
						  .has_tasks = share->draws,
						  .tasks = names };
	for (size_t i = 0; share->draws && i < class->task_count; i++)
		if (share->draws[i] && class->tasks[i].name)
			names[msg.user_class.task_count++] = str_of(class->tasks[i].name);
	is_sent = master_post(m, p->id, &msg);
	mem_free(names);
	return is_sent;
}

static bool post_classes(struct master *m, struct peer *p)
{
	bool has_hosts = run_has_class_hosts(&m->run);

	for (size_t i = 0; i < m->run.options.class_count; i++)
		if ((m->run.has_new_share[i] || has_hosts) && !post_class(m, p, i))
			return false;
	return true;
}

bool master_post_debt(struct master *m, struct peer *p, enum peer_debt debt)
{
	struct msg msg = { 0 };

	switch (debt) {
	case PEER_OWED_ACK:
		msg.type = MSG_ACK;
		msg.ack.index = (int64_t)p->index;
		msg.ack.is_ours = true;
		msg.ack.bulk_port = m->options.bulk_port;
		break;
	case PEER_OWED_CLASSES:
		return post_classes(m, p);
	case PEER_OWED_STOP:
		msg.type = MSG_STOP;
		p->stopped_us = m->now_us;
		break;
	case PEER_OWED_SPAWN:
		return post_spawn(m, p);
	case PEER_OWED_COMPLETE:
		msg.type = MSG_SPAWNING_COMPLETE;
		msg.spawning_complete.user_count = run_user_count(&m->run);
		break;
	case PEER_OWED_QUIT:
		msg.type = MSG_QUIT;
		break;
	case PEER_OWED_ANSWER:
		msg.type = MSG_REPORT_ACK;
		msg.report_ack = p->number;
		break;
	}
	return master_post(m, p->id, &msg);
}

void master_owe(struct master *m, struct peer *p, enum peer_debt debt)
{
	peer_owe(p, debt);
	m->is_owing = true;
}

static void pay(struct master *m, struct peer *p)
{
	enum peer_debt debt;

	while ((debt = peer_next_debt(p)) && master_post_debt(m, p, debt))
		p->owed &= ~(unsigned)debt;
}

void master_pay(struct master *m)
{
	bool is_owing = false;

	if (!m->is_owing)
		return;
	for (size_t i = 0; i < m->peers.count; i++) {
		pay(m, m->peers.items[i]);
		is_owing = is_owing || m->peers.items[i]->owed;
	}
	m->is_owing = is_owing;
}
