// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping comes back with the protection that it had.
 */
#include "evict.h"

#define SIZE	(67 * PAN_PAGE_SIZE)

FIXTURE(evict_protection) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 va;
	__u64 seed;
};

FIXTURE_SETUP(evict_protection)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &self->bo));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, self->seed);
	self->va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);
}

FIXTURE_TEARDOWN(evict_protection)
{
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Written to when it just came back: the job fails, the contents are unharmed. */
TEST_F(evict_protection, read_only)
{
	__u64 faults;

	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->va, SIZE,
				DRM_PANTHOR_VM_BIND_OP_MAP_READONLY));
	EXPECT_GPU_SEES(&self->ctx, self->va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->ctx, self->va, SIZE, self->seed);
	EVICT(&self->bo);
	faults = PAN_COUNTER("faults");
	EXPECT_EQ(-EINVAL, pan_gpu_fill(&self->ctx, self->va, SIZE, ~self->seed));
	EXPECT_LT(faults, PAN_COUNTER("faults"));
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/* Both at once: the writable mapping of the same buffer can be written to. */
TEST_F(evict_protection, read_only_and_writable)
{
	__u64 writable = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);

	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->va, SIZE,
				DRM_PANTHOR_VM_BIND_OP_MAP_READONLY));
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, writable, SIZE, 0));
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, writable, SIZE, ~self->seed));
	EXPECT_GPU_SEES(&self->ctx, self->va, SIZE, ~self->seed);
	EVICT(&self->bo);
	EXPECT_EQ(-EINVAL, pan_gpu_fill(&self->ctx, self->va, SIZE, self->seed));
	EXPECT_CPU_SEES(&self->bo, ~self->seed);
}

TEST_HARNESS_MAIN
