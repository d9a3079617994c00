/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A swap device that can be stopped: zram, with the device mapper in front of it.
 */
#ifndef SLOW_SWAP_H
#define SLOW_SWAP_H

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "evict.h"
#include "pan_child.h"

#define SWAP_SIZE	(64ULL << 20)
#define SECTOR		512

#define ZRAM		"/sys/block/zram0/"

struct slow_swap {
	int control;
	char path[32];
};

struct dm_request {
	struct dm_ioctl dm;
	struct dm_target_spec target;
	char params[64];
};

static inline int dm_call(struct slow_swap *swap, unsigned long request, struct dm_request *r)
{
	r->dm.version[0] = DM_VERSION_MAJOR;
	r->dm.data_size = sizeof(*r);
	r->dm.data_start = sizeof(r->dm);
	strcpy(r->dm.name, "panthor-slow-swap");
	return ioctl(swap->control, request, r) ? -errno : 0;
}

static inline int slow_swap_stop(struct slow_swap *swap, bool stop)
{
	struct dm_request r = {
		.dm.flags = stop ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG : 0,
	};

	return dm_call(swap, DM_DEV_SUSPEND, &r);
}

static inline int slow_swap_create(struct slow_swap *swap)
{
	struct dm_request create = {};
	struct dm_request load = {
		.dm.target_count = 1,
		.target = { .length = SWAP_SIZE / SECTOR, .target_type = "linear" },
		.params = "/dev/zram0 0",
	};
	char command[64];
	int ret;

	ret = dm_call(swap, DM_DEV_CREATE, &create);
	if (!ret)
		ret = dm_call(swap, DM_TABLE_LOAD, &load);
	if (!ret)
		ret = slow_swap_stop(swap, false);
	if (ret)
		return ret;
	snprintf(swap->path, sizeof(swap->path), "/dev/dm-%u", (unsigned int)(create.dm.dev & 0xff));
	snprintf(command, sizeof(command), "mkswap %s >/dev/null", swap->path);
	if (system(command))
		return -EIO;
	return swapon(swap->path, SWAP_FLAG_PREFER | 1000) ? -errno : 0;
}

static inline int slow_swap_destroy(struct slow_swap *swap)
{
	struct dm_request remove = {};
	int ret;

	ret = swapoff(swap->path) ? -errno : 0;
	if (!ret)
		ret = dm_call(swap, DM_DEV_REMOVE, &remove);
	close(swap->control);
	return ret ?: pan_write_file(ZRAM "reset", "1");
}

/* Skips the test if there can be no such device. */
#define SLOW_SWAP_SETUP(swap) do {						\
	struct slow_swap *__swap = (swap);					\
										\
	__swap->control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);	\
	if (__swap->control < 0 || access(ZRAM "disksize", W_OK))		\
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no device mapper, or no zram");	\
	ASSERT_EQ(0, pan_write_u64(ZRAM "disksize", SWAP_SIZE));		\
	ASSERT_EQ(0, slow_swap_create(__swap));					\
} while (0)

/* Is a process waiting for something that signals can't end? */
static inline int is_stuck(void *arg)
{
	struct pan_child *child = arg;
	char path[32], text[512], *state;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/stat", child->pid);
	ret = pan_read_file(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	state = strrchr(text, ')');
	if (!state || state[2] == 'Z')
		return -ECHILD;
	return state[2] == 'D';
}

#endif /* SLOW_SWAP_H */
