// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction of buffers with several GPU mappings: in two VMs, twice in one VM,
 * and in the VMs of two processes' worth of clients. Case 5.
 */
#include "evict.h"

#define SIZE	(67 * PAN_PAGE_SIZE)

FIXTURE(evict_shared) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_ctx other;
	struct pan_bo bo;
	__u64 second_va;
	__u64 other_va;
	__u64 seed;
	__u64 faults;
};

FIXTURE_VARIANT(evict_shared) {
	bool awake;
};

FIXTURE_VARIANT_ADD(evict_shared, asleep) {
	.awake = false,
};

FIXTURE_VARIANT_ADD(evict_shared, awake) {
	.awake = true,
};

FIXTURE_SETUP(evict_shared)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, variant->awake));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &self->bo));
	self->second_va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->second_va, SIZE, 0));
	self->other_va = pan_vm_alloc_va(&self->other.vm, SIZE, PAN_SZ_2M);
	ASSERT_EQ(0, pan_vm_map(&self->other.vm, &self->bo, 0, self->other_va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
	self->faults = PAN_COUNTER("faults");
	if (!variant->awake)
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
}

FIXTURE_TEARDOWN(evict_shared)
{
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	PAN_ENV_TEARDOWN(&self->env);
}

/* One eviction, however many mappings. */
TEST_F(evict_shared, counted_once)
{
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 1);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_RESIDENT(&self->bo, 1);
}

/* Each mapping in turn, in the VM that brings it back and in the other one. */
TEST_F(evict_shared, submit_in_each_vm)
{
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
	EXPECT_RESIDENT(&self->bo, 1);

	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/* Restored in one VM, evicted again before the other VM was ever restored. */
TEST_F(evict_shared, evict_when_half_restored)
{
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 2);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* One VM changes the contents, the other one sees it after an eviction. */
TEST_F(evict_shared, written_by_one_read_by_the_other)
{
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_gpu_fill(&self->other, self->other_va, SIZE, self->seed + 1));
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed + 1);
	EXPECT_CPU_SEES(&self->bo, self->seed + 1);
}

/* One of the VMs goes away while the buffer is evicted. */
TEST_F(evict_shared, vm_goes_while_evicted)
{
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_ctx_destroy(&self->other));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed);
}

/* Unmapped in one VM while evicted; the other mappings come back. */
TEST_F(evict_shared, unmap_in_one_vm_while_evicted)
{
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->bo.va, SIZE));
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->second_va, SIZE, self->seed);
}

/* The same buffer in a second client of the GPU. */
TEST_F(evict_shared, two_clients)
{
	struct pan_dev second_dev;
	struct pan_ctx second;
	struct pan_bo theirs;
	__u64 va;
	int fd;

	ASSERT_EQ(0, pan_reopen(&self->env.dev, &second_dev));
	ASSERT_EQ(0, pan_ctx_create(&second_dev, 1, &second));
	ASSERT_EQ(0, pan_bo_export(&self->bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&second_dev, fd, SIZE, &theirs));
	close(fd);
	va = pan_vm_alloc_va(&second.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&second.vm, &theirs, 0, va, SIZE, 0));

	EVICT(&self->bo);
	EXPECT_GPU_SEES(&second, va, SIZE, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_EQ(0, pan_bo_close(&theirs));
	EXPECT_EQ(0, pan_ctx_destroy(&second));
	pan_close(&second_dev);
	EXPECT_GPU_SEES(&self->other, self->other_va, SIZE, self->seed);
}

TEST_HARNESS_MAIN
