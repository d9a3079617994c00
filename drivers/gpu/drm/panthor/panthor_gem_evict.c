// SPDX-License-Identifier: GPL-2.0 or MIT

/* How GEM objects are evicted, alone or in batches, and written to swap. */

#include <linux/blkdev.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/wait_bit.h>

#include <drm/drm_gpuvm.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_evict.h"
#include "panthor_gem_lru.h"
#include "panthor_gem_memcg.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"

/**
 * DOC: Reclaim
 *
 * Memory is reclaimed one object at a time: pages of an object are either all
 * there, or all given back to shmem.
 * Scans go from what's cheap to what's dear, see &enum panthor_gem_reclaim_state, among
 * what one memory cgroup pays for.
 *
 * Evicting an object consists of removing its GPU mappings in all the VMs it's
 * mapped to, then the CPU mappings, the device mapping, and finally the pages.
 * Their content is written to swap after that, with all the locks below released, and
 * freed at once if the swap device is synchronous, as compressed memory is. Otherwise
 * the next scan does it, and takes what's being written for as good as free, so no
 * more is evicted than what's still missing. Where writing isn't allowed, nothing is
 * evicted.
 * All the mappings come back when they are needed: CPU mappings at the next
 * fault, GPU mappings when a job is submitted to the VM. Jobs can access anything
 * that's mapped in their VM, so none of it is evicted until they are done.
 *
 * If something goes wrong on the way, the pages stay, and the mappings which
 * were removed are marked evicted, so they come back like any other.
 *
 * **Locking**
 *
 * In a scan, all the locks below are only tried, except those marked with a star,
 * under which nothing is allocated, and nothing waits for fences::
 *
 *   dma_resv of the VM or of the object
 *     panthor_vm::op_lock
 *       panthor_gem_object::gpuva_list_lock
 *       panthor_mmu::as.slots_lock (*)
 *     panthor_gem_object::gpuva_list_lock (*)
 *     panthor_mmu::as.slots_lock (*)
 *     address_space::i_mmap_rwsem (*)
 *     panthor_reclaim::lock (*)
 *       list_lru_node::lock (*)
 *     panthor_gems_debugfs::lock (*)
 *
 * Objects that are private to a VM share its reservation. Those that aren't are the
 * exception to this order: their reservation is tried with the VM locked for
 * eviction, that is, with its reservation and its op_lock held, and released before
 * the next object, so no more than one of them is held at a time.
 *
 * This leaves a window between the mappings of an object being removed, and the GPU
 * being told. In this window, the VM is flagged as being evicted, which makes all
 * its objects look GPU-mapped, so no one else gets to release their pages.
 *
 * The outer order is: mmap lock, dma_resv, fs_reclaim, and then what's above. All
 * of them but the dma_resv and the i_mmap_rwsem are taken in the DMA-fence
 * signalling path, so memory must never be allocated with one of them held.
 *
 * GPU mappings are removed before CPU ones, because removing the latter can't
 * fail. This way, nobody takes useless faults because of an eviction that didn't
 * happen. CPUs can keep writing to the pages in between, which is fine, because
 * they are still there, and are considered dirty.
 */

/*
 * How long to leave what couldn't be written to swap alone, although there's room. The
 * most likely reason is a swap device that doesn't take as much as it says.
 */
#define PANTHOR_GEM_EVICT_UNSWAPPABLE_MS	5000

static struct panthor_device *panthor_gem_device(struct panthor_gem_object *bo)
{
	return container_of(bo->base.dev, struct panthor_device, base);
}

/**
 * panthor_gem_evict_swap_space() - Get the number of pages that can be reclaimed
 *
 * Pages which are given back can only be freed if they can be written to swap.
 *
 * Return: The number of free pages in swap, 0 if there's no swap.
 */
unsigned long panthor_gem_evict_swap_space(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_evict_swap_space);

	return max(get_nr_swap_pages(), 0L);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_evict_swap_space);

/**
 * panthor_gem_evict_memcg_swap_space() - Get the number of pages a cgroup can put in swap
 * @memcg: Memory cgroup the caller has a reference to, NULL for the root.
 *
 * Context: Any.
 *
 * Return: The number of pages there's room for.
 */
unsigned long panthor_gem_evict_memcg_swap_space(struct mem_cgroup *memcg)
{
	unsigned long space = panthor_gem_evict_swap_space();

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_evict_memcg_swap_space, memcg);

	if (!memcg || !space)
		return space;

	return min_t(unsigned long, space, max(mem_cgroup_get_nr_swap_pages(memcg), 0L));
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_evict_memcg_swap_space);

static bool panthor_reclaim_is_unswappable(const u32 *until)
{
	u32 end = READ_ONCE(*until);
	u32 left = end - (u32)jiffies;

	/* There can't be more left, so that's what's very old. */
	return end && left && left <= (u32)msecs_to_jiffies(PANTHOR_GEM_EVICT_UNSWAPPABLE_MS);
}

static void panthor_reclaim_set_unswappable(u32 *until, bool unswappable)
{
	u32 end = jiffies + msecs_to_jiffies(PANTHOR_GEM_EVICT_UNSWAPPABLE_MS);

	WRITE_ONCE(*until, unswappable ? end ?: 1 : 0);
}

/* Objects are reclaimed as a whole, so there's no point in starting otherwise. */
static bool panthor_gem_fits_in_swap(struct panthor_gem_object *bo)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	dma_resv_assert_held(bo->base.resv);

	return (!bo->lruvec || nr_pages <= panthor_gem_evict_memcg_swap_space(bo->lruvec->memcg)) &&
	       !panthor_reclaim_is_unswappable(&bo->unswappable);
}

/* The GPU mappings are gone, get rid of everything else. */
static void panthor_gem_release_locked(struct panthor_gem_object *bo)
{
	panthor_gem_lru_account_evict_locked(bo);

	/* Faults need the reservation we own, so nothing comes back. */
	drm_vma_node_unmap(&bo->base.vma_node, bo->base.dev->anon_inode->i_mapping);
	panthor_gem_depopulate(bo);
	panthor_gem_lru_set_state(bo, PANTHOR_GEM_UNRECLAIMABLE, NULL);
}

/**
 * panthor_gem_evict_is_idle() - Check if the GPU is done with something
 * @resv: Reservation of the VM, or of the object.
 *
 * Jobs attach their fences to all the objects of the VM they execute in.
 *
 * Context: Any.
 *
 * Return: true if it is.
 */
bool panthor_gem_evict_is_idle(struct dma_resv *resv)
{
	return dma_resv_test_signaled(resv, DMA_RESV_USAGE_BOOKKEEP);
}

/*
 * Jobs don't know about objects that were mapped in their VM after they were
 * submitted, but can use them, so looking at the reservation of the object isn't
 * enough.
 */
static bool panthor_gem_vms_are_idle_locked(struct panthor_gem_object *bo)
{
	struct drm_gpuvm_bo *vm_bo;

	lockdep_assert_held(&bo->gpuva_list_lock);

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base) {
		if (panthor_vm_bo_has_mappings(vm_bo) &&
		    !panthor_gem_evict_is_idle(panthor_vm_resv(panthor_vm_bo_vm(vm_bo))))
			return false;
	}

	return true;
}

/*
 * Tell if, and why, an object that's GPU-mapped, or might be, can't be evicted
 * right now. It might have become harder to evict than the list it's in suggests,
 * in which case it goes to the right list, and waits for its turn.
 */
static bool panthor_gem_can_evict(struct panthor_gem_object *bo,
				  enum panthor_gem_reclaim_state state)
{
	if (state == PANTHOR_GEM_UNRECLAIMABLE)
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_PINNED);
	else if (state > bo->reclaim_state)
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	else if (!panthor_gem_fits_in_swap(bo))
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
	else if (!panthor_gem_vms_are_idle_locked(bo))
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_ACTIVE);
	else
		return true;

	return false;
}

/*
 * Evict an object if the GPU can't see it, otherwise make sure it's in the right
 * list.
 */
static bool panthor_gem_evict_unmapped_locked(struct panthor_gem_object *bo)
{
	enum panthor_gem_reclaim_state state;
	struct panthor_vm *vm;

	/* Whoever has the lock changes the mappings, and takes care of the state
	 * after that.
	 */
	if (!mutex_trylock(&bo->gpuva_list_lock))
		return false;

	state = panthor_gem_lru_eval_state_locked(bo, &vm);
	mutex_unlock(&bo->gpuva_list_lock);

	if (state <= min(bo->reclaim_state, PANTHOR_GEM_MMAPPED) && panthor_gem_fits_in_swap(bo) &&
	    !panthor_mmu_flush_leftovers(panthor_gem_device(bo))) {
		panthor_gem_release_locked(bo);
		return true;
	}

	panthor_gem_lru_set_state(bo, state, vm);
	return false;
}

/**
 * panthor_gem_evict_locked() - Evict an object that's not GPU-mapped
 * @bo: Object.
 *
 * If it works, panthor_gem_evict_write() should be called once the reservation was
 * released.
 *
 * Context: Process context, including reclaim, with the reservation of the object
 * held. Other locks are only tried.
 *
 * Return: true if the pages were given back, false if that's not possible right
 * now.
 */
bool panthor_gem_evict_locked(struct panthor_gem_object *bo)
{
	if (panthor_gem_evict_unmapped_locked(bo))
		return true;

	if (bo->reclaim_state == PANTHOR_GEM_UNRECLAIMABLE)
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_PINNED);
	else if (!panthor_gem_fits_in_swap(bo))
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
	else
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);

	return false;
}

/**
 * panthor_gem_evict_enter() - Tell that something is about to be evicted
 * @ptdev: Device.
 *
 * Scans that don't get anything wait for panthor_gem_evict_leave(), whatever their caller
 * has locked. So between the two, nothing is allocated, other locks are only tried,
 * except those under which nothing is allocated, and there's no waiting for fences.
 *
 * Context: Process context, including reclaim. If that's possible, called before what
 * others might find locked is.
 */
void panthor_gem_evict_enter(struct panthor_device *ptdev)
{
	atomic_inc(&ptdev->reclaim.evictors);

	/* Whoever finds something locked has to find us, too. */
	smp_mb__after_atomic();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_evict_enter);

/**
 * panthor_gem_evict_leave() - Undo panthor_gem_evict_enter()
 * @ptdev: Device.
 * @evicted: True if something was evicted.
 *
 * Context: Process context, including reclaim. Called after everything was unlocked.
 */
void panthor_gem_evict_leave(struct panthor_device *ptdev, bool evicted)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;

	/* Whoever finds that we're done has to find everything unlocked. */
	smp_mb__before_atomic();
	if (evicted)
		atomic_inc(&reclaim->evict_seq);

	/* And if we're the last one, that we were there. */
	smp_mb__before_atomic();
	atomic_dec(&reclaim->evictors);

	/* wake_up_var() looks if there's somebody waiting. */
	smp_mb__after_atomic();
	wake_up_var(&reclaim->evictors);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_evict_leave);

/**
 * panthor_gem_evict_batch_init() - Initialize a batch that is not about a VM
 * @batch: Batch.
 * @ptdev: Device.
 * @lruvec: Who pays for the objects. The caller has a reference.
 * @gpu_mapped: True if the objects are GPU-mapped.
 *
 * Context: Process context, including reclaim. Must be undone by
 * panthor_gem_evict_batch_finish().
 */
void panthor_gem_evict_batch_init(struct panthor_gem_evict_batch *batch,
				  struct panthor_device *ptdev,
				  struct panthor_lruvec *lruvec, bool gpu_mapped)
{
	batch->ptdev = ptdev;
	batch->lruvec = lruvec;
	batch->vm = NULL;
	batch->vm_lru = NULL;
	batch->gpu_mapped = gpu_mapped;
	batch->second_chance = false;
	batch->passed = 0;
	batch->freed = 0;
	batch->writing = 0;
	INIT_LIST_HEAD(&batch->evicted);
	batch->swap_space = panthor_gem_evict_memcg_swap_space(lruvec->memcg);
	panthor_gem_evict_enter(ptdev);
}

/**
 * panthor_gem_evict_batch_init_vm() - Initialize a batch for the objects of a VM
 * @batch: Batch.
 * @ptdev: Device.
 * @lruvec: Who pays for the objects. The caller has a reference.
 * @vm: VM. The caller has a reference.
 * @vm_lru: Where these objects are.
 *
 * Context: Process context, including reclaim, before the VM is locked, so others know
 * why they could not. Must be undone by panthor_gem_evict_batch_finish().
 */
void panthor_gem_evict_batch_init_vm(struct panthor_gem_evict_batch *batch,
				     struct panthor_device *ptdev,
				     struct panthor_lruvec *lruvec, struct panthor_vm *vm,
				     struct panthor_vm_lru *vm_lru)
{
	panthor_gem_evict_batch_init(batch, ptdev, lruvec, true);
	batch->vm = vm;
	batch->vm_lru = vm_lru;
}

static void panthor_gem_evict_batch_remove_bo(struct panthor_gem_object *bo)
{
	list_del_init_careful(&bo->evict_node);
	drm_gem_object_put(&bo->base);
}

/* What stays leaves its place in swap to others. */
static void panthor_gem_evict_batch_reject_bo(struct panthor_gem_evict_batch *batch,
					      struct panthor_gem_object *bo)
{
	batch->swap_space += bo->base.size >> PAGE_SHIFT;
	panthor_gem_evict_batch_remove_bo(bo);
}

/**
 * panthor_gem_evict_write() - Write the content of an object that was evicted
 * @bo: Object.
 * @writing: Increased by the number of pages that have to be written first, and are
 * freed by a scan to come.
 *
 * Context: See panthor_gem_write().
 *
 * Return: The number of pages that don't stay in memory.
 */
unsigned long panthor_gem_evict_write(struct panthor_gem_object *bo, unsigned long *writing)
{
	unsigned long freed, left = 0;

	freed = panthor_gem_write(bo, &left);
	if (left)
		panthor_gem_lru_set_written(bo);

	/* Not the fault of those who have it back, or are about to. */
	panthor_reclaim_set_unswappable(&bo->unswappable, !freed && !left &&
					!mapping_unevictable(bo->base.filp->f_mapping));

	*writing += left;
	return freed + left;
}

/* Write what was evicted. What can't be written wasn't freed. */
static void panthor_gem_evict_batch_write(struct panthor_gem_evict_batch *batch)
{
	struct panthor_gem_object *bo;
	struct blk_plug plug;
	bool refused = false;

	batch->freed = 0;
	blk_start_plug(&plug);
	list_for_each_entry(bo, &batch->evicted, evict_node) {
		batch->freed += panthor_gem_evict_write(bo, &batch->writing);
		refused |= panthor_reclaim_is_unswappable(&bo->unswappable);
	}
	blk_finish_plug(&plug);

	/* Others of this VM wouldn't do better. */
	if (batch->vm && !list_empty(&batch->evicted))
		panthor_reclaim_set_unswappable(&batch->vm_lru->unswappable,
						refused && !batch->freed);
}

/**
 * panthor_gem_evict_batch_finish() - Write what was evicted
 * @batch: Batch.
 * @can_write: True if pages can be written to swap.
 *
 * What was evicted is written to swap when no reservation is held any more, because
 * that takes longer than everything else, and nobody should have to wait for it.
 *
 * Context: Process context, including reclaim, with no reservation held.
 */
void panthor_gem_evict_batch_finish(struct panthor_gem_evict_batch *batch, bool can_write)
{
	struct panthor_gem_object *bo, *next;

	panthor_gem_evict_leave(batch->ptdev, batch->freed);
	if (can_write)
		panthor_gem_evict_batch_write(batch);

	list_for_each_entry_safe(bo, next, &batch->evicted, evict_node)
		panthor_gem_evict_batch_remove_bo(bo);
}

/* Private objects come with the VM that's locked, if there's one. */
static bool panthor_gem_evict_owns_resv(struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	return vm && bo->base.resv == panthor_vm_resv(vm);
}

static bool panthor_gem_evict_trylock_bo(struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	return panthor_gem_evict_owns_resv(vm, bo) || dma_resv_trylock(bo->base.resv);
}

static void panthor_gem_evict_unlock_bo(struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	if (!panthor_gem_evict_owns_resv(vm, bo))
		dma_resv_unlock(bo->base.resv);
}

/*
 * An object can only be in one batch, which has to be one of the cgroup that pays for it.
 * Until it's there, it might be evicted, and brought back by another one.
 */
static bool panthor_gem_evict_batch_claim_bo(struct panthor_gem_evict_batch *batch,
					     struct panthor_gem_object *bo)
{
	struct panthor_reclaim *reclaim = &batch->ptdev->reclaim;
	bool claimed;

	mutex_lock(&reclaim->lock);
	claimed = bo->lruvec == batch->lruvec && list_empty_careful(&bo->evict_node);
	if (claimed)
		list_add_tail(&bo->evict_node, &batch->bos);
	mutex_unlock(&reclaim->lock);

	return claimed;
}

static bool panthor_gem_evict_batch_add_bo(struct panthor_gem_evict_batch *batch,
					   struct panthor_gem_object *bo)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	if (nr_pages > batch->swap_space || panthor_reclaim_is_unswappable(&bo->unswappable)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
		return false;
	}

	if (!panthor_gem_evict_batch_claim_bo(batch, bo)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	batch->pages += nr_pages;
	if (batch->gpu_mapped)
		batch->mappings += READ_ONCE(bo->mapping_count);
	batch->swap_space -= nr_pages;
	return true;
}

/**
 * panthor_gem_evict_batch_fill() - Add objects to a batch
 * @batch: Batch.
 * @walk: Where they come from.
 * @nr_pages: Number of pages to be freed.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 *
 * Return: false if that was all there is, true otherwise.
 */
bool panthor_gem_evict_batch_fill(struct panthor_gem_evict_batch *batch,
				  struct drm_gem_lru_walk *walk, unsigned long nr_pages)
{
	struct drm_gem_object *obj;

	batch->pages = 0;
	batch->mappings = 0;
	INIT_LIST_HEAD(&batch->bos);
	nr_pages = min(nr_pages, batch->gpu_mapped ? PANTHOR_GEM_EVICT_BATCH_PAGES :
						     PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES);

	while (batch->pages < nr_pages && batch->mappings < PANTHOR_GEM_EVICT_BATCH_MAPPINGS) {
		obj = drm_gem_lru_walk_next(walk);
		if (!obj)
			return false;

		if (!panthor_gem_evict_batch_add_bo(batch, to_panthor_bo(obj)))
			drm_gem_object_put(obj);
	}

	return true;
}

/* Called with the object locked, and the VM locked and idle. */
static void panthor_gem_unmap_from_vm_locked(struct panthor_gem_object *bo,
					     struct panthor_vm_evict_ctx *evict)
{
	enum panthor_gem_reclaim_state state;
	struct drm_gpuvm_bo *vm_bo;
	struct panthor_vm *vm;

	lockdep_assert_held(&bo->gpuva_list_lock);

	/* If that's the only VM, we know it's idle. */
	state = panthor_gem_lru_eval_state_locked(bo, &vm);
	if ((state != PANTHOR_GEM_GPU_MAPPED_VM || vm != evict->vm) &&
	    !panthor_gem_can_evict(bo, state))
		return;

	/* Private objects share the reservation of the VM. */
	if (bo->base.resv != panthor_vm_resv(evict->vm) &&
	    !panthor_gem_evict_is_idle(bo->base.resv)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_ACTIVE);
		return;
	}

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base) {
		if (panthor_vm_bo_vm(vm_bo) == evict->vm)
			panthor_vm_evict_bo_locked(evict, vm_bo);
	}
}

static void panthor_gem_evict_unmap_bo(struct panthor_vm_evict_ctx *evict,
				       struct panthor_gem_object *bo)
{
	if (!panthor_gem_evict_trylock_bo(evict->vm, bo)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return;
	}

	if (mutex_trylock(&bo->gpuva_list_lock)) {
		panthor_gem_unmap_from_vm_locked(bo, evict);
		mutex_unlock(&bo->gpuva_list_lock);
	} else {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	}

	panthor_gem_evict_unlock_bo(evict->vm, bo);
}

/*
 * Unmap what's in the batch, from @bo on, from a VM that's locked, and idle. Return
 * false if there's no point in trying with other objects of this VM.
 */
static bool panthor_gem_evict_batch_unmap(struct panthor_gem_evict_batch *batch,
					  struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	struct panthor_vm_evict_ctx evict;

	if (!panthor_vm_evict_begin(&evict, vm)) {
		panthor_gem_lru_skip_pages(batch->ptdev, PANTHOR_RECLAIM_SKIP_VM, batch->pages);
		return false;
	}

	list_for_each_entry_from(bo, &batch->bos, evict_node) {
		panthor_gem_evict_unmap_bo(&evict, bo);
		cond_resched();
	}

	/* If the GPU can't be told to forget about these pages, they stay. */
	if (panthor_vm_evict_end(&evict)) {
		panthor_gem_lru_skip_pages(batch->ptdev, PANTHOR_RECLAIM_SKIP_VM, batch->pages);
		return false;
	}

	return true;
}

static bool panthor_gem_evict_batch_evict_bo(struct panthor_gem_evict_batch *batch,
					     struct panthor_gem_object *bo)
{
	bool evicted;

	if (!panthor_gem_evict_trylock_bo(batch->vm, bo)) {
		if (!batch->gpu_mapped)
			panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	if (batch->gpu_mapped)
		evicted = panthor_gem_evict_unmapped_locked(bo);
	else
		evicted = panthor_gem_evict_locked(bo);

	panthor_gem_evict_unlock_bo(batch->vm, bo);

	return evicted;
}

/**
 * panthor_gem_evict_batch_release() - Give back the pages of what is not mapped any more
 * @batch: Batch.
 *
 * Context: Process context, including reclaim. Locks are only tried.
 */
void panthor_gem_evict_batch_release(struct panthor_gem_evict_batch *batch)
{
	struct panthor_gem_object *bo, *next;

	list_for_each_entry_safe(bo, next, &batch->bos, evict_node) {
		unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

		if (panthor_gem_evict_batch_evict_bo(batch, bo)) {
			batch->freed += nr_pages;
			list_move_tail(&bo->evict_node, &batch->evicted);
		} else {
			panthor_gem_evict_batch_reject_bo(batch, bo);
		}
		cond_resched();
	}
}

/*
 * Evict objects of the VM of the batch, which must be locked and idle. The batch has
 * to be finished after the VM was unlocked.
 */
static void panthor_gem_evict_vm_locked(struct panthor_gem_evict_batch *batch,
					unsigned long nr_pages)
{
	struct panthor_gem_object *bo;
	struct drm_gem_lru_walk walk;
	bool more = true;

	if (panthor_reclaim_is_unswappable(&batch->vm_lru->unswappable)) {
		panthor_gem_lru_skip_pages(batch->ptdev, PANTHOR_RECLAIM_SKIP_NO_SWAP,
					   READ_ONCE(batch->vm_lru->lru.count));
		return;
	}

	drm_gem_lru_walk_init(&walk, &batch->vm_lru->lru);

	while (more && batch->freed < nr_pages) {
		more = panthor_gem_evict_batch_fill(batch, &walk, nr_pages - batch->freed);
		bo = list_first_entry(&batch->bos, typeof(*bo), evict_node);
		more &= panthor_gem_evict_batch_unmap(batch, batch->vm, bo);
		panthor_gem_evict_batch_release(batch);
	}
}

/**
 * panthor_gem_evict_try_vm() - Evict objects of a VM if it can be locked, and is idle
 * @batch: Batch of this VM.
 * @nr_pages: Number of pages to evict.
 *
 * Context: Process context, including reclaim.
 *
 * Return: false if somebody uses the VM.
 */
bool panthor_gem_evict_try_vm(struct panthor_gem_evict_batch *batch, unsigned long nr_pages)
{
	struct dma_resv *resv = panthor_vm_resv(batch->vm);
	bool idle;

	if (!dma_resv_trylock(resv)) {
		panthor_gem_lru_skip_vm(batch->ptdev, batch->vm_lru,
					PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	/* All the objects that are private to the VM share its reservation, so
	 * there's no need to look at each of them.
	 */
	idle = panthor_gem_evict_is_idle(resv);
	if (idle)
		panthor_gem_evict_vm_locked(batch, nr_pages);
	else
		panthor_gem_lru_skip_vm(batch->ptdev, batch->vm_lru, PANTHOR_RECLAIM_SKIP_ACTIVE);

	dma_resv_unlock(resv);
	return idle;
}

/* Get one of the VMs an object is mapped in, NULL if it can't be evicted. */
static struct panthor_vm *panthor_gem_get_mapped_vm_locked(struct panthor_gem_object *bo)
{
	enum panthor_gem_reclaim_state state;
	struct drm_gpuvm_bo *vm_bo;
	struct panthor_vm *vm;

	lockdep_assert_held(&bo->gpuva_list_lock);

	state = panthor_gem_lru_eval_state_locked(bo, &vm);
	if (state <= PANTHOR_GEM_MMAPPED || !panthor_gem_can_evict(bo, state))
		return NULL;

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base) {
		if (panthor_vm_bo_has_mappings(vm_bo))
			return panthor_vm_get(panthor_vm_bo_vm(vm_bo));
	}

	return NULL;
}

static struct panthor_vm *panthor_gem_get_mapped_vm(struct panthor_gem_object *bo)
{
	struct panthor_vm *vm = NULL;

	if (!dma_resv_trylock(bo->base.resv)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return NULL;
	}

	if (mutex_trylock(&bo->gpuva_list_lock)) {
		vm = panthor_gem_get_mapped_vm_locked(bo);
		mutex_unlock(&bo->gpuva_list_lock);
	} else {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	}

	dma_resv_unlock(bo->base.resv);
	return vm;
}

/* Returns true if the object has a second chance, which is used up then. */
static bool panthor_gem_evict_pass_over_bo(struct panthor_gem_object *bo)
{
	bool passed;

	/* Whoever has the lock most likely keeps it from being evicted, too. */
	if (!mutex_trylock(&bo->gpuva_list_lock))
		return false;

	passed = panthor_gem_lru_pass_over_shared_locked(bo);
	mutex_unlock(&bo->gpuva_list_lock);
	if (passed)
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_RECENT);

	return passed;
}

/*
 * Remove what has a second chance from a batch, before anything is unmapped: when it's the
 * turn of an object, the others are unmapped from its VMs along with it.
 */
static void panthor_gem_evict_batch_pass_over(struct panthor_gem_evict_batch *batch)
{
	struct panthor_gem_object *bo, *next;

	list_for_each_entry_safe(bo, next, &batch->bos, evict_node) {
		unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

		if (panthor_gem_evict_pass_over_bo(bo)) {
			batch->passed += nr_pages;
			batch->pages -= nr_pages;
			panthor_gem_evict_batch_reject_bo(batch, bo);
		}
	}
}

/* Unmap what's in the batch, from @bo on, from a VM. */
static void panthor_gem_evict_batch_unmap_from(struct panthor_gem_evict_batch *batch,
					       struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	struct dma_resv *resv = panthor_vm_resv(vm);

	if (!dma_resv_trylock(resv)) {
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_VM);
		return;
	}

	/* It was, but the VM wasn't locked. */
	if (panthor_gem_evict_is_idle(resv))
		panthor_gem_evict_batch_unmap(batch, vm, bo);
	else
		panthor_gem_lru_skip(bo, PANTHOR_RECLAIM_SKIP_VM);

	dma_resv_unlock(resv);
}

/**
 * panthor_gem_evict_batch_unmap_shared() - Unmap what is in a batch from all VMs
 * @batch: Batch.
 *
 * The VMs an object is mapped in are most likely those of the next ones, for which
 * there's nothing left to do when it's their turn.
 *
 * Context: Process context, including reclaim. Locks are only tried.
 */
void panthor_gem_evict_batch_unmap_shared(struct panthor_gem_evict_batch *batch)
{
	struct panthor_gem_object *bo;

	if (batch->second_chance)
		panthor_gem_evict_batch_pass_over(batch);

	list_for_each_entry(bo, &batch->bos, evict_node) {
		struct panthor_vm *vm, *last = NULL;

		/* Until it's not mapped anywhere, or still is where it was. */
		while ((vm = panthor_gem_get_mapped_vm(bo)) && vm != last) {
			panthor_gem_evict_batch_unmap_from(batch, vm, bo);
			panthor_vm_put_async(vm);
			last = vm;
		}

		if (vm)
			panthor_vm_put_async(vm);
	}
}

/**
 * panthor_gem_evict_wait_idle() - Wait for a VM to become idle
 * @ptdev: Device.
 * @vm: VM.
 * @intr: True if signals end it.
 *
 * Context: Process context. Sleeps for up to PANTHOR_GEM_EVICT_WAIT_MS.
 *
 * Return: What dma_resv_wait_timeout() returns.
 */
long panthor_gem_evict_wait_idle(struct panthor_device *ptdev, struct panthor_vm *vm, bool intr)
{
	atomic_long_inc(&ptdev->reclaim.stats.waits);

	return dma_resv_wait_timeout(panthor_vm_resv(vm), DMA_RESV_USAGE_BOOKKEEP, intr,
				     msecs_to_jiffies(PANTHOR_GEM_EVICT_WAIT_MS));
}

/**
 * panthor_gem_evict_wait_reclaimable() - Wait until a VM can be reclaimed
 * @ptdev: Device.
 * @vm: VM.
 *
 * Context: Process context, but not in reclaim. Sleeps for up to
 * PANTHOR_GEM_EVICT_WAIT_MS.
 *
 * Return: 0 if the VM is idle, -EBUSY if it's still busy, -ERESTARTSYS if a
 * signal was received.
 */
int panthor_gem_evict_wait_reclaimable(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	long ret;

	if (panthor_gem_evict_is_idle(panthor_vm_resv(vm)))
		return 0;

	ret = panthor_gem_evict_wait_idle(ptdev, vm, true);
	if (ret > 0)
		return 0;

	return ret ?: -EBUSY;
}

static unsigned long panthor_gem_evict_vm_lru(struct panthor_device *ptdev, struct panthor_vm *vm,
					      struct panthor_vm_lru *vm_lru,
					      struct panthor_lruvec *lruvec, unsigned long nr_pages)
{
	struct dma_resv *resv = panthor_vm_resv(vm);
	struct panthor_gem_evict_batch batch;

	if (dma_resv_lock_interruptible(resv, NULL))
		return 0;

	panthor_gem_evict_batch_init_vm(&batch, ptdev, lruvec, vm, vm_lru);
	if (panthor_gem_evict_is_idle(resv))
		panthor_gem_evict_vm_locked(&batch, nr_pages);

	dma_resv_unlock(resv);
	panthor_gem_evict_batch_finish(&batch, true);
	return batch.freed;
}

/**
 * panthor_gem_evict_vm() - Reclaim objects in the lists of a VM
 * @ptdev: Device.
 * @vm: VM.
 * @nr_pages: Number of pages to reclaim.
 *
 * Context: Process context, but not in reclaim. Waits for the reservation of the
 * VM.
 *
 * Return: The number of pages that were given back. 0 if the VM is busy.
 */
unsigned long panthor_gem_evict_vm(struct panthor_device *ptdev, struct panthor_vm *vm,
				   unsigned long nr_pages)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_lruvec *lruvec;
	struct panthor_vm_lru *vm_lru;
	unsigned long freed = 0;

	list_for_each_entry_lockless(vm_lru, &panthor_vm_reclaim(vm)->lrus, vm_node) {
		if (freed >= nr_pages)
			break;

		lruvec = panthor_gem_lru_get_lruvec(reclaim, vm_lru);
		if (!lruvec)
			continue;

		freed += panthor_gem_evict_vm_lru(ptdev, vm, vm_lru, lruvec, nr_pages - freed);
		panthor_lruvec_put(reclaim, lruvec);
	}

	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_evict_vm);
