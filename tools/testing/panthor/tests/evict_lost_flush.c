// SPDX-License-Identifier: GPL-2.0
/*
 * MMU commands that take longer than the driver waits for them. The buffer must
 * not be evicted then, until the GPU was reset: it might still see its pages.
 */
#include "evict.h"

#define SIZE		(71 * PAN_PAGE_SIZE)
/* The driver waits for 100 ms before it sends a command, and after that. */
#define TOO_LONG_US	150000
/* The model's limit is a second. */
#define LONGEST_US	800000

FIXTURE(evict_lost_flush) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
};

FIXTURE_SETUP(evict_lost_flush)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
}

FIXTURE_TEARDOWN(evict_lost_flush)
{
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Returns whether the eviction was refused, until a reset at the earliest. */
static bool evict_is_refused(struct __test_metadata *_metadata,
			     FIXTURE_DATA(evict_lost_flush) *self,
			     const char *knob, __u64 value)
{
	__u64 resets = PAN_COUNTER("resets"), before = 0, skipped = 0;
	struct pan_gem gem;

	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-vm", &before));
	ASSERT_EQ(0, pan_model_knob_set_u64(knob, value));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	ASSERT_EQ(0, evict_gem(&self->bo, &gem));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-vm", &skipped));
	if (skipped == before)
		return false;
	EXPECT_TRUE(!gem_is_evicted(&gem) || PAN_COUNTER("resets") > resets);
	return true;
}

/*
 * One command is late or lost; the pages stay until the GPU was reset. If the
 * driver doesn't get to look before the end of a late one, it's not late: on a busy
 * machine it takes more.
 */
static void evict_through_reset(struct __test_metadata *_metadata,
				FIXTURE_DATA(evict_lost_flush) *self,
				const char *knob, __u64 value, int tries)
{
	__u64 resets = PAN_COUNTER("resets");
	bool refused = false;

	while (tries--) {
		refused = evict_is_refused(_metadata, self, knob, value);
		if (refused)
			break;
		/* Not late: then there is no reason for a reset either. */
		EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
		ASSERT_EQ(resets, PAN_COUNTER("resets"));
		if (value < LONGEST_US)
			value += value / 4;
	}
	ASSERT_TRUE(refused);
	ASSERT_EQ(0, pan_model_wait_counter("resets", resets + 1, PAN_DEADLINE_MS));
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* LOCK is late, so FLUSH can't be sent; by the time somebody looks, LOCK is done. */
TEST_F(evict_lost_flush, late_lock)
{
	evict_through_reset(_metadata, self, "as_late_us", TOO_LONG_US, 20);
}

TEST_F(evict_lost_flush, lock_hangs)
{
	evict_through_reset(_metadata, self, "as_hang_nth", 1, 1);
}

TEST_F(evict_lost_flush, flush_hangs)
{
	evict_through_reset(_metadata, self, "as_hang_nth", 2, 1);
}

TEST_HARNESS_MAIN
