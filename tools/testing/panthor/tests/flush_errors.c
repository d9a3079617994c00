// SPDX-License-Identifier: GPL-2.0
/*
 * The GPU doesn't answer to the cache flush, or to the MMU command, at the end of a VM
 * operation: until it's reset, it might use what was mapped there. Drivers that flush by
 * MMU commands only, as that of 6.12, have no use for the former, and nothing hangs.
 *
 * Whoever calls the driver here has a real-time priority, so that on one CPU the reset,
 * which is done by a worker, can't take place before it has been looked at the result.
 */
#include <sched.h>

#include "evict.h"

#define SIZE		(73 * PAN_PAGE_SIZE)
#define OTHER_VA	0x40000000ULL

/* DRM_PANTHOR_VM_BIND_OP_MAP_SPARSE, which not all headers know, and what goes with it */
#define SPARSE_NOEXEC	(1 << 3 | DRM_PANTHOR_VM_BIND_OP_MAP_NOEXEC)

FIXTURE(flush_errors) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo, shared;
	__u64 seed;
};

static int real_time(bool on)
{
	struct sched_param param = { .sched_priority = on ? 1 : 0 };

	return sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param) ? -errno : 0;
}

FIXTURE_SETUP(flush_errors)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE + PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					  false, &self->shared));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
}

FIXTURE_TEARDOWN(flush_errors)
{
	EXPECT_EQ(0, real_time(false));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_bo_close(&self->shared));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Whether what was to hang has done so. There's a reset then, and a new group is needed. */
static bool end_of_hang(struct __test_metadata *_metadata, FIXTURE_DATA(flush_errors) *self,
			const char *knob, __u64 resets)
{
	__u64 left = 0;

	ASSERT_EQ(0, real_time(false));
	ASSERT_EQ(0, pan_model_knob_get(knob, &left));
	ASSERT_EQ(0, pan_model_knob_set(knob, "0"));
	if (left)
		return false;
	EXPECT_EQ(0, pan_model_wait_counter("resets", resets + 1, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_new_group(&self->ctx));
	return true;
}

static void evict_when(struct __test_metadata *_metadata, FIXTURE_DATA(flush_errors) *self,
		       const char *knob, __u64 nth)
{
	__u64 resets = PAN_COUNTER("resets"), resets_then;
	struct pan_gem gem;

	ASSERT_EQ(0, pan_model_knob_set_u64(knob, nth));
	ASSERT_EQ(0, real_time(true));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	ASSERT_EQ(0, evict_gem(&self->bo, &gem));
	resets_then = PAN_COUNTER("resets");
	if (end_of_hang(_metadata, self, knob, resets))
		EXPECT_TRUE(!gem_is_evicted(&gem) || resets_then > resets)
			TH_LOG("evicted before the GPU was reset");
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* What was to be flushed isn't: the pages stay until the reset. */
TEST_F(flush_errors, evict_flush)
{
	evict_when(_metadata, self, "flush_hang_nth", 1);
}

/* LOCK, then what ends it */
TEST_F(flush_errors, evict_unlock)
{
	evict_when(_metadata, self, "as_hang_nth", 2);
}

/*
 * Another operation in the same VM before the reset. If it locks its region, the GPU
 * forgets the one that couldn't be unlocked, of which the model complains.
 */
TEST_F(flush_errors, next_operation)
{
	__u64 resets = PAN_COUNTER("resets");

	ASSERT_EQ(0, pan_model_knob_set("flush_hang_nth", "1"));
	ASSERT_EQ(0, real_time(true));
	pan_vm_map(&self->ctx.vm, &self->shared, 0, OTHER_VA, SIZE, 0);
	pan_vm_map(&self->ctx.vm, &self->shared, 0, OTHER_VA + PAN_SZ_2M, SIZE, 0);
	end_of_hang(_metadata, self, "flush_hang_nth", resets);
	EXPECT_EQ(0, pan_vm_unmap(&self->ctx.vm, OTHER_VA, 2 * PAN_SZ_2M));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/*
 * Part of a block of 2 MiB is unmapped, so all of it has to be locked, which fails: the
 * mapping stays as it was. Sparse mappings, which there are since 7.3, are made of blocks.
 */
TEST_F(flush_errors, wider_lock)
{
	__u64 resets = PAN_COUNTER("resets"), left = 0;
	struct pan_bo none = {};
	int ret;

	ret = pan_vm_map(&self->ctx.vm, &none, 0, OTHER_VA, 2 * PAN_SZ_2M, SPARSE_NOEXEC);
	if (ret == -EINVAL)
		SKIP(return, "no sparse mappings");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "2"));
	ret = pan_vm_unmap(&self->ctx.vm, OTHER_VA + PAN_SZ_1M, 16 * PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_model_knob_get("as_hang_nth", &left));
	EXPECT_EQ(0, left);
	EXPECT_NE(0, ret);
	ASSERT_TRUE(end_of_hang(_metadata, self, "as_hang_nth", resets));
	EXPECT_EQ(0, pan_vm_unmap(&self->ctx.vm, OTHER_VA, 2 * PAN_SZ_2M));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

TEST_HARNESS_MAIN
