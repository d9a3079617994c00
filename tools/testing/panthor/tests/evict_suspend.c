// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction and the state of the GPU: asleep, reset, short of address spaces.
 * Case 11.
 */
#include "evict.h"

#define SIZE		(83 * PAN_PAGE_SIZE)
#define MANY_VMS	12

FIXTURE(evict_suspend) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
	__u64 faults;
};

FIXTURE_SETUP(evict_suspend)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	self->faults = PAN_COUNTER("faults");
}

FIXTURE_TEARDOWN(evict_suspend)
{
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* A sleeping GPU is neither woken nor touched. */
TEST_F(evict_suspend, does_not_wake)
{
	__u64 reads, writes, clock_on;

	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	reads = PAN_COUNTER("reg_reads");
	writes = PAN_COUNTER("reg_writes");
	clock_on = PAN_COUNTER("clock_on");
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_EQ(reads, PAN_COUNTER("reg_reads"));
	EXPECT_EQ(writes, PAN_COUNTER("reg_writes"));
	EXPECT_EQ(clock_on, PAN_COUNTER("clock_on"));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_LT(clock_on, PAN_COUNTER("clock_on"));
}

/* The CPU brings it back, and the GPU sleeps on. */
TEST_F(evict_suspend, cpu_fault_does_not_wake)
{
	__u64 clock_on;

	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	clock_on = PAN_COUNTER("clock_on");
	EVICT(&self->bo);
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_EQ(clock_on, PAN_COUNTER("clock_on"));
}

/* Evicted awake, restored after a sleep; evicted asleep, restored awake. */
TEST_F(evict_suspend, sleep_in_between)
{
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* One MMU sequence for a VM on an address space, not one per buffer. */
TEST_F(evict_suspend, flushes_are_batched)
{
	struct pan_bo bos[50];
	__u64 locks, i;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, 2 * PAN_PAGE_SIZE,
						  PAN_PAGE_SIZE, true, &bos[i]));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	locks = PAN_COUNTER("as_lock");
	EVICT(&self->bo);
	/* Room for several batches, and for buffers evicted one by one at the end. */
	EXPECT_GT(locks + ARRAY_SIZE(bos) / 2, PAN_COUNTER("as_lock"));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
}

/* A reset between eviction and the next job. */
TEST_F(evict_suspend, reset_while_evicted)
{
	__u64 resets, boots;
	struct pan_ctx victim;
	struct pan_stream at;
	struct pan_cs cs;
	char knob[64];

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &victim));
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(&victim, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", PAN_COUNTER("instructions") + 1000,
					    PAN_DEADLINE_MS));
	EVICT(&self->bo);
	resets = PAN_COUNTER("resets");
	boots = PAN_COUNTER("boots");
	ASSERT_EQ(0, pan_model_busy_stream(&at));
	snprintf(knob, sizeof(knob), "%u %u %x", at.csg, at.cs, CSF_EXC_CS_UNRECOVERABLE);
	ASSERT_EQ(0, pan_model_knob_set("fatal", knob));
	ASSERT_EQ(0, pan_model_wait_counter("resets", resets + 1, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_wait_counter("boots", boots + 1, PAN_DEADLINE_MS));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_EQ(0, pan_ctx_destroy(&victim));
}

/* More VMs than address spaces: with and without one when they are evicted. */
TEST_F(evict_suspend, more_vms_than_address_spaces)
{
	struct pan_ctx vms[MANY_VMS];
	struct pan_bo bos[MANY_VMS];
	int i, round;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	for (i = 0; i < MANY_VMS; i++) {
		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &vms[i]));
		ASSERT_EQ(0, pan_bo_create_mapped(&vms[i].vm, (20 + i) * PAN_PAGE_SIZE,
						  PAN_PAGE_SIZE, true, &bos[i]));
		ASSERT_EQ(0, pan_gpu_fill(&vms[i], bos[i].va, bos[i].size, self->seed + i));
	}
	for (round = 1; round <= 2; round++) {
		for (i = 0; i < MANY_VMS; i++)
			EVICT(&bos[i]);
		for (i = 0; i < MANY_VMS; i++)
			EXPECT_GPU_SEES(&vms[i], bos[i].va, bos[i].size, self->seed + i);
	}
	for (i = 0; i < MANY_VMS; i++) {
		EXPECT_CPU_SEES(&bos[i], self->seed + i);
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
		EXPECT_EQ(0, pan_ctx_destroy(&vms[i]));
	}
}

TEST_HARNESS_MAIN
