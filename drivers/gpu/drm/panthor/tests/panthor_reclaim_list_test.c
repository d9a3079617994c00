// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for the order of reclaim, and for the totals. */

#include "panthor_kunit_helpers.h"

/* Pages are summed up over all lists, and don't count once they're gone. */
static void panthor_list_test_totals(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_gem_object *unused, *mmapped, *pinned, *shared;
	struct panthor_vm *vms[2];

	unused = panthor_kunit_bo(test, NULL, 1 * PAGE_SIZE);
	mmapped = panthor_kunit_bo(test, NULL, 2 * PAGE_SIZE);
	pinned = panthor_kunit_bo(test, NULL, 16 * PAGE_SIZE);
	shared = panthor_kunit_bo(test, NULL, 8 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(unused));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(mmapped));
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(pinned));
	panthor_kunit_mmap_get(mmapped);

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = panthor_kunit_vm(test);
		panthor_kunit_mapped_bo(test, vms[i], 4 * PAGE_SIZE, PANTHOR_KUNIT_VA(0));
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], shared, PANTHOR_KUNIT_VA(1)));
	}

	KUNIT_EXPECT_EQ(test, reclaim->root.unused.count, 1);
	KUNIT_EXPECT_EQ(test, reclaim->root.mmapped.count, 2);
	KUNIT_EXPECT_EQ(test, panthor_vm_reclaim(vms[0])->lru.lru.count, 4);
	KUNIT_EXPECT_EQ(test, panthor_vm_reclaim(vms[1])->lru.lru.count, 4);
	KUNIT_EXPECT_EQ(test, reclaim->root.shared.count, 8);
	KUNIT_EXPECT_EQ(test, reclaim->nr_pages, 19);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 19);

	panthor_kunit_bo_put(test, unused);
	KUNIT_EXPECT_EQ(test, reclaim->nr_pages, 18);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 18);
	KUNIT_EXPECT_EQ(test, reclaim->nr_pages, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&reclaim->vms));
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);

	panthor_kunit_mmap_put(mmapped);
	panthor_gem_unpin(pinned);
	KUNIT_EXPECT_EQ(test, reclaim->nr_pages, 16);
}

/* A VM is listed as long as it has something to reclaim. */
static void panthor_list_test_vm_listed(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct list_head *node = &panthor_vm_reclaim(vm)->lru.node;

	/* There's nothing to move. */
	panthor_gem_lru_touch_vm(ctx->ptdev, panthor_vm_reclaim(vm));
	KUNIT_EXPECT_TRUE(test, list_empty(node));

	panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(1));
	KUNIT_EXPECT_FALSE(test, list_empty(node));

	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0), PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, list_empty(node));
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(1), PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, list_empty(node));

	KUNIT_EXPECT_TRUE(test, list_empty(&ctx->ptdev->reclaim.vms));
}

/* A VM that's destroyed leaves its objects in the lists they belong to. */
static void panthor_list_test_vm_destroyed(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo, *shared;

	bo = panthor_kunit_mapped_bo(test, vms[0], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	shared = panthor_kunit_bo(test, NULL, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], shared, PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], shared, PANTHOR_KUNIT_VA(1)));

	panthor_kunit_vm_destroy(test, vms[0]);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.lru, &reclaim->root.unused);
	KUNIT_EXPECT_PTR_EQ(test, shared->base.lru, &panthor_vm_reclaim(vms[1])->lru.lru);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&reclaim->vms));
	KUNIT_EXPECT_EQ(test, reclaim->nr_pages, 2);
}

/* VMs are reclaimed from the one that was idle for the longest time. */
static void panthor_list_test_vm_order(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];
	struct panthor_vm *vms[3];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = panthor_kunit_vm(test);
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	}

	/* 0 1 2, then 1 2 0, then 1 0 2. */
	panthor_gem_lru_touch_vm(ctx->ptdev, panthor_vm_reclaim(vms[0]));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[2], NULL));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));
}

/* A VM that gets its first buffer is young, whenever it was created. */
static void panthor_list_test_vm_young(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2];

	bos[1] = panthor_kunit_mapped_bo(test, vms[1], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	bos[0] = panthor_kunit_mapped_bo(test, vms[0], PAGE_SIZE, PANTHOR_KUNIT_VA(0));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));

	/* It's the youngest one again when it gets its memory back. */
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[1], NULL));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
}

/* Getting one more buffer doesn't make a VM younger, running jobs does. */
static void panthor_list_test_vm_not_per_bo(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2];

	bos[0] = panthor_kunit_mapped_bo(test, vms[0], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	bos[1] = panthor_kunit_mapped_bo(test, vms[1], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	panthor_kunit_mapped_bo(test, vms[0], PAGE_SIZE, PANTHOR_KUNIT_VA(1));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
}

/*
 * Objects of a list are reclaimed from the oldest to the youngest, and an object
 * that's updated without changing its state stays where it is.
 */
static void panthor_list_test_bo_order(struct kunit *test)
{
	struct panthor_gem_object *bos[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	/* 0 1 2, then 0 2 1. */
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bos[1]));
	panthor_gem_unpin(bos[1]);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
}

static struct kunit_case panthor_list_tests[] = {
	KUNIT_CASE(panthor_list_test_totals),
	KUNIT_CASE(panthor_list_test_vm_listed),
	KUNIT_CASE(panthor_list_test_vm_destroyed),
	KUNIT_CASE(panthor_list_test_vm_order),
	KUNIT_CASE(panthor_list_test_vm_young),
	KUNIT_CASE(panthor_list_test_vm_not_per_bo),
	KUNIT_CASE(panthor_list_test_bo_order),
	{}
};

static struct kunit_suite panthor_list_test_suite = {
	.name = "panthor_reclaim_list",
	.init = panthor_kunit_init,
	.test_cases = panthor_list_tests,
};

kunit_test_suite(panthor_list_test_suite);
