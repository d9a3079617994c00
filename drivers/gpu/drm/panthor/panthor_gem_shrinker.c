// SPDX-License-Identifier: GPL-2.0 or MIT

/* What's evicted, and in which order, when memory is wanted. */

#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/vmscan.h>
#include <linux/wait_bit.h>

#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_evict.h"
#include "panthor_gem_lru.h"
#include "panthor_gem_memcg.h"
#include "panthor_gem_shrinker.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"

#define CREATE_TRACE_POINTS
#include "panthor_trace.h"

/**
 * DOC: Balance with other memory
 *
 * To the system, GPU memory is as good as anonymous memory: its content has to be written
 * to swap. Caches are what it's reclaimed along with. So these rules say when, and how much
 * of it, in the order in which they are applied:
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
 *    page by page, before the first of them is evicted. What several VMs have mapped is
 *    passed over object by object, after a job of any of them. The last round of reclaim,
 *    after which the OOM killer is invoked, has no time for that.
 * 5. If there isn't enough of anything else, what's missing to the low watermark goes at
 *    once, whatever the share, and without a second chance.
 * 6. Whoever got enough stops there, whatever the share.
 * 7. After that, it's a matter of order, see &enum panthor_reclaim_stage.
 *
 * Those who ask for GPU memory in particular, as mem_reclaim and debugfs do, or because
 * VMs want more than there is, get it if there's room in swap.
 */

static struct panthor_device *shrinker_to_panthor_device(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

/* Those who aren't in reclaim drop caches, and want nothing that would have to be written. */
VISIBLE_IF_KUNIT void panthor_gem_shrinker_get_pressure(struct reclaim_pressure *pressure)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_shrinker_get_pressure, pressure);

	if (!reclaim_get_pressure(pressure))
		*pressure = (struct reclaim_pressure) { .priority = DEF_PRIORITY };
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_get_pressure);

VISIBLE_IF_KUNIT bool panthor_gem_shrinker_got_enough(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_shrinker_got_enough);

	return reclaim_got_enough();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_got_enough);

/* Direct reclaim is done by tasks that have something better to do. */
VISIBLE_IF_KUNIT bool panthor_gem_shrinker_can_wait(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_shrinker_can_wait);

	return current_is_kswapd();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_can_wait);

/**
 * panthor_gem_shrinker_limit() - Limit what the current task reclaims to old VMs
 * @reclaim: Reclaim related fields of the device.
 * @seq: Number telling how recent a VM is, see &panthor_vm_reclaim.seq.
 *
 * From now on, it only takes memory from VMs that are older, and from what's in no VM,
 * whatever it takes it for. That includes what it does in direct reclaim.
 *
 * Context: Process context. Only one task can be limited at a time.
 */
void panthor_gem_shrinker_limit(struct panthor_reclaim *reclaim, u64 seq)
{
	reclaim->older_than = seq;
	WRITE_ONCE(reclaim->older_task, current);
}

/**
 * panthor_gem_shrinker_unlimit() - Undo panthor_gem_shrinker_limit()
 * @reclaim: Reclaim related fields of the device.
 *
 * Context: Process context.
 */
void panthor_gem_shrinker_unlimit(struct panthor_reclaim *reclaim)
{
	WRITE_ONCE(reclaim->older_task, NULL);
}

/*
 * The highest sequence number of the VMs the current task can take memory from, @seq being
 * that of the most recent one, see panthor_gem_shrinker_limit().
 */
static u64 panthor_gem_shrinker_last_seq(struct panthor_reclaim *reclaim, u64 seq)
{
	if (likely(READ_ONCE(reclaim->older_task) != current))
		return seq;

	return reclaim->older_than ? min(reclaim->older_than - 1, seq) : 0;
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

	/** @evicted: Number of those that were in memory before. */
	unsigned long evicted;

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

/* Returns true if that's all there is to do with the VM for now. */
static bool panthor_reclaim_pass_vm(struct panthor_reclaim_scan *scan, struct panthor_vm *vm,
				    struct panthor_vm_lru *vm_lru)
{
	unsigned long nr_pages;

	if (!scan->second_chance)
		return false;

	nr_pages = panthor_gem_lru_pass_over(&vm_lru->chance, panthor_gem_lru_vm_jobs(vm),
					     READ_ONCE(vm_lru->lru.count),
					     panthor_reclaim_scan_left(scan));
	if (!nr_pages)
		return false;

	panthor_gem_lru_skip_pages(scan->ptdev, PANTHOR_RECLAIM_SKIP_RECENT, nr_pages);
	scan->passed += nr_pages;
	return true;
}

static void panthor_reclaim_scan_vm(struct panthor_reclaim_scan *scan, struct panthor_vm *vm,
				    struct panthor_vm_lru *vm_lru, struct panthor_lruvec *lruvec)
{
	struct panthor_gem_evict_batch batch;

	if (panthor_reclaim_pass_vm(scan, vm, vm_lru))
		return;

	/* There's nothing others could wait for. */
	if (!panthor_gem_evict_is_idle(panthor_vm_resv(vm))) {
		panthor_gem_lru_skip_vm(scan->ptdev, vm_lru, PANTHOR_RECLAIM_SKIP_ACTIVE);
		scan->busy = true;
		return;
	}

	/* Before the VM is locked, so others know why they couldn't. */
	panthor_gem_evict_batch_init_vm(&batch, scan->ptdev, lruvec, vm, vm_lru);
	if (!panthor_gem_evict_try_vm(&batch, panthor_reclaim_scan_left(scan)))
		scan->busy = true;
	panthor_gem_evict_batch_finish(&batch, scan->can_write);
	scan->freed += batch.freed;
	scan->writing += batch.writing;
}

static void panthor_reclaim_scan_lru(struct panthor_reclaim_scan *scan,
				     struct panthor_lruvec *lruvec, struct drm_gem_lru *lru,
				     bool gpu_mapped)
{
	struct panthor_gem_evict_batch batch;
	struct drm_gem_lru_walk walk;
	bool more = READ_ONCE(lru->count);

	drm_gem_lru_walk_init(&walk, lru);

	while (more && !panthor_reclaim_scan_done(scan)) {
		panthor_gem_evict_batch_init(&batch, scan->ptdev, lruvec, gpu_mapped);
		batch.second_chance = scan->second_chance;
		more = panthor_gem_evict_batch_fill(&batch, &walk, panthor_reclaim_scan_left(scan));
		if (gpu_mapped)
			panthor_gem_evict_batch_unmap_shared(&batch);

		panthor_gem_evict_batch_release(&batch);
		panthor_gem_evict_batch_finish(&batch, scan->can_write);
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
		scan->freed += panthor_gem_free_written(to_panthor_bo(obj),
							panthor_reclaim_scan_left(scan), &writing);
		if (!writing)
			panthor_gem_lru_clear_written(to_panthor_bo(obj));

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
	if (panthor_gem_shrinker_last_seq(&scan->ptdev->reclaim, U64_MAX) != U64_MAX)
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
	iter->last = panthor_gem_shrinker_last_seq(reclaim, READ_ONCE(reclaim->seq));
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
VISIBLE_IF_KUNIT int panthor_gem_shrinker_evictors(struct panthor_reclaim *reclaim)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_shrinker_evictors, reclaim);

	/* Pairs with panthor_gem_evict_leave(). */
	return atomic_read_acquire(&reclaim->evictors);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_evictors);

/* Returns false if there's nobody to wait for, nor was since we last looked. */
static bool panthor_reclaim_wait_for_others(struct panthor_reclaim_scan *scan, long timeout)
{
	struct panthor_reclaim *reclaim = &scan->ptdev->reclaim;
	bool waited = false;
	int seq;

	if (atomic_read(&reclaim->evict_seq) == scan->evict_seq &&
	    panthor_gem_shrinker_evictors(reclaim)) {
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
	long left = msecs_to_jiffies(PANTHOR_GEM_EVICT_WAIT_MS) + 1;
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
		idle = panthor_gem_evict_wait_idle(scan->ptdev, vm, false) > 0;
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
 * panthor_gem_shrinker_reclaim_others() - Reclaim what's not used by a VM
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
unsigned long panthor_gem_shrinker_reclaim_others(struct panthor_device *ptdev,
						  struct dma_resv *resv,
						  struct mem_cgroup *memcg, unsigned long nr_pages,
						  bool *busy)
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
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_reclaim_others);

/**
 * panthor_gem_shrinker_reclaim_own() - Reclaim what a VM has
 * @ptdev: Device.
 * @resv: Reservation of the VM. If it belongs to something else, there's nothing to
 * reclaim.
 * @nr_pages: Number of pages to reclaim.
 * @busy: Set if the VM was in use.
 *
 * Takes what panthor_gem_shrinker_reclaim_others() leaves alone. Otherwise the same.
 *
 * Return: The number of pages that were given back.
 */
unsigned long panthor_gem_shrinker_reclaim_own(struct panthor_device *ptdev, struct dma_resv *resv,
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

/**
 * panthor_gem_shrinker_older_pages() - Tell what there is in old VMs, or isn't in a VM
 * @ptdev: Device.
 * @seq: How old the VMs have to be, see &panthor_vm_reclaim.seq.
 *
 * Context: Process context. Takes the list lock.
 *
 * Return: The number of pages that could be reclaimed.
 */
unsigned long panthor_gem_shrinker_older_pages(struct panthor_device *ptdev, u64 seq)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_lruvec *lruvec;
	struct panthor_vm_lru *pos;
	long pages = 0;

	mutex_lock(&reclaim->lock);
	list_for_each_entry(lruvec, &reclaim->lruvecs, node)
		pages += lruvec->unused.count + lruvec->mmapped.count;

	list_for_each_entry(pos, &reclaim->vms, node) {
		if (pos->seq >= seq)
			break;

		if (READ_ONCE(pos->vm_reclaim->seq) < seq)
			pages += pos->lru.count;
	}
	mutex_unlock(&reclaim->lock);

	return min_t(unsigned long, pages, panthor_gem_evict_swap_space());
}

/* Can the caller wait for what's evicted to be written, and does it need that? */
static bool panthor_gem_can_shrink(struct shrink_control *sc)
{
	const gfp_t write_gfp = __GFP_IO | __GFP_FS;

	return (sc->gfp_mask & write_gfp) == write_gfp && !panthor_gem_shrinker_got_enough();
}

static unsigned long
panthor_gem_shrinker_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct panthor_device *ptdev = shrinker_to_panthor_device(shrinker);
	unsigned long space = panthor_gem_evict_memcg_swap_space(sc->memcg);
	struct panthor_lruvec_pages pages;
	struct reclaim_pressure pressure;

	/* Racy, but all this does is deciding if, and how much, to scan. */
	panthor_lruvec_count_pages(&ptdev->reclaim, sc, &pages);
	if (!pages.reclaimable && !pages.written && !pages.inherited)
		return SHRINK_EMPTY;

	/* Others shouldn't have to make up for it, which is what SHRINK_STOP means. */
	if (!panthor_gem_can_shrink(sc))
		return 0;

	panthor_gem_shrinker_get_pressure(&pressure);
	return pages.written + mult_frac(min(pages.reclaimable, space), pressure.anon,
					 ANON_PRESSURE_MAX);
}

/* Scan for @nr_pages, of which scan->nr_pages fit in swap. */
static void panthor_reclaim_run(struct panthor_reclaim_scan *scan, unsigned long nr_pages)
{
	unsigned long pages[PANTHOR_RECLAIM_STAGE_COUNT] = {};

	if (scan->nr_pages < nr_pages)
		panthor_gem_lru_skip_pages(scan->ptdev, PANTHOR_RECLAIM_SKIP_NO_SWAP,
					   nr_pages - scan->nr_pages);

	for (u32 i = 0; i < PANTHOR_RECLAIM_STAGE_COUNT; i++) {
		unsigned long before = scan->freed;

		if (panthor_reclaim_scan_done(scan) ||
		    (scan->written_only && i > PANTHOR_RECLAIM_STAGE_WRITTEN))
			break;

		panthor_reclaim_stages[i](scan);
		pages[i] = scan->freed - before;
		if (i != PANTHOR_RECLAIM_STAGE_WRITTEN)
			scan->evicted += pages[i];
	}

	trace_gem_reclaim_scan(scan->ptdev, nr_pages, pages, scan->writing);
}

/* Let others run, among them those who make swap devices faster, and look again. */
static void panthor_reclaim_wait_once(struct panthor_reclaim_scan *scan, bool sleep)
{
	atomic_long_inc(&scan->ptdev->reclaim.stats.waits);
	if (sleep)
		schedule_timeout_killable(1);
	else
		io_schedule();

	scan->freed = 0;
	scan->writing = 0;
	panthor_reclaim_scan_written(scan);
}

/*
 * There's enough to come, but nothing is free, because the swap device isn't that fast.
 * Only sleep in the last round, after which the OOM killer is called: if there's nothing to
 * be had, this is how long it takes to find out, over and over again. And only until it turns
 * out to be in vain: there might be any number of cgroups to look at, with the same swap
 * device.
 */
static void panthor_reclaim_wait_written(struct panthor_reclaim_scan *scan)
{
	struct panthor_reclaim *reclaim = &scan->ptdev->reclaim;
	unsigned long ticks = 0;

	if (scan->last_round && !READ_ONCE(reclaim->swap_stalled))
		ticks = msecs_to_jiffies(PANTHOR_GEM_SHRINKER_WRITE_MS);

	for (unsigned long i = 0; scan->writing && scan->freed <= scan->writing; i++) {
		if (i > ticks) {
			if (ticks)
				WRITE_ONCE(reclaim->swap_stalled, true);
			return;
		}

		panthor_reclaim_wait_once(scan, i);
		if (fatal_signal_pending(current))
			return;
	}

	if (scan->freed)
		WRITE_ONCE(reclaim->swap_stalled, false);
}

/**
 * panthor_gem_shrinker_reclaim() - Reclaim memory
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
unsigned long panthor_gem_shrinker_reclaim(struct panthor_device *ptdev, unsigned long nr_pages,
					   gfp_t gfp)
{
	const gfp_t write_gfp = __GFP_IO | __GFP_FS;
	struct panthor_reclaim_scan scan = {
		.ptdev = ptdev,
		.nr_pages = min(nr_pages, panthor_gem_evict_swap_space()),
		.evict_seq = atomic_read(&ptdev->reclaim.evict_seq),
		.can_wait = panthor_gem_shrinker_can_wait(),
		.can_write = (gfp & write_gfp) == write_gfp,
	};

	if (scan.can_write)
		panthor_reclaim_run(&scan, nr_pages);

	return scan.freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_reclaim);

/* What's in swap already doesn't need room there, be it full or not. */
static unsigned long panthor_lruvec_swap_space(struct panthor_lruvec *lruvec,
					       struct shrink_control *sc)
{
	return panthor_gem_evict_memcg_swap_space(sc->memcg) +
	       max(READ_ONCE(lruvec->written.count), 0L);
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
		.nr_pages = min(nr_pages, panthor_lruvec_swap_space(lruvec, sc)),
		.evict_seq = atomic_read(&ptdev->reclaim.evict_seq),
		.can_wait = panthor_gem_shrinker_can_wait(),
		.can_write = true,
		.use_written = true,
	};
	struct reclaim_pressure pressure;

	panthor_gem_shrinker_get_pressure(&pressure);
	scan.written_only = !pressure.anon;
	scan.last_round = pressure.last_round;
	scan.second_chance = pressure.priority && !pressure.nr_missing;

	panthor_reclaim_run(&scan, nr_pages);
	reclaim_note_anon_cost(sc, scan.evicted, scan.passed);
	panthor_reclaim_wait_written(&scan);
	res->freed += scan.freed;
	res->passed += scan.passed;
	res->writing += scan.writing;
}

/* If there's nobody else to ask, the share isn't what matters. */
static unsigned long panthor_gem_nr_to_shrink(struct shrink_control *sc)
{
	struct reclaim_pressure pressure;

	panthor_gem_shrinker_get_pressure(&pressure);
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
	shrinker->batch = PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES;

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

/* Of a device whose initialization failed, or was undone. */
static void panthor_gem_shrinker_fini(struct drm_device *ddev, void *ptdev)
{
	panthor_gem_shrinker_unplug(ptdev);
}

/**
 * panthor_gem_shrinker_alloc() - Prepare for objects to be counted for memory cgroups
 * @ptdev: Device, after panthor_gem_lru_init().
 *
 * Called before the first object gets its pages. Nothing is reclaimed before
 * panthor_gem_shrinker_init() is called.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_shrinker_alloc(struct panthor_device *ptdev)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	int ret;

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
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_shrinker_alloc);
