// SPDX-License-Identifier: GPL-2.0 or MIT

/*
 * KUnit test suite for what happens to the memory, and to the GPU mappings of an
 * object when it's evicted and restored.
 */

#include <linux/fs.h>
#include <linux/iopoll.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/sort.h>
#include <linux/swap.h>
#include <linux/vmscan.h>
#include <linux/writeback.h>

#include <kunit/static_stub.h>

#include <drm/drm_exec.h>
#include <drm/panthor_drm.h>

#include "../panthor_gem_shrinker.h"
#include "panthor_kunit_helpers.h"

/**
 * struct panthor_evict_test - What a hook has seen
 */
struct panthor_evict_test {
	/** @calls: Number of calls. */
	u32 calls;

	/** @pages: Pages the object had. */
	struct page **pages;

	/** @count: Number of times it was evicted. */
	int count;

	/** @evicted: True if it looked evicted. */
	bool evicted;

	/** @mapped: True if the GPU could see it. */
	bool mapped;

	/** @vm: VM it's mapped in. */
	struct panthor_vm *vm;

	/** @held: Page that somebody else has a reference to. */
	struct page *held;

	/** @restore: Pretend that all pages are needed again after the first one. */
	bool restore;

	/** @unswappable: Object that can't be written. */
	struct panthor_gem_object *unswappable;

	/** @written: True if what was being written is in swap now. */
	bool written;

	/** @written_after: The call which finds that it's in swap, if there is one. */
	u32 written_after;

	/** @last_round: True if that's the last round of reclaim. */
	bool last_round;

	/** @failed: Number of pages that couldn't be written. */
	unsigned long failed;

	/** @in_swap: Number of pages, from the start, that were written. */
	unsigned long in_swap;

	/** @gone: Number of those that were freed, too. */
	unsigned long gone;

	/** @first_late: True if the first one takes longer than the others. */
	bool first_late;

	/** @looked: Number of times that somebody looked at a page. */
	unsigned long looked;

	/** @resvs: Reservations that mustn't be locked. */
	struct dma_resv *resvs[3];
};

/* Look at an object whose pages are about to go away. */
static void panthor_evict_test_hook(struct panthor_gem_object *bo)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test *t = ctx->priv;

	t->calls++;
	t->pages = bo->backing.pages;
	t->count = atomic_read(&bo->reclaimed_count);
	t->evicted = panthor_kunit_is_evicted(bo);
	t->mapped = !panthor_kunit_is_unmapped(t->vm, PANTHOR_KUNIT_VA(0), bo->base.size);

	kunit_deactivate_static_stub(test, panthor_gem_depopulate);
	panthor_gem_depopulate(bo);
}

/*
 * Look at an object while it's being evicted. The GPU doesn't see its pages anymore,
 * and the eviction was counted, before the pages go. So it always is either
 * resident or evicted.
 */
static void panthor_evict_test_order(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = { .vm = panthor_kunit_vm(test) };
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, t.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	ctx->priv = &t;
	kunit_activate_static_stub(test, panthor_gem_depopulate, panthor_evict_test_hook);

	/* Not panthor_kunit_scan(): KUnit allocates. */
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t.calls, 1);
	KUNIT_EXPECT_NOT_NULL(test, t.pages);
	KUNIT_EXPECT_EQ(test, t.count, 1);
	KUNIT_EXPECT_FALSE(test, t.evicted);
	KUNIT_EXPECT_FALSE(test, t.mapped);

	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_NULL(test, bo->dmap.sgt);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
}

/* Evictions are counted, and restores don't change that. */
static void panthor_evict_test_count(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim_stats *stats = &ctx->ptdev->reclaim.stats;

	for (int i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
		KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), i);
		KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), i + 1);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
	}

	KUNIT_EXPECT_EQ(test, atomic_long_read(&stats->evictions), 3);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&stats->evicted_pages),
			3 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&stats->restores), 2);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&stats->restored_pages),
			2 * PANTHOR_KUNIT_BO_PAGES);
}

/* The counter stops at INT_MAX, so an evicted object never looks like a new one. */
static void panthor_evict_test_saturate(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	atomic_set(&bo->reclaimed_count, INT_MAX - 1);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), INT_MAX);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
	}
}

/*
 * Pages are dirty once they were given back, whoever wrote to them: the kernel
 * isn't told about what the GPU does.
 */
static void panthor_evict_test_dirty(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));

	/* shmem doesn't count dirty pages. */
	for (u32 i = 0; i < PANTHOR_KUNIT_BO_PAGES; i++)
		folio_test_clear_dirty(page_folio(bo->backing.pages[i]));

	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	for (u32 i = 0; i < PANTHOR_KUNIT_BO_PAGES; i++) {
		struct folio *folio = shmem_read_folio(bo->base.filp->f_mapping, i);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
		KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
		folio_put(folio);
	}
}

/* Pages that were given back are not held, nor kept from being swapped. */
static void panthor_evict_test_references(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PAGE_SIZE);
	struct folio *folio;
	int count;

	/* The first time, the page waits for being added to the LRU. */
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	folio = shmem_read_folio(bo->base.filp->f_mapping, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, folio);
	count = folio_ref_count(folio);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_GT(test, folio_ref_count(folio), count);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), count);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(bo->base.filp->f_mapping));
	folio_put(folio);
}

/* Pretend that the page was written. */
static int panthor_evict_test_writepage(struct page *page, struct writeback_control *wbc)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test *t = ctx->priv;

	t->calls++;
	KUNIT_EXPECT_PTR_NE(test, page, t->held);
	for (u32 i = 0; i < ARRAY_SIZE(t->resvs) && t->resvs[i]; i++)
		KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(t->resvs[i]));
	if (t->restore)
		mapping_set_unevictable(page->mapping);

	if (t->unswappable && page->mapping == t->unswappable->base.filp->f_mapping) {
		folio_mark_dirty(page_folio(page));
		return AOP_WRITEPAGE_ACTIVATE;
	}

	unlock_page(page);
	return 0;
}

static const struct address_space_operations panthor_evict_test_aops = {
	.writepage = panthor_evict_test_writepage,
	.dirty_folio = noop_dirty_folio,
};

/* Pages that couldn't be written can be used again. */
static unsigned long panthor_evict_test_in_memory(struct kunit *test,
						  struct panthor_gem_object *bo)
{
	unsigned long count = 0;

	for (u32 i = 0; i < bo->base.size >> PAGE_SHIFT; i++) {
		struct folio *folio = filemap_get_folio(bo->base.filp->f_mapping, i);

		if (IS_ERR(folio))
			continue;

		count++;
		if (folio_test_locked(folio)) {
			KUNIT_FAIL(test, "page %u is locked", i);
			folio_unlock(folio);
		}
		folio_put(folio);
	}

	return count;
}

/* Evict objects, return how many pages were freed. Only shmem knows how to populate them. */
static unsigned long panthor_evict_test_evict_and_write(struct kunit *test,
							struct panthor_gem_object **bos,
							u32 count)
{
	const struct address_space_operations *shmem_aops = bos[0]->base.filp->f_mapping->a_ops;
	struct reclaim_state reclaim_state = {};
	struct panthor_kunit *ctx = test->priv;
	unsigned long freed;

	for (u32 i = 0; i < count; i++)
		bos[i]->base.filp->f_mapping->a_ops = &panthor_evict_test_aops;

	current->reclaim_state = &reclaim_state;
	freed = panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL);
	current->reclaim_state = NULL;
	KUNIT_EXPECT_EQ(test, freed, reclaim_state.reclaimed_memcg);

	for (u32 i = 0; i < count; i++)
		bos[i]->base.filp->f_mapping->a_ops = shmem_aops;

	return freed;
}

/*
 * A page that somebody else is about to use isn't written to swap, the others are, and
 * those who reclaim memory are told.
 */
static void panthor_evict_test_write(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};

	ctx->priv = &t;
	kunit_deactivate_static_stub(test, panthor_gem_write);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	t.held = bo->backing.pages[1];
	get_page(t.held);
	KUNIT_EXPECT_EQ(test, panthor_evict_test_evict_and_write(test, &bo, 1),
			PANTHOR_KUNIT_BO_PAGES - 1);
	KUNIT_EXPECT_EQ(test, t.calls, PANTHOR_KUNIT_BO_PAGES - 1);
	KUNIT_EXPECT_EQ(test, panthor_evict_test_in_memory(test, bo), 1);
	put_page(t.held);
	t.held = NULL;

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_evict_test_evict_and_write(test, &bo, 1),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t.calls, 2 * PANTHOR_KUNIT_BO_PAGES - 1);
	KUNIT_EXPECT_EQ(test, panthor_evict_test_in_memory(test, bo), 0);
}

/* An object that's needed again meanwhile isn't written any further. */
static void panthor_evict_test_write_restored(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_evict_test t = { .restore = true };
	struct panthor_kunit *ctx = test->priv;

	ctx->priv = &t;
	kunit_deactivate_static_stub(test, panthor_gem_write);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_evict_test_evict_and_write(test, &bo, 1), 1);
	KUNIT_EXPECT_EQ(test, t.calls, 1);
}

/* What couldn't be written wasn't freed, so something else has to be. */
static void panthor_evict_test_write_fails(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	ctx->priv = &t;
	kunit_deactivate_static_stub(test, panthor_gem_write);
	t.unswappable = bos[0];
	KUNIT_EXPECT_EQ(test, panthor_evict_test_evict_and_write(test, bos, ARRAY_SIZE(bos)),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_evict_test_in_memory(test, bos[0]),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_evict_test_in_memory(test, bos[1]), 0);
}

/* Where nothing can be written, nothing is evicted. */
static void panthor_evict_test_no_io(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_NOFS), 0);
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_NOIO), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
}

/* Writing takes a while, as it does on a disk. */
static unsigned long panthor_evict_test_start_writing(struct panthor_gem_object *bo,
						      unsigned long *writing)
{
	*writing = bo->base.size >> PAGE_SHIFT;
	return 0;
}

static unsigned long panthor_evict_test_free_written(struct panthor_gem_object *bo,
						     unsigned long wanted, unsigned long *writing)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_evict_test *t = ctx->priv;
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	t->calls++;
	*writing = t->written || t->calls == t->written_after ? 0 : nr_pages;
	return nr_pages - *writing;
}

static void panthor_evict_test_pressure(struct reclaim_pressure *pressure)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_evict_test *t = ctx->priv;

	*pressure = (struct reclaim_pressure) {
		.anon = ANON_PRESSURE_MAX,
		.last_round = t->last_round,
	};
}

static void panthor_evict_test_write_slowly(struct kunit *test, struct panthor_evict_test *t)
{
	struct panthor_kunit *ctx = test->priv;

	ctx->priv = t;
	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_start_writing);
	kunit_activate_static_stub(test, panthor_gem_free_written,
				   panthor_evict_test_free_written);
	kunit_activate_static_stub(test, panthor_gem_shrinker_get_pressure,
				   panthor_evict_test_pressure);
}

/*
 * What's being written is as good as free, so nothing else is evicted instead, and is
 * freed by the next scan that finds it written.
 */
static void panthor_evict_test_in_flight(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_evict_test t = {};
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	panthor_evict_test_write_slowly(test, &t);
	for (u32 i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
		KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
		KUNIT_EXPECT_EQ(test, reclaim->root.written.count, PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 2 * PANTHOR_KUNIT_BO_PAGES);
	}

	/* Each of them waited for a moment, and looked again. */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&reclaim->stats.waits), 3);
	KUNIT_EXPECT_GE(test, t.calls, 5);

	t.written = true;
	t.calls = 0;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t.calls, 1);
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));

	t.written = false;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
}

/* The last one before the OOM killer is called looks until something is free. */
static void panthor_evict_test_in_flight_last_round(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_evict_test t = { .written_after = 3, .last_round = true };

	panthor_evict_test_write_slowly(test, &t);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t.calls, 3);
}

/* If nothing is, it's no use to wait again for each cgroup. */
static void panthor_evict_test_in_flight_stalled(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_evict_test t = { .last_round = true };
	long waits;

	panthor_evict_test_write_slowly(test, &t);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, reclaim->swap_stalled);
	waits = atomic_long_read(&reclaim->stats.waits);
	KUNIT_EXPECT_EQ(test, waits, 1 + msecs_to_jiffies(PANTHOR_GEM_SHRINKER_WRITE_MS));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&reclaim->stats.waits), waits + 1);

	t.written = true;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, reclaim->swap_stalled);
}

/* What's missing is evicted. Those who ask for evictions get them. */
static void panthor_evict_test_more_in_flight(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};
	struct panthor_gem_object *bos[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	panthor_evict_test_write_slowly(test, &t);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_BO_PAGES + 1), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.root.written.count, 3 * PANTHOR_KUNIT_BO_PAGES);
}

/* A swap device that writes one page after the other. */
static unsigned long panthor_evict_test_look(struct panthor_gem_object *bo, pgoff_t start,
					     pgoff_t end, struct reclaim_mapping_stat *stat)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_evict_test *t = ctx->priv;
	unsigned long written = clamp(t->in_swap, start, end);
	unsigned long freed = written - clamp(t->gone, start, written);

	t->looked += end - start;
	t->gone = max(t->gone, written);
	*stat = (struct reclaim_mapping_stat) { .nr_writeback = end - written };
	if (t->first_late && !start) {
		stat->nr_writeback++;
		freed -= freed ? 1 : 0;
	}

	return freed;
}

/* Scan for @nr_pages, which has to return @ret, and mustn't look at more than @looks pages. */
static void panthor_evict_test_expect_look(struct kunit *test, unsigned long nr_pages,
					   unsigned long ret, unsigned long looks)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test *t = ctx->priv;

	t->looked = 0;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, nr_pages), ret);
	KUNIT_EXPECT_LE(test, t->looked, looks);
}

/*
 * A large object is in flight, of which little is wanted: it's not looked at as a whole, and
 * not again at what isn't there any more. A scan that gets nothing looks twice.
 */
static void panthor_evict_test_large_in_flight(struct kunit *test)
{
	const unsigned long nr_pages = 4 * PANTHOR_GEM_EVICT_BATCH_PAGES, half = nr_pages / 2;
	const unsigned long part = PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, nr_pages << PAGE_SHIFT);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_lruvec *root = &ctx->ptdev->reclaim.root;
	struct panthor_evict_test t = {};

	ctx->priv = &t;
	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_start_writing);
	kunit_activate_static_stub(test, panthor_gem_reclaim_range, panthor_evict_test_look);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	panthor_evict_test_expect_look(test, 1, SHRINK_STOP, part);
	panthor_evict_test_expect_look(test, 1, SHRINK_STOP, 2 * part);

	t.in_swap = half;
	panthor_evict_test_expect_look(test, 1, half, half + part);
	panthor_evict_test_expect_look(test, 1, SHRINK_STOP, 2 * part);
	KUNIT_EXPECT_EQ(test, root->written.count, nr_pages);

	t.in_swap = nr_pages;
	panthor_evict_test_expect_look(test, 1, half, half);
	KUNIT_EXPECT_EQ(test, root->written.count, 0);

	/* The next time, it's from the start. */
	t = (struct panthor_evict_test) {};
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	panthor_evict_test_expect_look(test, 1, SHRINK_STOP, part);
	t.in_swap = nr_pages;
	panthor_evict_test_expect_look(test, 1, nr_pages, nr_pages);
	KUNIT_EXPECT_EQ(test, root->written.count, 0);
}

/* If one page takes longer than the others, not all of them are looked at over and over. */
static void panthor_evict_test_late_in_flight(struct kunit *test)
{
	const unsigned long nr_pages = 4 * PANTHOR_GEM_EVICT_BATCH_PAGES;
	const unsigned long most = PANTHOR_GEM_EVICT_BATCH_PAGES +
				   PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, nr_pages << PAGE_SHIFT);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_lruvec *root = &ctx->ptdev->reclaim.root;
	struct panthor_evict_test t = { .first_late = true };

	ctx->priv = &t;
	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_start_writing);
	kunit_activate_static_stub(test, panthor_gem_reclaim_range, panthor_evict_test_look);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	panthor_evict_test_expect_look(test, 1, SHRINK_STOP, PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES);

	t.in_swap = nr_pages;
	panthor_evict_test_expect_look(test, 2, most - 1, most);
	panthor_evict_test_expect_look(test, 2, SHRINK_STOP, 2 * most);
	KUNIT_EXPECT_EQ(test, root->written.count, nr_pages);

	t.first_late = false;
	panthor_evict_test_expect_look(test, 2, nr_pages - most, nr_pages);
	KUNIT_EXPECT_EQ(test, root->written.count, 0);
}

/* What's in swap already needs no room there. */
static void panthor_evict_test_in_flight_no_room(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};

	panthor_evict_test_write_slowly(test, &t);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);

	ctx->swap_space = 0;
	t.written = true;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.root.written.count, 0);
}

#define PANTHOR_EVICT_TEST_FOLIO_ORDER	2
#define PANTHOR_EVICT_TEST_FOLIO_PAGES	BIT(PANTHOR_EVICT_TEST_FOLIO_ORDER)

/* Found at each of its pages, as it is in the swap cache, because it's in no file. */
static struct folio *panthor_evict_test_add_folio(struct kunit *test,
						  struct address_space *mapping)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, PANTHOR_EVICT_TEST_FOLIO_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	for (u32 i = 0; i < PANTHOR_EVICT_TEST_FOLIO_PAGES; i++)
		KUNIT_EXPECT_NULL(test, xa_store_irq(&mapping->i_pages, i, folio, GFP_KERNEL));

	return folio;
}

/* The pages of a large folio that's being written count once, wherever it's found. */
static void panthor_evict_test_large_folio(struct kunit *test)
{
	struct address_space *mapping = kunit_kzalloc(test, sizeof(*mapping), GFP_KERNEL);
	struct reclaim_mapping_stat stat;
	struct folio *folio;

	KUNIT_ASSERT_NOT_NULL(test, mapping);
	address_space_init_once(mapping);
	folio = panthor_evict_test_add_folio(test, mapping);
	folio_test_set_writeback(folio);
	KUNIT_EXPECT_EQ(test, 0, reclaim_mapping_range(mapping, 0, PANTHOR_EVICT_TEST_FOLIO_PAGES,
						       &stat));
	KUNIT_EXPECT_EQ(test, stat.nr_writeback, PANTHOR_EVICT_TEST_FOLIO_PAGES);
	KUNIT_EXPECT_EQ(test, 0, reclaim_mapping_range(mapping, 1, 3, &stat));
	KUNIT_EXPECT_EQ(test, stat.nr_writeback, 2);

	folio->mapping = mapping;
	KUNIT_EXPECT_EQ(test, 0, reclaim_mapping_range(mapping, 0, PANTHOR_EVICT_TEST_FOLIO_PAGES,
						       &stat));
	KUNIT_EXPECT_EQ(test, stat.nr_writeback, PANTHOR_EVICT_TEST_FOLIO_PAGES);
	KUNIT_EXPECT_EQ(test, 0, reclaim_mapping_range(mapping, 1, 3, &stat));
	KUNIT_EXPECT_EQ(test, stat.nr_writeback, 2);

	folio->mapping = NULL;
	folio_test_clear_writeback(folio);
	xa_destroy(&mapping->i_pages);
	folio_put(folio);
}

/* What's in use again, or gone, isn't waited for. */
static void panthor_evict_test_not_in_flight(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct panthor_evict_test t = {};

	panthor_evict_test_write_slowly(test, &t);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, 0);
	KUNIT_EXPECT_EQ(test, reclaim->root.unused.count, PANTHOR_KUNIT_BO_PAGES);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, 0);
	panthor_gem_unpin(bo);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, PANTHOR_KUNIT_BO_PAGES);
	panthor_kunit_bo_put(test, bo);
	KUNIT_EXPECT_EQ(test, reclaim->root.written.count, 0);
}

/* Pages leave the page cache before they are written. Here, they don't arrive anywhere. */
static unsigned long panthor_evict_test_fail(struct panthor_gem_object *bo, pgoff_t start,
					     pgoff_t end, struct reclaim_mapping_stat *stat)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_evict_test *t = ctx->priv;

	shmem_truncate_range(file_inode(bo->base.filp), 0, bo->base.size - 1);
	if (stat)
		*stat = (struct reclaim_mapping_stat) { .nr_failed = t->failed };

	return 0;
}

/* A write that failed isn't one that's going on. */
static void panthor_evict_test_failed(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_evict_test t = { .failed = PANTHOR_KUNIT_BO_PAGES };
	struct panthor_kunit *ctx = test->priv;
	struct panthor_lruvec *root = &ctx->ptdev->reclaim.root;

	ctx->priv = &t;
	kunit_deactivate_static_stub(test, panthor_gem_write);
	kunit_activate_static_stub(test, panthor_gem_reclaim_range, panthor_evict_test_fail);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
		KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), i);
		KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 1);
		KUNIT_EXPECT_EQ(test, root->written.count, 0);
	}

	/* If only some failed, the others are. */
	WRITE_ONCE(bo->unswappable, 0);
	t.failed = 1;
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES - 1);
	KUNIT_EXPECT_EQ(test, root->written.count, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, bo->unswappable, 0);
}

static unsigned long panthor_evict_test_write_some(struct panthor_gem_object *bo,
						   unsigned long *writing)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_evict_test *t = ctx->priv;

	*writing = 0;
	return bo == t->unswappable ? 0 : bo->base.size >> PAGE_SHIFT;
}

/* What can't be written is left alone for a while. */
static void panthor_evict_test_unswappable(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_evict_test t = { .unswappable = bo };
	struct panthor_kunit *ctx = test->priv;

	ctx->priv = &t;
	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_write_some);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 1);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 1);

	/* Now is when this ends. */
	WRITE_ONCE(bo->unswappable, jiffies ?: 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 2);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	WRITE_ONCE(bo->unswappable, 0);
	t.unswappable = NULL;
	for (u32 i = 3; i <= 4; i++) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), i);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	}
}

/* If it's mapped in a VM, so is everything else that is. */
static void panthor_evict_test_unswappable_vm(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};
	struct panthor_gem_object *bos[4];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vms[i / 2], PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));

	ctx->priv = &t;
	t.unswappable = bos[0];
	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_write_some);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[3]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);

	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
}

static unsigned long panthor_evict_test_write_wanted(struct panthor_gem_object *bo,
						     unsigned long *writing)
{
	mapping_set_unevictable(bo->base.filp->f_mapping);
	*writing = 0;
	return 0;
}

/* What is being got back isn't written. That's nobody's fault, and no reason to give up. */
static void panthor_evict_test_wanted_back(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));

	kunit_activate_static_stub(test, panthor_gem_write, panthor_evict_test_write_wanted);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
		KUNIT_EXPECT_EQ(test, bos[i]->unswappable, 0);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[i]));
	}
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 0);

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		mapping_clear_unevictable(bos[i]->base.filp->f_mapping);
}

struct panthor_evict_write_case {
	const char *desc;

	/* Evict everything. */
	unsigned long (*evict)(struct panthor_device *ptdev);
};

static unsigned long panthor_evict_test_shrink(struct panthor_device *ptdev)
{
	return panthor_gem_shrinker_reclaim(ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL);
}

static unsigned long panthor_evict_test_overcommit(struct panthor_device *ptdev)
{
	bool busy = false;
	unsigned long freed = panthor_gem_shrinker_reclaim_others(ptdev, NULL, NULL,
								  PANTHOR_KUNIT_ALL, &busy);

	/* It only takes what is in the list of a VM. */
	return freed + panthor_gem_shrinker_reclaim(ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL);
}

static const struct panthor_evict_write_case panthor_evict_write_cases[] = {
	{ "shrink", panthor_evict_test_shrink },
	{ "make room", panthor_evict_test_overcommit },
};

KUNIT_ARRAY_PARAM_DESC(panthor_evict_write, panthor_evict_write_cases, desc);

/* Writing takes a while, so nobody has to wait for what was locked before. */
static void panthor_evict_test_write_unlocked(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	const struct panthor_evict_write_case *c = test->param_value;
	const struct address_space_operations *shmem_aops;
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test t = {};
	struct panthor_gem_object *bos[3];

	/* Private, not mapped at all; private, mapped; mapped in two VMs. */
	bos[0] = panthor_kunit_bo(test, vms[0], PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));
	bos[1] = panthor_kunit_mapped_bo(test, vms[0], PANTHOR_KUNIT_BO_SIZE,
					 PANTHOR_KUNIT_VA(1));
	bos[2] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], bos[2], PANTHOR_KUNIT_VA(2)));

	t.resvs[0] = panthor_vm_resv(vms[0]);
	t.resvs[1] = panthor_vm_resv(vms[1]);
	t.resvs[2] = bos[2]->base.resv;
	ctx->priv = &t;

	kunit_deactivate_static_stub(test, panthor_gem_write);
	shmem_aops = bos[0]->base.filp->f_mapping->a_ops;
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i]->base.filp->f_mapping->a_ops = &panthor_evict_test_aops;

	KUNIT_EXPECT_EQ(test, c->evict(ctx->ptdev), 3 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, t.calls, 3 * PANTHOR_KUNIT_BO_PAGES);

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i]->base.filp->f_mapping->a_ops = shmem_aops;
}

/* The content is the same after any number of evictions. */
static void panthor_evict_test_content(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[2];

	/* Private, and not private. */
	bos[0] = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	bos[1] = panthor_kunit_bo(test, NULL, 2 * PANTHOR_KUNIT_BO_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		panthor_kunit_fill(test, bos[i], i);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[i], PANTHOR_KUNIT_VA(i)));
	}

	for (u32 n = 0; n < 3; n++) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
				3 * PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
		for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
			KUNIT_EXPECT_EQ(test, panthor_kunit_check(test, bos[i], i), 0);
	}
}

/*
 * Evict and restore all sorts of mappings of an object: the whole of it, a part of
 * it, at addresses that need several page tables. Nothing else changes in the page
 * tables.
 */
static void panthor_evict_test_page_tables(struct kunit *test)
{
	u64 straddling = SZ_1G - PANTHOR_KUNIT_BO_SIZE / 2, part = 2ull * SZ_1G;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *pinned;

	pinned = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(pinned));

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, straddling));
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_map_bo_range(vm, bo, PAGE_SIZE, 2 * PAGE_SIZE, part,
							 DRM_PANTHOR_VM_BIND_OP_TYPE_MAP));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(1), bo->base.size));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, straddling, bo->base.size));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, part, 2 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, pinned, PANTHOR_KUNIT_VA(0)));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, straddling));
	for (u32 i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, part + i * PAGE_SIZE),
				page_to_phys(bo->backing.pages[i + 1]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, part + 2 * PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, part - PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, pinned, PANTHOR_KUNIT_VA(0)));

	panthor_gem_unpin(pinned);
}

/* A submission restores its VM, and not the others the object is mapped in. */
static void panthor_evict_test_restore_one_vm(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bo, PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vms[0], NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[0], bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vms[1], PANTHOR_KUNIT_VA(1),
							  bo->base.size));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vms[1], NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[1], bo, PANTHOR_KUNIT_VA(1)));
}

/* One flush serves all the mappings that are restored by a submission. */
static void panthor_evict_test_restore_batch(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[8];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(i));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), ARRAY_SIZE(bos));

	panthor_kunit_vm_set_as(vm, 1);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);

	/* The second time, there's nothing to restore. */
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);
	panthor_kunit_vm_set_as(vm, -1);

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[i], PANTHOR_KUNIT_VA(i)));
}

static int panthor_evict_test_no_pts(struct panthor_vm_op_ctx *op_ctx, u64 pt_count)
{
	return -ENOMEM;
}

/*
 * There's no memory for page tables. The submission fails, what was evicted still
 * is, and the next submission works.
 */
static void panthor_evict_test_no_page_tables(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	panthor_kunit_fill(test, bo, 1);
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	kunit_activate_static_stub(test, panthor_vm_op_ctx_prealloc_pts,
				   panthor_evict_test_no_pts);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_kunit_submit(vm, NULL));
	kunit_deactivate_static_stub(test, panthor_vm_op_ctx_prealloc_pts);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
							  bo->base.size));

	/* The pages, which were found, can be reclaimed in the meantime. */
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, panthor_kunit_check(test, bo, 1), 0);
}

/* Let the next allocation of page tables work, but not the one after that. */
static int panthor_evict_test_last_pts(struct panthor_vm_op_ctx *op_ctx, u64 pt_count)
{
	struct kunit *test = kunit_get_current_test();
	int ret;

	kunit_deactivate_static_stub(test, panthor_vm_op_ctx_prealloc_pts);
	ret = panthor_vm_op_ctx_prealloc_pts(op_ctx, pt_count);
	kunit_activate_static_stub(test, panthor_vm_op_ctx_prealloc_pts,
				   panthor_evict_test_no_pts);

	return ret;
}

/*
 * There's memory for the page tables of one mapping only. The submission fails, and
 * the object is known to be mapped, even though it's evicted at its other address.
 * It can be evicted in that state, and comes back as a whole.
 */
static void panthor_evict_test_restore_half(struct kunit *test)
{
	/* The second one needs more page tables than the first one. */
	u64 vas[2] = { PANTHOR_KUNIT_VA(0), SZ_1G - PANTHOR_KUNIT_BO_SIZE / 2 };
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, vas[0]);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, vas[1]));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	for (u32 i = 0; i < 2; i++) {
		kunit_activate_static_stub(test, panthor_vm_op_ctx_prealloc_pts,
					   panthor_evict_test_last_pts);
		KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_kunit_submit(vm, NULL));
		kunit_deactivate_static_stub(test, panthor_vm_op_ctx_prealloc_pts);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, vas[0]));
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, vas[1], bo->base.size));
		KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);

		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, vas[0], bo->base.size));
	}

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	for (u32 i = 0; i < ARRAY_SIZE(vas); i++)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, vas[i]));
}

/*
 * The memory of one object can't be read back. The submission fails, and the next
 * one works, whatever was restored by the first one.
 */
static void panthor_evict_test_no_memory(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			3 * PANTHOR_KUNIT_BO_PAGES);

	panthor_kunit_break_storage(bos[1]);
	KUNIT_EXPECT_GT(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(1),
							  bos[1]->base.size));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	panthor_kunit_mend_storage(bos[1]);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[i], PANTHOR_KUNIT_VA(i)));
}

/* Unmap a page in the middle of what was evicted. Only the rest is restored. */
static void panthor_evict_test_split(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_unmap_part(vm, PANTHOR_KUNIT_VA(0) + PAGE_SIZE,
							  PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
							  bo->base.size));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	for (u32 i = 0; i < PANTHOR_KUNIT_BO_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    panthor_kunit_vm_translate(vm, PANTHOR_KUNIT_VA(0) +
							       i * PAGE_SIZE),
				    i == 1 ? 0 : page_to_phys(bo->backing.pages[i]), "page %u", i);
}

/* Map something over a part of what was evicted. It's there, and stays there. */
static void panthor_evict_test_map_over(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[2];
	u64 va = PANTHOR_KUNIT_VA(0);

	bos[0] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, va);
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	bos[1] = panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, va + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, va, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[1], va + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, va + 2 * PAGE_SIZE, 2 * PAGE_SIZE));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, va),
			page_to_phys(bos[0]->backing.pages[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[1], va + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, va + 3 * PAGE_SIZE),
			page_to_phys(bos[0]->backing.pages[3]));
}

/* Unmap all of what was evicted. There's nothing to restore, and no reference left. */
static void panthor_evict_test_unmap_all(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0), bo->base.size));
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
							  bo->base.size));
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
}

/*
 * Map an object once more while it's evicted. The new mapping works right away,
 * the old one comes with the next submission. In between, the object can be evicted
 * like any other.
 */
static void panthor_evict_test_map_again(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
							  bo->base.size));
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(1),
							  bo->base.size));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(1)));
}

/* What was restored for a job stays there until the job is done. */
static void panthor_evict_test_job(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vm, fence));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 2);
}

/*
 * Submit to a VM whose memory is evicted after the device went away. That fails,
 * whether CPUs have asked for the memory or not, and the mapping stays evicted.
 */
static void panthor_evict_test_unplugged(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	panthor_kunit_fill(test, bo, 1);
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	panthor_kunit_unplug_device(test);

	for (u32 i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, -ENODEV, panthor_kunit_submit(vm, NULL));
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
								  bo->base.size));
		KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);
		KUNIT_EXPECT_EQ(test, panthor_kunit_check(test, bo, 1), 0);
	}
}

/* Destroy a VM with all sorts of things evicted. */
static void panthor_evict_test_vm_destroyed(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2];

	bos[0] = panthor_kunit_mapped_bo(test, vms[0], PANTHOR_KUNIT_BO_SIZE,
					 PANTHOR_KUNIT_VA(0));
	bos[1] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			2 * PANTHOR_KUNIT_BO_PAGES);

	panthor_kunit_vm_destroy(test, vms[0]);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vms[1], NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[1], bos[1], PANTHOR_KUNIT_VA(1)));
}

/* Where the word at an address of a VM is, for the CPU. */
static void *panthor_evict_test_word(struct panthor_gem_object *bo, u64 offset)
{
	return page_address(bo->backing.pages[offset >> PAGE_SHIFT]) + offset_in_page(offset);
}

/* The driver reads what's mapped, wherever that is in the object. */
static void panthor_evict_test_read(struct kunit *test)
{
	u64 va = PANTHOR_KUNIT_VA(0), value = 0, word = 0x0123456789abcdefull;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_map_bo_range(vm, bo, PAGE_SIZE, 2 * PAGE_SIZE, va,
							 DRM_PANTHOR_VM_BIND_OP_TYPE_MAP));
	*(u64 *)panthor_evict_test_word(bo, 3 * PAGE_SIZE - 8) = word;

	KUNIT_EXPECT_EQ(test, 0, panthor_vm_read(vm, va + 2 * PAGE_SIZE - 8, 8, &value));
	KUNIT_EXPECT_EQ(test, value, word);
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_read(vm, va + 2 * PAGE_SIZE - 8, 4, &value));
	KUNIT_EXPECT_EQ(test, value, lower_32_bits(word));

	KUNIT_EXPECT_EQ(test, -EINVAL, panthor_vm_read(vm, va + PAGE_SIZE - 4, 8, &value));
	KUNIT_EXPECT_EQ(test, -EINVAL, panthor_vm_read(vm, va + 2 * PAGE_SIZE - 4, 8, &value));
	KUNIT_EXPECT_EQ(test, -ENOENT, panthor_vm_read(vm, va + 2 * PAGE_SIZE, 8, &value));
	KUNIT_EXPECT_EQ(test, -ENOENT, panthor_vm_read(vm, va - 8, 8, &value));
	KUNIT_EXPECT_EQ(test, -ENOENT, panthor_vm_read(vm, U64_MAX - 7, 8, &value));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, -ENOENT, panthor_vm_read(vm, va, 8, &value));
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_read(vm, va + 2 * PAGE_SIZE - 8, 8, &value));
	KUNIT_EXPECT_EQ(test, value, word);
}

/* Whoever has the reservation isn't waited for, whosever object it is. */
static void panthor_evict_test_read_locked(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);

	for (u32 i = 0; i < 2; i++) {
		struct panthor_kunit_holder *holder;
		struct panthor_gem_object *bo;
		u64 value = 0;

		bo = panthor_kunit_bo(test, i ? vm : NULL, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(i)));
		*(u64 *)panthor_evict_test_word(bo, 8) = i + 1;

		holder = panthor_kunit_hold_resv(test, bo->base.resv);
		KUNIT_EXPECT_EQ(test, 0, panthor_vm_read(vm, PANTHOR_KUNIT_VA(i) + 8, 8, &value));
		panthor_kunit_release(test, holder);
		KUNIT_EXPECT_EQ(test, value, i + 1);
	}
}

/* Neither is the one who changes the VM. */
static void panthor_evict_test_read_busy(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit_holder *holder;
	u64 value = 0;

	panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	holder = panthor_kunit_hold_mutex(test, panthor_kunit_vm_op_lock(vm));
	KUNIT_EXPECT_EQ(test, -EBUSY, panthor_vm_read(vm, PANTHOR_KUNIT_VA(0), 8, &value));
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_read(vm, PANTHOR_KUNIT_VA(0), 8, &value));
}

/*
 * What jobs left in the caches is written back before the pages go, even if that's not
 * mapped any more. Once, and only if there's something.
 */
static void panthor_evict_test_leftovers(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];
	u64 va = PANTHOR_KUNIT_VA(0);

	panthor_kunit_vm_set_as(vm, 1);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[i], va));
		KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vm, va, bos[i]->base.size));
	}

	ctx->mmu_ops = 0;
	ctx->mmu_op_ret = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);

	/* That needs a reset. */
	ctx->mmu_op_ret = 0;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);
	panthor_kunit_mmu_reset(ctx->ptdev);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 2);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 2);
	panthor_kunit_vm_set_as(vm, -1);
}

/*
 * The VM has lost its address space meanwhile, and the flush that comes with that didn't
 * work: there's nobody to ask any more, and only the reset helps.
 */
static void panthor_evict_test_leftovers_lost(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;

	panthor_kunit_vm_set_as(vm, 1);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0), bo->base.size));
	ctx->mmu_op_ret = -ETIMEDOUT;
	panthor_vm_flush_all(vm);
	ctx->mmu_op_ret = 0;
	panthor_kunit_vm_set_as(vm, -1);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));

	panthor_kunit_mmu_reset(ctx->ptdev);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
}

struct panthor_evict_unmap {
	struct panthor_vm *vm;
	bool done;
};

static int panthor_evict_test_unmap_thread(void *data)
{
	struct panthor_evict_unmap *unmap = data;
	int ret = panthor_vm_unmap_range(unmap->vm, PANTHOR_KUNIT_VA(0), PANTHOR_KUNIT_BO_SIZE);

	WRITE_ONCE(unmap->done, true);
	return ret;
}

/*
 * Whoever takes the address space of a VM away flushes it with the lock held. Nobody must
 * take the memory for flushed before that, only because the VM has no address space.
 */
static void panthor_evict_test_losing_as(struct kunit *test)
{
	struct panthor_evict_unmap unmap = { .vm = panthor_kunit_vm(test) };
	struct panthor_kunit *ctx = test->priv;
	struct mutex *slots_lock = panthor_kunit_mmu_slots_lock(ctx->ptdev);
	struct task_struct *task;
	bool done;

	panthor_kunit_mapped_bo(test, unmap.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	task = kthread_create(panthor_evict_test_unmap_thread, &unmap, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);

	mutex_lock(slots_lock);
	wake_up_process(task);
	read_poll_timeout(READ_ONCE, done, done || !list_empty_careful(&slots_lock->wait_list),
			  USEC_PER_MSEC, 60 * USEC_PER_SEC, false, unmap.done);
	mutex_unlock(slots_lock);

	KUNIT_EXPECT_FALSE(test, done);
	KUNIT_EXPECT_EQ(test, 0, kthread_stop_put(task));
	KUNIT_EXPECT_TRUE(test, unmap.done);
}

#define PANTHOR_EVICT_MANY	(2 * PANTHOR_VM_EVICT_MAX_MAPPINGS + 1)

/* Map a page any number of times. */
static void panthor_evict_test_map_many(struct kunit *test, struct panthor_vm *vm,
					struct panthor_gem_object *bo, u64 va, u32 count)
{
	for (u32 i = 0; i < count; i++)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, va + i * PAGE_SIZE));
}

static u32 panthor_evict_test_count_unmapped(struct panthor_vm *vm, u64 va, u32 count)
{
	u32 unmapped = 0;

	for (u32 i = 0; i < count; i++)
		unmapped += panthor_kunit_is_unmapped(vm, va + i * PAGE_SIZE, PAGE_SIZE);

	return unmapped;
}

/*
 * A page that's mapped all over the place is evicted in several steps, none of which is
 * lost, and comes back as a whole.
 */
static void panthor_evict_test_many_mappings(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;
	u64 va = SZ_1G;

	bo = panthor_kunit_bo(test, vm, PAGE_SIZE);
	panthor_evict_test_map_many(test, vm, bo, va, PANTHOR_EVICT_MANY);

	for (u32 i = 1; i <= 2; i++) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
		KUNIT_EXPECT_EQ(test, panthor_evict_test_count_unmapped(vm, va, PANTHOR_EVICT_MANY),
				i * PANTHOR_VM_EVICT_MAX_MAPPINGS);
		KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
		KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);
	}

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_EQ(test, panthor_evict_test_count_unmapped(vm, va, PANTHOR_EVICT_MANY), 0);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, va));
}

/* An object with many pages may have many mappings. */
static void panthor_evict_test_sparse(struct kunit *test)
{
	u32 count = PANTHOR_VM_EVICT_MAX_MAPPINGS + 1;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;

	bo = panthor_kunit_bo(test, vm, count * PAGE_SIZE);
	for (u32 i = 0; i < count; i++) {
		u64 offset = i * PAGE_SIZE;

		KUNIT_ASSERT_EQ(test, 0,
				panthor_vm_map_bo_range(vm, bo, offset, PAGE_SIZE,
							SZ_1G + 2 * offset,
							DRM_PANTHOR_VM_BIND_OP_TYPE_MAP));
	}

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), count);
}

/* Enough for two marks that aren't at the start. */
#define PANTHOR_EVICT_TEST_SCATTERED_PAGES	(2 * PANTHOR_GEM_MARK_DISTANCE + 5)

/**
 * struct panthor_evict_test_scattered - Object that has an sg entry for each page
 */
struct panthor_evict_test_scattered {
	/** @pages: Pages as the GPU sees them. */
	struct page *pages[PANTHOR_EVICT_TEST_SCATTERED_PAGES];

	/** @hidden: Number of entries that nobody should have to look at. */
	u32 hidden;

	/** @no_marks: Pretend that there was no memory for marks. */
	bool no_marks;
};

static int panthor_evict_test_compare_pages(const void *a, const void *b)
{
	unsigned long pfn_a = page_to_pfn(*(struct page * const *)a);
	unsigned long pfn_b = page_to_pfn(*(struct page * const *)b);

	return pfn_a < pfn_b ? 1 : -1;
}

/* Whoever goes through these entries ends up somewhere else. */
static void panthor_evict_test_set_len(struct panthor_gem_object *bo, u32 count, u32 len)
{
	struct scatterlist *sgl;
	u32 i;

	for_each_sg(bo->dmap.sgt->sgl, sgl, count, i)
		sg_dma_len(sgl) = len;
}

/* Map pages in an order in which none follows the one before. */
static int panthor_evict_test_map_scattered(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test_scattered *t = ctx->priv;
	struct page **pages = bo->backing.pages;
	int ret;

	memcpy(t->pages, pages, sizeof(t->pages));
	sort(t->pages, ARRAY_SIZE(t->pages), sizeof(t->pages[0]),
	     panthor_evict_test_compare_pages, NULL);
	bo->backing.pages = t->pages;
	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	ret = panthor_gem_map_device_locked(bo, gfp);
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_evict_test_map_scattered);
	bo->backing.pages = pages;
	if (ret)
		return ret;

	KUNIT_EXPECT_EQ(test, bo->dmap.sgt->nents, ARRAY_SIZE(t->pages));
	if (t->no_marks) {
		kvfree(bo->dmap.marks);
		bo->dmap.marks = NULL;
	}
	panthor_evict_test_set_len(bo, t->hidden, 0);
	return 0;
}

/* Two pages from @first on should be mapped at their address. */
static void panthor_evict_test_check_scattered(struct kunit *test, struct panthor_vm *vm,
					       const u32 *first, u32 count)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_evict_test_scattered *t = ctx->priv;

	for (u32 i = 0; i < count; i++) {
		for (u32 j = 0; j < 2; j++) {
			KUNIT_EXPECT_EQ(test, page_to_phys(t->pages[first[i] + j]),
					panthor_kunit_vm_translate(vm, PANTHOR_KUNIT_VA(i) +
								   j * PAGE_SIZE));
		}
	}
}

/*
 * The place of a mapping in an object with scattered pages is found without going through
 * all those before, or there'd be no end of it if each page has a mapping.
 */
static void panthor_evict_test_scattered(struct kunit *test)
{
	static const u32 first[] = {
		2 * PANTHOR_GEM_MARK_DISTANCE,
		PANTHOR_EVICT_TEST_SCATTERED_PAGES - 2,
		0,
		PANTHOR_GEM_MARK_DISTANCE - 1,
		PANTHOR_GEM_MARK_DISTANCE,
		2 * PANTHOR_GEM_MARK_DISTANCE - 1,
	};
	const size_t size = PANTHOR_EVICT_TEST_SCATTERED_PAGES * PAGE_SIZE;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, size);
	struct panthor_evict_test_scattered *t;
	struct panthor_kunit *ctx = test->priv;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	ctx->priv = t;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_evict_test_map_scattered);

	/* Mappings after the last mark, which are made, then restored. */
	t->hidden = 2 * PANTHOR_GEM_MARK_DISTANCE;
	for (u32 i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0,
				panthor_vm_map_bo_range(vm, bo, first[i] * PAGE_SIZE, 2 * PAGE_SIZE,
							PANTHOR_KUNIT_VA(i),
							DRM_PANTHOR_VM_BIND_OP_TYPE_MAP));
	panthor_evict_test_check_scattered(test, vm, first, 2);
	panthor_evict_test_set_len(bo, t->hidden, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), size >> PAGE_SHIFT);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	panthor_evict_test_check_scattered(test, vm, first, 2);
	panthor_evict_test_set_len(bo, t->hidden, PAGE_SIZE);

	/* All sorts of them, with marks, and without. */
	t->hidden = 0;
	for (u32 i = 2; i < ARRAY_SIZE(first); i++)
		KUNIT_ASSERT_EQ(test, 0,
				panthor_vm_map_bo_range(vm, bo, first[i] * PAGE_SIZE, 2 * PAGE_SIZE,
							PANTHOR_KUNIT_VA(i),
							DRM_PANTHOR_VM_BIND_OP_TYPE_MAP));
	panthor_evict_test_check_scattered(test, vm, first, ARRAY_SIZE(first));

	for (u32 i = 0; i < 2; i++) {
		t->no_marks = i;
		KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), size >> PAGE_SHIFT);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
		panthor_evict_test_check_scattered(test, vm, first, ARRAY_SIZE(first));
	}
}

/* Mappings of small objects aren't all removed in one go. */
static void panthor_evict_test_many_mappings_batch(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	u32 count = PANTHOR_VM_EVICT_MAX_MAPPINGS / 4;
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < 8; i++)
		panthor_evict_test_map_many(test, vm, panthor_kunit_bo(test, vm, PAGE_SIZE),
					    (u64)(i + 1) * SZ_1G, count);

	panthor_kunit_vm_set_as(vm, 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 8);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 2);
	panthor_kunit_vm_set_as(vm, -1);
}

/* Lock a VM, and what's mapped in it. */
static void panthor_evict_test_lock_vm(struct kunit *test, struct drm_exec *exec,
				       struct panthor_vm *vm)
{
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		ret = panthor_vm_prepare_mapped_bos_resvs(exec, vm, 0);
	}
	KUNIT_ASSERT_EQ(test, 0, ret);
}

/* A VM can come back one part after the other. What's left stays evicted. */
static void panthor_evict_test_restore_part(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[3];
	struct panthor_vm_pins pins = {};
	struct drm_exec exec;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));
		panthor_kunit_fill(test, bos[i], i);
	}
	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);

	panthor_evict_test_lock_vm(test, &exec, vm);
	KUNIT_EXPECT_EQ(test, -EAGAIN, panthor_vm_restore_resident(vm, &exec));
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_pins_add_evicted(&pins, vm,
							     PANTHOR_KUNIT_BO_PAGES + 1, false));
	drm_exec_fini(&exec);
	KUNIT_ASSERT_EQ(test, 2, pins.count);
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_pins_get(&pins, GFP_HIGHUSER));

	panthor_evict_test_lock_vm(test, &exec, vm);
	KUNIT_EXPECT_EQ(test, -EAGAIN, panthor_vm_restore_resident(vm, &exec));
	panthor_vm_pins_put_locked(&pins, &exec);
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_pins_add_evicted(&pins, vm, ULONG_MAX, false));
	drm_exec_fini(&exec);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[0], PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));

	KUNIT_ASSERT_EQ(test, 1, pins.count);
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_pins_get(&pins, GFP_HIGHUSER));
	panthor_evict_test_lock_vm(test, &exec, vm);
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_restore_resident(vm, &exec));
	drm_exec_fini(&exec);
	panthor_vm_pins_put(&pins);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[i], PANTHOR_KUNIT_VA(i)));
		KUNIT_EXPECT_EQ(test, 0, panthor_kunit_check(test, bos[i], i));
		KUNIT_EXPECT_EQ(test, PANTHOR_GEM_GPU_MAPPED_VM, bos[i]->reclaim_state);
	}
}

static struct kunit_case panthor_evict_tests[] = {
	KUNIT_CASE(panthor_evict_test_order),
	KUNIT_CASE(panthor_evict_test_count),
	KUNIT_CASE(panthor_evict_test_saturate),
	KUNIT_CASE(panthor_evict_test_dirty),
	KUNIT_CASE(panthor_evict_test_references),
	KUNIT_CASE(panthor_evict_test_write),
	KUNIT_CASE(panthor_evict_test_write_restored),
	KUNIT_CASE(panthor_evict_test_write_fails),
	KUNIT_CASE(panthor_evict_test_no_io),
	KUNIT_CASE(panthor_evict_test_in_flight),
	KUNIT_CASE(panthor_evict_test_in_flight_last_round),
	KUNIT_CASE(panthor_evict_test_in_flight_stalled),
	KUNIT_CASE(panthor_evict_test_in_flight_no_room),
	KUNIT_CASE(panthor_evict_test_more_in_flight),
	KUNIT_CASE(panthor_evict_test_large_in_flight),
	KUNIT_CASE(panthor_evict_test_late_in_flight),
	KUNIT_CASE(panthor_evict_test_large_folio),
	KUNIT_CASE(panthor_evict_test_not_in_flight),
	KUNIT_CASE(panthor_evict_test_failed),
	KUNIT_CASE(panthor_evict_test_unswappable),
	KUNIT_CASE(panthor_evict_test_unswappable_vm),
	KUNIT_CASE(panthor_evict_test_wanted_back),
	KUNIT_CASE_PARAM(panthor_evict_test_write_unlocked, panthor_evict_write_gen_params),
	KUNIT_CASE(panthor_evict_test_content),
	KUNIT_CASE(panthor_evict_test_page_tables),
	KUNIT_CASE(panthor_evict_test_restore_one_vm),
	KUNIT_CASE(panthor_evict_test_restore_batch),
	KUNIT_CASE(panthor_evict_test_no_page_tables),
	KUNIT_CASE(panthor_evict_test_restore_half),
	KUNIT_CASE(panthor_evict_test_no_memory),
	KUNIT_CASE(panthor_evict_test_split),
	KUNIT_CASE(panthor_evict_test_map_over),
	KUNIT_CASE(panthor_evict_test_unmap_all),
	KUNIT_CASE(panthor_evict_test_map_again),
	KUNIT_CASE(panthor_evict_test_job),
	KUNIT_CASE(panthor_evict_test_unplugged),
	KUNIT_CASE(panthor_evict_test_vm_destroyed),
	KUNIT_CASE(panthor_evict_test_read),
	KUNIT_CASE(panthor_evict_test_read_locked),
	KUNIT_CASE(panthor_evict_test_read_busy),
	KUNIT_CASE(panthor_evict_test_leftovers),
	KUNIT_CASE(panthor_evict_test_leftovers_lost),
	KUNIT_CASE(panthor_evict_test_losing_as),
	KUNIT_CASE(panthor_evict_test_many_mappings),
	KUNIT_CASE(panthor_evict_test_sparse),
	KUNIT_CASE(panthor_evict_test_scattered),
	KUNIT_CASE(panthor_evict_test_many_mappings_batch),
	KUNIT_CASE(panthor_evict_test_restore_part),
	{}
};

static struct kunit_suite panthor_evict_test_suite = {
	.name = "panthor_evict",
	.init = panthor_kunit_init,
	.test_cases = panthor_evict_tests,
};

kunit_test_suite(panthor_evict_test_suite);
