// SPDX-License-Identifier: GPL-2.0
/*
 * Many small buffers at once: how often the GPU is told about it depends on how
 * much is evicted, not on the number of buffers. And the driver must not hold a
 * lock for each of them, which lockdep doesn't stand.
 */
#include "evict.h"

#define BUFFERS		300
#define SIZE		(BUFFERS * PAN_PAGE_SIZE)
#define BATCH		(4 * PAN_SZ_1M)	/* at most */
/* For a VM's own buffers, and for shared ones, with some air */
#define SEQUENCES	(4 * ((SIZE + BATCH - 1) / BATCH))

FIXTURE(evict_many) {
	struct pan_env env;
	struct pan_ctx vms[2];
	struct pan_bo bos[BUFFERS];
	__u64 va;
	__u64 seed;
};

FIXTURE_VARIANT(evict_many) {
	bool private;
	int vms;	/* that the buffers are mapped in */
};

FIXTURE_VARIANT_ADD(evict_many, private) {
	.private = true,
	.vms = 1,
};

FIXTURE_VARIANT_ADD(evict_many, in_one_vm) {
	.private = false,
	.vms = 1,
};

FIXTURE_VARIANT_ADD(evict_many, in_two_vms) {
	.private = false,
	.vms = 2,
};

FIXTURE_SETUP(evict_many)
{
	struct pan_ctx *owner = &self->vms[0];
	int i, vm;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->vms[0]));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->vms[1]));
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	self->va = pan_vm_alloc_va(&owner->vm, SIZE, PAN_SZ_2M);
	for (i = 0; i < BUFFERS; i++) {
		ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, 0,
					   variant->private ? &owner->vm : NULL, &self->bos[i]));
		for (vm = 0; vm < variant->vms; vm++)
			ASSERT_EQ(0, pan_vm_map(&self->vms[vm].vm, &self->bos[i], 0,
						self->va + i * PAN_PAGE_SIZE, PAN_PAGE_SIZE, 0));
	}
	ASSERT_EQ(0, pan_gpu_fill(owner, self->va, SIZE, self->seed));
}

FIXTURE_TEARDOWN(evict_many)
{
	int i;

	for (i = 0; i < BUFFERS; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->vms[0]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->vms[1]));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_many, few_flushes)
{
	struct pan_dev *dev = &self->env.dev;
	/* 7.3 flushes caches by a command to the GPU, between LOCK and UNLOCK. */
	const char *counter = pan_is_newer() ? "gpu_flushes" : "as_flush_mem";
	__u64 before = EVICTIONS(dev), flushes = PAN_COUNTER(counter);
	int vm;

	ASSERT_EQ(0, pan_shrink(dev, EVERYTHING, NULL));
	EXPECT_LE(BUFFERS, EVICTIONS(dev) - before);
	flushes = PAN_COUNTER(counter) - flushes;
	/* One more for each VM, for what its binds might have left in shader cores. */
	EXPECT_GE(SEQUENCES + variant->vms, flushes);
	EXPECT_LT(0, flushes);
	for (vm = 0; vm < variant->vms; vm++)
		EXPECT_GPU_SEES(&self->vms[vm], self->va, SIZE, self->seed);
}

TEST_HARNESS_MAIN
