// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction of buffers that nobody maps. Cases 2 and 16.
 */
#include "evict.h"

FIXTURE(evict_unused) {
	struct pan_env env;
};

FIXTURE_SETUP(evict_unused)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
}

FIXTURE_TEARDOWN(evict_unused)
{
	PAN_ENV_TEARDOWN(&self->env);
}

static void create_filled(struct __test_metadata *_metadata, FIXTURE_DATA(evict_unused) *self,
			  __u64 pages, __u64 seed, struct pan_bo *bo)
{
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, pages * PAN_PAGE_SIZE, 0, NULL, bo));
	ASSERT_EQ(0, pan_bo_mmap(bo));
	pan_fill(bo->map, bo->size, seed);
	ASSERT_EQ(0, pan_bo_munmap(bo));
}

/* Out and back in, and each column of gems on the way. */
TEST_F(evict_unused, out_and_in)
{
	__u64 seed = pan_rand(&self->env.rand), reclaimed = 0, round;
	struct pan_bo bo;

	create_filled(_metadata, self, 43, seed, &bo);
	EXPECT_RESIDENT(&bo, 0);
	for (round = 1; round <= 3; round++) {
		ASSERT_EQ(0, evict_bo(&bo, &reclaimed));
		EXPECT_EQ(43, reclaimed);
		EXPECT_EVICTED(&bo, round);
		if (round & 1)
			PUSH_TO_SWAP(bo.size);
		EXPECT_CPU_SEES(&bo, seed);
		EXPECT_RESIDENT(&bo, round);
		ASSERT_EQ(0, pan_bo_munmap(&bo));
	}
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* What is evicted already is not evicted again. */
TEST_F(evict_unused, only_once)
{
	__u64 pages = ~0ULL;
	struct pan_bo bo;

	create_filled(_metadata, self, 47, pan_rand(&self->env.rand), &bo);
	EVICT(&bo);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, &pages));
	EXPECT_EQ(0, pages);
	EXPECT_EVICTED(&bo, 1);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* A scan takes about as much as it was asked for, not everything. */
TEST_F(evict_unused, no_more_than_asked_for)
{
	struct pan_bo bos[16];
	__u64 seed = pan_rand(&self->env.rand), reclaimed = 0, evicted = 0, i;

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		create_filled(_metadata, self, 10 + i, seed + i, &bos[i]);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, 20, &reclaimed));
	EXPECT_LE(20, reclaimed);
	/* At most one buffer beyond that. */
	EXPECT_GE(20 + 26, reclaimed);
	for (i = 0; i < ARRAY_SIZE(bos); i++) {
		struct pan_gem gem;

		ASSERT_EQ(0, evict_gem(&bos[i], &gem));
		if (gem_is_evicted(&gem))
			evicted += gem.size / PAN_PAGE_SIZE;
		EXPECT_CPU_SEES(&bos[i], seed + i);
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
	}
	EXPECT_EQ(reclaimed, evicted);
}

/* Totals of gems agree with its lines, and with what was evicted. */
TEST_F(evict_unused, totals)
{
	struct pan_gems before, after;
	__u64 size = 0, resident = 0;
	struct pan_bo bo;
	size_t i;

	create_filled(_metadata, self, 53, 1, &bo);
	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &before));
	EVICT(&bo);
	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &after));
	EXPECT_EQ(before.total, after.total);
	EXPECT_EQ(before.resident - bo.size, after.resident);
	EXPECT_EQ(before.reclaimable - bo.size, after.reclaimable);
	for (i = 0; i < after.count; i++) {
		size += after.gems[i].size;
		resident += after.gems[i].resident;
	}
	EXPECT_EQ(size, after.total);
	EXPECT_EQ(resident, after.resident);
	pan_gems_free(&before);
	pan_gems_free(&after);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Closing what is evicted frees it, swap slots included. */
TEST_F(evict_unused, close_while_evicted)
{
	__u64 free_before, free_after;
	struct pan_bo bo;
	struct pan_gem gem;

	create_filled(_metadata, self, 1024, 1, &bo);
	EVICT(&bo);
	PUSH_TO_SWAP(bo.size);
	ASSERT_EQ(0, pan_swap_free(&free_before));
	ASSERT_EQ(0, pan_bo_close(&bo));
	bo.dev = &self->env.dev;
	EXPECT_EQ(-ENOENT, evict_gem(&bo, &gem));
	ASSERT_EQ(0, pan_swap_free(&free_after));
	/* Other pages may come and go meanwhile, but not that many. */
	EXPECT_LT(free_before + bo.size / 2, free_after);
}

TEST_HARNESS_MAIN
