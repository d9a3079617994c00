// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for the shrinker: what it reclaims, and what stops it. */

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/tracepoint.h>
#include <linux/vmscan.h>

#include <trace/events/kmem.h>

#include <kunit/resource.h>
#include <kunit/static_stub.h>

#include "../panthor_gem_evict.h"
#include "../panthor_gem_shrinker.h"
#include "panthor_kunit_helpers.h"

/* No swap, no reclaim. */
static void panthor_shrinker_test_no_swap(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	ctx->swap_space = 0;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
}

/* Objects are reclaimed as a whole, so they have to fit in swap as a whole. */
static void panthor_shrinker_test_too_large(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *mapped;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	mapped = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(1));
	ctx->swap_space = PANTHOR_KUNIT_BO_PAGES - 1;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, mapped, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_GE(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 2);
}

/* There's never more to reclaim than what fits in swap. */
static void panthor_shrinker_test_little_swap(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	ctx->swap_space = PANTHOR_KUNIT_BO_PAGES;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_NOT_NULL(test, bos[1]->backing.pages);
	KUNIT_EXPECT_NOT_NULL(test, bos[2]->backing.pages);

	ctx->swap_space = PANTHOR_KUNIT_ALL;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 2 * PANTHOR_KUNIT_BO_PAGES);
}

/* The device was just opened. */
static void panthor_shrinker_test_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
}

/* Being asked for nothing is fine, too. */
static void panthor_shrinker_test_nothing(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 0), SHRINK_STOP);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
}

/*
 * Counting doesn't take the lock of the lists, or anything else. It doesn't look at
 * the lists either: hide what's in there, which we can do because nobody else can
 * get the lock.
 */
static void panthor_shrinker_test_count_lockless(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_holder *lists, *resv;
	LIST_HEAD(vms);

	panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	resv = panthor_kunit_hold_resv(test, panthor_vm_resv(vm));
	lists = panthor_kunit_hold_mutex(test, &ctx->ptdev->reclaim.lock);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);
	list_replace_init(&ctx->ptdev->reclaim.vms, &vms);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);
	list_replace_init(&vms, &ctx->ptdev->reclaim.vms);
	panthor_kunit_release(test, lists);
	panthor_kunit_release(test, resv);
}

struct panthor_shrinker_allocs {
	/* The test, NULL while its allocations don't matter. */
	struct task_struct *task;

	/* Number of allocations. */
	u32 count;
};

static void panthor_shrinker_count_alloc(struct panthor_shrinker_allocs *allocs)
{
	if (current == allocs->task && !in_interrupt())
		allocs->count++;
}

static void panthor_shrinker_kmalloc_probe(void *allocs, unsigned long call_site,
					   const void *ptr, size_t bytes_req,
					   size_t bytes_alloc, gfp_t gfp_flags, int node)
{
	panthor_shrinker_count_alloc(allocs);
}

static void panthor_shrinker_cache_probe(void *allocs, unsigned long call_site,
					 const void *ptr, struct kmem_cache *s,
					 gfp_t gfp_flags, int node)
{
	panthor_shrinker_count_alloc(allocs);
}

static void panthor_shrinker_watch_allocs(struct panthor_shrinker_allocs *allocs)
{
	register_trace_kmalloc(panthor_shrinker_kmalloc_probe, allocs);
	register_trace_kmem_cache_alloc(panthor_shrinker_cache_probe, allocs);
	allocs->task = current;
}

static void panthor_shrinker_unwatch_allocs(struct panthor_shrinker_allocs *allocs)
{
	allocs->task = NULL;
	unregister_trace_kmalloc(panthor_shrinker_kmalloc_probe, allocs);
	unregister_trace_kmem_cache_alloc(panthor_shrinker_cache_probe, allocs);
	tracepoint_synchronize_unregister();
}

/* Number of allocations made by a scan, including those that don't sleep. */
static u32 panthor_shrinker_test_allocs(struct kunit *test, unsigned long *freed)
{
	struct panthor_shrinker_allocs allocs = {};

	panthor_shrinker_watch_allocs(&allocs);
	*freed = panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	panthor_shrinker_unwatch_allocs(&allocs);

	return allocs.count;
}

/* Allocations are noticed. */
static void panthor_shrinker_test_allocs_seen(struct kunit *test)
{
	struct panthor_shrinker_allocs allocs = {};

	panthor_shrinker_watch_allocs(&allocs);
	kfree(kmalloc(1, GFP_NOWAIT));
	panthor_shrinker_unwatch_allocs(&allocs);

	/* The kernel might allocate something to keep track of it. */
	KUNIT_ASSERT_LE(test, 1, allocs.count);
}

/*
 * Scans are made when there's no memory left, so they don't allocate, whether there
 * is nothing at all, nothing that can be reclaimed, or something.
 */
static void panthor_shrinker_test_no_alloc(struct kunit *test)
{
	struct panthor_vm *vms[2];
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *pinned;
	unsigned long freed;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "no tracepoints");
	if (get_nr_swap_pages() > 0)
		kunit_skip(test, "the block layer allocates what it needs to write to swap");

	panthor_shrinker_test_allocs_seen(test);
	KUNIT_EXPECT_EQ(test, panthor_shrinker_test_allocs(test, &freed), 0);
	KUNIT_EXPECT_EQ(test, freed, SHRINK_STOP);

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = panthor_kunit_vm(test);
		panthor_kunit_mapped_bo(test, vms[i], PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[i], fence));
	}

	pinned = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(pinned));
	KUNIT_EXPECT_EQ(test, panthor_shrinker_test_allocs(test, &freed), 0);
	KUNIT_EXPECT_EQ(test, freed, SHRINK_STOP);

	dma_fence_signal(fence);
	panthor_gem_unpin(pinned);
	KUNIT_EXPECT_EQ(test, panthor_shrinker_test_allocs(test, &freed), 0);
	KUNIT_EXPECT_EQ(test, freed, 3 * PANTHOR_KUNIT_BO_PAGES);
}

enum panthor_shrinker_lock {
	VM_RESV,
	BO_RESV,
	OP_LOCK,
	GPUVA_LIST_LOCK,
};

/**
 * struct panthor_shrinker_lock_case - A lock that's held by somebody else
 */
struct panthor_shrinker_lock_case {
	/** @desc: Description. */
	const char *desc;

	/** @lock: Lock. */
	enum panthor_shrinker_lock lock;

	/** @state: State of the object. */
	enum panthor_gem_reclaim_state state;

	/** @reason: Why it's skipped. */
	enum panthor_reclaim_skip reason;
};

static const struct panthor_shrinker_lock_case panthor_shrinker_lock_cases[] = {
	{ "resv of an unused object", BO_RESV, PANTHOR_GEM_UNUSED,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "GPUVA list lock of an unused object", GPUVA_LIST_LOCK, PANTHOR_GEM_UNUSED,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "resv of a CPU mapped object", BO_RESV, PANTHOR_GEM_MMAPPED,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "resv of the VM", VM_RESV, PANTHOR_GEM_GPU_MAPPED_VM,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "resv of an object mapped in one VM", BO_RESV, PANTHOR_GEM_GPU_MAPPED_VM,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "GPUVA list lock, one VM", GPUVA_LIST_LOCK, PANTHOR_GEM_GPU_MAPPED_VM,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "op_lock, one VM", OP_LOCK, PANTHOR_GEM_GPU_MAPPED_VM, PANTHOR_RECLAIM_SKIP_VM },
	{ "resv of a shared object", BO_RESV, PANTHOR_GEM_GPU_MAPPED_SHARED,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "GPUVA list lock, shared", GPUVA_LIST_LOCK, PANTHOR_GEM_GPU_MAPPED_SHARED,
	  PANTHOR_RECLAIM_SKIP_CONTENDED },
	{ "op_lock, shared", OP_LOCK, PANTHOR_GEM_GPU_MAPPED_SHARED, PANTHOR_RECLAIM_SKIP_VM },
	{ "resv of a VM, shared", VM_RESV, PANTHOR_GEM_GPU_MAPPED_SHARED,
	  PANTHOR_RECLAIM_SKIP_VM },
};

static void panthor_shrinker_lock_desc(const struct panthor_shrinker_lock_case *c, char *desc)
{
	strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(panthor_shrinker_lock, panthor_shrinker_lock_cases,
		  panthor_shrinker_lock_desc);

static struct panthor_kunit_holder *
panthor_shrinker_test_hold(struct kunit *test, enum panthor_shrinker_lock lock,
			   struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	switch (lock) {
	case VM_RESV:
		return panthor_kunit_hold_resv(test, panthor_vm_resv(vm));
	case BO_RESV:
		return panthor_kunit_hold_resv(test, bo->base.resv);
	case OP_LOCK:
		return panthor_kunit_hold_mutex(test, panthor_kunit_vm_op_lock(vm));
	case GPUVA_LIST_LOCK:
		return panthor_kunit_hold_mutex(test, &bo->gpuva_list_lock);
	}

	return NULL;
}

/* Bring a shareable object to a state, through VM 0 if that involves one. */
static void panthor_shrinker_test_prepare(struct kunit *test, struct panthor_gem_object *bo,
					  enum panthor_gem_reclaim_state state,
					  struct panthor_vm **vms)
{
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	if (state == PANTHOR_GEM_MMAPPED)
		panthor_kunit_mmap_get(bo);
	if (state >= PANTHOR_GEM_GPU_MAPPED_VM)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bo, PANTHOR_KUNIT_VA(0)));
	if (state >= PANTHOR_GEM_GPU_MAPPED_SHARED)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bo, PANTHOR_KUNIT_VA(0)));

	KUNIT_ASSERT_EQ(test, bo->reclaim_state, state);
}

/*
 * Scan while somebody else holds a lock. Nobody waits, the object is skipped for
 * the right reason, and its GPU mappings still work. It's reclaimed once the lock
 * is available.
 */
static void panthor_shrinker_test_locked(struct kunit *test)
{
	const struct panthor_shrinker_lock_case *c = test->param_value;
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_kunit_holder *holder;
	struct panthor_gem_object *bo;

	bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	panthor_shrinker_test_prepare(test, bo, c->state, vms);

	holder = panthor_shrinker_test_hold(test, c->lock, vms[0], bo);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	panthor_kunit_release(test, holder);

	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, c->reason), 1);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 0);
	if (c->state >= PANTHOR_GEM_GPU_MAPPED_VM)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[0], bo,
								PANTHOR_KUNIT_VA(0)));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vms[0], PANTHOR_KUNIT_VA(0),
							  PANTHOR_KUNIT_BO_SIZE));
	if (c->state == PANTHOR_GEM_MMAPPED)
		panthor_kunit_mmap_put(bo);
}

/*
 * Fail to evict a shared object half-way. What's left is an object that's mapped in
 * one VM, and treated as such. The other VM gets its mapping back when it needs it.
 */
static void panthor_shrinker_test_half_evicted(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit_holder *holder;

	panthor_shrinker_test_prepare(test, bo, PANTHOR_GEM_GPU_MAPPED_SHARED, vms);
	holder = panthor_kunit_hold_mutex(test, panthor_kunit_vm_op_lock(vms[1]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	panthor_kunit_release(test, holder);

	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vms[0], PANTHOR_KUNIT_VA(0),
							  bo->base.size));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[1], bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);
	KUNIT_EXPECT_PTR_EQ(test, bo->base.lru, &panthor_vm_reclaim(vms[1])->lru.lru);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vms[0], NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[0], bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_SHARED);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

/* Something that can't be locked isn't in the way of the rest. */
static void panthor_shrinker_test_locked_others(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2], *unused[2];
	struct panthor_kunit_holder *holders[2];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
		unused[i] = panthor_kunit_bo(test, NULL, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(unused[i]));
	}

	holders[0] = panthor_kunit_hold_resv(test, panthor_vm_resv(vms[0]));
	holders[1] = panthor_kunit_hold_resv(test, unused[0]->base.resv);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 2);
	panthor_kunit_release(test, holders[1]);
	panthor_kunit_release(test, holders[0]);

	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(unused[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(unused[1]));
}

/* Scans go from what's cheap to what's dear, and stop when they have enough. */
static void panthor_shrinker_test_stages(struct kunit *test)
{
	static const enum panthor_gem_reclaim_state states[] = {
		PANTHOR_GEM_GPU_MAPPED_SHARED,
		PANTHOR_GEM_GPU_MAPPED_VM,
		PANTHOR_GEM_MMAPPED,
		PANTHOR_GEM_UNUSED,
	};
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[ARRAY_SIZE(states)];

	/* The dearest comes first, so it's not about age. */
	for (u32 i = 0; i < ARRAY_SIZE(states); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}
	panthor_kunit_mmap_get(bos[2]);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[0], PANTHOR_KUNIT_VA(0)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bos[0], PANTHOR_KUNIT_VA(0)));

	for (u32 i = 0; i < ARRAY_SIZE(states); i++)
		KUNIT_ASSERT_EQ(test, bos[i]->reclaim_state, states[i]);

	for (int i = ARRAY_SIZE(states) - 1; i >= 0; i--) {
		KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
		for (int j = 0; j < ARRAY_SIZE(states); j++)
			KUNIT_EXPECT_EQ(test, panthor_kunit_is_evicted(bos[j]), j >= i);
	}

	panthor_kunit_mmap_put(bos[2]);
}

/*
 * An object got harder to reclaim than the list it's in suggests, because somebody
 * held its reservation at that moment. It waits for its turn, behind those that are
 * as hard to reclaim as it is.
 */
static void panthor_shrinker_test_stale_state(struct kunit *test)
{
	struct panthor_kunit_holder *holder;
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	panthor_kunit_mmap_get(bos[1]);
	holder = panthor_kunit_hold_resv(test, bos[0]->base.resv);
	panthor_kunit_mmap_get(bos[0]);
	panthor_kunit_release(test, holder);
	KUNIT_ASSERT_EQ(test, bos[0]->reclaim_state, PANTHOR_GEM_UNUSED);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_EQ(test, bos[0]->reclaim_state, PANTHOR_GEM_MMAPPED);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_CONTENDED), 1);

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		panthor_kunit_mmap_put(bos[i]);
}

/* The same for GPU mappings: it was mapped in another VM, and nobody said so yet. */
static void panthor_shrinker_test_stale_gpu_state(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	panthor_shrinker_test_prepare(test, bo, PANTHOR_GEM_GPU_MAPPED_SHARED, vms);
	bo->reclaim_state = PANTHOR_GEM_GPU_MAPPED_VM;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_CONTENDED), 1);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[i], bo, PANTHOR_KUNIT_VA(0)));

	bo->reclaim_state = PANTHOR_GEM_GPU_MAPPED_SHARED;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

struct panthor_shrinker_change_case {
	const char *desc;

	/* What happens in the middle of a scan, and how it's undone. */
	void (*change)(struct panthor_kunit *ctx, struct panthor_gem_object *bo);
	void (*undo)(struct panthor_kunit *ctx, struct panthor_gem_object *bo);

	enum panthor_reclaim_skip reason;
};

static void panthor_shrinker_test_pin(struct panthor_kunit *ctx, struct panthor_gem_object *bo)
{
	/* The reservation can't be taken here, but nobody else has it. */
	bo->backing.pin_count++;
}

static void panthor_shrinker_test_unpin(struct panthor_kunit *ctx, struct panthor_gem_object *bo)
{
	panthor_gem_unpin(bo);
}

static void panthor_shrinker_test_fill_swap(struct panthor_kunit *ctx,
					    struct panthor_gem_object *bo)
{
	ctx->swap_space = 0;
}

static void panthor_shrinker_test_empty_swap(struct panthor_kunit *ctx,
					     struct panthor_gem_object *bo)
{
	ctx->swap_space = PANTHOR_KUNIT_ALL;
}

static const struct panthor_shrinker_change_case panthor_shrinker_change_cases[] = {
	{ "pinned", panthor_shrinker_test_pin, panthor_shrinker_test_unpin,
	  PANTHOR_RECLAIM_SKIP_PINNED },
	{ "swap full", panthor_shrinker_test_fill_swap, panthor_shrinker_test_empty_swap,
	  PANTHOR_RECLAIM_SKIP_NO_SWAP },
};

KUNIT_ARRAY_PARAM_DESC(panthor_shrinker_change, panthor_shrinker_change_cases, desc);

/* The first flush is when an object was unmapped from one of two VMs. */
static int panthor_shrinker_test_change(struct panthor_device *ptdev, int as_nr,
					u64 iova, u64 size, u32 op)
{
	struct kunit *test = kunit_get_current_test();
	const struct panthor_shrinker_change_case *c = test->param_value;
	struct panthor_kunit *ctx = test->priv;

	if (as_nr >= 0 && !ctx->mmu_ops++)
		c->change(ctx, ctx->priv);

	return 0;
}

/* Things change while an object is being evicted. What's left of it stays. */
static void panthor_shrinker_test_changed_meanwhile(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	const struct panthor_shrinker_change_case *c = test->param_value;
	struct panthor_kunit *ctx = test->priv;
	u32 mapped = 0;

	panthor_shrinker_test_prepare(test, bo, PANTHOR_GEM_GPU_MAPPED_SHARED, vms);
	ctx->priv = bo;
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		panthor_kunit_vm_set_as(vms[i], i + 1);

	kunit_activate_static_stub(test, mmu_hw_do_operation_locked,
				   panthor_shrinker_test_change);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, c->reason), 1);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		mapped += panthor_kunit_is_mapped(vms[i], bo, PANTHOR_KUNIT_VA(0));
	KUNIT_EXPECT_EQ(test, mapped, 1);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);

	c->undo(ctx, bo);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		panthor_kunit_vm_set_as(vms[i], -1);
}

/* There's only room for those who ask before an object is being evicted. */
static unsigned long panthor_shrinker_test_swap_room(void)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = ctx->priv;

	return list_empty(&bo->evict_node) ? PANTHOR_KUNIT_ALL : 0;
}

/* Swap gets full while an object that's not GPU-mapped is being evicted. */
static void panthor_shrinker_test_swap_full_meanwhile(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	ctx->priv = bo;
	kunit_activate_static_stub(test, panthor_gem_evict_swap_space,
				   panthor_shrinker_test_swap_room);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
}

/* Another scan is at it. */
static void panthor_shrinker_test_claimed(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo;
	LIST_HEAD(batch);

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	list_add(&bo->evict_node, &batch);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_CONTENDED), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));

	list_del_init_careful(&bo->evict_node);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

/*
 * Reclaim a VM that executes a job. Direct reclaim leaves it alone, whether objects
 * are private or not, and doesn't wait.
 */
static void panthor_shrinker_test_busy_direct(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[2];

	bos[0] = panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	bos[1] = panthor_kunit_bo(test, NULL, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vm, fence));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_ACTIVE), 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 0);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[0], PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[1], PANTHOR_KUNIT_VA(1)));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 2);
}

/*
 * Reclaim an idle VM, with an object that's being used elsewhere. This is the only
 * one that's left alone.
 */
static void panthor_shrinker_test_busy_object(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *bos[2];

	bos[0] = panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	bos[1] = panthor_kunit_bo(test, NULL, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bos[1], PANTHOR_KUNIT_VA(1)));
	panthor_kunit_add_fence(test, bos[1]->base.resv, fence);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_ACTIVE), 1);
}

/* A shared object is left alone as long as one of its VMs executes a job. */
static void panthor_shrinker_test_busy_shared(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	panthor_shrinker_test_prepare(test, bo, PANTHOR_GEM_GPU_MAPPED_SHARED, vms);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[1], fence));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[0], bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[1], bo, PANTHOR_KUNIT_VA(0)));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

/* Same as above, with an object the job doesn't know about, but might use. */
static void panthor_shrinker_test_busy_late(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[1], fence));
	panthor_shrinker_test_prepare(test, bo, PANTHOR_GEM_GPU_MAPPED_SHARED, vms);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[1], bo, PANTHOR_KUNIT_VA(0)));
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

/*
 * Evict a shared object along with another one. They have a VM in common, but the
 * second one is also mapped in a VM that executes a job, so it's left alone in both
 * of its VMs.
 */
static void panthor_shrinker_test_busy_batch(struct kunit *test)
{
	struct panthor_vm *vms[3];
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		vms[i] = panthor_kunit_vm(test);

	/* The job doesn't know about the object, but might use it. */
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[2], fence));
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[i], PANTHOR_KUNIT_VA(i)));
		KUNIT_ASSERT_EQ(test, 0,
				panthor_kunit_map(vms[i + 1], bos[i], PANTHOR_KUNIT_VA(i)));
	}

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[0], bos[1], PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[2], bos[1], PANTHOR_KUNIT_VA(1)));

	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

/*
 * Let kswapd reclaim VMs that execute jobs which are not going to finish. The time
 * it waits is bounded, and doesn't depend on the number of VMs or objects.
 */
static void panthor_shrinker_test_busy_kswapd(struct kunit *test)
{
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < 4; i++) {
		struct panthor_vm *vm = panthor_kunit_vm(test);

		panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
		panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(1));
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vm, fence));
	}

	ctx->can_wait = true;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 1);
}

/* kswapd doesn't wait as long as there's something that's idle. */
static void panthor_shrinker_test_kswapd_idle_first(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct dma_fence *fence = panthor_kunit_fence(test);
	struct panthor_kunit *ctx = test->priv;

	panthor_kunit_mapped_bo(test, vms[0], PAGE_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[0], fence));
	panthor_kunit_mapped_bo(test, vms[1], PAGE_SIZE, PANTHOR_KUNIT_VA(0));

	ctx->can_wait = true;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 0);
}

/* Somebody else uses the VM before its job finishes. */
static int panthor_shrinker_job_thread(void *data)
{
	struct panthor_kunit_job *job = data;

	panthor_kunit_job_wait_for_kswapd(job);
	dma_resv_lock(panthor_vm_resv(job->vm), NULL);
	dma_resv_unlock(panthor_vm_resv(job->vm));
	dma_fence_signal(job->fence);

	return 0;
}

/* kswapd only waits until the next tick, in the worst case. */
#define PANTHOR_SHRINKER_TEST_ATTEMPTS	16

/*
 * Let kswapd reclaim a VM whose job finishes in time. It's evicted then, and
 * nobody was prevented from using the VM in the meantime.
 */
static void panthor_shrinker_test_kswapd_wait(struct kunit *test)
{
	struct panthor_kunit_job job = { .vm = panthor_kunit_vm(test) };
	unsigned long freed = SHRINK_STOP;
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, job.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	ctx->can_wait = true;

	for (u32 i = 0; i < PANTHOR_SHRINKER_TEST_ATTEMPTS && freed == SHRINK_STOP; i++) {
		job.fence = panthor_kunit_fence(test);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(job.vm, job.fence));
		panthor_kunit_job_start(test, &job, panthor_shrinker_job_thread);
		freed = panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
		panthor_kunit_job_stop(&job);
	}

	KUNIT_EXPECT_EQ(test, freed, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
}

/* Scan everything when the first object is being evicted. */
static void panthor_shrinker_test_scan_again(struct panthor_gem_object *bo)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;

	kunit_deactivate_static_stub(test, panthor_gem_depopulate);
	ctx->priv = (void *)panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL);
	panthor_gem_depopulate(bo);
}

/*
 * Start a scan in the middle of another one. What the first one works on is skipped
 * by the second one, which isn't prevented from reclaiming the rest, and nothing
 * is reclaimed twice.
 */
static void panthor_shrinker_test_side_by_side(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	unsigned long freed;

	for (u32 i = 0; i < 3; i++) {
		struct panthor_vm *vm = panthor_kunit_vm(test);

		panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(0));
		panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(1));
	}

	/* Not panthor_kunit_scan(): KUnit allocates. */
	kunit_activate_static_stub(test, panthor_gem_depopulate,
				   panthor_shrinker_test_scan_again);
	freed = panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, (unsigned long)ctx->priv, 4);
	KUNIT_EXPECT_EQ(test, freed, 2);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);

	/* There was no need to wait. */
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->ptdev->reclaim.evictors), 0);
}

/**
 * struct panthor_shrinker_other - Somebody else who's evicting something
 */
struct panthor_shrinker_other {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @resv: What it has locked. */
	struct dma_resv *resv;

	/** @waits: Number of waits when it started. */
	long waits;

	/** @locked: Completed once it's locked. */
	struct completion locked;
};

static const struct panthor_shrinker_lock_case panthor_shrinker_other_cases[] = {
	{ "an unused object", BO_RESV, PANTHOR_GEM_UNUSED },
	{ "a VM", VM_RESV, PANTHOR_GEM_GPU_MAPPED_VM },
	{ "an object mapped in one VM", BO_RESV, PANTHOR_GEM_GPU_MAPPED_VM },
	{ "a VM, shared", VM_RESV, PANTHOR_GEM_GPU_MAPPED_SHARED },
	{ "a shared object", BO_RESV, PANTHOR_GEM_GPU_MAPPED_SHARED },
};

KUNIT_ARRAY_PARAM(panthor_shrinker_other, panthor_shrinker_other_cases,
		  panthor_shrinker_lock_desc);

static int panthor_shrinker_other_thread(void *data)
{
	struct panthor_shrinker_other *other = data;
	struct panthor_reclaim *reclaim = &other->ptdev->reclaim;
	unsigned long timeout = jiffies + 60 * HZ;

	panthor_gem_evict_enter(other->ptdev);
	dma_resv_lock(other->resv, NULL);
	complete(&other->locked);
	while (atomic_long_read(&reclaim->stats.waits) == other->waits &&
	       time_before(jiffies, timeout))
		schedule();
	dma_resv_unlock(other->resv);
	panthor_gem_evict_leave(other->ptdev, false);

	return 0;
}

/*
 * Scan while somebody else evicts objects, with all of them locked. Those who reclaim
 * wait for each other, even in direct reclaim.
 */
static void panthor_shrinker_test_after_others(struct kunit *test)
{
	const struct panthor_shrinker_lock_case *c = test->param_value;
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_shrinker_other other = { .ptdev = ctx->ptdev };
	struct task_struct *task;

	panthor_shrinker_test_prepare(test, bo, c->state, vms);
	other.resv = c->lock == VM_RESV ? panthor_vm_resv(vms[0]) : bo->base.resv;
	other.waits = atomic_long_read(&ctx->ptdev->reclaim.stats.waits);
	init_completion(&other.locked);

	task = kthread_create(panthor_shrinker_other_thread, &other, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&other.locked);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits),
			other.waits + 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->ptdev->reclaim.evictors), 0);
}

/* Somebody finishes evicting something just when we look if there's anybody. */
static int panthor_shrinker_test_just_done(struct panthor_reclaim *reclaim)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = ctx->priv;

	kunit_deactivate_static_stub(test, panthor_gem_shrinker_evictors);
	dma_resv_unlock(bo->base.resv);
	panthor_gem_evict_enter(ctx->ptdev);
	panthor_gem_evict_leave(ctx->ptdev, true);
	ctx->priv = NULL;

	return panthor_gem_shrinker_evictors(reclaim);
}

/* Those who have just finished leave something behind, too. */
static void panthor_shrinker_test_others_just_done(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	kunit_activate_static_stub(test, panthor_gem_shrinker_evictors,
				   panthor_shrinker_test_just_done);

	/* Not panthor_kunit_scan(): KUnit allocates. */
	ctx->priv = bo;
	dma_resv_lock(bo->base.resv, NULL);
	KUNIT_EXPECT_EQ(test,
			panthor_gem_shrinker_reclaim(ctx->ptdev, PANTHOR_KUNIT_ALL, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);
	if (ctx->priv)
		dma_resv_unlock(bo->base.resv);

	/* There was nobody to wait for. */
	KUNIT_EXPECT_NULL(test, ctx->priv);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 0);
}

/* Others who take ages aren't waited for until they are done. */
static void panthor_shrinker_test_slow_others(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_holder *holder;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	panthor_gem_evict_enter(ctx->ptdev);
	holder = panthor_kunit_hold_resv(test, bo->base.resv);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&ctx->ptdev->reclaim.stats.waits), 1);
	panthor_kunit_release(test, holder);
	panthor_gem_evict_leave(ctx->ptdev, false);
}

/* Stop using a VM, and drop the last reference that isn't owned by kswapd. */
static int panthor_shrinker_destroy_thread(void *data)
{
	struct panthor_kunit_job *job = data;

	panthor_kunit_job_wait_for_kswapd(job);
	panthor_vm_unmap_range(job->vm, PANTHOR_KUNIT_VA(0), PANTHOR_KUNIT_BO_SIZE);
	panthor_vm_put(job->vm);

	return 0;
}

/* Redirection only works in the context of the test. */
static void panthor_shrinker_test_no_vm_free(struct drm_gpuvm *gpuvm)
{
	struct kunit *test = kunit_get_current_test();

	KUNIT_FAIL(test, "VM destroyed by a scan");
	kunit_deactivate_static_stub(test, panthor_vm_free);
	panthor_vm_free(gpuvm);
}

/*
 * Destroy a VM while kswapd waits for its jobs. The VM is not destroyed in the
 * middle of reclaim, but soon after that.
 */
static void panthor_shrinker_test_last_reference(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_job job = { .fence = panthor_kunit_fence(test) };
	struct panthor_gem_object *bo;
	struct drm_gem_object *root;
	u64 half = 1ull << 47;

	job.vm = panthor_vm_create(ctx->ptdev, false, half, half, half, half);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, job.vm);
	root = panthor_vm_root_gem(job.vm);
	drm_gem_object_get(root);

	bo = panthor_kunit_mapped_bo(test, job.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(job.vm, job.fence));
	panthor_kunit_mmap_get(bo);

	kunit_activate_static_stub(test, panthor_vm_free, panthor_shrinker_test_no_vm_free);
	ctx->can_wait = true;
	panthor_kunit_job_start(test, &job, panthor_shrinker_destroy_thread);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	panthor_kunit_job_stop(&job);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_MMAPPED);

	/* The root object is owned by the VM, the test, and the private object. */
	flush_workqueue(panthor_vm_put_wq);
	KUNIT_EXPECT_EQ(test, kref_read(&root->refcount), 2);

	panthor_kunit_mmap_put(bo);
	panthor_kunit_bo_put(test, bo);
	KUNIT_EXPECT_EQ(test, kref_read(&root->refcount), 1);
	drm_gem_object_put(root);
}

#define PANTHOR_SHRINKER_TEST_BATCH	130

/*
 * Evict many objects of a VM that has an address space. One flush serves a lot of
 * them, and all the others are evicted, too.
 */
static void panthor_shrinker_test_batch(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < PANTHOR_SHRINKER_TEST_BATCH; i++)
		panthor_kunit_mapped_bo(test, vm, PAGE_SIZE, PANTHOR_KUNIT_VA(i));

	panthor_kunit_vm_set_as(vm, 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_SHRINKER_TEST_BATCH);
	panthor_kunit_vm_set_as(vm, -1);

	KUNIT_EXPECT_GT(test, ctx->mmu_ops, 0);
	KUNIT_EXPECT_LE(test, ctx->mmu_ops, 4);
	for (u32 i = 0; i < PANTHOR_SHRINKER_TEST_BATCH; i++)
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(i),
								  PAGE_SIZE));
}

/* Evict no more objects of a VM than needed. */
static void panthor_shrinker_test_batch_stop(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);

	for (u32 i = 0; i < 8; i++)
		panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(i));

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_BO_PAGES + 1),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 6 * PANTHOR_KUNIT_BO_PAGES);
}

/*
 * The GPU doesn't confirm that it's done with the memory. The memory stays, with
 * its content, and the mapping comes back at the next submission.
 */
static void panthor_shrinker_test_flush_fails(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;
	struct page **pages;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	pages = bo->backing.pages;

	panthor_kunit_vm_set_as(vm, 1);
	ctx->mmu_op_ret = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	ctx->mmu_op_ret = 0;
	panthor_kunit_vm_set_as(vm, -1);

	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_VM), 1);

	/* Trying again doesn't help, until the GPU is reset. */
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_PTR_EQ(test, bo->backing.pages, pages);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 0);
	panthor_kunit_mmu_reset(ctx->ptdev);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_submit(vm, NULL));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_GPU_MAPPED_VM);
}

/* No command is sent to a GPU that's about to be reset. */
static void panthor_shrinker_test_reset(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));

	panthor_kunit_vm_set_as(vm, 1);
	atomic_set(&ctx->ptdev->reset.pending, 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 0);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
	atomic_set(&ctx->ptdev->reset.pending, 0);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, ctx->mmu_ops, 1);
	panthor_kunit_vm_set_as(vm, -1);
}

/* What reclaim wants of anonymous memory. */
static void panthor_shrinker_test_pressure(struct reclaim_pressure *pressure)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;

	*pressure = *(struct reclaim_pressure *)ctx->priv;
}

static void panthor_shrinker_test_set_pressure(struct kunit *test,
					       struct reclaim_pressure *p)
{
	struct panthor_kunit *ctx = test->priv;

	ctx->priv = p;
	kunit_activate_static_stub(test, panthor_gem_shrinker_get_pressure,
				   panthor_shrinker_test_pressure);
}

static bool panthor_shrinker_test_yes(void)
{
	return true;
}

/* Nobody loses anything for the sake of a share that was worked out before. */
static void panthor_shrinker_test_enough(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	kunit_activate_static_stub(test, panthor_gem_shrinker_got_enough,
				   panthor_shrinker_test_yes);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));
	kunit_deactivate_static_stub(test, panthor_gem_shrinker_got_enough);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
}

/* Dropping caches is about caches. */
static void panthor_shrinker_test_drop_caches(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	kunit_deactivate_static_stub(test, panthor_gem_shrinker_get_pressure);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));
}

/* GPU memory is wanted as much as anonymous memory is. */
static void panthor_shrinker_test_no_anon_pressure(struct kunit *test)
{
	struct reclaim_pressure p = { .anon = ANON_PRESSURE_MAX };
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	panthor_shrinker_test_set_pressure(test, &p);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 2 * PANTHOR_KUNIT_BO_PAGES);
	p.anon = ANON_PRESSURE_MAX / 2;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);

	/* That's not the same as having nothing. */
	p.anon = 0;
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));

	p.anon = 1;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
}

/* What's on its way out already is freed in any case. */
static unsigned long panthor_shrinker_test_start_writing(struct panthor_gem_object *bo,
							 unsigned long *writing)
{
	*writing = bo->base.size >> PAGE_SHIFT;
	return 0;
}

static unsigned long panthor_shrinker_test_is_written(struct panthor_gem_object *bo,
						      unsigned long nr_pages,
						      unsigned long *writing)
{
	*writing = 0;
	return bo->base.size >> PAGE_SHIFT;
}

static void panthor_shrinker_test_written_anyway(struct kunit *test)
{
	struct reclaim_pressure p = { .priority = DEF_PRIORITY };
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}

	kunit_activate_static_stub(test, panthor_gem_write, panthor_shrinker_test_start_writing);
	kunit_activate_static_stub(test, panthor_gem_free_written,
				   panthor_shrinker_test_is_written);
	KUNIT_EXPECT_EQ(test, panthor_gem_shrinker_reclaim(ctx->ptdev, 1, GFP_KERNEL),
			PANTHOR_KUNIT_BO_PAGES);

	panthor_shrinker_test_set_pressure(test, &p);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
}

/* What's new, or what the GPU worked on, has a second chance. */
static void panthor_shrinker_test_recent(struct kunit *test)
{
	struct reclaim_pressure p = { ANON_PRESSURE_MAX, 1 };
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[2], *shared;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(0));
	shared = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], shared, PANTHOR_KUNIT_VA(1)));

	panthor_shrinker_test_set_pressure(test, &p);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(shared));
	KUNIT_EXPECT_LT(test, 0, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_RECENT));

	/* It has as many as it submits jobs, page by page. */
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[0], NULL));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_BO_PAGES - 1), 0);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));

	/* One that's mapped in several VMs has it because of any of them. */
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(shared));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(shared));

	/* What was passed over there is gone. */
	bos[1] = panthor_kunit_mapped_bo(test, vms[1], PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(2));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
}

static struct panthor_gem_object *
panthor_shrinker_test_shared_bo(struct kunit *test, struct panthor_vm **vms, u64 va)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	for (u32 i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], bo, va));

	return bo;
}

/* The same for each object that VMs have in common, however many others there are. */
static void panthor_shrinker_test_recent_shared(struct kunit *test)
{
	struct reclaim_pressure p = { ANON_PRESSURE_MAX, 1 };
	struct panthor_gem_object *bos[2], *late;
	struct panthor_vm *vms[4];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++)
		vms[i] = panthor_kunit_vm(test);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_shrinker_test_shared_bo(test, &vms[2 * i], PANTHOR_KUNIT_VA(0));

	panthor_shrinker_test_set_pressure(test, &p);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 0);

	/* Those whose turn it isn't yet lose no mapping, either. */
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(vms[1], NULL));
	late = panthor_shrinker_test_shared_bo(test, &vms[2], PANTHOR_KUNIT_VA(1));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	for (u32 i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[i], bos[0],
								PANTHOR_KUNIT_VA(0)));
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vms[2 + i], late,
								PANTHOR_KUNIT_VA(1)));
	}

	/* What comes back to the list is new. */
	KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vms[2], PANTHOR_KUNIT_VA(1),
							PANTHOR_KUNIT_BO_SIZE));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[2], late, PANTHOR_KUNIT_VA(1)));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(late));
}

/* Unless it's now or never. */
static void panthor_shrinker_test_last_round(struct kunit *test)
{
	struct reclaim_pressure p = { ANON_PRESSURE_MAX, 0 };
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bos[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));

	panthor_shrinker_test_set_pressure(test, &p);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));

	/* If it can only come from us, a share of it is of no use. */
	p.priority = DEF_PRIORITY;
	p.nr_missing = 2 * PANTHOR_KUNIT_BO_PAGES;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), 2 * PANTHOR_KUNIT_BO_PAGES);
}

static struct kunit_case panthor_shrinker_tests[] = {
	KUNIT_CASE(panthor_shrinker_test_no_swap),
	KUNIT_CASE(panthor_shrinker_test_too_large),
	KUNIT_CASE(panthor_shrinker_test_little_swap),
	KUNIT_CASE(panthor_shrinker_test_empty),
	KUNIT_CASE(panthor_shrinker_test_nothing),
	KUNIT_CASE(panthor_shrinker_test_count_lockless),
	KUNIT_CASE(panthor_shrinker_test_no_alloc),
	KUNIT_CASE_PARAM(panthor_shrinker_test_locked, panthor_shrinker_lock_gen_params),
	KUNIT_CASE(panthor_shrinker_test_half_evicted),
	KUNIT_CASE(panthor_shrinker_test_locked_others),
	KUNIT_CASE(panthor_shrinker_test_stages),
	KUNIT_CASE(panthor_shrinker_test_stale_state),
	KUNIT_CASE(panthor_shrinker_test_stale_gpu_state),
	KUNIT_CASE_PARAM(panthor_shrinker_test_changed_meanwhile,
			 panthor_shrinker_change_gen_params),
	KUNIT_CASE(panthor_shrinker_test_swap_full_meanwhile),
	KUNIT_CASE(panthor_shrinker_test_claimed),
	KUNIT_CASE(panthor_shrinker_test_busy_direct),
	KUNIT_CASE(panthor_shrinker_test_busy_object),
	KUNIT_CASE(panthor_shrinker_test_busy_shared),
	KUNIT_CASE(panthor_shrinker_test_busy_late),
	KUNIT_CASE(panthor_shrinker_test_busy_batch),
	KUNIT_CASE(panthor_shrinker_test_busy_kswapd),
	KUNIT_CASE(panthor_shrinker_test_kswapd_idle_first),
	KUNIT_CASE(panthor_shrinker_test_kswapd_wait),
	KUNIT_CASE(panthor_shrinker_test_side_by_side),
	KUNIT_CASE_PARAM(panthor_shrinker_test_after_others, panthor_shrinker_other_gen_params),
	KUNIT_CASE(panthor_shrinker_test_others_just_done),
	KUNIT_CASE(panthor_shrinker_test_slow_others),
	KUNIT_CASE(panthor_shrinker_test_last_reference),
	KUNIT_CASE(panthor_shrinker_test_batch),
	KUNIT_CASE(panthor_shrinker_test_batch_stop),
	KUNIT_CASE(panthor_shrinker_test_flush_fails),
	KUNIT_CASE(panthor_shrinker_test_reset),
	KUNIT_CASE(panthor_shrinker_test_drop_caches),
	KUNIT_CASE(panthor_shrinker_test_enough),
	KUNIT_CASE(panthor_shrinker_test_no_anon_pressure),
	KUNIT_CASE(panthor_shrinker_test_written_anyway),
	KUNIT_CASE(panthor_shrinker_test_recent),
	KUNIT_CASE(panthor_shrinker_test_recent_shared),
	KUNIT_CASE(panthor_shrinker_test_last_round),
	{}
};

static struct kunit_suite panthor_shrinker_test_suite = {
	.name = "panthor_shrinker",
	.init = panthor_kunit_init,
	.test_cases = panthor_shrinker_tests,
};

kunit_test_suite(panthor_shrinker_test_suite);
