// SPDX-License-Identifier: GPL-2.0
/*
 * An evicted buffer comes back for the CPU first or for the GPU first, whole
 * or page by page. Case 8.
 */
#include "evict.h"

#define PAGES	71
#define SIZE	(PAGES * PAN_PAGE_SIZE)

FIXTURE(evict_order) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
	__u64 faults;
};

FIXTURE_SETUP(evict_order)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	EXPECT_CPU_SEES(&self->bo, self->seed);
	self->faults = PAN_COUNTER("faults");
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
}

FIXTURE_TEARDOWN(evict_order)
{
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_order, cpu_then_gpu)
{
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_RESIDENT(&self->bo, 1);
}

TEST_F(evict_order, gpu_then_cpu)
{
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_RESIDENT(&self->bo, 1);
}

/* The CPU has the pages again, the GPU has not: evicted like that. */
TEST_F(evict_order, evict_after_cpu_only)
{
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 2);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

TEST_F(evict_order, evict_after_gpu_only)
{
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 2);
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* The CPU changes a page before the GPU has anything back, and vice versa. */
TEST_F(evict_order, changes_are_seen)
{
	const __u64 offset = 40 * PAN_PAGE_SIZE + 3 * sizeof(__u64);
	__u64 *word = (__u64 *)((char *)self->bo.map + offset), new = pan_rand(&self->env.rand);
	__u64 seen = 0, va = self->bo.va + offset;

	*word = new;
	ASSERT_EQ(0, pan_gpu_load64(&self->ctx, va, &seen));
	EXPECT_EQ(new, seen);
	EVICT(&self->bo);
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, va, new + 1));
	EXPECT_EQ(new + 1, *word);
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_EQ(new + 1, *word);
	EXPECT_EQ(1, pan_verify(self->bo.map, SIZE, self->seed));
}

/* A random mixture of everything, with a pattern that changes. */
TEST_F(evict_order, random)
{
	__u64 seed = self->seed;
	int step;

	for (step = 0; step < 40; step++) {
		switch (pan_rand(&self->env.rand) % 6) {
		case 0:
		case 1:
			EVICT(&self->bo);
			break;
		case 2:
			EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, seed);
			break;
		case 3:
			EXPECT_EQ(0, pan_verify_edges(self->bo.map, SIZE, seed));
			break;
		case 4:
			seed = pan_rand(&self->env.rand);
			ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, seed));
			break;
		case 5:
			seed = pan_rand(&self->env.rand);
			pan_fill(self->bo.map, SIZE, seed);
			break;
		}
	}
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, seed);
	EXPECT_CPU_SEES(&self->bo, seed);
}

TEST_HARNESS_MAIN
