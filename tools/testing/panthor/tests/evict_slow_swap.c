// SPDX-License-Identifier: GPL-2.0
/*
 * While somebody's memory comes back from a swap device that takes forever, with all
 * that's bound to the VM locked, the jobs of others go on, even those which wait for
 * something in a buffer that's locked.
 */
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

#define SIZE		(301 * PAN_PAGE_SIZE)
#define SWAP_SIZE	(64ULL << 20)
#define SECTOR		512
#define JOBS		20

#define ZRAM		"/sys/block/zram0/"

/* A swap device that can be stopped. */
struct slow_swap {
	int control;
	char path[32];
};

struct dm_request {
	struct dm_ioctl dm;
	struct dm_target_spec target;
	char params[64];
};

static int dm_call(struct slow_swap *swap, unsigned long request, struct dm_request *r)
{
	r->dm.version[0] = DM_VERSION_MAJOR;
	r->dm.data_size = sizeof(*r);
	r->dm.data_start = sizeof(r->dm);
	strcpy(r->dm.name, "panthor-slow-swap");
	return ioctl(swap->control, request, r) ? -errno : 0;
}

static int slow_swap_stop(struct slow_swap *swap, bool stop)
{
	struct dm_request r = {
		.dm.flags = stop ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG : 0,
	};

	return dm_call(swap, DM_DEV_SUSPEND, &r);
}

static int slow_swap_create(struct slow_swap *swap)
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

static int slow_swap_destroy(struct slow_swap *swap)
{
	struct dm_request remove = {};
	int ret;

	ret = swapoff(swap->path) ? -errno : 0;
	if (!ret)
		ret = dm_call(swap, DM_DEV_REMOVE, &remove);
	close(swap->control);
	return ret ?: pan_write_file(ZRAM "reset", "1");
}

FIXTURE(evict_slow_swap) {
	struct pan_env env;
	struct pan_ctx waiting, slow, other;
	struct slow_swap swap;
	struct pan_bo shared, theirs;
	__u64 seed;
	__u64 stream;
	__u32 stream_size;
};

FIXTURE_SETUP(evict_slow_swap)
{
	struct pan_cs cs;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->swap.control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (self->swap.control < 0 || access(ZRAM "disksize", W_OK))
		SKIP(return, "no device mapper, or no zram in this kernel");
	ASSERT_EQ(0, pan_write_u64(ZRAM "disksize", SWAP_SIZE));
	ASSERT_EQ(0, slow_swap_create(&self->swap));
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->waiting));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->slow));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));

	ASSERT_EQ(0, pan_bo_create_mapped(&self->waiting.vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE, false,
					  &self->shared));
	ASSERT_EQ(0, pan_bo_mmap(&self->shared));
	ASSERT_EQ(0, pan_vm_map(&self->slow.vm, &self->shared, 0,
				pan_vm_alloc_va(&self->slow.vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE),
				PAN_PAGE_SIZE, 0));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->slow.vm, SIZE, PAN_PAGE_SIZE, true,
					  &self->theirs));
	ASSERT_EQ(0, pan_gpu_fill(&self->slow, self->theirs.va, SIZE, self->seed));

	/* What must not be read by the CPU later on, because that's evicted, too. */
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	self->stream_size = pan_cs_size(&cs);
	ASSERT_EQ(0, pan_ctx_upload(&self->slow, &cs, &self->stream));

	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(evict_slow_swap)
{
	EXPECT_EQ(0, slow_swap_stop(&self->swap, false));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, pan_bo_close(&self->theirs));
	EXPECT_EQ(0, pan_bo_close(&self->shared));
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	EXPECT_EQ(0, pan_ctx_destroy(&self->slow));
	EXPECT_EQ(0, pan_ctx_destroy(&self->waiting));
	EXPECT_EQ(0, slow_swap_destroy(&self->swap));
	PAN_ENV_TEARDOWN(&self->env);
}

/* The memory of the VM has to come back for that. */
static int submit_slow(struct pan_child *child)
{
	FIXTURE_DATA(evict_slow_swap) *test = child->arg;
	struct drm_panthor_sync_op done = pan_signal_op(test->slow.sync);
	int ret;

	ret = pan_child_tell(child, 0);
	return ret ?: pan_queue_submit(&test->slow.group, 0, test->stream, test->stream_size,
				       &done, 1);
}

/* Is a process waiting for something that signals can't end? */
static int is_stuck(void *arg)
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

static int run_other(FIXTURE_DATA(evict_slow_swap) *self)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	return pan_ctx_run(&self->other, &cs);
}

TEST_F_TIMEOUT(evict_slow_swap, others_go_on, 300)
{
	__u64 *seen, *sync = self->shared.map;
	struct pan_child child;
	struct pan_cs cs;
	int i, result = 0;
	__s64 started;

	EVICT(&self->theirs);
	PUSH_TO_SWAP(SIZE);

	/* Everybody else's memory is there, and stays there. */
	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, self->shared.va, 5);
	pan_cs_store64(&cs, pan_ctx_slot(&self->waiting, &seen), 1);
	ASSERT_EQ(0, pan_ctx_start(&self->waiting, 0, &cs));
	ASSERT_EQ(0, run_other(self));
	pan_poke(sync, 5);
	ASSERT_EQ(0, run_other(self));

	ASSERT_EQ(0, slow_swap_stop(&self->swap, true));
	ASSERT_EQ(0, pan_child_start(&child, submit_slow, self));
	ASSERT_EQ(0, pan_child_hear(&child, &started));
	EXPECT_EQ(0, pan_poll(is_stuck, &child, PAN_DEADLINE_MS));
	usleep(50000);
	EXPECT_EQ(1, is_stuck(&child));

	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, run_other(self)) TH_LOG("job %d", i);
	EXPECT_EQ(0, pan_peek(seen));
	pan_poke(sync, 6);
	ASSERT_EQ(0, run_other(self));
	ASSERT_EQ(0, pan_ctx_wait(&self->waiting, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(seen));
	for (i = 0; i < JOBS; i++)
		ASSERT_EQ(0, run_other(self)) TH_LOG("job %d", i);

	/* All of that without the lock being released. */
	EXPECT_EQ(1, is_stuck(&child));
	ASSERT_EQ(0, slow_swap_stop(&self->swap, false));
	EXPECT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
	EXPECT_EQ(0, pan_ctx_wait(&self->slow, PAN_DEADLINE_MS));
	EXPECT_GPU_SEES(&self->slow, self->theirs.va, SIZE, self->seed);
}

TEST_HARNESS_MAIN
