// SPDX-License-Identifier: GPL-2.0 or MIT

/* Which GEM objects can be evicted: states, lists and counters. */

#include <linux/sched/mm.h>

#include <drm/drm_gpuvm.h>
#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_lru.h"
#include "panthor_gem_memcg.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"
#include "panthor_trace.h"

static struct panthor_device *panthor_gem_device(struct panthor_gem_object *bo)
{
	return container_of(bo->base.dev, struct panthor_device, base);
}

/**
 * panthor_gem_lru_eval_state_locked() - Figure out the state of an object
 * @bo: Object.
 * @vm: Set to the VM it is mapped in if the state is PANTHOR_GEM_GPU_MAPPED_VM.
 *
 * Context: Any, with the reservation of the object, and its GPUVA list lock held.
 *
 * Return: The state, as it follows from the things it depends on.
 */
enum panthor_gem_reclaim_state panthor_gem_lru_eval_state_locked(struct panthor_gem_object *bo,
								 struct panthor_vm **vm)
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

VISIBLE_IF_KUNIT struct panthor_vm_lru *panthor_vm_lru_alloc(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_vm_lru_alloc);

	return kzalloc(sizeof(struct panthor_vm_lru), GFP_NOWAIT | __GFP_NOWARN);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_vm_lru_alloc);

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
		free = panthor_vm_lru_alloc();
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

/*
 * Whoever has the last sequence number isn't touched again, see panthor_gem_lru_touch_vm().
 * So none of the lists of a VM gets it alone.
 */
static void panthor_vm_touch_locked(struct panthor_reclaim *reclaim,
				    struct panthor_vm_reclaim *vm_reclaim)
{
	struct panthor_vm_lru *vm_lru;

	lockdep_assert_held(&reclaim->lock);

	list_for_each_entry(vm_lru, &vm_reclaim->lrus, vm_node) {
		if (vm_lru->lruvec)
			panthor_vm_lru_touch_locked(reclaim, vm_lru);
	}
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

	/* Some look at it without any lock, to report it, or to decide what to try. */
	WRITE_ONCE(bo->reclaim_state, state);
	if (state == PANTHOR_GEM_UNRECLAIMABLE) {
		/* Until we got the lock, it might have been in the list of written ones. */
		if (bo->base.lru)
			drm_gem_lru_remove_locked(&bo->base);
		return;
	}

	WRITE_ONCE(bo->passed_jobs, 0);
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
		panthor_vm_touch_locked(reclaim, vm_reclaim);
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

/**
 * panthor_gem_lru_set_state() - Change the state of an object
 * @bo: Object.
 * @state: New state.
 * @vm: VM it's mapped in if the state is PANTHOR_GEM_GPU_MAPPED_VM.
 *
 * Context: Process context, including reclaim, with the reservation of the object held,
 * unless its last reference is gone. Takes the list lock.
 */
void panthor_gem_lru_set_state(struct panthor_gem_object *bo,
			       enum panthor_gem_reclaim_state state, struct panthor_vm *vm)
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
 * panthor_gem_lru_update_locked() - Re-evaluate the state of an object
 * @bo: Object. Can be an imported one, for which there's nothing to do.
 *
 * Must be called after anything the state depends on changed: pages, pin count,
 * number of CPU mappings, GPU mappings. Nothing happens if the state is the same,
 * in particular, the position in the list doesn't change.
 *
 * Context: Process context, with the reservation of the object held. Takes the
 * GPUVA list lock and the list lock.
 */
void panthor_gem_lru_update_locked(struct panthor_gem_object *bo)
{
	enum panthor_gem_reclaim_state state;
	struct panthor_vm *vm;

	if (panthor_gem_is_imported(bo))
		return;

	mutex_lock(&bo->gpuva_list_lock);
	state = panthor_gem_lru_eval_state_locked(bo, &vm);
	mutex_unlock(&bo->gpuva_list_lock);

	/* The VM can't go away: whoever destroys the vm_bo holds a reference to
	 * the VM until the state of the object was updated, for which it needs
	 * the reservation we own.
	 */
	panthor_gem_lru_set_state(bo, state, vm);
}

/**
 * panthor_gem_lru_update() - Re-evaluate the state of an object
 * @bo: Object.
 *
 * Same as panthor_gem_lru_update_locked(), except that this one takes
 * the reservation lock of the object, unless it belongs to someone else.
 */
void panthor_gem_lru_update(struct panthor_gem_object *bo)
{
	if (panthor_gem_is_imported(bo))
		return;

	dma_resv_lock(bo->base.resv, NULL);
	panthor_gem_lru_update_locked(bo);
	dma_resv_unlock(bo->base.resv);
}

/**
 * panthor_gem_lru_forget() - Stop tracking an object
 * @bo: Object whose last reference is gone.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_gem_lru_forget(struct panthor_gem_object *bo)
{
	panthor_gem_lru_set_state(bo, PANTHOR_GEM_UNRECLAIMABLE, NULL);
	panthor_gem_forget_lruvec(bo);
}

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

/**
 * panthor_gem_lru_vm_jobs() - Tell if a VM had a job
 * @vm: VM.
 *
 * Context: Any.
 *
 * Return: A number that's another one after a job was submitted, or done.
 */
u32 panthor_gem_lru_vm_jobs(struct panthor_vm *vm)
{
	return READ_ONCE(panthor_vm_reclaim(vm)->jobs);
}

/**
 * panthor_gem_lru_pass_over() - Pass over pages which have a second chance
 * @chance: Second chance.
 * @jobs: Number that changes when the GPU worked on them, see panthor_gem_lru_vm_jobs().
 * @total: Number of pages in the list.
 * @nr_pages: How many to pass over at most.
 *
 * Context: Any.
 *
 * Return: The number of pages that were passed over, 0 if the chance was used up.
 */
unsigned long panthor_gem_lru_pass_over(struct panthor_second_chance *chance, u32 jobs,
					unsigned long total, unsigned long nr_pages)
{
	unsigned long left = panthor_second_chance_left(chance, jobs, total);

	/* Several reclaimers might pass over the same pages, but none evicts them. */
	nr_pages = min(nr_pages, left);
	WRITE_ONCE(chance->passed, total - left + nr_pages);
	WRITE_ONCE(chance->jobs, jobs);

	return nr_pages;
}

/**
 * panthor_gem_lru_pass_over_shared_locked() - Pass over an object which has a second chance
 * @bo: Object that's mapped in several VMs.
 *
 * Any of them might be paid for by others, and have other objects in common, so it's not
 * enough to know how much of them was passed over: each object has a chance of its own.
 *
 * Context: Any, with the GPUVA list lock of the object held.
 *
 * Return: true if it was passed over, because it's new, or one of these VMs had a job since
 * that was done last. false if the chance was used up.
 */
bool panthor_gem_lru_pass_over_shared_locked(struct panthor_gem_object *bo)
{
	struct drm_gpuvm_bo *vm_bo;

	/* 0 is for what's new. If it wraps, somebody is passed over once less. */
	u32 jobs = 1;

	lockdep_assert_held(&bo->gpuva_list_lock);

	drm_gem_for_each_gpuvm_bo(vm_bo, &bo->base)
		jobs += panthor_gem_lru_vm_jobs(panthor_vm_bo_vm(vm_bo));

	if (READ_ONCE(bo->passed_jobs) == jobs)
		return false;

	WRITE_ONCE(bo->passed_jobs, jobs);
	return true;
}

/**
 * panthor_gem_lru_skip_pages() - Take note of what could not be evicted
 * @ptdev: Device.
 * @reason: Why it was skipped.
 * @nr_pages: Number of pages it has.
 *
 * Context: Any.
 */
void panthor_gem_lru_skip_pages(struct panthor_device *ptdev, enum panthor_reclaim_skip reason,
				unsigned long nr_pages)
{
	atomic_long_inc(&ptdev->reclaim.stats.skips[reason]);
	trace_gem_reclaim_skip(ptdev, reason, nr_pages);
}

/**
 * panthor_gem_lru_skip() - Take note of an object that could not be evicted
 * @bo: Object.
 * @reason: Why it was skipped.
 *
 * Context: Any.
 */
void panthor_gem_lru_skip(struct panthor_gem_object *bo, enum panthor_reclaim_skip reason)
{
	panthor_gem_lru_skip_pages(panthor_gem_device(bo), reason, bo->base.size >> PAGE_SHIFT);
}

/**
 * panthor_gem_lru_account_evict_locked() - Take note that an object is about to lose its pages
 * @bo: Object.
 *
 * Context: Process context, including reclaim, with the reservation of the object held.
 */
void panthor_gem_lru_account_evict_locked(struct panthor_gem_object *bo)
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
 * panthor_gem_lru_account_restore_locked() - Take note that an object got its pages
 * @bo: Object. Nothing happens if it was never evicted.
 *
 * Context: The reservation of the object must be held.
 */
void panthor_gem_lru_account_restore_locked(struct panthor_gem_object *bo)
{
	struct panthor_reclaim_stats *stats = &panthor_gem_device(bo)->reclaim.stats;

	dma_resv_assert_held(bo->base.resv);

	if (!atomic_read(&bo->reclaimed_count))
		return;

	atomic_long_inc(&stats->restores);
	atomic_long_add(bo->base.size >> PAGE_SHIFT, &stats->restored_pages);
	trace_gem_restore(bo);
}

/**
 * panthor_gem_lru_set_written() - Remember an object that's being written
 * @bo: Object.
 *
 * Nothing happens if it's in use again.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_gem_lru_set_written(struct panthor_gem_object *bo)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;

	mutex_lock(&reclaim->lock);
	if (!bo->base.lru) {
		WRITE_ONCE(bo->written_parts, 0);
		drm_gem_lru_move_tail_locked(&bo->lruvec->written, &bo->base);
	}
	mutex_unlock(&reclaim->lock);
}

/**
 * panthor_gem_lru_clear_written() - Forget an object that was written
 * @bo: Object.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_gem_lru_clear_written(struct panthor_gem_object *bo)
{
	struct panthor_reclaim *reclaim = &panthor_gem_device(bo)->reclaim;

	mutex_lock(&reclaim->lock);
	if (bo->base.lru == &bo->lruvec->written)
		drm_gem_lru_remove_locked(&bo->base);
	mutex_unlock(&reclaim->lock);
}

/**
 * panthor_gem_lru_skip_vm() - Take note of a VM whose objects could not be evicted
 * @ptdev: Device.
 * @vm_lru: What the VM has that one cgroup pays for.
 * @reason: Why it was skipped.
 *
 * Context: Any.
 */
void panthor_gem_lru_skip_vm(struct panthor_device *ptdev, struct panthor_vm_lru *vm_lru,
			     enum panthor_reclaim_skip reason)
{
	panthor_gem_lru_skip_pages(ptdev, reason, READ_ONCE(vm_lru->lru.count));
}

/**
 * panthor_gem_lru_vm_pages() - Tell how much there is to reclaim in a VM
 * @vm: VM.
 *
 * Return: The number of pages of the objects in the lists of this VM.
 */
unsigned long panthor_gem_lru_vm_pages(struct panthor_vm *vm)
{
	return READ_ONCE(panthor_vm_reclaim(vm)->nr_pages);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_lru_vm_pages);

/**
 * panthor_gem_lru_vm_has_bo() - Check if an object is in one of the lists of a VM
 * @vm_reclaim: Reclaim related fields of the VM.
 * @bo: Object.
 *
 * Context: Any. Without the reservation of the object held, this is a guess.
 *
 * Return: true if it is.
 */
bool panthor_gem_lru_vm_has_bo(struct panthor_vm_reclaim *vm_reclaim,
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
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_lru_vm_has_bo);

/**
 * panthor_gem_lru_get_lruvec() - Tell who pays for what a VM has
 * @reclaim: Reclaim related fields of the device.
 * @vm_lru: What the VM has that one cgroup pays for.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 *
 * Return: Lists of the cgroup, with a reference the caller has to drop. NULL if there's
 * nothing to reclaim.
 */
struct panthor_lruvec *panthor_gem_lru_get_lruvec(struct panthor_reclaim *reclaim,
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

/**
 * panthor_gem_lru_touch_vm() - Flag a VM as the most recently used one
 * @ptdev: Device.
 * @vm_reclaim: Reclaim related fields of the VM.
 *
 * It has a second chance from now on.
 *
 * Context: Process context. Takes the list lock.
 */
void panthor_gem_lru_touch_vm(struct panthor_device *ptdev,
			      struct panthor_vm_reclaim *vm_reclaim)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;

	/* If two are counted as one, that's one more, nevertheless. */
	WRITE_ONCE(vm_reclaim->jobs, READ_ONCE(vm_reclaim->jobs) + 1);

	/* That's the case unless several VMs are used in turn. */
	if (READ_ONCE(vm_reclaim->seq) == READ_ONCE(reclaim->seq))
		return;

	mutex_lock(&reclaim->lock);
	panthor_vm_touch_locked(reclaim, vm_reclaim);
	mutex_unlock(&reclaim->lock);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_lru_touch_vm);

/**
 * panthor_gem_lru_init_vm() - Initialize the reclaim related fields of a VM
 * @ptdev: Device.
 * @vm_reclaim: Fields to initialize.
 */
void panthor_gem_lru_init_vm(struct panthor_device *ptdev,
			     struct panthor_vm_reclaim *vm_reclaim)
{
	INIT_LIST_HEAD(&vm_reclaim->lrus);
	panthor_vm_lru_init(&ptdev->reclaim, vm_reclaim, &vm_reclaim->lru);
}

/**
 * panthor_gem_lru_fini_vm() - Cleanup the reclaim related fields of a VM
 * @ptdev: Device.
 * @vm_reclaim: Fields to cleanup.
 *
 * Nothing is mapped in the VM when we get there.
 */
void panthor_gem_lru_fini_vm(struct panthor_device *ptdev,
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

/**
 * panthor_gem_lru_init() - Initialize the lists of a device
 * @ptdev: Device.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_lru_init(struct panthor_device *ptdev)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	int ret;

	ret = drmm_mutex_init(&ptdev->base, &reclaim->lock);
	if (ret)
		return ret;

	/* Teach lockdep about lock ordering wrt. reclaim. */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&reclaim->lock);
	fs_reclaim_release(GFP_KERNEL);

	INIT_LIST_HEAD(&reclaim->vms);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_lru_init);
