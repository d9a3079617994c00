// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for what's reclaimed by memory cgroup. The cgroups are made up. */

#include <linux/vmscan.h>

#include <kunit/static_stub.h>

#include "../panthor_gem_evict.h"
#include "../panthor_gem_memcg.h"
#include "../panthor_gem_shrinker.h"
#include "panthor_kunit_helpers.h"

/**
 * struct panthor_memcg_test - State of a test
 */
struct panthor_memcg_test {
	/** @payer: Cgroup that pays for pages, as an index, -1 for the root. */
	int payer;

	/** @refs: Number of references to each cgroup. */
	int refs[2];

	/** @swap_space: What each of them can put in swap, in pages. */
	unsigned long swap_space[2];

	/** @writing: True if what's evicted stays in flight. */
	bool writing;
};

static struct panthor_memcg_test *panthor_memcg_test_current(void)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;

	return ctx->priv;
}

/* An address nobody looks at. */
static struct mem_cgroup *panthor_memcg_test_cgroup(struct panthor_memcg_test *t, u32 i)
{
	return (struct mem_cgroup *)&t->refs[i];
}

static int panthor_memcg_test_index(struct mem_cgroup *memcg)
{
	return (int *)memcg - panthor_memcg_test_current()->refs;
}

static struct mem_cgroup *panthor_memcg_test_get(struct panthor_gem_object *bo)
{
	struct panthor_memcg_test *t = panthor_memcg_test_current();

	if (t->payer < 0)
		return NULL;

	t->refs[t->payer]++;
	return panthor_memcg_test_cgroup(t, t->payer);
}

static void panthor_memcg_test_put(struct mem_cgroup *memcg)
{
	if (memcg)
		panthor_memcg_test_current()->refs[panthor_memcg_test_index(memcg)]--;
}

static struct mem_cgroup *panthor_memcg_test_set_active(struct mem_cgroup *memcg)
{
	return NULL;
}

static unsigned long panthor_memcg_test_swap_pages(struct mem_cgroup *memcg)
{
	struct panthor_memcg_test *t = panthor_memcg_test_current();

	return memcg ? t->swap_space[panthor_memcg_test_index(memcg)] : PANTHOR_KUNIT_ALL;
}

static unsigned long panthor_memcg_test_write(struct panthor_gem_object *bo,
					      unsigned long *writing)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	*writing = panthor_memcg_test_current()->writing ? nr_pages : 0;
	return nr_pages - *writing;
}

static int panthor_memcg_test_init(struct kunit *test)
{
	struct panthor_memcg_test *t;
	struct panthor_kunit *ctx;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_init(test));
	ctx = test->priv;
	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->swap_space[0] = PANTHOR_KUNIT_ALL;
	t->swap_space[1] = PANTHOR_KUNIT_ALL;
	ctx->priv = t;

	kunit_activate_static_stub(test, panthor_gem_get_memcg_locked, panthor_memcg_test_get);
	kunit_activate_static_stub(test, panthor_lruvec_put_memcg, panthor_memcg_test_put);
	kunit_activate_static_stub(test, panthor_memcg_set_active,
				   panthor_memcg_test_set_active);
	kunit_activate_static_stub(test, panthor_gem_evict_memcg_swap_space,
				   panthor_memcg_test_swap_pages);
	kunit_activate_static_stub(test, panthor_gem_write, panthor_memcg_test_write);
	return 0;
}

/* An object with the memory of a cgroup, mapped in a VM if there's one. */
static struct panthor_gem_object *panthor_memcg_test_bo(struct kunit *test, int payer,
							struct panthor_vm *vm, u32 va)
{
	struct panthor_gem_object *bo;

	panthor_memcg_test_current()->payer = payer;
	if (vm)
		return panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
					       PANTHOR_KUNIT_VA(va));

	bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	return bo;
}

/* Objects count for who paid the last time they got their pages, as long as they exist. */
static void panthor_memcg_test_payer(struct kunit *test)
{
	struct panthor_memcg_test *t = panthor_memcg_test_current();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_gem_object *root, *bos[3];

	root = panthor_memcg_test_bo(test, -1, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_memcg_test_bo(test, !!i, NULL, 0);

	KUNIT_EXPECT_PTR_EQ(test, root->lruvec, &reclaim->root);
	KUNIT_EXPECT_PTR_NE(test, bos[0]->lruvec, bos[1]->lruvec);
	KUNIT_EXPECT_PTR_EQ(test, bos[2]->lruvec, bos[1]->lruvec);
	KUNIT_EXPECT_EQ(test, reclaim->root.nr_pages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, bos[0]->lruvec->nr_pages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, bos[1]->lruvec->nr_pages, 2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 4 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t->refs[0], 1);
	KUNIT_EXPECT_EQ(test, t->refs[1], 1);

	/* Evicted objects still count as somebody's, for who might have to find them. */
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			4 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, bos[1]->lruvec->nr_pages, 0);

	/* Not to be mistaken for a cgroup that has nothing at all. */
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 0);

	/* Somebody else brings one back. */
	t->payer = 1;
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));
	KUNIT_EXPECT_PTR_EQ(test, bos[0]->lruvec, bos[1]->lruvec);
	KUNIT_EXPECT_EQ(test, bos[0]->lruvec->nr_pages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t->refs[0], 0);

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		KUNIT_EXPECT_EQ(test, t->refs[1], 1);
		panthor_kunit_bo_put(test, bos[i]);
	}
	KUNIT_EXPECT_EQ(test, t->refs[1], 0);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&reclaim->lruvecs));
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);
}

/* A VM with objects of several cgroups has a list for each, and is one VM nevertheless. */
static void panthor_memcg_test_mixed_vm(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_gem_object *bos[2], *last;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_memcg_test_bo(test, i, vms[0], i);
	last = panthor_memcg_test_bo(test, 0, vms[1], 0);

	KUNIT_EXPECT_PTR_NE(test, bos[0]->base.lru, bos[1]->base.lru);
	KUNIT_EXPECT_EQ(test, panthor_gem_lru_vm_pages(vms[0]), 2 * PANTHOR_KUNIT_BO_PAGES);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		KUNIT_EXPECT_EQ(test, bos[i]->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);
		KUNIT_EXPECT_TRUE(test, panthor_gem_lru_vm_has_bo(panthor_vm_reclaim(vms[0]),
								  bos[i]));
	}

	/* Both move, so it's younger than the other one in both lists. */
	panthor_gem_lru_touch_vm(ctx->ptdev, panthor_vm_reclaim(vms[0]));
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(last));

	/* Those who want what the VM has don't care who pays. */
	KUNIT_EXPECT_EQ(test, panthor_gem_evict_vm(ctx->ptdev, vms[0], PANTHOR_KUNIT_ALL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_gem_lru_vm_pages(vms[0]), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&reclaim->vms));

	/* The lists are used again, for whoever needs one. */
	panthor_memcg_test_current()->payer = 1;
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[0], NULL));
	KUNIT_EXPECT_EQ(test, bos[1]->lruvec->nr_pages, 2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_PTR_EQ(test, bos[0]->base.lru, bos[1]->base.lru);
	KUNIT_EXPECT_EQ(test, panthor_gem_lru_vm_pages(vms[0]), 2 * PANTHOR_KUNIT_BO_PAGES);
}

/* A VM that got memory of another cgroup, and is used, is younger with all it has. */
static void panthor_memcg_test_late_list(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2], *idle;

	bos[0] = panthor_memcg_test_bo(test, 0, vms[0], 0);
	idle = panthor_memcg_test_bo(test, 0, vms[1], 0);
	bos[1] = panthor_memcg_test_bo(test, 1, vms[0], 1);

	panthor_gem_lru_touch_vm(ctx->ptdev, panthor_vm_reclaim(vms[0]));
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(idle));
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[i]));
}

static struct panthor_vm_lru *panthor_memcg_test_no_lru(void)
{
	return NULL;
}

/* If there's no memory for another list, what's private to the VM is reclaimed nevertheless. */
static void panthor_memcg_test_no_list(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[2];

	panthor_memcg_test_current()->payer = 0;
	bos[0] = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[0], PANTHOR_KUNIT_VA(0)));

	kunit_activate_static_stub(test, panthor_vm_lru_alloc, panthor_memcg_test_no_lru);
	panthor_memcg_test_current()->payer = 1;
	bos[1] = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_EQ(test, bos[0]->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);
	KUNIT_EXPECT_EQ(test, bos[1]->reclaim_state, PANTHOR_GEM_GPU_MAPPED_SHARED);

	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL,
							   GFP_KERNEL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
}

/* A cgroup without room in swap keeps what it has, others don't. */
static void panthor_memcg_test_swap_space(struct kunit *test)
{
	struct panthor_memcg_test *t = panthor_memcg_test_current();
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[2], *mapped[2];
	struct panthor_kunit *ctx = test->priv;

	t->swap_space[0] = PANTHOR_KUNIT_BO_PAGES - 1;
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_memcg_test_bo(test, i, NULL, 0);
		mapped[i] = panthor_memcg_test_bo(test, i, vm, i);
	}

	KUNIT_EXPECT_EQ(test,
			panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(mapped[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(mapped[1]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 2);
	KUNIT_EXPECT_EQ(test, panthor_gem_evict_vm(ctx->ptdev, vm, PANTHOR_KUNIT_ALL), 0);

	t->swap_space[0] = 2 * PANTHOR_KUNIT_BO_PAGES;
	KUNIT_EXPECT_EQ(test,
			panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL),
			2 * PANTHOR_KUNIT_BO_PAGES);
}

/* What's brought back by another cgroup isn't in flight for the first one any more. */
static void panthor_memcg_test_written(struct kunit *test)
{
	struct panthor_memcg_test *t = panthor_memcg_test_current();
	struct panthor_gem_object *bos[2];
	struct panthor_kunit *ctx = test->priv;
	struct panthor_lruvec *first;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_memcg_test_bo(test, 0, NULL, 0);
	first = bos[0]->lruvec;

	t->writing = true;
	KUNIT_EXPECT_EQ(test,
			panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, first->written.count, 2 * PANTHOR_KUNIT_BO_PAGES);

	t->payer = 1;
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bos[0]));
	KUNIT_EXPECT_EQ(test, first->written.count, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, first->nr_pages, 0);
	KUNIT_EXPECT_EQ(test, bos[0]->lruvec->nr_pages, 0);
	panthor_gem_unpin(bos[0]);
	KUNIT_EXPECT_EQ(test, bos[0]->lruvec->nr_pages, PANTHOR_KUNIT_BO_PAGES);

	/* The list goes with the last object, even if it's in there. */
	panthor_kunit_bo_put(test, bos[1]);
	KUNIT_EXPECT_EQ(test, t->refs[0], 0);

	/* The same if that one is brought back by another cgroup. */
	bos[1] = panthor_memcg_test_bo(test, 0, NULL, 0);
	KUNIT_EXPECT_EQ(test,
			panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	t->payer = 1;
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bos[1]));
	KUNIT_EXPECT_EQ(test, t->refs[0], 0);
	panthor_gem_unpin(bos[1]);
}

static void panthor_memcg_test_pressure(struct reclaim_pressure *pressure)
{
	*pressure = (struct reclaim_pressure) { .anon = ANON_PRESSURE_MAX, .priority = 1 };
}

/* What was passed over of one cgroup is no reason to evict what another one has. */
static void panthor_memcg_test_second_chance(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[4];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_memcg_test_bo(test, i / 3, NULL, 0);
		for (u32 j = 0; j < ARRAY_SIZE(vms); j++)
			KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[j], bos[i],
								   PANTHOR_KUNIT_VA(i)));
	}

	kunit_activate_static_stub(test, panthor_gem_shrinker_get_pressure,
				   panthor_memcg_test_pressure);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 0);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(vms); j++)
			KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[j], bos[i],
									PANTHOR_KUNIT_VA(i)));
	}
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			ARRAY_SIZE(bos) * PANTHOR_KUNIT_BO_PAGES);
}

static struct kunit_case panthor_memcg_tests[] = {
	KUNIT_CASE(panthor_memcg_test_payer),
	KUNIT_CASE(panthor_memcg_test_mixed_vm),
	KUNIT_CASE(panthor_memcg_test_late_list),
	KUNIT_CASE(panthor_memcg_test_no_list),
	KUNIT_CASE(panthor_memcg_test_swap_space),
	KUNIT_CASE(panthor_memcg_test_written),
	KUNIT_CASE(panthor_memcg_test_second_chance),
	{}
};

static struct kunit_suite panthor_memcg_test_suite = {
	.name = "panthor_memcg",
	.init = panthor_memcg_test_init,
	.test_cases = panthor_memcg_tests,
};

kunit_test_suite(panthor_memcg_test_suite);
