// SPDX-License-Identifier: GPL-2.0
/*
 * While somebody's memory comes back from a swap device that takes forever, with all
 * that's bound to the VM locked, the jobs of others go on, even those which wait for
 * something in a buffer that's locked.
 */
#include "slow_swap.h"

#define SIZE		(301 * PAN_PAGE_SIZE)
#define JOBS		20

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
	SLOW_SWAP_SETUP(&self->swap);
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
