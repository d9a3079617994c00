// SPDX-License-Identifier: GPL-2.0
/*
 * No translation survives the eviction of what it leads to. With a build of
 * the driver that doesn't flush, this has to fail. Case 18.
 */
#include "evict.h"

#define SIZE		(101 * PAN_PAGE_SIZE)
#define SECOND_SIZE	(102 * PAN_PAGE_SIZE)
#define FAR		(1ULL << 30)

FIXTURE(evict_tlb) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
	__u64 stale;
};

FIXTURE_SETUP(evict_tlb)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	self->stale = PAN_COUNTER("stale_hits");
}

FIXTURE_TEARDOWN(evict_tlb)
{
	EXPECT_EQ(self->stale, PAN_COUNTER("stale_hits"));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static void expect_clean_tlb(struct __test_metadata *_metadata)
{
	char audit[16384];

	EXPECT_EQ(0, pan_model_tlb_audit(audit, sizeof(audit)))
		TH_LOG("stale translations:\n%s", audit);
}

/* The TLB has every page of the buffer when it is evicted. */
TEST_F(evict_tlb, eviction_flushes)
{
	__u64 hits = PAN_COUNTER("tlb_hits");
	int round;

	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	ASSERT_LE(hits + SIZE / PAN_PAGE_SIZE, PAN_COUNTER("tlb_hits"));
	for (round = 0; round < 3; round++) {
		EVICT(&self->bo);
		expect_clean_tlb(_metadata);
		PUSH_TO_SWAP(SIZE);
		EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
		expect_clean_tlb(_metadata);
	}
}

/* What is evicted first is far below what is evicted with it. */
TEST_F(evict_tlb, all_of_a_batch_is_flushed)
{
	__u64 va = self->bo.va + FAR;
	struct pan_bo second;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SECOND_SIZE, 0, &self->ctx.vm, &second));
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &second, 0, va, SECOND_SIZE, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, va, SECOND_SIZE, self->seed));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	expect_clean_tlb(_metadata);
	EXPECT_GPU_SEES(&self->ctx, va, SECOND_SIZE, self->seed);
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, va, SECOND_SIZE));
	EXPECT_EQ(0, pan_bo_close(&second));
}

/* Other contents by the CPU while the GPU has no mapping. */
TEST_F(evict_tlb, gpu_sees_the_restored_page)
{
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, self->seed + 1);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed + 1);
	expect_clean_tlb(_metadata);
}

/* Unmapped while evicted: the address faults, it doesn't show the old page. */
TEST_F(evict_tlb, unmapped_address_faults)
{
	__u64 faults, wrong;

	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->bo.va, SIZE));
	expect_clean_tlb(_metadata);
	faults = PAN_COUNTER("faults");
	EXPECT_EQ(-EINVAL, pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong));
	EXPECT_LT(faults, PAN_COUNTER("faults"));
}

/* Two VMs on address spaces: both are flushed. */
TEST_F(evict_tlb, all_vms_are_flushed)
{
	struct pan_ctx other;
	__u64 va;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	va = pan_vm_alloc_va(&other.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&other.vm, &self->bo, 0, va, SIZE, 0));
	EXPECT_GPU_SEES(&other, va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	expect_clean_tlb(_metadata);
	EXPECT_GPU_SEES(&other, va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_EQ(0, pan_ctx_destroy(&other));
}

/* Commands that take their time don't open a window. */
TEST_F(evict_tlb, slow_mmu)
{
	ASSERT_EQ(0, pan_model_knob_set_u64("as_latency_us", 2000));
	EVICT(&self->bo);
	expect_clean_tlb(_metadata);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	ASSERT_EQ(0, pan_model_knob_set_u64("as_latency_us", 0));
}

TEST_HARNESS_MAIN
