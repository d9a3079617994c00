// SPDX-License-Identifier: GPL-2.0 or MIT

/* Making room in memory for what a VM needs, when several of them want all of it. */

#include <linux/mm.h>
#include <linux/psi.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_room.h"
#include "panthor_gem_shrinker.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"

/**
 * DOC: Memory overcommit
 *
 * Reclaim takes memory from VMs that are idle. When those that are in use don't fit
 * in memory together, there are none: a VM with a job always queued behind the one
 * being executed is never idle, and one that's getting its memory back is locked.
 * If both insist, the one that's allocating takes everything the rest of the system
 * has, until its allocations fail, or the OOM killer is invoked, with plenty of
 * room in swap.
 *
 * So what doesn't fit waits for its turn, and takes memory from other VMs before it
 * takes it from everybody else. This involves waiting for these VMs to be idle with
 * their reservation held, so nobody can submit to them meanwhile, which is only
 * possible where no lock is held yet, at the beginning of an ioctl, or in a CPU
 * fault once the mmap lock was released. If an object still doesn't fit, the rest of
 * the VM it's for has to make room, because none of it is needed before the next
 * submission.
 *
 * What fits might not do so any more if somebody else is told the same before it's
 * allocated, so it's claimed meanwhile. What's small isn't, as long as there's plenty.
 *
 * Bringing back what was evicted takes time, during which the GPU might have
 * nothing to do, so once this is done, others don't get their turn before the VM
 * had as much time to make use of it.
 */

/* How long to wait for a VM to be idle when we can't do without its memory. */
#define PANTHOR_ROOM_WAIT_MS		100

/* The longest time others are kept waiting after a VM got its memory. */
#define PANTHOR_ROOM_MAX_SLICE_MS	1000

/* What can be allocated without anybody noticing, as long as there's plenty. */
#define PANTHOR_ROOM_SMALL_PAGES	(SZ_64K >> PAGE_SHIFT)

/* Number of pages VMs shouldn't fight for, because others need them to run. */
static unsigned long panthor_room_margin(void)
{
	return totalram_pages() / 16;
}

/**
 * panthor_room_shortage() - Check if something fits in memory
 * @ptdev: Device.
 * @nr_pages: Number of pages needed.
 *
 * This is an estimation. The pages of GEM objects, and those that were claimed,
 * are considered as being in use, anything else that can be swapped out as being
 * available.
 *
 * Context: Any.
 *
 * Return: The number of pages to take from others. 0 if there's nothing to do, or
 * nothing to be done, because there's no swap.
 */
unsigned long panthor_room_shortage(struct panthor_device *ptdev, unsigned long nr_pages)
{
	unsigned long gpu = atomic_long_read(&ptdev->reclaim.room.backed);
	unsigned long swap = panthor_reclaim_swap_room();
	unsigned long room, anon;

	if (!swap)
		return 0;

	anon = global_node_page_state(NR_ANON_MAPPED) + global_node_page_state(NR_SHMEM);
	anon -= min(anon, gpu);

	/* What's being written to swap is on its way out. */
	room = si_mem_available() + min(anon, swap) + total_swapcache_pages();
	nr_pages += panthor_room_margin();
	nr_pages += atomic_long_read(&ptdev->reclaim.room.claimed);

	return nr_pages - min(nr_pages, room);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_shortage);

/**
 * panthor_room_try_claim() - Claim memory if it's there
 * @ptdev: Device.
 * @nr_pages: Number of pages needed.
 *
 * Nothing is allocated. Others are told that there's that much less from now on,
 * until panthor_room_unclaim() is called, which must be done once the pages were
 * allocated, or when they aren't needed any more.
 *
 * Context: Any.
 *
 * Return: true if @nr_pages can be allocated right away, false if they don't fit,
 * and weren't claimed.
 */
bool panthor_room_try_claim(struct panthor_device *ptdev, unsigned long nr_pages)
{
	if (!nr_pages)
		return true;

	/* Of two that don't fit together, both might be refused, but never none. */
	atomic_long_add(nr_pages, &ptdev->reclaim.room.claimed);
	if (!panthor_room_shortage(ptdev, 0))
		return true;

	panthor_room_unclaim(ptdev, nr_pages);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_try_claim);

/**
 * panthor_room_unclaim() - Undo panthor_room_try_claim()
 * @ptdev: Device.
 * @nr_pages: Number of pages that were claimed.
 *
 * Context: Any.
 */
void panthor_room_unclaim(struct panthor_device *ptdev, unsigned long nr_pages)
{
	atomic_long_sub(nr_pages, &ptdev->reclaim.room.claimed);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_unclaim);

/* What can be allocated without reclaim. CMA areas are no use for GEM objects. */
VISIBLE_IF_KUNIT unsigned long panthor_room_free_pages(void)
{
	unsigned long free = global_zone_page_state(NR_FREE_PAGES);

	KUNIT_STATIC_STUB_REDIRECT(panthor_room_free_pages);

	return free - min(free, global_zone_page_state(NR_FREE_CMA_PAGES));
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_free_pages);

/*
 * Check if there's no need to think about others who want memory, or to tell them.
 * What must be left is enough for a hundred of those who think so at the same time.
 */
static bool panthor_room_is_plenty(struct panthor_device *ptdev, unsigned long nr_pages)
{
	unsigned long claimed = atomic_long_read(&ptdev->reclaim.room.claimed);

	if (!nr_pages)
		return true;

	return nr_pages <= PANTHOR_ROOM_SMALL_PAGES &&
	       panthor_room_free_pages() > claimed + 2 * panthor_room_margin();
}

/* How long to wait until @vm can have its turn, in jiffies. */
static unsigned long panthor_room_delay(struct panthor_room *room, struct panthor_vm *vm)
{
	s64 us = ktime_us_delta(READ_ONCE(room->slice_end), ktime_get());

	if (us <= 0 || (vm && READ_ONCE(room->slice_vm) == vm))
		return 0;

	return usecs_to_jiffies(us);
}

/* Nothing is locked while waiting, because the VM might need even more memory. */
static int panthor_room_lock(struct panthor_room *room, struct panthor_vm *vm)
{
	unsigned long delay;
	int ret;

	do {
		delay = panthor_room_delay(room, vm);
		if (delay)
			schedule_timeout_interruptible(delay);
		if (signal_pending(current))
			return -ERESTARTSYS;

		ret = mutex_lock_interruptible(&room->lock);
		if (ret)
			return ret;

		/* Somebody else might have been faster. */
		delay = panthor_room_delay(room, vm);
		if (delay)
			mutex_unlock(&room->lock);
	} while (delay);

	return 0;
}

/**
 * panthor_room_enter() - Wait for one's turn to get memory
 * @ptdev: Device.
 * @vm: VM the memory is for, NULL if there's none.
 *
 * What follows, until panthor_room_leave() is called, is reported as a memory stall.
 *
 * Context: Process context, with nothing locked. Waits for others that are short
 * of memory, and for the VM of the last one to have had some time to run.
 *
 * Return: 0 on success, in which case panthor_room_leave() must be called, a
 * negative error code if a signal was received.
 */
int panthor_room_enter(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	struct panthor_room *room = &ptdev->reclaim.room;
	unsigned long pflags;
	int ret;

	psi_memstall_enter(&pflags);
	ret = panthor_room_lock(room, vm);
	if (ret) {
		psi_memstall_leave(&pflags);
		return ret;
	}

	room->start = ktime_get();
	room->pflags = pflags;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_enter);

/**
 * panthor_room_need() - Claim memory for the one whose turn it is
 * @ptdev: Device.
 * @nr_pages: Number of pages needed. Replaces what was said before.
 *
 * Whether it's there or not. The claim ends with the turn.
 *
 * Context: Process context, after panthor_room_enter().
 *
 * Return: The number of pages to make room for. That's not more than what's needed,
 * and the margin, because others make room for what they claimed.
 */
unsigned long panthor_room_need(struct panthor_device *ptdev, unsigned long nr_pages)
{
	struct panthor_room *room = &ptdev->reclaim.room;

	lockdep_assert_held(&room->lock);

	atomic_long_add(nr_pages - room->needed, &room->claimed);
	room->needed = nr_pages;
	if (!nr_pages)
		return 0;

	return min(panthor_room_shortage(ptdev, 0), nr_pages + panthor_room_margin());
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_need);

/**
 * panthor_room_make() - Take memory from others
 * @ptdev: Device.
 * @resv: Reservation of the VM or object the memory is for. The VM it belongs to is
 * left alone.
 * @nr_pages: Number of pages to take. There's no guarantee that they are found.
 *
 * Context: Process context, after panthor_room_enter(), with no reservation held.
 * Waits for the reservations of other VMs, and for up to PANTHOR_ROOM_WAIT_MS for
 * each of them to be idle.
 *
 * Return: 0, or -ERESTARTSYS if a signal was received.
 */
int panthor_room_make(struct panthor_device *ptdev, struct dma_resv *resv,
		      unsigned long nr_pages)
{
	lockdep_assert_held(&ptdev->reclaim.room.lock);

	panthor_reclaim_others(ptdev, resv, nr_pages, PANTHOR_ROOM_WAIT_MS);
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/* Getting more memory during one's slice doesn't make it longer, others are waiting. */
static void panthor_room_start_slice(struct panthor_room *room, struct panthor_vm *vm)
{
	ktime_t now = ktime_get();
	s64 slice = min(ktime_ms_delta(now, room->start), PANTHOR_ROOM_MAX_SLICE_MS);

	if (!vm || (room->slice_vm == vm && ktime_before(room->start, room->slice_end)))
		return;

	WRITE_ONCE(room->slice_vm, vm);
	WRITE_ONCE(room->slice_end, ktime_add_ms(now, slice));
}

/**
 * panthor_room_leave() - Let others have their turn
 * @ptdev: Device.
 * @vm: VM that was passed to panthor_room_enter(), NULL if it didn't get what it
 * needed, and so has nothing to make use of.
 */
void panthor_room_leave(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	struct panthor_room *room = &ptdev->reclaim.room;
	unsigned long pflags = room->pflags;

	panthor_room_need(ptdev, 0);
	panthor_room_start_slice(room, vm);
	mutex_unlock(&room->lock);
	psi_memstall_leave(&pflags);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_leave);

static unsigned long panthor_room_missing_pages(struct panthor_gem_object *bo)
{
	return panthor_gem_is_resident(bo) ? 0 : bo->base.size >> PAGE_SHIFT;
}

static int panthor_room_make_then_get(struct panthor_gem_object *bo, struct dma_resv *resv,
				      unsigned long nr_pages,
				      int (*get)(struct panthor_gem_object *bo))
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);
	int ret;

	ret = panthor_room_make(ptdev, resv, nr_pages);
	if (ret)
		return ret;

	return get(bo);
}

static int panthor_room_make_and_get(struct panthor_gem_object *bo, struct panthor_vm *vm,
				     int (*get)(struct panthor_gem_object *bo))
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);
	struct dma_resv *resv = vm ? panthor_vm_resv(vm) : bo->base.resv;
	unsigned long nr_pages;
	int ret;

	ret = panthor_room_enter(ptdev, vm);
	if (ret)
		return ret;

	/* It might have been populated while we were waiting. */
	nr_pages = panthor_room_missing_pages(bo);
	ret = panthor_room_make_then_get(bo, resv, panthor_room_need(ptdev, nr_pages), get);

	/* So much for the estimation. */
	if (ret == -ENOMEM)
		ret = panthor_room_make_then_get(bo, resv, nr_pages, get);

	/* Reclaim might have failed to take it from the VM itself, which we can wait for. */
	if (ret == -ENOMEM) {
		panthor_reclaim_own(ptdev, resv, nr_pages, PANTHOR_ROOM_WAIT_MS);
		ret = signal_pending(current) ? -ERESTARTSYS : get(bo);
	}

	panthor_room_leave(ptdev, ret ? NULL : vm);
	return ret;
}

/* @get is the way to get the pages of @bo, once there's room for them. */
static int panthor_room_get(struct panthor_gem_object *bo, struct panthor_vm *vm,
			    int (*get)(struct panthor_gem_object *bo))
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);
	unsigned long nr_pages = panthor_room_missing_pages(bo);
	bool plenty = panthor_room_is_plenty(ptdev, nr_pages);
	int ret;

	/* Nobody's memory would be enough. */
	if (nr_pages > totalram_pages())
		return -ENOMEM;

	if (plenty || panthor_room_try_claim(ptdev, nr_pages)) {
		ret = get(bo);
		if (!plenty)
			panthor_room_unclaim(ptdev, nr_pages);
		if (ret != -ENOMEM)
			return ret;
	}

	return panthor_room_make_and_get(bo, vm, get);
}

/**
 * panthor_room_populate() - Get the pages of an object, making room if needed
 * @bo: Object that's not imported.
 *
 * The object might be evicted again before the caller had a chance to use it.
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: 0 on success, -ENOMEM if there's not enough memory, -EIO if pages
 * couldn't be read back, another negative error code if a signal was received.
 */
int panthor_room_populate(struct panthor_gem_object *bo)
{
	return panthor_room_get(bo, NULL, panthor_gem_populate);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_populate);

/**
 * panthor_room_pin_briefly() - Pin an object for a short time, making room if needed
 * @bo: Object.
 * @vm: VM the object is going to be used in.
 *
 * See panthor_gem_pin_briefly(). Undone by panthor_gem_unpin().
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: What panthor_room_populate() returns.
 */
int panthor_room_pin_briefly(struct panthor_gem_object *bo, struct panthor_vm *vm)
{
	return panthor_room_get(bo, vm, panthor_gem_pin_briefly);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_room_pin_briefly);

/**
 * panthor_room_try_populate_locked() - Get the pages of an object if that's quickly done
 * @bo: Object that's not imported.
 *
 * That's the case of small objects which were never evicted, so there's nothing to be
 * read from swap, when there's plenty of memory.
 *
 * Context: Process context, with the reservation of the object held. See
 * panthor_gem_populate_locked().
 *
 * Return: true if the object has its pages, false if panthor_room_populate() is the
 * way to get them.
 */
bool panthor_room_try_populate_locked(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);

	dma_resv_assert_held(bo->base.resv);

	return panthor_room_is_plenty(ptdev, panthor_room_missing_pages(bo)) &&
	       !atomic_read(&bo->reclaimed_count) && !panthor_gem_populate_locked(bo);
}

/**
 * panthor_room_init() - Initialize what's needed to make room
 * @ptdev: Device.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_room_init(struct panthor_device *ptdev)
{
	return drmm_mutex_init(&ptdev->base, &ptdev->reclaim.room.lock);
}
