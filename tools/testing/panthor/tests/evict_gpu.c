// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction of buffers that one VM has mapped: the next job finds them.
 * Cases 4 and 6.
 */
#include "evict.h"

FIXTURE(evict_gpu) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	struct pan_bo copy;
	__u64 seed;
	__u64 faults;
};

FIXTURE_VARIANT(evict_gpu) {
	__u64 pages;
	bool awake;	/* evicted with the VM on an address space, or without */
};

FIXTURE_VARIANT_ADD(evict_gpu, small_asleep) {
	.pages = 1,
	.awake = false,
};

FIXTURE_VARIANT_ADD(evict_gpu, small_awake) {
	.pages = 1,
	.awake = true,
};

FIXTURE_VARIANT_ADD(evict_gpu, middle_asleep) {
	.pages = 61,
	.awake = false,
};

FIXTURE_VARIANT_ADD(evict_gpu, middle_awake) {
	.pages = 61,
	.awake = true,
};

FIXTURE_VARIANT_ADD(evict_gpu, large_awake) {
	.pages = 2048 + 3,
	.awake = true,
};

FIXTURE_SETUP(evict_gpu)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, variant->awake));
	/* An odd size of its own, also where one page is enough for the test. */
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, (variant->pages + 2) * PAN_PAGE_SIZE,
					  PAN_SZ_2M, true, &self->bo));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, (variant->pages + 5) * PAN_PAGE_SIZE,
					  PAN_SZ_2M, true, &self->copy));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, self->bo.size, self->seed));
	self->faults = PAN_COUNTER("faults");
	if (!variant->awake)
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
}

FIXTURE_TEARDOWN(evict_gpu)
{
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_bo_close(&self->copy));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_gpu, copy_from_it)
{
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 1);
	PUSH_TO_SWAP(self->bo.size);
	ASSERT_EQ(0, pan_gpu_copy(&self->ctx, self->copy.va, self->bo.va, self->bo.size));
	EXPECT_RESIDENT(&self->bo, 1);
	EXPECT_GPU_SEES(&self->ctx, self->copy.va, self->bo.size, self->seed);
	ASSERT_EQ(0, pan_bo_mmap(&self->copy));
	EXPECT_EQ(0, pan_verify(self->copy.map, self->bo.size, self->seed));
}

/* Written by the GPU after it came back, evicted, read by the CPU. */
TEST_F(evict_gpu, write_to_it)
{
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, self->bo.size, self->seed + 1));
	EVICT(&self->bo);
	PUSH_TO_SWAP(self->bo.size);
	EXPECT_CPU_SEES(&self->bo, self->seed + 1);
	EXPECT_RESIDENT(&self->bo, 2);
}

/* All of the VM goes, time and again; jobs in between don't notice. */
TEST_F(evict_gpu, over_and_over)
{
	int round;

	for (round = 1; round <= 4; round++) {
		EVICT(&self->bo);
		EXPECT_EVICTED(&self->bo, round);
		EXPECT_GPU_SEES(&self->ctx, self->bo.va, self->bo.size, self->seed);
	}
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/* One submission that waits for a fence: restored in time for all of it. */
TEST_F(evict_gpu, submit_behind_a_fence)
{
	__u64 *cpu, result_va = pan_ctx_slot(&self->ctx, &cpu);
	struct drm_panthor_sync_op ops[2];
	struct pan_ctx other;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&other, 0, &cs));

	EVICT(&self->bo);
	pan_poke(cpu, ~0ULL);
	pan_cs_init(&cs);
	pan_cs_verify(&cs, self->bo.va, self->bo.size, self->seed, result_va);
	ops[0] = pan_wait_op(other.sync);
	ops[1] = pan_signal_op(self->ctx.sync);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, ops, 2));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_peek(cpu));
	EXPECT_EQ(0, pan_ctx_destroy(&other));
}

TEST_HARNESS_MAIN
