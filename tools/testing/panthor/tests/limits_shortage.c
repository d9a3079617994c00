// SPDX-License-Identifier: GPL-2.0
/*
 * Submissions when others have the memory, and don't give it back. What can't fit is
 * refused, and nobody is killed for it.
 *
 * guest: --kernel plain --mem 256M
 */
#include <signal.h>

#include "evict.h"
#include "pan_child.h"

#define MIB		(1ULL << 20)
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
	/* The shell and init are smaller, but let the tests survive them. */
	ASSERT_EQ(0, pan_write_file("/proc/self/oom_score_adj", "-1000"));
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
}

FIXTURE_TEARDOWN(limits_shortage)
{
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int fill(struct pan_ctx *ctx, struct pan_bo *bos, int count, __u64 size)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++) {
		ret = pan_bo_create_mapped(&ctx->vm, size + i * PAN_PAGE_SIZE, PAN_PAGE_SIZE, true,
					   &bos[i]);
		if (!ret)
			ret = pan_gpu_fill(ctx, bos[i].va, size, i + 1);
	}
	return ret;
}

/* --- somebody who locks a lot, once and for all */

static int lock_memory(__u64 bytes)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	return mem == MAP_FAILED || mlock(mem, bytes) ? -errno : 0;
}

static int lock_some(struct pan_child *self)
{
	const __u64 *bytes = self->arg;
	int ret = lock_memory(*bytes);

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
	ASSERT_EQ(0, fill(&self->ctx, self->bos, count, size));
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
