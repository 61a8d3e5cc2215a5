/* SPDX-License-Identifier: MIT
 *
 * stamp - see the header. Linux' SO_TIMESTAMPING, by software; "left" is noted where the packet is
 * handed to the device, for loopback in the call that sends. */
#include "delay/stamp.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"

/* More than both of the messages that may come, the stamps and what they belong to. */
#define CONTROL_BYTES 256

void stamp_enable(int fd)
{
	int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
		    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;

	/* Where it cannot be had all stamps are 0. */
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags));
}

static uint64_t stamp_of(struct msghdr *message)
{
	struct scm_timestamping stamps;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
			continue;
		memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
		return (uint64_t)stamps.ts[0].tv_sec * CLOCK_S +
		       (uint64_t)stamps.ts[0].tv_nsec / 1000;
	}
	return 0;
}

static ssize_t receive(int fd, struct iovec *into, int flags, uint64_t *at_us)
{
	_Alignas(struct cmsghdr) char control[CONTROL_BYTES];
	struct msghdr message = { .msg_iov = into,
				  .msg_iovlen = into ? 1 : 0,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, flags);

	*at_us = n < 0 ? 0 : stamp_of(&message);
	return n;
}

ssize_t stamp_recv(int fd, void *to, size_t room, uint64_t *at_us)
{
	struct iovec into = { to, room };

	return receive(fd, &into, 0, at_us);
}

uint64_t stamp_sent(int fd)
{
	uint64_t at_us, last_us = 0;

	while (receive(fd, NULL, MSG_ERRQUEUE | MSG_DONTWAIT, &at_us) >= 0)
		last_us = at_us;
	return last_us;
}
