// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction when there is nothing to evict, or nowhere to evict to. Case 1.
 */
#include <sys/swap.h>

#include "evict.h"

FIXTURE(evict_none) {
	struct pan_env env;
	char swap[256];
	bool swap_is_off;
};

FIXTURE_SETUP(evict_none)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_swap_device(self->swap, sizeof(self->swap)));
}

FIXTURE_TEARDOWN(evict_none)
{
	if (self->swap_is_off)
		EXPECT_EQ(0, swapon(self->swap, 0));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_none, no_buffers)
{
	__u64 pages = ~0ULL;

	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, &pages));
	EXPECT_EQ(0, pages);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, 0, &pages));
	EXPECT_EQ(0, pages);
}

/* A buffer that never had pages has none to give, and is not "evicted". */
TEST_F(evict_none, buffer_without_pages)
{
	__u64 pages = ~0ULL;
	struct pan_gem gem;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 31 * PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, &pages));
	EXPECT_EQ(0, pages);
	ASSERT_EQ(0, evict_gem(&bo, &gem));
	EXPECT_EQ(0, gem.state);
	EXPECT_EQ(0, gem.evictions);
	EXPECT_EQ(0, gem.resident);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(evict_none, bad_input)
{
	char path[PATH_MAX];

	ASSERT_EQ(0, pan_debugfs_path(&self->env.dev, "shrink", path, sizeof(path)));
	EXPECT_EQ(-EINVAL, pan_write_file(path, "some"));
	EXPECT_EQ(-EINVAL, pan_write_file(path, "-"));
}

/* Without swap all stays where it is. With swap again it goes. */
TEST_F(evict_none, no_swap)
{
	__u64 seed = pan_rand(&self->env.rand), pages = ~0ULL;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 37 * PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, bo.size, seed);
	ASSERT_EQ(0, pan_bo_munmap(&bo));
	ASSERT_EQ(0, swapoff(self->swap));
	self->swap_is_off = true;
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, &pages));
	EXPECT_EQ(0, pages);
	EXPECT_RESIDENT(&bo, 0);

	ASSERT_EQ(0, swapon(self->swap, 0));
	self->swap_is_off = false;
	EVICT(&bo);
	EXPECT_EVICTED(&bo, 1);
	EXPECT_CPU_SEES(&bo, seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/*
 * Swap is switched off under an evicted buffer: the kernel brings its pages
 * back to memory, and the buffer finds them there.
 */
TEST_F(evict_none, swapoff_after_eviction)
{
	__u64 seed = pan_rand(&self->env.rand);
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 41 * PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, bo.size, seed);
	EVICT(&bo);
	PUSH_TO_SWAP(bo.size);
	ASSERT_EQ(0, swapoff(self->swap));
	self->swap_is_off = true;
	EXPECT_EVICTED(&bo, 1);
	EXPECT_CPU_SEES(&bo, seed);
	EXPECT_RESIDENT(&bo, 1);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_HARNESS_MAIN
