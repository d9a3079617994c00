// SPDX-License-Identifier: GPL-2.0
/*
 * A few pages that are mapped a hundred thousand times: it takes as many steps to evict
 * them as there are mappings to remove, and all of it comes back at the next job.
 *
 * guest: --kernel plain
 */
#include "evict.h"

#define PAGES		3	/* a size nobody else has */
#define SIZE		(PAGES * PAN_PAGE_SIZE)
#define MAPPINGS	100000
#define IN_REQUEST	1000
#define IN_STEP		4096	/* mappings removed by a scan, at most */

FIXTURE(evict_mappings) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 va;
};

FIXTURE_SETUP(evict_mappings)
{
	static struct drm_panthor_vm_bind_op ops[IN_REQUEST];
	int i, j;

	EVICT_SETUP(self);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, &self->ctx.vm, &self->bo));
	self->va = pan_vm_alloc_va(&self->ctx.vm, (__u64)MAPPINGS * PAN_PAGE_SIZE, PAN_SZ_2M);
	for (i = 0; i < MAPPINGS; i += IN_REQUEST) {
		for (j = 0; j < IN_REQUEST; j++)
			ops[j] = pan_op_map(&self->bo, (i + j) % PAGES * PAN_PAGE_SIZE,
					    self->va + (__u64)(i + j) * PAN_PAGE_SIZE,
					    PAN_PAGE_SIZE, 0);
		ASSERT_EQ(0, pan_vm_bind(&self->ctx.vm, 0, ops, IN_REQUEST, NULL));
	}
}

FIXTURE_TEARDOWN(evict_mappings)
{
	EXPECT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->va, (__u64)MAPPINGS * PAN_PAGE_SIZE));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* What the GPU stores at one address is what it loads from the others of this page. */
static void expect_all_mapped(struct __test_metadata *_metadata,
			      FIXTURE_DATA(evict_mappings) *self, __u64 value)
{
	__u64 seen = 0;
	int i;

	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->va, value));
	for (i = PAGES; i < MAPPINGS; i = 2 * i) {
		ASSERT_EQ(0, pan_gpu_load64(&self->ctx, self->va + (__u64)i * PAN_PAGE_SIZE,
					    &seen)) TH_LOG("mapping %d", i);
		EXPECT_EQ(value, seen);
	}
	i = MAPPINGS - 1 - (MAPPINGS - 1) % PAGES;
	ASSERT_EQ(0, pan_gpu_load64(&self->ctx, self->va + (__u64)i * PAN_PAGE_SIZE, &seen));
	EXPECT_EQ(value, seen);
}

TEST_F_TIMEOUT(evict_mappings, in_steps, 600)
{
	__u64 end = pan_now_ms() + 30 * PAN_DEADLINE_MS;
	struct pan_gem gem = {};
	int scans = 0;

	expect_all_mapped(_metadata, self, 1);
	while (!gem_is_evicted(&gem) && pan_now_ms() < end) {
		ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
		ASSERT_EQ(0, evict_gem(&self->bo, &gem));
		scans++;
	}
	TH_LOG("%d scans", scans);
	EXPECT_TRUE(gem_is_evicted(&gem));
	EXPECT_LE(MAPPINGS / IN_STEP, scans);
	EXPECT_SOUND(&self->env.dev);
	expect_all_mapped(_metadata, self, 2);

	/* A job in the middle of it needs everything, so it starts all over again. */
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	expect_all_mapped(_metadata, self, 3);
	EXPECT_RESIDENT(&self->bo, 1);
}

TEST_HARNESS_MAIN
