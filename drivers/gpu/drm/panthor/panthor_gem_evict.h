/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_EVICT_H__
#define __PANTHOR_GEM_EVICT_H__

#include <linux/list.h>
#include <linux/types.h>

#include "panthor_gem_lru.h"

struct dma_resv;
struct drm_gem_lru_walk;
struct mem_cgroup;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;

/*
 * How long kswapd is ready to wait for a VM to become idle. It does so once per
 * VM, without preventing anyone from using this VM, and stops waiting for others
 * as soon as one of them isn't done by then. Direct reclaim never waits for a VM.
 *
 * Also how long to wait for others who are evicting something, and for what's being
 * written to swap, which anyone does.
 */
#define PANTHOR_GEM_EVICT_WAIT_MS		10

/* How much to reclaim in one go, which is also what a GPU flush is good for. */
#define PANTHOR_GEM_EVICT_BATCH_PAGES	((unsigned long)SZ_4M >> PAGE_SHIFT)

/* The same for mappings, because removing them is most of the work if they are many. */
#define PANTHOR_GEM_EVICT_BATCH_MAPPINGS	PANTHOR_VM_EVICT_MAX_MAPPINGS

/*
 * How much if there's no need for a flush. What describes small objects
 * should still be in the caches of the CPU when they are written to swap. Also what the
 * shrinker is asked for at a time, because it's not told how much is enough.
 */
#define PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES	((unsigned long)SZ_512K >> PAGE_SHIFT)

/**
 * struct panthor_gem_evict_batch - Objects being evicted together
 *
 * Their mappings are removed one VM at a time, so each VM has to be flushed only
 * once. The reservation of an object is only held while looking at it, because
 * nobody can hold that many: until the flush is done, what was unmapped from a VM
 * is still considered as mapped, so nobody else evicts it.
 */
struct panthor_gem_evict_batch {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @lruvec: Who pays for the objects, which we have a reference to. */
	struct panthor_lruvec *lruvec;

	/** @vm: VM whose reservation is held all the time, NULL if there's none. */
	struct panthor_vm *vm;

	/** @vm_lru: Where the objects of this VM are. */
	struct panthor_vm_lru *vm_lru;

	/**
	 * @gpu_mapped: True if the objects are GPU-mapped, in which case it turns out
	 * when they are unmapped which of them have to be skipped.
	 */
	bool gpu_mapped;

	/** @second_chance: True if what was used, or is new, is passed over first. */
	bool second_chance;

	/** @passed: Number of pages that were. */
	unsigned long passed;

	/** @pages: Number of pages the objects have. */
	unsigned long pages;

	/** @mappings: Number of GPU mappings they have. */
	unsigned long mappings;

	/**
	 * @freed: Number of pages that were given back.
	 *
	 * When the batch is finished, that's those that don't stay in memory.
	 */
	unsigned long freed;

	/** @writing: Number of those that aren't free when the batch is finished. */
	unsigned long writing;

	/** @bos: Objects to evict, which we have a reference to. */
	struct list_head bos;

	/** @evicted: Objects that were evicted, which we still have a reference to. */
	struct list_head evicted;

	/** @swap_space: Room there's left in swap, in pages, when all of them are there. */
	unsigned long swap_space;
};

unsigned long panthor_gem_evict_swap_space(void);
unsigned long panthor_gem_evict_memcg_swap_space(struct mem_cgroup *memcg);
bool panthor_gem_evict_is_idle(struct dma_resv *resv);
bool panthor_gem_evict_locked(struct panthor_gem_object *bo);
void panthor_gem_evict_enter(struct panthor_device *ptdev);
void panthor_gem_evict_leave(struct panthor_device *ptdev, bool evicted);
void panthor_gem_evict_batch_init(struct panthor_gem_evict_batch *batch,
				  struct panthor_device *ptdev,
				  struct panthor_lruvec *lruvec, bool gpu_mapped);
void panthor_gem_evict_batch_init_vm(struct panthor_gem_evict_batch *batch,
				     struct panthor_device *ptdev,
				     struct panthor_lruvec *lruvec, struct panthor_vm *vm,
				     struct panthor_vm_lru *vm_lru);
unsigned long panthor_gem_evict_write(struct panthor_gem_object *bo, unsigned long *writing);
void panthor_gem_evict_batch_finish(struct panthor_gem_evict_batch *batch, bool can_write);
bool panthor_gem_evict_batch_fill(struct panthor_gem_evict_batch *batch,
				  struct drm_gem_lru_walk *walk, unsigned long nr_pages);
void panthor_gem_evict_batch_release(struct panthor_gem_evict_batch *batch);
bool panthor_gem_evict_try_vm(struct panthor_gem_evict_batch *batch, unsigned long nr_pages);
void panthor_gem_evict_batch_unmap_shared(struct panthor_gem_evict_batch *batch);
long panthor_gem_evict_wait_idle(struct panthor_device *ptdev, struct panthor_vm *vm, bool intr);
int panthor_gem_evict_wait_reclaimable(struct panthor_device *ptdev, struct panthor_vm *vm);
unsigned long panthor_gem_evict_vm(struct panthor_device *ptdev, struct panthor_vm *vm,
				   unsigned long nr_pages);

#endif
