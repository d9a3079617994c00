// SPDX-License-Identifier: GPL-2.0
/*
 * Submissions when others have the memory, and don't give it back. What can't fit is
 * refused, and nobody is killed for it.
 *
 * guest: --kernel plain --mem 256M
 */
#include <signal.h>

#include "limits.h"
#include "pan_child.h"

#define BUFFERS		24
#define REFUSED		3
#define SLACK		(16 * MIB)

FIXTURE(limits_shortage) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	__u64 total;
};

FIXTURE_SETUP(limits_shortage)
{
	EVICT_SETUP(self);
	ASSERT_EQ(0, pan_meminfo("MemTotal", &self->total));
	ASSERT_EQ(0, limits_survive());
}

FIXTURE_TEARDOWN(limits_shortage)
{
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* --- somebody who locks a lot, once and for all */

static int lock_some(struct pan_child *self)
{
	const __u64 *bytes = self->arg;
	int ret = limits_lock_memory(*bytes);

	pan_child_tell(self, ret);
	pause();
	return 0;
}

static __u64 unevictable(void)
{
	__u64 bytes = 0;

	return pan_meminfo("Unevictable", &bytes) ? ~0ULL : bytes;
}

/* As much as it takes for this not to fit, in few large or many small buffers. */
static void refused(struct __test_metadata *_metadata, FIXTURE_DATA(limits_shortage) *self,
		    int count)
{
	__u64 locked = self->total / 5 * 2, kills = 0, now = 0, before;
	__u64 size = self->total / 10 * 7 / count / PAN_PAGE_SIZE * PAN_PAGE_SIZE;
	struct pan_child locker;
	__s64 ret = -1;
	int i;

	ASSERT_GE(BUFFERS, count);
	ASSERT_EQ(0, limits_fill(&self->ctx, self->bos, count, size));
	for (i = 0; i < count; i++)
		EVICT(&self->bos[i]);
	ASSERT_EQ(0, pan_child_start(&locker, lock_some, &locked));
	ASSERT_EQ(0, pan_child_hear(&locker, &ret));
	ASSERT_EQ(0, ret);

	ASSERT_EQ(0, pan_vmstat("oom_kill", &kills));
	before = unevictable();
	for (i = 0; i < REFUSED; i++)
		EXPECT_EQ(-ENOMEM, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	EXPECT_EQ(0, pan_vmstat("oom_kill", &now));
	EXPECT_EQ(kills, now);
	EXPECT_EQ(0, kill(locker.pid, 0));
	/* What came back before that stays, but can be evicted. */
	EXPECT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_GE(before + SLACK, unevictable());

	/* It was only a lack of memory. */
	ASSERT_EQ(0, pan_child_kill(&locker, SIGKILL));
	for (i = 0; i < count; i++)
		EXPECT_GPU_SEES(&self->ctx, self->bos[i].va, size, i + 1);
}

TEST_F_TIMEOUT(limits_shortage, refused_large, 600)
{
	refused(_metadata, self, 10);
}

TEST_F_TIMEOUT(limits_shortage, refused_small, 600)
{
	refused(_metadata, self, BUFFERS);
}

TEST_HARNESS_MAIN
