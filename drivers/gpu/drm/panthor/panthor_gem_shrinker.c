// SPDX-License-Identifier: GPL-2.0 or MIT

/* Which GEM objects can be evicted, in which order, and how it's done. */

#include <linux/blkdev.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/vmscan.h>
#include <linux/wait_bit.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_memcg.h"
#include "panthor_gem_shrinker.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"

#define CREATE_TRACE_POINTS
#include "panthor_trace.h"

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

/**
 * DOC: Its turn
 *
 * To the system, GPU memory is as good as anonymous memory: its content has to be written
 * to swap. Caches are what it's reclaimed along with. So these rules say when it's its
 * turn, in the order in which they are applied:
 *
 * 1. There must be room in swap, for the system and for the cgroup that pays.
 * 2. Anonymous memory must be wanted. If it's not, because there's enough file cache
 *    nobody misses, because of swappiness, or because the cgroup is protected, GPU memory
 *    isn't either. What's on its way out already, because it was evicted before, goes
 *    anyway.
 * 3. If it is, the same share is asked for: that of its pages which is looked at for a
 *    given priority, times what the balance between anonymous memory and file cache is.
 * 4. What the GPU worked on, or got, since it was looked at last has a second chance, as a
 *    page that was referenced has: the first time it's its turn, it's passed over. A job
 *    can access anything that's mapped in its VM, so all that's there is passed over,
 *    page by page, before the first of them is evicted. The last round of reclaim, after
 *    which the OOM killer is invoked, has no time for that.
 * 5. Whoever got enough stops there, whatever the share.
 * 6. After that, it's a matter of order, see &enum panthor_reclaim_stage.
 *
 * Those who ask for GPU memory in particular, as mem_reclaim and debugfs do, or because
 * VMs want more than there is, get it if there's room in swap.
 */

/*
 * How long kswapd is ready to wait for a VM to become idle. It does so once per
 * VM, without preventing anyone from using this VM, and stops waiting for others
 * as soon as one of them isn't done by then. Direct reclaim never waits for a VM.
 *
 * Also how long to wait for others who are evicting something, and for what's being
 * written to swap, which anyone does.
 */
#define PANTHOR_RECLAIM_WAIT_MS		10

/* How long a swap device has to free something before the OOM killer is called. */
#define PANTHOR_RECLAIM_WRITE_MS	100

/*
 * How long to leave what couldn't be written to swap alone, although there's room. The
 * most likely reason is a swap device that doesn't take as much as it says.
 */
#define PANTHOR_RECLAIM_UNSWAPPABLE_MS	5000

/* How much to reclaim in one go, which is also what a GPU flush is good for. */
#define PANTHOR_RECLAIM_BATCH_PAGES	((unsigned long)SZ_4M >> PAGE_SHIFT)

/* The same for mappings, because removing them is most of the work if they are many. */
#define PANTHOR_RECLAIM_BATCH_MAPPINGS	PANTHOR_VM_EVICT_MAX_MAPPINGS

/*
 * The same as the former, if there's no need for a flush. What describes small objects
 * should still be in the caches of the CPU when they are written to swap. Also what the
 * shrinker is asked for at a time, because it's not told how much is enough.
 */
#define PANTHOR_RECLAIM_SMALL_BATCH_PAGES	((unsigned long)SZ_512K >> PAGE_SHIFT)

static struct panthor_device *panthor_gem_device(struct panthor_gem_object *bo)
{
	return container_of(bo->base.dev, struct panthor_device, base);
}

/*
 * Figure out the state of an object from the things it depends on. When it's
 * PANTHOR_GEM_GPU_MAPPED_VM, @vm is set to the VM in question.
 */
static enum panthor_gem_reclaim_state
panthor_gem_eval_reclaim_state_locked(struct panthor_gem_object *bo, struct panthor_vm **vm)
{
	struct drm_gpuvm_bo *vm_bo;

	dma_resv_assert_held(bo->base.resv);
	lockdep_assert_held(&bo->gpuva_list_lock);

	*vm = NULL;
	if (!bo->backing.pages || bo->backing.pin_count)
		return PANTHOR_GEM_UNRECLAIMABLE;

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base) {
		if (!panthor_vm_bo_has_mappings(vm_bo))
			continue;

		if (*vm)
			return PANTHOR_GEM_GPU_MAPPED_SHARED;

		*vm = panthor_vm_bo_vm(vm_bo);
	}

	if (*vm)
		return PANTHOR_GEM_GPU_MAPPED_VM;

	return atomic_read(&bo->cmap.mmap_count) ? PANTHOR_GEM_MMAPPED : PANTHOR_GEM_UNUSED;
}

static void panthor_vm_lru_init(struct panthor_reclaim *reclaim,
				struct panthor_vm_reclaim *vm_reclaim,
				struct panthor_vm_lru *vm_lru)
{
	drm_gem_lru_init(&vm_lru->lru, &reclaim->lock);
	vm_lru->vm_reclaim = vm_reclaim;
	INIT_LIST_HEAD(&vm_lru->node);
	INIT_LIST_HEAD(&vm_lru->lruvec_node);
	list_add_tail_rcu(&vm_lru->vm_node, &vm_reclaim->lrus);
}

/*
 * Get where the objects of a VM go that one cgroup pays for. Nothing that's reclaimed is
 * allocated for it, and most VMs don't need more than one.
 */
static struct panthor_vm_lru *panthor_vm_get_lru_locked(struct panthor_reclaim *reclaim,
							struct panthor_vm_reclaim *vm_reclaim,
							struct panthor_lruvec *lruvec)
{
	struct panthor_vm_lru *vm_lru, *free = NULL;

	lockdep_assert_held(&reclaim->lock);

	list_for_each_entry(vm_lru, &vm_reclaim->lrus, vm_node) {
		if (vm_lru->lruvec == lruvec)
			return vm_lru;
		if (!free && !vm_lru->lruvec)
			free = vm_lru;
	}

	if (!free) {
		free = kzalloc(sizeof(*free), GFP_NOWAIT | __GFP_NOWARN);
		if (!free)
			return NULL;
		panthor_vm_lru_init(reclaim, vm_reclaim, free);
	}

	return free;
}

/*
 * Get the list for a state. If there's none for what the VM has of this cgroup, that's
 * the one of what's mapped in several VMs, and changes the state, which works as well.
 */
static struct drm_gem_lru *panthor_gem_get_lru_locked(struct panthor_gem_object *bo,
						      enum panthor_gem_reclaim_state *state,
						      struct panthor_vm *vm)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;
	struct panthor_vm_lru *vm_lru;

	switch (*state) {
	case PANTHOR_GEM_UNUSED:
		return &bo->lruvec->unused;
	case PANTHOR_GEM_MMAPPED:
		return &bo->lruvec->mmapped;
	case PANTHOR_GEM_GPU_MAPPED_VM:
		vm_lru = panthor_vm_get_lru_locked(reclaim, panthor_vm_reclaim(vm), bo->lruvec);
		if (vm_lru)
			return &vm_lru->lru;
		*state = PANTHOR_GEM_GPU_MAPPED_SHARED;
		fallthrough;
	case PANTHOR_GEM_GPU_MAPPED_SHARED:
		return &bo->lruvec->shared;
	case PANTHOR_GEM_UNRECLAIMABLE:
		break;
	}

	return NULL;
}

static void panthor_vm_lru_touch_locked(struct panthor_reclaim *reclaim,
					struct panthor_vm_lru *vm_lru)
{
	lockdep_assert_held(&reclaim->lock);

	WRITE_ONCE(reclaim->seq, reclaim->seq + 1);
	vm_lru->seq = reclaim->seq;
	WRITE_ONCE(vm_lru->vm_reclaim->seq, reclaim->seq);
	list_move_tail(&vm_lru->node, &reclaim->vms);
	list_move_tail(&vm_lru->lruvec_node, &vm_lru->lruvec->vms);
}

/* The VM lists only contain VMs that have something to reclaim. */
static void panthor_vm_lru_unlist_locked(struct panthor_reclaim *reclaim,
					 struct panthor_vm_lru *vm_lru)
{
	lockdep_assert_held(&reclaim->lock);

	list_del_init(&vm_lru->node);
	list_del_init(&vm_lru->lruvec_node);
	vm_lru->lruvec = NULL;
	WRITE_ONCE(vm_lru->unswappable, 0);
	WRITE_ONCE(vm_lru->chance.passed, 0);
}

static struct panthor_vm_lru *to_panthor_vm_lru(struct drm_gem_lru *lru)
{
	return container_of(lru, struct panthor_vm_lru, lru);
}

static void panthor_reclaim_add_pages_locked(struct panthor_reclaim *reclaim,
					     struct panthor_lruvec *lruvec, long nr_pages)
{
	lockdep_assert_held(&reclaim->lock);

	WRITE_ONCE(reclaim->nr_pages, reclaim->nr_pages + nr_pages);
	WRITE_ONCE(lruvec->nr_pages, lruvec->nr_pages + nr_pages);
}

/* Undo what being in a list implies. */
static void panthor_gem_leave_state(struct panthor_reclaim *reclaim,
				    struct panthor_gem_object *bo)
{
	long nr_pages = bo->base.size >> PAGE_SHIFT;
	struct panthor_vm_reclaim *vm_reclaim;
	struct panthor_vm_lru *vm_lru;

	lockdep_assert_held(&reclaim->lock);

	if (bo->reclaim_state == PANTHOR_GEM_UNRECLAIMABLE)
		return;

	panthor_reclaim_add_pages_locked(reclaim, bo->lruvec, -nr_pages);
	if (bo->reclaim_state != PANTHOR_GEM_GPU_MAPPED_VM)
		return;

	vm_lru = to_panthor_vm_lru(bo->base.lru);
	vm_reclaim = vm_lru->vm_reclaim;
	WRITE_ONCE(vm_reclaim->nr_pages, vm_reclaim->nr_pages - nr_pages);
	if (list_is_singular(&vm_lru->lru.list))
		panthor_vm_lru_unlist_locked(reclaim, vm_lru);
}

static void panthor_gem_enter_state(struct panthor_reclaim *reclaim,
				    struct panthor_gem_object *bo,
				    enum panthor_gem_reclaim_state state,
				    struct drm_gem_lru *lru)
{
	long nr_pages = bo->base.size >> PAGE_SHIFT;
	struct panthor_vm_reclaim *vm_reclaim;
	struct panthor_vm_lru *vm_lru;

	bo->reclaim_state = state;
	if (state == PANTHOR_GEM_UNRECLAIMABLE) {
		/* Until we got the lock, it might have been in the list of written ones. */
		if (bo->base.lru)
			drm_gem_lru_remove_locked(&bo->base);
		return;
	}

	drm_gem_lru_move_tail_locked(lru, &bo->base);
	panthor_reclaim_add_pages_locked(reclaim, bo->lruvec, nr_pages);
	panthor_lruvec_list_locked(reclaim, bo->lruvec);
	if (state != PANTHOR_GEM_GPU_MAPPED_VM)
		return;

	vm_lru = to_panthor_vm_lru(lru);
	vm_reclaim = vm_lru->vm_reclaim;
	WRITE_ONCE(vm_reclaim->nr_pages, vm_reclaim->nr_pages + nr_pages);

	/* Getting something to reclaim is a sign of activity. */
	if (!vm_lru->lruvec) {
		vm_lru->lruvec = bo->lruvec;
		panthor_vm_lru_touch_locked(reclaim, vm_lru);
	}
}

/*
 * Changing the state takes the resv lock, or being the one who frees the object, so we
 * can look at it without the list lock. That's not the case of the list of what was
 * written, but it's none of those we compare it to.
 */
static bool panthor_gem_is_in_state(struct panthor_gem_object *bo,
				    enum panthor_gem_reclaim_state state, struct panthor_vm *vm)
{
	struct drm_gem_lru *lru = READ_ONCE(bo->base.lru);

	if (bo->reclaim_state != state)
		return false;

	if (state == PANTHOR_GEM_GPU_MAPPED_VM)
		return to_panthor_vm_lru(lru)->vm_reclaim == panthor_vm_reclaim(vm);

	return state != PANTHOR_GEM_UNRECLAIMABLE || !lru;
}

static void panthor_gem_set_reclaim_state(struct panthor_gem_object *bo,
					  enum panthor_gem_reclaim_state state,
					  struct panthor_vm *vm)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;
	struct drm_gem_lru *lru;

	if (panthor_gem_is_in_state(bo, state, vm))
		return;

	mutex_lock(&reclaim->lock);
	lru = panthor_gem_get_lru_locked(bo, &state, vm);
	if (bo->base.lru != lru) {
		panthor_gem_leave_state(reclaim, bo);
		panthor_gem_enter_state(reclaim, bo, state, lru);
	}
	mutex_unlock(&reclaim->lock);
}

/**
 * panthor_gem_update_reclaim_state_locked() - Re-evaluate the state of an object
 * @bo: Object. Can be an imported one, for which there's nothing to do.
 *
 * Must be called after anything the state depends on changed: pages, pin count,
 * number of CPU mappings, GPU mappings. Nothing happens if the state is the same,
 * in particular, the position in the list doesn't change.
 *
 * Context: Process context, with the reservation of the object held. Takes the
 * GPUVA list lock and the list lock.
 */
void panthor_gem_update_reclaim_state_locked(struct panthor_gem_object *bo)
{
	enum panthor_gem_reclaim_state state;
	struct panthor_vm *vm;

	if (panthor_gem_is_imported(bo))
		return;

	mutex_lock(&bo->gpuva_list_lock);
	state = panthor_gem_eval_reclaim_state_locked(bo, &vm);
	mutex_unlock(&bo->gpuva_list_lock);

	/* The VM can't go away: whoever destroys the vm_bo holds a reference to
	 * the VM until the state of the object was updated, for which it needs
	 * the reservation we own.
	 */
	panthor_gem_set_reclaim_state(bo, state, vm);
}

/**
 * panthor_gem_update_reclaim_state() - Re-evaluate the state of an object
 * @bo: Object.
 *
 * Same as panthor_gem_update_reclaim_state_locked(), except that this one takes
 * the reservation lock of the object, unless it belongs to someone else.
 */
void panthor_gem_update_reclaim_state(struct panthor_gem_object *bo)
{
	if (panthor_gem_is_imported(bo))
		return;

	dma_resv_lock(bo->base.resv, NULL);
	panthor_gem_update_reclaim_state_locked(bo);
	dma_resv_unlock(bo->base.resv);
}

/**
 * panthor_gem_forget_reclaim_state() - Stop tracking an object
 * @bo: Object whose last reference is gone.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_gem_forget_reclaim_state(struct panthor_gem_object *bo)
{
	panthor_gem_set_reclaim_state(bo, PANTHOR_GEM_UNRECLAIMABLE, NULL);
	panthor_gem_forget_lruvec(bo);
}

static struct panthor_device *shrinker_to_panthor_device(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

/**
 * panthor_reclaim_swap_room() - Get the number of pages that can be reclaimed
 *
 * Pages which are given back can only be freed if they can be written to swap.
 *
 * Return: The number of free pages in swap, 0 if there's no swap.
 */
unsigned long panthor_reclaim_swap_room(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_reclaim_swap_room);

	return max(get_nr_swap_pages(), 0L);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_swap_room);

/* Those who aren't in reclaim drop caches, and want nothing that would have to be written. */
VISIBLE_IF_KUNIT void panthor_reclaim_get_pressure(struct reclaim_pressure *pressure)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_reclaim_get_pressure, pressure);

	if (!reclaim_get_pressure(pressure))
		*pressure = (struct reclaim_pressure) { .priority = DEF_PRIORITY };
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_get_pressure);

VISIBLE_IF_KUNIT bool panthor_reclaim_got_enough(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_reclaim_got_enough);

	return reclaim_got_enough();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_got_enough);

/*
 * Number of pages to pass over before the first one of them can be evicted. What's new in
 * the list since it was looked at last counts, too.
 */
static unsigned long panthor_second_chance_left(struct panthor_second_chance *chance,
						u32 jobs, unsigned long total)
{
	if (READ_ONCE(chance->jobs) != jobs)
		return total;

	return total - min(total, READ_ONCE(chance->passed));
}

static u32 panthor_vm_jobs(struct panthor_vm *vm)
{
	return READ_ONCE(panthor_vm_reclaim(vm)->jobs);
}

/* Pass over up to @nr_pages, return how many that was: 0 if the chance was used up. */
static unsigned long panthor_second_chance_use(struct panthor_second_chance *chance,
					       u32 jobs, unsigned long total,
					       unsigned long nr_pages)
{
	unsigned long left = panthor_second_chance_left(chance, jobs, total);

	/* Several reclaimers might pass over the same pages, but none evicts them. */
	nr_pages = min(nr_pages, left);
	WRITE_ONCE(chance->passed, total - left + nr_pages);
	WRITE_ONCE(chance->jobs, jobs);

	return nr_pages;
}

/* Direct reclaim is done by tasks that have something better to do. */
VISIBLE_IF_KUNIT bool panthor_reclaim_can_wait(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_reclaim_can_wait);

	return current_is_kswapd();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_can_wait);

static bool panthor_reclaim_is_unswappable(const u32 *until)
{
	u32 end = READ_ONCE(*until);
	u32 left = end - (u32)jiffies;

	/* There can't be more left, so that's what's very old. */
	return end && left && left <= (u32)msecs_to_jiffies(PANTHOR_RECLAIM_UNSWAPPABLE_MS);
}

static void panthor_reclaim_set_unswappable(u32 *until, bool unswappable)
{
	u32 end = jiffies + msecs_to_jiffies(PANTHOR_RECLAIM_UNSWAPPABLE_MS);

	WRITE_ONCE(*until, unswappable ? end ?: 1 : 0);
}

/* Objects are reclaimed as a whole, so there's no point in starting otherwise. */
static bool panthor_gem_fits_in_swap(struct panthor_gem_object *bo)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	dma_resv_assert_held(bo->base.resv);

	return (!bo->lruvec || nr_pages <= panthor_memcg_swap_room(bo->lruvec->memcg)) &&
	       !panthor_reclaim_is_unswappable(&bo->unswappable);
}

static void panthor_reclaim_skip(struct panthor_device *ptdev, enum panthor_reclaim_skip reason,
				 unsigned long nr_pages)
{
	atomic_long_inc(&ptdev->reclaim.stats.skips[reason]);
	trace_gem_reclaim_skip(ptdev, reason, nr_pages);
}

static void panthor_gem_skip(struct panthor_gem_object *bo, enum panthor_reclaim_skip reason)
{
	panthor_reclaim_skip(panthor_gem_device(bo), reason, bo->base.size >> PAGE_SHIFT);
}

static void panthor_gem_account_evict_locked(struct panthor_gem_object *bo)
{
	struct panthor_reclaim_stats *stats = &panthor_gem_device(bo)->reclaim.stats;

	/* This comes first, so there's no moment at which the object has no
	 * pages, and doesn't look evicted either.
	 */
	atomic_add_unless(&bo->reclaimed_count, 1, INT_MAX);

	atomic_long_inc(&stats->evictions);
	atomic_long_add(bo->base.size >> PAGE_SHIFT, &stats->evicted_pages);
	trace_gem_evict(bo);
}

/**
 * panthor_gem_account_restore_locked() - Take note that an object got its pages
 * @bo: Object. Nothing happens if it was never evicted.
 *
 * Context: The reservation of the object must be held.
 */
void panthor_gem_account_restore_locked(struct panthor_gem_object *bo)
{
	struct panthor_reclaim_stats *stats = &panthor_gem_device(bo)->reclaim.stats;

	dma_resv_assert_held(bo->base.resv);

	if (!atomic_read(&bo->reclaimed_count))
		return;

	atomic_long_inc(&stats->restores);
	atomic_long_add(bo->base.size >> PAGE_SHIFT, &stats->restored_pages);
	trace_gem_restore(bo);
}

/* The GPU mappings are gone, get rid of everything else. */
static void panthor_gem_release_locked(struct panthor_gem_object *bo)
{
	panthor_gem_account_evict_locked(bo);

	/* Faults need the reservation we own, so nothing comes back. */
	drm_vma_node_unmap(&bo->base.vma_node, bo->base.dev->anon_inode->i_mapping);
	panthor_gem_depopulate(bo);
	panthor_gem_set_reclaim_state(bo, PANTHOR_GEM_UNRECLAIMABLE, NULL);
}

/* Jobs attach their fences to all the objects of the VM they execute in. */
static bool panthor_gem_is_idle(struct dma_resv *resv)
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
		    !panthor_gem_is_idle(panthor_vm_resv(panthor_vm_bo_vm(vm_bo))))
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
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_PINNED);
	else if (state > bo->reclaim_state)
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	else if (!panthor_gem_fits_in_swap(bo))
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
	else if (!panthor_gem_vms_are_idle_locked(bo))
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_ACTIVE);
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

	state = panthor_gem_eval_reclaim_state_locked(bo, &vm);
	mutex_unlock(&bo->gpuva_list_lock);

	if (state <= min(bo->reclaim_state, PANTHOR_GEM_MMAPPED) && panthor_gem_fits_in_swap(bo) &&
	    !panthor_mmu_flush_leftovers(panthor_gem_device(bo))) {
		panthor_gem_release_locked(bo);
		return true;
	}

	panthor_gem_set_reclaim_state(bo, state, vm);
	return false;
}

/**
 * panthor_gem_evict_locked() - Evict an object that's not GPU-mapped
 * @bo: Object.
 *
 * If it works, panthor_gem_write_evicted() should be called once the reservation was
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
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_PINNED);
	else if (!panthor_gem_fits_in_swap(bo))
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
	else
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);

	return false;
}

/**
 * struct panthor_evict_batch - Objects being evicted together
 *
 * Their mappings are removed one VM at a time, so each VM has to be flushed only
 * once. The reservation of an object is only held while looking at it, because
 * nobody can hold that many: until the flush is done, what was unmapped from a VM
 * is still considered as mapped, so nobody else evicts it.
 */
struct panthor_evict_batch {
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

	/** @swap_room: Room there's left in swap, in pages, when all of them are there. */
	unsigned long swap_room;
};

/**
 * panthor_reclaim_enter() - Tell that something is about to be evicted
 * @ptdev: Device.
 *
 * Scans that don't get anything wait for panthor_reclaim_leave(), whatever their caller
 * has locked. So between the two, nothing is allocated, other locks are only tried,
 * except those under which nothing is allocated, and there's no waiting for fences.
 *
 * Context: Process context, including reclaim. If that's possible, called before what
 * others might find locked is.
 */
void panthor_reclaim_enter(struct panthor_device *ptdev)
{
	atomic_inc(&ptdev->reclaim.evictors);

	/* Whoever finds something locked has to find us, too. */
	smp_mb__after_atomic();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_enter);

/**
 * panthor_reclaim_leave() - Undo panthor_reclaim_enter()
 * @ptdev: Device.
 * @evicted: True if something was evicted.
 *
 * Context: Process context, including reclaim. Called after everything was unlocked.
 */
void panthor_reclaim_leave(struct panthor_device *ptdev, bool evicted)
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
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_leave);

static void panthor_evict_batch_init(struct panthor_evict_batch *batch,
				     struct panthor_device *ptdev, struct panthor_lruvec *lruvec,
				     bool gpu_mapped)
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
	batch->swap_room = panthor_memcg_swap_room(lruvec->memcg);
	panthor_reclaim_enter(ptdev);
}

static void panthor_evict_batch_init_vm(struct panthor_evict_batch *batch,
					struct panthor_device *ptdev,
					struct panthor_lruvec *lruvec, struct panthor_vm *vm,
					struct panthor_vm_lru *vm_lru)
{
	panthor_evict_batch_init(batch, ptdev, lruvec, true);
	batch->vm = vm;
	batch->vm_lru = vm_lru;
}

static void panthor_evict_batch_remove_bo(struct panthor_gem_object *bo)
{
	list_del_init_careful(&bo->evict_node);
	drm_gem_object_put(&bo->base);
}

/* Remember an object that's being written, unless it's in use again. */
static void panthor_gem_set_written(struct panthor_gem_object *bo)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;

	mutex_lock(&reclaim->lock);
	if (!bo->base.lru)
		drm_gem_lru_move_tail_locked(&bo->lruvec->written, &bo->base);
	mutex_unlock(&reclaim->lock);
}

static void panthor_gem_clear_written(struct panthor_gem_object *bo)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;

	mutex_lock(&reclaim->lock);
	if (bo->base.lru == &bo->lruvec->written)
		drm_gem_lru_remove_locked(&bo->base);
	mutex_unlock(&reclaim->lock);
}

/**
 * panthor_gem_write_evicted() - Write the content of an object that was evicted
 * @bo: Object.
 * @writing: Increased by the number of pages that have to be written first, and are
 * freed by a scan to come.
 *
 * Context: See panthor_gem_write().
 *
 * Return: The number of pages that don't stay in memory.
 */
unsigned long panthor_gem_write_evicted(struct panthor_gem_object *bo, unsigned long *writing)
{
	unsigned long freed, left = 0;

	freed = panthor_gem_write(bo, &left);
	if (left)
		panthor_gem_set_written(bo);

	/* Not the fault of those who have it back. */
	panthor_reclaim_set_unswappable(&bo->unswappable,
					!freed && !left && !panthor_gem_is_resident(bo));

	*writing += left;
	return freed + left;
}

/* Write what was evicted. What can't be written wasn't freed. */
static void panthor_evict_batch_write(struct panthor_evict_batch *batch)
{
	struct panthor_gem_object *bo;
	struct blk_plug plug;

	batch->freed = 0;
	blk_start_plug(&plug);
	list_for_each_entry(bo, &batch->evicted, evict_node)
		batch->freed += panthor_gem_write_evicted(bo, &batch->writing);
	blk_finish_plug(&plug);

	/* Others of this VM wouldn't do better. */
	if (batch->vm && !list_empty(&batch->evicted))
		panthor_reclaim_set_unswappable(&batch->vm_lru->unswappable, !batch->freed);
}

/*
 * What was evicted is written to swap when no reservation is held any more, because
 * that takes longer than everything else, and nobody should have to wait for it.
 */
static void panthor_evict_batch_finish(struct panthor_evict_batch *batch, bool can_write)
{
	struct panthor_gem_object *bo, *next;

	panthor_reclaim_leave(batch->ptdev, batch->freed);
	if (can_write)
		panthor_evict_batch_write(batch);

	list_for_each_entry_safe(bo, next, &batch->evicted, evict_node)
		panthor_evict_batch_remove_bo(bo);
}

/* Private objects come with the VM. */
static bool panthor_evict_batch_owns_resv(struct panthor_evict_batch *batch,
					  struct panthor_gem_object *bo)
{
	return batch->vm && bo->base.resv == panthor_vm_resv(batch->vm);
}

static bool panthor_evict_batch_trylock_bo(struct panthor_evict_batch *batch,
					   struct panthor_gem_object *bo)
{
	return panthor_evict_batch_owns_resv(batch, bo) || dma_resv_trylock(bo->base.resv);
}

static void panthor_evict_batch_unlock_bo(struct panthor_evict_batch *batch,
					  struct panthor_gem_object *bo)
{
	if (!panthor_evict_batch_owns_resv(batch, bo))
		dma_resv_unlock(bo->base.resv);
}

/*
 * An object can only be in one batch, which has to be one of the cgroup that pays for it.
 * Until it's there, it might be evicted, and brought back by another one.
 */
static bool panthor_evict_batch_claim_bo(struct panthor_evict_batch *batch,
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

static bool panthor_evict_batch_add_bo(struct panthor_evict_batch *batch,
				       struct panthor_gem_object *bo)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	if (nr_pages > batch->swap_room || panthor_reclaim_is_unswappable(&bo->unswappable)) {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_NO_SWAP);
		return false;
	}

	if (!panthor_evict_batch_claim_bo(batch, bo)) {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	batch->pages += nr_pages;
	if (batch->gpu_mapped)
		batch->mappings += READ_ONCE(bo->mapping_count);
	batch->swap_room -= nr_pages;
	return true;
}

/* Fill the batch for @nr_pages to be freed, return false if that was all there is. */
static bool panthor_evict_batch_fill(struct panthor_evict_batch *batch,
				     struct drm_gem_lru_walk *walk, unsigned long nr_pages)
{
	struct drm_gem_object *obj;

	batch->pages = 0;
	batch->mappings = 0;
	INIT_LIST_HEAD(&batch->bos);
	nr_pages = min(nr_pages, batch->gpu_mapped ? PANTHOR_RECLAIM_BATCH_PAGES :
						     PANTHOR_RECLAIM_SMALL_BATCH_PAGES);

	while (batch->pages < nr_pages && batch->mappings < PANTHOR_RECLAIM_BATCH_MAPPINGS) {
		obj = drm_gem_lru_walk_next(walk);
		if (!obj)
			return false;

		if (!panthor_evict_batch_add_bo(batch, to_panthor_bo(obj)))
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
	state = panthor_gem_eval_reclaim_state_locked(bo, &vm);
	if ((state != PANTHOR_GEM_GPU_MAPPED_VM || vm != evict->vm) &&
	    !panthor_gem_can_evict(bo, state))
		return;

	/* Private objects share the reservation of the VM. */
	if (bo->base.resv != panthor_vm_resv(evict->vm) && !panthor_gem_is_idle(bo->base.resv)) {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_ACTIVE);
		return;
	}

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base) {
		if (panthor_vm_bo_vm(vm_bo) == evict->vm)
			panthor_vm_evict_bo_locked(evict, vm_bo);
	}
}

static void panthor_evict_batch_unmap_bo(struct panthor_evict_batch *batch,
					 struct panthor_vm_evict_ctx *evict,
					 struct panthor_gem_object *bo)
{
	if (!panthor_evict_batch_trylock_bo(batch, bo)) {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return;
	}

	if (mutex_trylock(&bo->gpuva_list_lock)) {
		panthor_gem_unmap_from_vm_locked(bo, evict);
		mutex_unlock(&bo->gpuva_list_lock);
	} else {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	}

	panthor_evict_batch_unlock_bo(batch, bo);
}

/*
 * Unmap what's in the batch, from @bo on, from a VM that's locked, and idle. Return
 * false if there's no point in trying with other objects of this VM.
 */
static bool panthor_evict_batch_unmap(struct panthor_evict_batch *batch, struct panthor_vm *vm,
				      struct panthor_gem_object *bo)
{
	struct panthor_vm_evict_ctx evict;

	if (!panthor_vm_evict_begin(&evict, vm)) {
		panthor_reclaim_skip(batch->ptdev, PANTHOR_RECLAIM_SKIP_VM, batch->pages);
		return false;
	}

	list_for_each_entry_from(bo, &batch->bos, evict_node) {
		panthor_evict_batch_unmap_bo(batch, &evict, bo);
		cond_resched();
	}

	/* If the GPU can't be told to forget about these pages, they stay. */
	if (panthor_vm_evict_end(&evict)) {
		panthor_reclaim_skip(batch->ptdev, PANTHOR_RECLAIM_SKIP_VM, batch->pages);
		return false;
	}

	return true;
}

static bool panthor_evict_batch_evict_bo(struct panthor_evict_batch *batch,
					 struct panthor_gem_object *bo)
{
	bool evicted;

	if (!panthor_evict_batch_trylock_bo(batch, bo)) {
		if (!batch->gpu_mapped)
			panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	if (batch->gpu_mapped)
		evicted = panthor_gem_evict_unmapped_locked(bo);
	else
		evicted = panthor_gem_evict_locked(bo);

	panthor_evict_batch_unlock_bo(batch, bo);

	return evicted;
}

/* Give the pages of what's not mapped any more back. */
static void panthor_evict_batch_release(struct panthor_evict_batch *batch)
{
	struct panthor_gem_object *bo, *next;

	list_for_each_entry_safe(bo, next, &batch->bos, evict_node) {
		unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

		if (panthor_evict_batch_evict_bo(batch, bo)) {
			batch->freed += nr_pages;
			list_move_tail(&bo->evict_node, &batch->evicted);
		} else {
			batch->swap_room += nr_pages;
			panthor_evict_batch_remove_bo(bo);
		}
		cond_resched();
	}
}

/*
 * Evict objects of the VM of the batch, which must be locked and idle. The batch has
 * to be finished after the VM was unlocked.
 */
static void panthor_vm_evict_locked(struct panthor_evict_batch *batch, unsigned long nr_pages)
{
	struct panthor_gem_object *bo;
	struct drm_gem_lru_walk walk;
	bool more = true;

	if (panthor_reclaim_is_unswappable(&batch->vm_lru->unswappable)) {
		panthor_reclaim_skip(batch->ptdev, PANTHOR_RECLAIM_SKIP_NO_SWAP,
				     READ_ONCE(batch->vm_lru->lru.count));
		return;
	}

	drm_gem_lru_walk_init(&walk, &batch->vm_lru->lru);

	while (more && batch->freed < nr_pages) {
		more = panthor_evict_batch_fill(batch, &walk, nr_pages - batch->freed);
		bo = list_first_entry(&batch->bos, typeof(*bo), evict_node);
		more &= panthor_evict_batch_unmap(batch, batch->vm, bo);
		panthor_evict_batch_release(batch);
	}
}

/**
 * struct panthor_reclaim_scan - State of a scan
 */
struct panthor_reclaim_scan {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/**
	 * @lruvec: Who to take it from, which we have a reference to. NULL if that's all
	 * those that are in @memcg.
	 */
	struct panthor_lruvec *lruvec;

	/** @memcg: Memory cgroup to take it from, NULL if any will do. */
	struct mem_cgroup *memcg;

	/** @nr_pages: Number of pages to reclaim. */
	unsigned long nr_pages;

	/** @freed: Number of pages that were reclaimed so far. */
	unsigned long freed;

	/** @passed: Number of pages that were passed over, because of a second chance. */
	unsigned long passed;

	/** @writing: Number of those that are being written. */
	unsigned long writing;

	/** @evict_seq: &panthor_reclaim.evict_seq when we last looked. */
	int evict_seq;

	/** @can_wait: True if we can wait for the GPU. */
	bool can_wait;

	/** @can_write: True if pages can be written to swap. */
	bool can_write;

	/** @use_written: True if what was evicted before this scan is as good. */
	bool use_written;

	/** @written_only: True if nothing else is wanted. */
	bool written_only;

	/** @second_chance: True if what was used, or is new, is passed over first. */
	bool second_chance;

	/** @last_round: True if the OOM killer is what comes next. */
	bool last_round;

	/** @busy: Set if a VM was skipped because somebody uses it. */
	bool busy;
};

/* Number of pages to go. */
static unsigned long panthor_reclaim_scan_left(struct panthor_reclaim_scan *scan)
{
	return scan->nr_pages - min(scan->nr_pages, scan->freed + scan->passed);
}

static bool panthor_reclaim_scan_done(struct panthor_reclaim_scan *scan)
{
	return !panthor_reclaim_scan_left(scan);
}

static void panthor_reclaim_skip_vm(struct panthor_device *ptdev, struct panthor_vm_lru *vm_lru,
				    enum panthor_reclaim_skip reason)
{
	panthor_reclaim_skip(ptdev, reason, READ_ONCE(vm_lru->lru.count));
}

/*
 * Evict objects of the VM of the batch, if it can be locked, and is idle. Returns false
 * if somebody uses it.
 */
static bool panthor_reclaim_try_vm(struct panthor_evict_batch *batch, unsigned long nr_pages)
{
	struct dma_resv *resv = panthor_vm_resv(batch->vm);
	bool idle;

	if (!dma_resv_trylock(resv)) {
		panthor_reclaim_skip_vm(batch->ptdev, batch->vm_lru,
					PANTHOR_RECLAIM_SKIP_CONTENDED);
		return false;
	}

	/* All the objects that are private to the VM share its reservation, so
	 * there's no need to look at each of them.
	 */
	idle = panthor_gem_is_idle(resv);
	if (idle)
		panthor_vm_evict_locked(batch, nr_pages);
	else
		panthor_reclaim_skip_vm(batch->ptdev, batch->vm_lru, PANTHOR_RECLAIM_SKIP_ACTIVE);

	dma_resv_unlock(resv);
	return idle;
}

/* Returns true if that's all there is to do with the VM for now. */
static bool panthor_reclaim_pass_vm(struct panthor_reclaim_scan *scan, struct panthor_vm *vm,
				    struct panthor_vm_lru *vm_lru)
{
	unsigned long nr_pages;

	if (!scan->second_chance)
		return false;

	nr_pages = panthor_second_chance_use(&vm_lru->chance, panthor_vm_jobs(vm),
					     READ_ONCE(vm_lru->lru.count),
					     panthor_reclaim_scan_left(scan));
	if (!nr_pages)
		return false;

	panthor_reclaim_skip(scan->ptdev, PANTHOR_RECLAIM_SKIP_RECENT, nr_pages);
	scan->passed += nr_pages;
	return true;
}

static void panthor_reclaim_scan_vm(struct panthor_reclaim_scan *scan, struct panthor_vm *vm,
				    struct panthor_vm_lru *vm_lru, struct panthor_lruvec *lruvec)
{
	struct panthor_evict_batch batch;

	if (panthor_reclaim_pass_vm(scan, vm, vm_lru))
		return;

	/* There's nothing others could wait for. */
	if (!panthor_gem_is_idle(panthor_vm_resv(vm))) {
		panthor_reclaim_skip_vm(scan->ptdev, vm_lru, PANTHOR_RECLAIM_SKIP_ACTIVE);
		scan->busy = true;
		return;
	}

	/* Before the VM is locked, so others know why they couldn't. */
	panthor_evict_batch_init_vm(&batch, scan->ptdev, lruvec, vm, vm_lru);
	if (!panthor_reclaim_try_vm(&batch, panthor_reclaim_scan_left(scan)))
		scan->busy = true;
	panthor_evict_batch_finish(&batch, scan->can_write);
	scan->freed += batch.freed;
	scan->writing += batch.writing;
}

/* Get one of the VMs an object is mapped in, NULL if it can't be evicted. */
static struct panthor_vm *panthor_gem_get_mapped_vm_locked(struct panthor_gem_object *bo)
{
	enum panthor_gem_reclaim_state state;
	struct drm_gpuvm_bo *vm_bo;
	struct panthor_vm *vm;

	lockdep_assert_held(&bo->gpuva_list_lock);

	state = panthor_gem_eval_reclaim_state_locked(bo, &vm);
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
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
		return NULL;
	}

	if (mutex_trylock(&bo->gpuva_list_lock)) {
		vm = panthor_gem_get_mapped_vm_locked(bo);
		mutex_unlock(&bo->gpuva_list_lock);
	} else {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_CONTENDED);
	}

	dma_resv_unlock(bo->base.resv);
	return vm;
}

/* Returns true if the object has a second chance because of this VM. */
static bool panthor_evict_batch_pass_bo(struct panthor_evict_batch *batch,
					struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	unsigned long nr_pages;

	if (!batch->second_chance)
		return false;

	nr_pages = panthor_second_chance_use(&panthor_vm_reclaim(vm)->shared_chance,
					     panthor_vm_jobs(vm),
					     READ_ONCE(batch->lruvec->shared.count),
					     bo->base.size >> PAGE_SHIFT);
	if (!nr_pages)
		return false;

	panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_RECENT);
	batch->passed += nr_pages;
	return true;
}

/* Unmap what's in the batch, from @bo on, from a VM. */
static void panthor_evict_batch_unmap_from(struct panthor_evict_batch *batch,
					   struct panthor_vm *vm, struct panthor_gem_object *bo)
{
	struct dma_resv *resv = panthor_vm_resv(vm);

	if (panthor_evict_batch_pass_bo(batch, vm, bo))
		return;

	if (!dma_resv_trylock(resv)) {
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_VM);
		return;
	}

	/* It was, but the VM wasn't locked. */
	if (panthor_gem_is_idle(resv))
		panthor_evict_batch_unmap(batch, vm, bo);
	else
		panthor_gem_skip(bo, PANTHOR_RECLAIM_SKIP_VM);

	dma_resv_unlock(resv);
}

/*
 * The VMs an object is mapped in are most likely those of the next ones, for which
 * there's nothing left to do when it's their turn.
 */
static void panthor_evict_batch_unmap_shared(struct panthor_evict_batch *batch)
{
	struct panthor_gem_object *bo;

	list_for_each_entry(bo, &batch->bos, evict_node) {
		struct panthor_vm *vm, *last = NULL;

		/* Until it's not mapped anywhere, or still is where it was. */
		while ((vm = panthor_gem_get_mapped_vm(bo)) && vm != last) {
			panthor_evict_batch_unmap_from(batch, vm, bo);
			panthor_vm_put_async(vm);
			last = vm;
		}

		if (vm)
			panthor_vm_put_async(vm);
	}
}

static void panthor_reclaim_scan_lru(struct panthor_reclaim_scan *scan,
				     struct panthor_lruvec *lruvec, struct drm_gem_lru *lru,
				     bool gpu_mapped)
{
	struct panthor_evict_batch batch;
	struct drm_gem_lru_walk walk;
	bool more = READ_ONCE(lru->count);

	drm_gem_lru_walk_init(&walk, lru);

	while (more && !panthor_reclaim_scan_done(scan)) {
		panthor_evict_batch_init(&batch, scan->ptdev, lruvec, gpu_mapped);
		batch.second_chance = scan->second_chance;
		more = panthor_evict_batch_fill(&batch, &walk, panthor_reclaim_scan_left(scan));
		if (gpu_mapped)
			panthor_evict_batch_unmap_shared(&batch);

		panthor_evict_batch_release(&batch);
		panthor_evict_batch_finish(&batch, scan->can_write);
		scan->passed += batch.passed;
		scan->freed += batch.freed;
		scan->writing += batch.writing;
	}
}

typedef void (*panthor_lruvec_scan_t)(struct panthor_reclaim_scan *scan,
				      struct panthor_lruvec *lruvec);

/* Call a function for each cgroup, or for the one it's about. */
static void panthor_reclaim_for_each_lruvec(struct panthor_reclaim_scan *scan,
					    panthor_lruvec_scan_t fn)
{
	struct panthor_reclaim *reclaim = &scan->ptdev->reclaim;
	struct panthor_lruvec *lruvec = NULL;

	if (scan->lruvec) {
		fn(scan, scan->lruvec);
		return;
	}

	while ((lruvec = panthor_lruvec_next(reclaim, lruvec))) {
		if (panthor_lruvec_is_in(lruvec, scan->memcg) && !panthor_reclaim_scan_done(scan))
			fn(scan, lruvec);
	}
}

/* Free what was written since it was evicted, oldest first. */
static void panthor_lruvec_scan_written(struct panthor_reclaim_scan *scan,
					struct panthor_lruvec *lruvec)
{
	struct drm_gem_lru *lru = &lruvec->written;
	struct drm_gem_lru_walk walk;
	struct drm_gem_object *obj;
	unsigned long writing;

	if (!scan->use_written || !READ_ONCE(lru->count))
		return;

	drm_gem_lru_walk_init(&walk, lru);
	while (!panthor_reclaim_scan_done(scan) && (obj = drm_gem_lru_walk_next(&walk))) {
		scan->freed += panthor_gem_free_written(to_panthor_bo(obj), &writing);
		if (!writing)
			panthor_gem_clear_written(to_panthor_bo(obj));

		scan->freed += writing;
		scan->writing += writing;
		drm_gem_object_put(obj);
	}
}

static void panthor_reclaim_scan_written(struct panthor_reclaim_scan *scan)
{
	panthor_reclaim_for_each_lruvec(scan, panthor_lruvec_scan_written);
}

static void panthor_lruvec_scan_unused(struct panthor_reclaim_scan *scan,
				       struct panthor_lruvec *lruvec)
{
	panthor_reclaim_scan_lru(scan, lruvec, &lruvec->unused, false);
}

static void panthor_reclaim_scan_unused(struct panthor_reclaim_scan *scan)
{
	panthor_reclaim_for_each_lruvec(scan, panthor_lruvec_scan_unused);
}

static void panthor_lruvec_scan_mmapped(struct panthor_reclaim_scan *scan,
					struct panthor_lruvec *lruvec)
{
	panthor_reclaim_scan_lru(scan, lruvec, &lruvec->mmapped, false);
}

static void panthor_reclaim_scan_mmapped(struct panthor_reclaim_scan *scan)
{
	panthor_reclaim_for_each_lruvec(scan, panthor_lruvec_scan_mmapped);
}

static void panthor_lruvec_scan_shared(struct panthor_reclaim_scan *scan,
				       struct panthor_lruvec *lruvec)
{
	panthor_reclaim_scan_lru(scan, lruvec, &lruvec->shared, true);
}

static void panthor_reclaim_scan_shared(struct panthor_reclaim_scan *scan)
{
	/* One of their VMs might be too recent for us. */
	if (panthor_room_last_seq(&scan->ptdev->reclaim.room, U64_MAX) != U64_MAX)
		return;

	panthor_reclaim_for_each_lruvec(scan, panthor_lruvec_scan_shared);
}

/**
 * struct panthor_vm_iter - Iterator over the VMs that have something to reclaim
 *
 * Goes from the VM that was last active the longest time ago, to the one that was
 * last active before the iteration started. Nothing is held while looking at a
 * VM but references to it, and to the cgroup that pays, so VMs can come, go and be active
 * meanwhile, and any number of iterations can take place at the same time. A VM with
 * objects of several cgroups is looked at once for each.
 */
struct panthor_vm_iter {
	/** @reclaim: Where VMs are. */
	struct panthor_reclaim *reclaim;

	/** @of: Cgroup whose VMs are wanted, which somebody has a reference to, or NULL. */
	struct panthor_lruvec *of;

	/** @vm: VM being looked at, NULL before the first one. */
	struct panthor_vm *vm;

	/** @vm_lru: What this VM has. */
	struct panthor_vm_lru *vm_lru;

	/** @lruvec: Who pays for it. */
	struct panthor_lruvec *lruvec;

	/** @seq: Sequence number this had. */
	u64 seq;

	/** @last: Last sequence number to look at. */
	u64 last;
};

static void panthor_vm_iter_begin(struct panthor_vm_iter *iter, struct panthor_reclaim *reclaim,
				  struct panthor_lruvec *of)
{
	iter->reclaim = reclaim;
	iter->of = of;
	iter->vm = NULL;
	iter->vm_lru = NULL;
	iter->lruvec = NULL;
	iter->seq = 0;
	iter->last = panthor_room_last_seq(&reclaim->room, READ_ONCE(reclaim->seq));
}

static void panthor_vm_iter_end(struct panthor_vm_iter *iter)
{
	if (iter->vm) {
		panthor_vm_put_async(iter->vm);
		panthor_lruvec_put(iter->reclaim, iter->lruvec);
	}

	iter->vm = NULL;
}

/* What follows in the list, NULL if that's the end. */
static struct panthor_vm_lru *panthor_vm_iter_step_locked(struct panthor_vm_iter *iter,
							  struct panthor_vm_lru *pos)
{
	struct list_head *head = iter->of ? &iter->of->vms : &iter->reclaim->vms;
	struct list_head *node = head;

	lockdep_assert_held(&iter->reclaim->lock);

	if (pos)
		node = iter->of ? &pos->lruvec_node : &pos->node;
	if (node->next == head)
		return NULL;

	return iter->of ? list_entry(node->next, struct panthor_vm_lru, lruvec_node) :
			  list_entry(node->next, struct panthor_vm_lru, node);
}

/* Where to continue from to find VMs with a higher sequence number. */
static struct panthor_vm_lru *panthor_vm_iter_start_locked(struct panthor_vm_iter *iter)
{
	struct panthor_vm_lru *cur = iter->vm ? iter->vm_lru : NULL;

	/* If it moved, or has nothing left, all the VMs have to be considered. */
	if (cur && (cur->lruvec != iter->lruvec || cur->seq != iter->seq))
		cur = NULL;

	return panthor_vm_iter_step_locked(iter, cur);
}

static struct panthor_vm *panthor_vm_iter_next(struct panthor_vm_iter *iter)
{
	struct panthor_reclaim *reclaim = iter->reclaim;
	struct panthor_lruvec *lruvec = NULL;
	struct panthor_vm *vm = NULL;
	struct panthor_vm_lru *pos;

	mutex_lock(&reclaim->lock);
	pos = panthor_vm_iter_start_locked(iter);
	for (; pos && pos->seq <= iter->last; pos = panthor_vm_iter_step_locked(iter, pos)) {
		if (pos->seq <= iter->seq)
			continue;

		/* A VM is as recent as the most recent of its lists. */
		if (READ_ONCE(pos->vm_reclaim->seq) > iter->last)
			continue;

		/* Skip VMs that are being destroyed. */
		iter->seq = pos->seq;
		vm = panthor_vm_reclaim_get_vm(pos->vm_reclaim);
		if (vm) {
			lruvec = pos->lruvec;
			refcount_inc(&lruvec->refs);
			break;
		}
	}
	mutex_unlock(&reclaim->lock);

	panthor_vm_iter_end(iter);
	iter->vm = vm;
	iter->vm_lru = pos;
	iter->lruvec = lruvec;
	return vm;
}

static void panthor_reclaim_scan_vms(struct panthor_reclaim_scan *scan)
{
	struct panthor_vm_iter iter;
	struct panthor_vm *vm;

	panthor_vm_iter_begin(&iter, &scan->ptdev->reclaim, scan->lruvec);
	while (!panthor_reclaim_scan_done(scan) && (vm = panthor_vm_iter_next(&iter)))
		panthor_reclaim_scan_vm(scan, vm, iter.vm_lru, iter.lruvec);
	panthor_vm_iter_end(&iter);
}

/* Number of those who are evicting something. What the others did is visible. */
VISIBLE_IF_KUNIT int panthor_reclaim_evictors(struct panthor_reclaim *reclaim)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_reclaim_evictors, reclaim);

	/* Pairs with panthor_reclaim_leave(). */
	return atomic_read_acquire(&reclaim->evictors);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_evictors);

/* Returns false if there's nobody to wait for, nor was since we last looked. */
static bool panthor_reclaim_wait_for_others(struct panthor_reclaim_scan *scan, long timeout)
{
	struct panthor_reclaim *reclaim = &scan->ptdev->reclaim;
	bool waited = false;
	int seq;

	if (atomic_read(&reclaim->evict_seq) == scan->evict_seq &&
	    panthor_reclaim_evictors(reclaim)) {
		atomic_long_inc(&reclaim->stats.waits);
		wait_var_event_timeout(&reclaim->evictors,
				       !atomic_read(&reclaim->evictors) ||
				       atomic_read(&reclaim->evict_seq) != scan->evict_seq,
				       timeout);
		waited = true;
	}

	/* The last one might have finished while we were looking for it. */
	seq = atomic_read(&reclaim->evict_seq);
	if (seq == scan->evict_seq)
		return waited;

	scan->evict_seq = seq;
	return true;
}

/*
 * Nothing could be reclaimed. If others are at it, or just were, what they have locked
 * might be everything there is, and whoever gets nothing runs out of memory, although
 * there's going to be some in a moment: they don't wait for anything but the GPU, which
 * isn't using what they evict. Of those who wait together, not all get something the
 * first time, but as long as somebody did, there might be more.
 */
static void panthor_reclaim_scan_after_others(struct panthor_reclaim_scan *scan)
{
	/* The current jiffy might be over soon. */
	long left = msecs_to_jiffies(PANTHOR_RECLAIM_WAIT_MS) + 1;
	unsigned long end = jiffies + left;
	int seq;

	do {
		seq = scan->evict_seq;
		if (scan->freed || scan->passed || !panthor_reclaim_wait_for_others(scan, left))
			return;

		panthor_reclaim_scan_unused(scan);
		panthor_reclaim_scan_mmapped(scan);
		panthor_reclaim_scan_vms(scan);
		panthor_reclaim_scan_shared(scan);
		left = end - jiffies;
	} while (scan->evict_seq != seq && left > 0);
}

static long panthor_vm_wait_idle(struct panthor_device *ptdev, struct panthor_vm *vm, bool intr)
{
	atomic_long_inc(&ptdev->reclaim.stats.waits);

	return dma_resv_wait_timeout(panthor_vm_resv(vm), DMA_RESV_USAGE_BOOKKEEP, intr,
				     msecs_to_jiffies(PANTHOR_RECLAIM_WAIT_MS));
}

/*
 * Everything that's idle was tried, and that didn't give us anything, so wait for
 * something to become so. Each scan waits for another VM if the previous one isn't
 * done, which might take ages.
 */
static void panthor_reclaim_scan_busy_vms(struct panthor_reclaim_scan *scan)
{
	struct panthor_reclaim *reclaim = &scan->ptdev->reclaim;
	struct panthor_lruvec *lruvec = scan->lruvec ?: &reclaim->root;
	struct panthor_vm_iter iter;
	struct panthor_vm *vm;
	bool idle = true;

	if (!scan->can_wait || scan->freed || scan->passed)
		return;

	panthor_vm_iter_begin(&iter, reclaim, scan->lruvec);
	iter.seq = READ_ONCE(lruvec->last_wait);
	while (!panthor_reclaim_scan_done(scan) && idle && (vm = panthor_vm_iter_next(&iter))) {
		idle = panthor_vm_wait_idle(scan->ptdev, vm, false) > 0;
		if (idle)
			panthor_reclaim_scan_vm(scan, vm, iter.vm_lru, iter.lruvec);
	}

	/* Start over after the last one. */
	WRITE_ONCE(lruvec->last_wait, iter.vm ? iter.seq : 0);
	panthor_vm_iter_end(&iter);
}

/* From cheap to dear. */
static void (* const panthor_reclaim_stages[])(struct panthor_reclaim_scan *scan) = {
	[PANTHOR_RECLAIM_STAGE_WRITTEN] = panthor_reclaim_scan_written,
	[PANTHOR_RECLAIM_STAGE_UNUSED] = panthor_reclaim_scan_unused,
	[PANTHOR_RECLAIM_STAGE_MMAPPED] = panthor_reclaim_scan_mmapped,
	[PANTHOR_RECLAIM_STAGE_VMS] = panthor_reclaim_scan_vms,
	[PANTHOR_RECLAIM_STAGE_SHARED] = panthor_reclaim_scan_shared,
	[PANTHOR_RECLAIM_STAGE_AFTER_OTHERS] = panthor_reclaim_scan_after_others,
	[PANTHOR_RECLAIM_STAGE_BUSY_VMS] = panthor_reclaim_scan_busy_vms,
};

static_assert(ARRAY_SIZE(panthor_reclaim_stages) == PANTHOR_RECLAIM_STAGE_COUNT);

/**
 * panthor_vm_reclaimable_pages() - Tell how much there is to reclaim in a VM
 * @vm: VM.
 *
 * Return: The number of pages of the objects in the lists of this VM.
 */
unsigned long panthor_vm_reclaimable_pages(struct panthor_vm *vm)
{
	return READ_ONCE(panthor_vm_reclaim(vm)->nr_pages);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_vm_reclaimable_pages);

/**
 * panthor_vm_reclaim_has_bo() - Check if an object is in one of the lists of a VM
 * @vm_reclaim: Reclaim related fields of the VM.
 * @bo: Object.
 *
 * Context: Any. Without the reservation of the object held, this is a guess.
 *
 * Return: true if it is.
 */
bool panthor_vm_reclaim_has_bo(struct panthor_vm_reclaim *vm_reclaim,
			       struct panthor_gem_object *bo)
{
	struct drm_gem_lru *lru = READ_ONCE(bo->base.lru);
	struct panthor_vm_lru *vm_lru;

	list_for_each_entry_lockless(vm_lru, &vm_reclaim->lrus, vm_node) {
		if (lru == &vm_lru->lru)
			return true;
	}

	return false;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_vm_reclaim_has_bo);

/**
 * panthor_vm_wait_reclaimable() - Wait until a VM can be reclaimed
 * @ptdev: Device.
 * @vm: VM.
 *
 * Context: Process context, but not in reclaim. Sleeps for up to
 * PANTHOR_RECLAIM_WAIT_MS.
 *
 * Return: 0 if the VM is idle, -EBUSY if it's still busy, -ERESTARTSYS if a
 * signal was received.
 */
int panthor_vm_wait_reclaimable(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	long ret;

	if (panthor_gem_is_idle(panthor_vm_resv(vm)))
		return 0;

	ret = panthor_vm_wait_idle(ptdev, vm, true);
	if (ret > 0)
		return 0;

	return ret ?: -EBUSY;
}

/* Returns NULL if there's nothing to reclaim. */
static struct panthor_lruvec *panthor_vm_lru_get_lruvec(struct panthor_reclaim *reclaim,
							struct panthor_vm_lru *vm_lru)
{
	struct panthor_lruvec *lruvec;

	mutex_lock(&reclaim->lock);
	lruvec = vm_lru->lruvec;
	if (lruvec)
		refcount_inc(&lruvec->refs);
	mutex_unlock(&reclaim->lock);

	return lruvec;
}

static unsigned long panthor_vm_lru_evict(struct panthor_device *ptdev, struct panthor_vm *vm,
					  struct panthor_vm_lru *vm_lru,
					  struct panthor_lruvec *lruvec, unsigned long nr_pages)
{
	struct dma_resv *resv = panthor_vm_resv(vm);
	struct panthor_evict_batch batch;

	if (dma_resv_lock_interruptible(resv, NULL))
		return 0;

	panthor_evict_batch_init_vm(&batch, ptdev, lruvec, vm, vm_lru);
	if (panthor_gem_is_idle(resv))
		panthor_vm_evict_locked(&batch, nr_pages);

	dma_resv_unlock(resv);
	panthor_evict_batch_finish(&batch, true);
	return batch.freed;
}

/**
 * panthor_vm_evict() - Reclaim objects in the lists of a VM
 * @ptdev: Device.
 * @vm: VM.
 * @nr_pages: Number of pages to reclaim.
 *
 * Context: Process context, but not in reclaim. Waits for the reservation of the
 * VM.
 *
 * Return: The number of pages that were given back. 0 if the VM is busy.
 */
unsigned long panthor_vm_evict(struct panthor_device *ptdev, struct panthor_vm *vm,
			       unsigned long nr_pages)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_lruvec *lruvec;
	struct panthor_vm_lru *vm_lru;
	unsigned long freed = 0;

	list_for_each_entry_lockless(vm_lru, &panthor_vm_reclaim(vm)->lrus, vm_node) {
		if (freed >= nr_pages)
			break;

		lruvec = panthor_vm_lru_get_lruvec(reclaim, vm_lru);
		if (!lruvec)
			continue;

		freed += panthor_vm_lru_evict(ptdev, vm, vm_lru, lruvec, nr_pages - freed);
		panthor_lruvec_put(reclaim, lruvec);
	}

	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_vm_evict);

/* Scan the VM whose reservation is @resv, or all the others. */
static void panthor_reclaim_scan_some_vms(struct panthor_reclaim_scan *scan, struct dma_resv *resv,
					  bool others)
{
	struct panthor_vm_iter iter;
	struct panthor_vm *vm;

	panthor_vm_iter_begin(&iter, &scan->ptdev->reclaim, NULL);
	while (!panthor_reclaim_scan_done(scan) && !fatal_signal_pending(current) &&
	       (vm = panthor_vm_iter_next(&iter))) {
		if ((panthor_vm_resv(vm) != resv) != others)
			continue;

		if (panthor_lruvec_is_in(iter.lruvec, scan->memcg))
			panthor_reclaim_scan_vm(scan, vm, iter.vm_lru, iter.lruvec);
		cond_resched();
	}
	panthor_vm_iter_end(&iter);
}

/**
 * panthor_reclaim_others() - Reclaim what's not used by a VM
 * @ptdev: Device.
 * @resv: Reservation of the VM to leave alone. Can be NULL, or the reservation of
 * something else, in which case there's no such VM.
 * @memcg: Memory cgroup to take from, NULL if any will do.
 * @nr_pages: Number of pages to reclaim.
 * @busy: Set if a VM was in use, so there might be more if it's not any more.
 *
 * Takes objects that aren't GPU-mapped, and after that, those of other VMs. Nothing is
 * waited for. Stops when the task is killed.
 *
 * Context: Process context, but not in reclaim, with no reservation held.
 *
 * Return: The number of pages that were given back.
 */
unsigned long panthor_reclaim_others(struct panthor_device *ptdev, struct dma_resv *resv,
				     struct mem_cgroup *memcg, unsigned long nr_pages, bool *busy)
{
	struct panthor_reclaim_scan scan = {
		.ptdev = ptdev,
		.memcg = memcg,
		.nr_pages = nr_pages,
		.can_write = true,
	};

	panthor_reclaim_scan_unused(&scan);
	panthor_reclaim_scan_mmapped(&scan);
	panthor_reclaim_scan_some_vms(&scan, resv, true);

	*busy |= scan.busy;
	return scan.freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_others);

/**
 * panthor_reclaim_own() - Reclaim what a VM has
 * @ptdev: Device.
 * @resv: Reservation of the VM. If it belongs to something else, there's nothing to
 * reclaim.
 * @nr_pages: Number of pages to reclaim.
 * @busy: Set if the VM was in use.
 *
 * Takes what panthor_reclaim_others() leaves alone. Otherwise the same.
 *
 * Return: The number of pages that were given back.
 */
unsigned long panthor_reclaim_own(struct panthor_device *ptdev, struct dma_resv *resv,
				  unsigned long nr_pages, bool *busy)
{
	struct panthor_reclaim_scan scan = {
		.ptdev = ptdev,
		.nr_pages = nr_pages,
		.can_write = true,
	};

	panthor_reclaim_scan_some_vms(&scan, resv, false);

	*busy |= scan.busy;
	return scan.freed;
}

/* Can the caller wait for what's evicted to be written, and does it need that? */
static bool panthor_gem_can_shrink(struct shrink_control *sc)
{
	const gfp_t write_gfp = __GFP_IO | __GFP_FS;

	return (sc->gfp_mask & write_gfp) == write_gfp && !panthor_reclaim_got_enough();
}

static unsigned long
panthor_gem_shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct panthor_device *ptdev = shrinker_to_panthor_device(shrinker);
	unsigned long room = panthor_memcg_swap_room(sc->memcg);
	struct panthor_lruvec_pages pages;
	struct reclaim_pressure pressure;

	/* Racy, but all this does is deciding if, and how much, to scan. */
	panthor_lruvec_count_pages(&ptdev->reclaim, sc, &pages);
	if (!pages.reclaimable && !pages.written && !pages.inherited)
		return SHRINK_EMPTY;

	/* Others shouldn't have to make up for it, which is what SHRINK_STOP means. */
	if (!panthor_gem_can_shrink(sc))
		return 0;

	panthor_reclaim_get_pressure(&pressure);
	return pages.written + mult_frac(min(pages.reclaimable, room), pressure.anon,
					 ANON_PRESSURE_MAX);
}

/* Scan for @nr_pages, of which scan->nr_pages fit in swap. */
static void panthor_reclaim_run(struct panthor_reclaim_scan *scan, unsigned long nr_pages)
{
	unsigned long pages[PANTHOR_RECLAIM_STAGE_COUNT] = {};

	if (scan->nr_pages < nr_pages)
		panthor_reclaim_skip(scan->ptdev, PANTHOR_RECLAIM_SKIP_NO_SWAP,
				     nr_pages - scan->nr_pages);

	for (u32 i = 0; i < PANTHOR_RECLAIM_STAGE_COUNT; i++) {
		unsigned long before = scan->freed;

		if (panthor_reclaim_scan_done(scan) ||
		    (scan->written_only && i > PANTHOR_RECLAIM_STAGE_WRITTEN))
			break;

		panthor_reclaim_stages[i](scan);
		pages[i] = scan->freed - before;
	}

	trace_gem_reclaim_scan(scan->ptdev, nr_pages, pages, scan->writing);
}

/*
 * There's enough to come, but nothing is free, because the swap device isn't that fast.
 * Let others run, among them those who make it faster, and look again. Only sleep in the
 * last round, after which the OOM killer is called: if there's nothing to be had, this is
 * how long it takes to find out, over and over again.
 */
static void panthor_reclaim_wait_written(struct panthor_reclaim_scan *scan)
{
	unsigned long end = jiffies + msecs_to_jiffies(PANTHOR_RECLAIM_WRITE_MS);
	bool sleep = false;

	while (scan->writing && scan->freed <= scan->writing) {
		atomic_long_inc(&scan->ptdev->reclaim.stats.waits);
		if (sleep)
			schedule_timeout_killable(1);
		else
			io_schedule();

		scan->freed = 0;
		scan->writing = 0;
		panthor_reclaim_scan_written(scan);
		sleep = scan->last_round;
		if (!sleep || time_after(jiffies, end) || fatal_signal_pending(current))
			return;
	}
}

/**
 * panthor_gem_shrink() - Reclaim memory
 * @ptdev: Device.
 * @nr_pages: Number of pages to reclaim. More might be reclaimed, because objects
 * are reclaimed as a whole.
 * @gfp: What the caller is allowed to do.
 *
 * Unlike the shrinker, this is about what's not evicted yet, no matter how much is still
 * being written.
 *
 * Context: Process context, including reclaim.
 *
 * Return: The number of pages that were freed, or will be once they are written to swap.
 * 0 if the caller isn't allowed to write anything.
 */
unsigned long panthor_gem_shrink(struct panthor_device *ptdev, unsigned long nr_pages, gfp_t gfp)
{
	const gfp_t write_gfp = __GFP_IO | __GFP_FS;
	struct panthor_reclaim_scan scan = {
		.ptdev = ptdev,
		.nr_pages = min(nr_pages, panthor_reclaim_swap_room()),
		.evict_seq = atomic_read(&ptdev->reclaim.evict_seq),
		.can_wait = panthor_reclaim_can_wait(),
		.can_write = (gfp & write_gfp) == write_gfp,
	};

	if (scan.can_write)
		panthor_reclaim_run(&scan, nr_pages);

	return scan.freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrink);

/* What's in swap already doesn't need room there, be it full or not. */
static unsigned long panthor_lruvec_room(struct panthor_lruvec *lruvec, struct shrink_control *sc)
{
	return panthor_memcg_swap_room(sc->memcg) + max(READ_ONCE(lruvec->written.count), 0L);
}

/**
 * struct panthor_shrink_result - What a call of the shrinker came to
 */
struct panthor_shrink_result {
	/** @freed: Number of pages that were reclaimed. */
	unsigned long freed;

	/** @passed: Number of pages that were passed over, because of a second chance. */
	unsigned long passed;

	/** @writing: Number of reclaimed pages that are being written. */
	unsigned long writing;
};

/* Scan what one of the cgroups has which the shrinker was called for. */
static void panthor_lruvec_shrink(struct panthor_device *ptdev, struct panthor_lruvec *lruvec,
				  struct shrink_control *sc, unsigned long nr_pages,
				  struct panthor_shrink_result *res)
{
	struct panthor_reclaim_scan scan = {
		.ptdev = ptdev,
		.lruvec = lruvec,
		.nr_pages = min(nr_pages, panthor_lruvec_room(lruvec, sc)),
		.evict_seq = atomic_read(&ptdev->reclaim.evict_seq),
		.can_wait = panthor_reclaim_can_wait(),
		.can_write = true,
		.use_written = true,
	};
	struct reclaim_pressure pressure;

	panthor_reclaim_get_pressure(&pressure);
	scan.written_only = !pressure.anon;
	scan.last_round = !pressure.priority;
	scan.second_chance = !scan.last_round && !pressure.nr_missing;

	panthor_reclaim_run(&scan, nr_pages);
	panthor_reclaim_wait_written(&scan);
	res->freed += scan.freed;
	res->passed += scan.passed;
	res->writing += scan.writing;
}

/* If there's nobody else to ask, the share isn't what matters. */
static unsigned long panthor_gem_nr_to_shrink(struct shrink_control *sc)
{
	struct reclaim_pressure pressure;

	panthor_reclaim_get_pressure(&pressure);
	return max(sc->nr_to_scan, pressure.nr_missing);
}

static unsigned long
panthor_gem_shrinker_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct panthor_device *ptdev = shrinker_to_panthor_device(shrinker);
	unsigned long nr_pages = panthor_gem_nr_to_shrink(sc);
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_shrink_result res = {};
	struct panthor_lruvec *lruvec;
	unsigned long left;

	if (!panthor_gem_can_shrink(sc))
		return SHRINK_STOP;

	left = list_lru_shrink_count(&reclaim->memcgs, sc);
	for (; left && res.freed + res.passed < nr_pages; left--) {
		lruvec = panthor_lruvec_get_next_of(reclaim, sc);
		if (!lruvec)
			continue;

		panthor_lruvec_shrink(ptdev, lruvec, sc, nr_pages - res.freed - res.passed, &res);
		panthor_lruvec_put(reclaim, lruvec);
	}

	/* We might have reclaimed more than what we were asked for. */
	sc->nr_scanned = max(sc->nr_to_scan, res.freed);
	if (res.freed > res.writing)
		return res.freed - res.writing;

	/* Trying again right away wouldn't do better, unless something was passed over:
	 * what couldn't be locked is in use, and neither what's busy nor what's being
	 * written will be done in a few microseconds.
	 */
	return res.passed ? 0 : SHRINK_STOP;
}

/**
 * panthor_gem_shrinker_init() - Let the system reclaim memory
 * @ptdev: Device.
 *
 * Return: 0 on success, -ENOMEM otherwise.
 */
int panthor_gem_shrinker_init(struct panthor_device *ptdev)
{
	struct shrinker *shrinker = ptdev->reclaim.shrinker;

	shrinker->count_objects = panthor_gem_shrinker_count;
	shrinker->scan_objects = panthor_gem_shrinker_scan;
	shrinker->private_data = ptdev;
	shrinker->batch = PANTHOR_RECLAIM_SMALL_BATCH_PAGES;

	/* Of anonymous memory, the priority asks for half of what it does by default. */
	shrinker->seeks = 2 * DEFAULT_SEEKS;

	shrinker_register(shrinker);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_init);

/**
 * panthor_gem_shrinker_unplug() - Stop reclaiming memory
 * @ptdev: Device.
 *
 * Must be called before anything the shrinker relies on is unplugged. Waits for
 * scans in progress to finish.
 */
void panthor_gem_shrinker_unplug(struct panthor_device *ptdev)
{
	struct shrinker *shrinker = ptdev->reclaim.shrinker;

	if (!shrinker)
		return;

	/* From here on, nothing sets bits for it. */
	mutex_lock(&ptdev->reclaim.lock);
	ptdev->reclaim.shrinker = NULL;
	mutex_unlock(&ptdev->reclaim.lock);
	shrinker_free(shrinker);

	/* VMs whose last reference was ours. */
	flush_workqueue(panthor_vm_put_wq);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_unplug);

/**
 * panthor_vm_reclaim_touch() - Flag a VM as the most recently used one
 * @ptdev: Device.
 * @vm_reclaim: Reclaim related fields of the VM.
 *
 * It has a second chance from now on.
 *
 * Context: Process context. Takes the list lock.
 */
void panthor_vm_reclaim_touch(struct panthor_device *ptdev,
			      struct panthor_vm_reclaim *vm_reclaim)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_vm_lru *vm_lru;

	/* If two are counted as one, that's one more, nevertheless. */
	WRITE_ONCE(vm_reclaim->jobs, READ_ONCE(vm_reclaim->jobs) + 1);

	/* That's the case unless several VMs are used in turn. */
	if (READ_ONCE(vm_reclaim->seq) == READ_ONCE(reclaim->seq))
		return;

	mutex_lock(&reclaim->lock);
	list_for_each_entry(vm_lru, &vm_reclaim->lrus, vm_node) {
		if (vm_lru->lruvec)
			panthor_vm_lru_touch_locked(reclaim, vm_lru);
	}
	mutex_unlock(&reclaim->lock);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_vm_reclaim_touch);

/**
 * panthor_vm_reclaim_init() - Initialize the reclaim related fields of a VM
 * @ptdev: Device.
 * @vm_reclaim: Fields to initialize.
 */
void panthor_vm_reclaim_init(struct panthor_device *ptdev,
			     struct panthor_vm_reclaim *vm_reclaim)
{
	INIT_LIST_HEAD(&vm_reclaim->lrus);
	panthor_vm_lru_init(&ptdev->reclaim, vm_reclaim, &vm_reclaim->lru);
}

/**
 * panthor_vm_reclaim_fini() - Cleanup the reclaim related fields of a VM
 * @ptdev: Device.
 * @vm_reclaim: Fields to cleanup.
 *
 * Nothing is mapped in the VM when we get there.
 */
void panthor_vm_reclaim_fini(struct panthor_device *ptdev,
			     struct panthor_vm_reclaim *vm_reclaim)
{
	struct panthor_vm_lru *vm_lru, *next;

	drm_WARN_ON(&ptdev->base, vm_reclaim->nr_pages);

	list_for_each_entry_safe(vm_lru, next, &vm_reclaim->lrus, vm_node) {
		drm_WARN_ON(&ptdev->base, vm_lru->lruvec);
		if (vm_lru != &vm_reclaim->lru)
			kfree(vm_lru);
	}
}

/* Of a device whose initialization failed, or was undone. */
static void panthor_gem_shrinker_fini(struct drm_device *ddev, void *ptdev)
{
	panthor_gem_shrinker_unplug(ptdev);
}

/**
 * panthor_gem_reclaim_init() - Initialize the reclaim logic
 * @ptdev: Device.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_reclaim_init(struct panthor_device *ptdev)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	int ret;

	ret = drmm_mutex_init(&ptdev->base, &reclaim->lock);
	if (ret)
		return ret;

	ret = panthor_room_init(ptdev);
	if (ret)
		return ret;

	/* Teach lockdep about lock ordering wrt. reclaim. */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&reclaim->lock);
	fs_reclaim_release(GFP_KERNEL);

	INIT_LIST_HEAD(&reclaim->vms);

	/* Bits are set for the shrinker before it's registered. */
	reclaim->shrinker = shrinker_alloc(SHRINKER_MEMCG_AWARE, "drm-panthor:%s",
					   dev_name(ptdev->base.dev));
	if (!reclaim->shrinker)
		return -ENOMEM;

	ret = panthor_lruvecs_init(ptdev);
	if (ret) {
		shrinker_free(reclaim->shrinker);
		reclaim->shrinker = NULL;
		return ret;
	}

	/* The lists have to be there until the shrinker is gone. */
	return drmm_add_action_or_reset(&ptdev->base, panthor_gem_shrinker_fini, ptdev);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_reclaim_init);
