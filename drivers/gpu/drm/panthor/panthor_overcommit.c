// SPDX-License-Identifier: GPL-2.0 or MIT

/* Who gets memory, and who waits, when VMs don't fit in memory together. */

#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/psi.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/wait.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_evict.h"
#include "panthor_gem_lru.h"
#include "panthor_overcommit.h"
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
 * So what needs memory gets it in these steps, see panthor_overcommit_get():
 *
 * 1. What fits is allocated right away. It might not do so any more if somebody else
 *    is told the same before it's allocated, so it's claimed meanwhile. What's small
 *    isn't, as long as there's plenty.
 * 2. What doesn't fit waits to be admitted, and takes memory from other VMs before it
 *    takes it from everybody else: from those that are idle, and if that's not enough,
 *    from those that become idle in the next PANTHOR_OVERCOMMIT_WAIT_MS, however many there
 *    are. Nobody submits to them meanwhile. Nothing is locked while waiting.
 * 3. If it's the memory cgroup that's short of memory, others aren't, so only those
 *    which are in this cgroup are asked.
 * 4. If an object still doesn't fit, the rest of the VM it's for has to make room,
 *    because none of it is needed before the next submission.
 * 5. If there'd be enough in the end, it's tried again, because others might have been
 *    faster. If there's not, because somebody else has it, and doesn't give it back,
 *    there might be soon, as long as the system is looking for memory, or killing
 *    somebody. Nobody else has to wait during that.
 * 6. The last attempt is made the way memory is allocated for page faults, for which
 *    the OOM killer might be invoked. What can't fit never gets there: it fails.
 *
 * All this is only possible where no lock is held yet, at the beginning of an ioctl, in a
 * CPU fault once the mmap lock was released, or when another device is attached to a
 * dma-buf, whose driver might hold locks nobody needs here. Waiting to be admitted can be
 * interrupted, what follows can't, except by being killed: it takes no longer than
 * what's written here, and the next attempt would have to take memory from others again.
 * So would those who got other memory before, and would have to give that back.
 *
 * Bringing back what was evicted takes time, during which the GPU might have
 * nothing to do, so once this is done, others aren't admitted before the VM
 * had as much time to make use of it. CPU faults of the same process don't count as
 * others.
 */

/*
 * How long to wait for VMs to be idle when we can't do without their memory, for all
 * of them together. Also how long those who'd use them are kept waiting.
 */
#define PANTHOR_OVERCOMMIT_WAIT_MS		100

/* How often to look if VMs are idle, or if there's memory. */
#define PANTHOR_OVERCOMMIT_POLL_MS		10

/* The longest time others are kept waiting after a VM got its memory. */
#define PANTHOR_OVERCOMMIT_MAX_TIME_SLICE_MS	1000

/* How many times to try again before asking like a page fault does. */
#define PANTHOR_OVERCOMMIT_MAX_TRIES		4

/*
 * How many times to look for memory that isn't there with nothing happening, and in
 * total. That's half a second, and half a minute, or twice as long with a tick of 10 ms.
 */
#define PANTHOR_OVERCOMMIT_QUIET_POLLS	50
#define PANTHOR_OVERCOMMIT_MAX_POLLS		3000

/*
 * What part of its limit a cgroup can have in addition, in places where nothing can be
 * reclaimed. Files bring it to its limit. It makes room when it's charged the next time.
 */
#define PANTHOR_OVERCOMMIT_EXTRA_SHIFT		4

/* What can be allocated without anybody noticing, as long as there's plenty. */
#define PANTHOR_OVERCOMMIT_SMALL_PAGES	(SZ_64K >> PAGE_SHIFT)

/* Number of pages VMs shouldn't fight for, because others need them to run. */
static unsigned long panthor_overcommit_watermark(void)
{
	return totalram_pages() / 16;
}

/**
 * panthor_overcommit_shortage() - Check if something fits in memory
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
unsigned long panthor_overcommit_shortage(struct panthor_device *ptdev, unsigned long nr_pages)
{
	unsigned long gpu = atomic_long_read(&ptdev->reclaim.backed);
	unsigned long swap = panthor_gem_evict_swap_space();
	unsigned long available, anon;

	if (!swap)
		return 0;

	anon = global_node_page_state(NR_ANON_MAPPED) + global_node_page_state(NR_SHMEM);
	anon -= min(anon, gpu);

	/* What's being written to swap is on its way out. */
	available = si_mem_available() + min(anon, swap) + total_swapcache_pages();
	nr_pages += panthor_overcommit_watermark();
	nr_pages += atomic_long_read(&ptdev->overcommit.claimed);

	return nr_pages - min(nr_pages, available);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_shortage);

/**
 * panthor_overcommit_try_claim() - Claim memory if it's there
 * @ptdev: Device.
 * @nr_pages: Number of pages needed.
 *
 * Nothing is allocated. Others are told that there's that much less from now on,
 * until panthor_overcommit_unclaim() is called, which must be done once the pages were
 * allocated, or when they aren't needed any more.
 *
 * Context: Any.
 *
 * Return: true if @nr_pages can be allocated right away, false if they don't fit,
 * and weren't claimed.
 */
bool panthor_overcommit_try_claim(struct panthor_device *ptdev, unsigned long nr_pages)
{
	if (!nr_pages)
		return true;

	/* Of two that don't fit together, both might be refused, but never none. */
	atomic_long_add(nr_pages, &ptdev->overcommit.claimed);
	if (!panthor_overcommit_shortage(ptdev, 0))
		return true;

	panthor_overcommit_unclaim(ptdev, nr_pages);
	return false;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_try_claim);

/**
 * panthor_overcommit_unclaim() - Undo panthor_overcommit_try_claim()
 * @ptdev: Device.
 * @nr_pages: Number of pages that were claimed.
 *
 * Context: Any.
 */
void panthor_overcommit_unclaim(struct panthor_device *ptdev, unsigned long nr_pages)
{
	atomic_long_sub(nr_pages, &ptdev->overcommit.claimed);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_unclaim);

/* What can be allocated without reclaim. CMA areas are no use for GEM objects. */
VISIBLE_IF_KUNIT unsigned long panthor_overcommit_free_pages(void)
{
	unsigned long free = global_zone_page_state(NR_FREE_PAGES);

	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_free_pages);

	return free - min(free, global_zone_page_state(NR_FREE_CMA_PAGES));
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_free_pages);

/*
 * Check if there's no need to think about others who want memory, or to tell them.
 * What must be left is enough for a hundred of those who think so at the same time.
 */
static bool panthor_overcommit_is_plenty(struct panthor_device *ptdev, unsigned long nr_pages)
{
	unsigned long claimed = atomic_long_read(&ptdev->overcommit.claimed);

	if (!nr_pages)
		return true;

	return nr_pages <= PANTHOR_OVERCOMMIT_SMALL_PAGES &&
	       panthor_overcommit_free_pages() > claimed + 2 * panthor_overcommit_watermark();
}

VISIBLE_IF_KUNIT ktime_t panthor_overcommit_now(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_now);

	return ktime_get();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_now);

/* What a process does with its CPUs is for the VM it's making use of. */
static bool panthor_overcommit_owns_time_slice(struct panthor_overcommit *overcommit,
					       struct panthor_vm *vm)
{
	if (vm)
		return READ_ONCE(overcommit->time_slice_vm) == vm;

	return current->mm && READ_ONCE(overcommit->time_slice_mm) == current->mm;
}

/* How long to wait until @vm can be admitted, in jiffies. */
VISIBLE_IF_KUNIT unsigned long panthor_overcommit_delay(struct panthor_overcommit *overcommit,
							struct panthor_vm *vm)
{
	s64 us = ktime_us_delta(READ_ONCE(overcommit->time_slice_end), panthor_overcommit_now());

	/* A torn value on 32-bit systems is still not more than this. */
	us = min(us, PANTHOR_OVERCOMMIT_MAX_TIME_SLICE_MS * USEC_PER_MSEC);
	if (us <= 0 || panthor_overcommit_owns_time_slice(overcommit, vm))
		return 0;

	return usecs_to_jiffies(us);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_delay);

static int panthor_overcommit_lock_mutex(struct panthor_overcommit *overcommit, unsigned int state)
{
	if (state == TASK_INTERRUPTIBLE)
		return mutex_lock_interruptible(&overcommit->lock);

	return mutex_lock_killable(&overcommit->lock);
}

/* Nothing is locked while waiting, because the VM might need even more memory. */
static int panthor_overcommit_lock(struct panthor_overcommit *overcommit, struct panthor_vm *vm,
				   unsigned int state)
{
	unsigned long delay;
	int ret;

	do {
		delay = panthor_overcommit_delay(overcommit, vm);
		if (delay) {
			__set_current_state(state);
			schedule_timeout(delay);
		}
		/* With a signal at each attempt, those who needn't wait would never get on. */
		if (signal_pending_state(delay ? state : TASK_KILLABLE, current))
			return -ERESTARTSYS;

		ret = panthor_overcommit_lock_mutex(overcommit, state);
		if (ret)
			return ret;

		/* Somebody else might have been faster. */
		delay = panthor_overcommit_delay(overcommit, vm);
		if (delay)
			mutex_unlock(&overcommit->lock);
	} while (delay);

	return 0;
}

static int panthor_overcommit_enter_state(struct panthor_device *ptdev, struct panthor_vm *vm,
					  unsigned int state)
{
	struct panthor_overcommit *overcommit = &ptdev->overcommit;
	unsigned long pflags;
	int ret;

	psi_memstall_enter(&pflags);
	ret = panthor_overcommit_lock(overcommit, vm, state);
	if (ret) {
		psi_memstall_leave(&pflags);
		return ret;
	}

	overcommit->start = panthor_overcommit_now();
	overcommit->wait_left = msecs_to_jiffies(PANTHOR_OVERCOMMIT_WAIT_MS);
	overcommit->pflags = pflags;
	return 0;
}

/**
 * panthor_overcommit_enter() - Wait to be admitted to get memory
 * @ptdev: Device.
 * @vm: VM the memory is for, NULL if there's none.
 *
 * What follows, until panthor_overcommit_leave() is called, is reported as a memory stall.
 *
 * Context: Process context, with nothing locked. Waits for others that are short
 * of memory, and for the VM of the last one to have had some time to run.
 *
 * Return: 0 on success, in which case panthor_overcommit_leave() must be called, a
 * negative error code if a signal was received, which has to be a fatal one if there's
 * no VM.
 */
int panthor_overcommit_enter(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	/* CPU faults, which have no VM, only give up when they are killed: where the
	 * kernel doesn't look at signals before it retries, they'd spin.
	 */
	return panthor_overcommit_enter_state(ptdev, vm, vm ? TASK_INTERRUPTIBLE : TASK_KILLABLE);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_enter);

/**
 * panthor_overcommit_need() - Claim memory for the one that's admitted
 * @ptdev: Device.
 * @nr_pages: Number of pages needed. Replaces what was said before.
 *
 * Whether it's there or not. The claim ends with the admission.
 *
 * Context: Process context, after panthor_overcommit_enter().
 *
 * Return: The number of pages to make room for. That's not more than what's needed,
 * and the watermark, because others make room for what they claimed.
 */
unsigned long panthor_overcommit_need(struct panthor_device *ptdev, unsigned long nr_pages)
{
	struct panthor_overcommit *overcommit = &ptdev->overcommit;

	lockdep_assert_held(&overcommit->lock);

	atomic_long_add(nr_pages - overcommit->needed, &overcommit->claimed);
	overcommit->needed = nr_pages;
	if (!nr_pages)
		return 0;

	return min(panthor_overcommit_shortage(ptdev, 0),
		   nr_pages + panthor_overcommit_watermark());
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_need);

/*
 * Wait a moment for VMs to be idle. Those who use them wait, too, so they get there even
 * if there's always another job.
 */
VISIBLE_IF_KUNIT bool panthor_overcommit_wait_for_vms(struct panthor_overcommit *overcommit,
						      struct dma_resv *resv)
{
	unsigned long delay = min(overcommit->wait_left,
				  msecs_to_jiffies(PANTHOR_OVERCOMMIT_POLL_MS));

	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_wait_for_vms, overcommit, resv);

	if (!delay)
		return false;

	WRITE_ONCE(overcommit->waiting_for, resv);
	overcommit->wait_left -= delay;
	return !schedule_timeout_killable(delay);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_wait_for_vms);

static void panthor_overcommit_stop_waiting(struct panthor_overcommit *overcommit)
{
	if (!overcommit->waiting_for)
		return;

	WRITE_ONCE(overcommit->waiting_for, NULL);
	wake_up_all(&overcommit->waitq);
}

/* Take @nr_pages from others, or from the rest of the VM. They might not be found. */
static void panthor_overcommit_take(struct panthor_overcommit_request *req,
				    struct mem_cgroup *memcg, bool own, unsigned long nr_pages)
{
	struct panthor_overcommit *overcommit = &req->ptdev->overcommit;
	unsigned long taken = 0;
	bool busy, first = true;

	lockdep_assert_held(&overcommit->lock);

	WRITE_ONCE(overcommit->waiting_own, own);
	while (taken < nr_pages && !fatal_signal_pending(current)) {
		busy = false;
		if (own)
			taken += panthor_gem_shrinker_reclaim_own(req->ptdev, req->resv,
								  nr_pages - taken, &busy);
		else
			taken += panthor_gem_shrinker_reclaim_others(req->ptdev, req->resv, memcg,
								     nr_pages - taken, &busy);
		if (taken >= nr_pages || !busy)
			break;

		if (first)
			atomic_long_inc(&req->ptdev->reclaim.stats.waits);
		first = false;
		if (!panthor_overcommit_wait_for_vms(overcommit, req->resv))
			break;
	}

	panthor_overcommit_stop_waiting(overcommit);
}

/**
 * panthor_overcommit_pause() - Let others have the memory of a VM before it's used again
 * @ptdev: Device.
 * @vm: VM.
 *
 * A VM that always has a job queued is never idle. If somebody can't do without its
 * memory, this is the moment to hand it over.
 *
 * Context: Process context, with nothing locked. Sleeps for up to
 * PANTHOR_OVERCOMMIT_WAIT_MS, unless the task is killed.
 */
void panthor_overcommit_pause(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	struct panthor_overcommit *overcommit = &ptdev->overcommit;
	struct dma_resv *resv = READ_ONCE(overcommit->waiting_for);
	bool own = resv == panthor_vm_resv(vm);

	if (likely(!resv) || !panthor_gem_lru_vm_pages(vm))
		return;

	/* The two might not belong together, which makes no difference for long. */
	if (own != READ_ONCE(overcommit->waiting_own))
		return;

	wait_event_killable_timeout(overcommit->waitq, !READ_ONCE(overcommit->waiting_for),
				    msecs_to_jiffies(PANTHOR_OVERCOMMIT_WAIT_MS));
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_pause);

/* Getting more memory during one's time slice doesn't make it longer, others are waiting. */
static void panthor_overcommit_start_time_slice(struct panthor_overcommit *overcommit,
						struct panthor_vm *vm)
{
	ktime_t now = panthor_overcommit_now();
	s64 time_slice = min(ktime_ms_delta(now, overcommit->start),
			     PANTHOR_OVERCOMMIT_MAX_TIME_SLICE_MS);

	if (!vm ||
	    (overcommit->time_slice_vm == vm &&
	     ktime_before(overcommit->start, overcommit->time_slice_end)))
		return;

	WRITE_ONCE(overcommit->time_slice_vm, vm);
	WRITE_ONCE(overcommit->time_slice_mm, current->mm);
	WRITE_ONCE(overcommit->time_slice_end, ktime_add_ms(now, time_slice));
}

/**
 * panthor_overcommit_leave() - Let others be admitted
 * @ptdev: Device.
 * @vm: VM that was passed to panthor_overcommit_enter(), NULL if it didn't get what it
 * needed, and so has nothing to make use of.
 */
void panthor_overcommit_leave(struct panthor_device *ptdev, struct panthor_vm *vm)
{
	struct panthor_overcommit *overcommit = &ptdev->overcommit;
	unsigned long pflags = overcommit->pflags;

	panthor_overcommit_need(ptdev, 0);
	panthor_overcommit_start_time_slice(overcommit, vm);
	mutex_unlock(&overcommit->lock);
	psi_memstall_leave(&pflags);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_leave);

/* What's free, or can be freed without writing anything. CMA areas are no use. */
static unsigned long panthor_overcommit_available(void)
{
	unsigned long available = max(si_mem_available(), 0L);

	return available - min(available, global_zone_page_state(NR_FREE_CMA_PAGES));
}

/*
 * The most that can be had, if everybody else gives what they can, and @own pages that
 * could be reclaimed stay. Objects that are reclaimable, but weren't reclaimed, aren't in
 * the lists of the system.
 */
VISIBLE_IF_KUNIT unsigned long panthor_overcommit_most(struct panthor_device *ptdev,
						       unsigned long own)
{
	unsigned long cached = total_swapcache_pages();
	unsigned long anon;

	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_most, ptdev, own);

	anon = global_node_page_state(NR_INACTIVE_ANON) + global_node_page_state(NR_ACTIVE_ANON);
	anon -= min(anon, cached);
	anon += max(READ_ONCE(ptdev->reclaim.nr_pages), 0L);
	anon -= min(anon, own);

	return panthor_overcommit_available() + cached + min(anon, panthor_gem_evict_swap_space());
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_most);

/* What's there already takes neither memory nor swap, but can't be taken for the rest. */
static bool panthor_overcommit_could_fit(struct panthor_overcommit_request *req)
{
	unsigned long missing = req->missing(req), own = req->needed(req);

	own -= min(own, missing);
	return missing + panthor_overcommit_watermark() <= panthor_overcommit_most(req->ptdev, own);
}

/*
 * Get the closest cgroup of the current task that doesn't have @nr_pages left. That's
 * no problem if there's something to reclaim in it, so only ask after it was one.
 */
static struct mem_cgroup *panthor_overcommit_get_short_cgroup(unsigned long nr_pages)
{
	struct mem_cgroup *memcg = NULL;

#ifdef CONFIG_MEMCG
	if (mem_cgroup_disabled())
		return NULL;

	rcu_read_lock();
	for (memcg = mem_cgroup_from_task(current); memcg; memcg = parent_mem_cgroup(memcg)) {
		if (page_counter_read(&memcg->memory) + nr_pages > READ_ONCE(memcg->memory.max))
			break;
	}
	if (memcg && !css_tryget(&memcg->css))
		memcg = NULL;
	rcu_read_unlock();
#endif

	return memcg;
}

/* If the system is short of memory, so is everyone. What's claimed counts already. */
static struct mem_cgroup *
panthor_overcommit_get_cgroup_to_ask(struct panthor_overcommit_request *req, unsigned long nr_pages,
				     unsigned long claimed)
{
	if (panthor_overcommit_shortage(req->ptdev, nr_pages - claimed))
		return NULL;

	return panthor_overcommit_get_short_cgroup(nr_pages);
}

/* It should have worked. So much for the estimation. */
static int panthor_overcommit_take_more_and_get(struct panthor_overcommit_request *req)
{
	unsigned long nr_pages = req->missing(req);
	struct mem_cgroup *memcg;
	int ret;

	if (!panthor_overcommit_could_fit(req))
		return -ENOMEM;

	/* Step 3. */
	memcg = panthor_overcommit_get_cgroup_to_ask(req, nr_pages, nr_pages);
	panthor_overcommit_take(req, memcg, false, nr_pages);
	mem_cgroup_put(memcg);
	ret = req->get(req);
	if (ret != -ENOMEM)
		return ret;

	/* What the VM has might be part of what's needed. */
	nr_pages = req->missing(req);
	if (req->needed(req) > nr_pages)
		return ret;

	/* Step 4. Reclaim might have failed to take it from the VM itself, which we can wait
	 * for.
	 */
	panthor_overcommit_take(req, NULL, true, nr_pages);
	return req->get(req);
}

/* Whoever unplugs the device waits for those who use it in an ioctl. */
static bool panthor_overcommit_is_unplugged(struct panthor_overcommit_request *req)
{
	return req->vm && drm_dev_is_unplugged(&req->ptdev->base);
}

/* Signals have to be looked at before anything is done that they'd make us do again. */
static int panthor_overcommit_enter_request(struct panthor_overcommit_request *req)
{
	if (req->killable || req->tries)
		return panthor_overcommit_enter_state(req->ptdev, req->vm, TASK_KILLABLE);

	return panthor_overcommit_enter(req->ptdev, req->vm);
}

static int panthor_overcommit_reclaim_and_get(struct panthor_overcommit_request *req)
{
	unsigned long nr_pages;
	int ret;

	ret = panthor_overcommit_enter_request(req);
	if (ret)
		return ret;

	if (panthor_overcommit_is_unplugged(req)) {
		panthor_overcommit_leave(req->ptdev, NULL);
		return -ENODEV;
	}

	/* There might be more, or less, than when we started waiting. */
	nr_pages = panthor_overcommit_need(req->ptdev, req->missing(req));

	/* Step 2. If it can't fit, others would give it for nothing. */
	if (panthor_overcommit_could_fit(req))
		panthor_overcommit_take(req, NULL, false, nr_pages);

	ret = req->get(req);
	if (ret == -ENOMEM)
		ret = panthor_overcommit_take_more_and_get(req);

	panthor_overcommit_leave(req->ptdev, ret ? NULL : req->vm);
	return ret;
}

static int panthor_overcommit_try(struct panthor_overcommit_request *req)
{
	unsigned long nr_pages = req->missing(req);
	bool plenty = panthor_overcommit_is_plenty(req->ptdev, nr_pages);
	int ret;

	/* Nobody's memory would be enough. */
	if (!plenty && req->needed(req) > totalram_pages())
		return -ENOMEM;

	/* Step 1. */
	if (plenty || panthor_overcommit_try_claim(req->ptdev, nr_pages)) {
		ret = req->get(req);
		if (!plenty)
			panthor_overcommit_unclaim(req->ptdev, nr_pages);
		if (ret != -ENOMEM)
			return ret;
	}

	return panthor_overcommit_reclaim_and_get(req);
}

/*
 * How many pages others looked at in search of memory, and how many tasks were killed
 * for it. If that changes, so might what we get.
 */
VISIBLE_IF_KUNIT unsigned long panthor_overcommit_events(void)
{
#ifdef CONFIG_VM_EVENT_COUNTERS
	unsigned long events[NR_VM_EVENT_ITEMS];

	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_events);

	all_vm_events(events);
	return events[PGSCAN_DIRECT] + events[OOM_KILL];
#else
	return 0;
#endif
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_events);

/* Wait until it could fit, or nothing suggests that it's ever going to. */
static int panthor_overcommit_wait_for_others(struct panthor_overcommit_request *req)
{
	unsigned long last = panthor_overcommit_events();
	u32 quiet = 0;

	while (req->polls < PANTHOR_OVERCOMMIT_MAX_POLLS &&
	       quiet < PANTHOR_OVERCOMMIT_QUIET_POLLS) {
		unsigned long events;

		if (panthor_overcommit_could_fit(req))
			return 0;

		req->polls++;
		schedule_timeout_killable(msecs_to_jiffies(PANTHOR_OVERCOMMIT_POLL_MS));
		if (fatal_signal_pending(current))
			return -EINTR;
		if (panthor_overcommit_is_unplugged(req))
			return -ENODEV;

		events = panthor_overcommit_events();
		quiet = events == last ? quiet + 1 : 0;
		last = events;
	}

	return -ENOMEM;
}

/*
 * What couldn't be had might be there in a moment. Returns 0 if it's worth another
 * attempt.
 */
static int panthor_overcommit_wait(struct panthor_overcommit_request *req)
{
	unsigned long nr_pages = req->missing(req);
	struct mem_cgroup *memcg;
	int ret;

	if (req->insist || req->needed(req) > totalram_pages())
		return -ENOMEM;

	/* Without swap, nothing was reclaimed, so nothing has to come back. */
	if (!panthor_gem_evict_swap_space() &&
	    !atomic_long_read(&req->ptdev->reclaim.stats.evictions))
		return -ENOMEM;

	memcg = panthor_overcommit_get_cgroup_to_ask(req, nr_pages, 0);
	mem_cgroup_put(memcg);
	if (memcg && req->tries >= PANTHOR_OVERCOMMIT_MAX_TRIES)
		return -ENOMEM;

	/* Step 5. */
	ret = panthor_overcommit_wait_for_others(req);
	if (ret)
		return ret;

	schedule_timeout_killable(msecs_to_jiffies(1 << req->tries));
	/* Step 6, unless there are attempts left. */
	req->insist = ++req->tries > PANTHOR_OVERCOMMIT_MAX_TRIES;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * panthor_overcommit_get() - Get memory, making room if needed
 * @req: Request.
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long. Must not be
 * called from something others depend on to free memory, or fences to be signaled.
 *
 * Return: 0 on success, -ENOMEM if it can't fit, -ERESTARTSYS if a signal was received
 * before we were admitted, -EINTR if the task was killed, -ENODEV if the device was
 * unplugged meanwhile, or what @req->get returned.
 */
int panthor_overcommit_get(struct panthor_overcommit_request *req)
{
	int ret;

	do {
		ret = panthor_overcommit_try(req);
		if (ret != -ENOMEM)
			return ret;

		ret = panthor_overcommit_wait(req);
	} while (!ret);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_get);

/* What can be had without taking it from VMs, or from processes. */
VISIBLE_IF_KUNIT unsigned long panthor_overcommit_spare(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_overcommit_spare);

	return panthor_overcommit_available() + total_swapcache_pages();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_spare);

/*
 * Have enough to spare for @nr_pages, and for what others need to run, so nobody else has
 * a reason to take it from recent VMs instead.
 */
static bool panthor_overcommit_spare_from_older(struct panthor_overcommit_request *req, u64 seq,
						unsigned long nr_pages)
{
	unsigned long spare = panthor_overcommit_spare();
	bool busy = false;

	if (!nr_pages)
		return true;

	nr_pages += panthor_overcommit_watermark();
	if (nr_pages <= spare)
		return true;

	/* Others would give what they have for nothing. */
	nr_pages -= spare;
	if (nr_pages > panthor_gem_shrinker_older_pages(req->ptdev, seq))
		return false;

	return panthor_gem_shrinker_reclaim_others(req->ptdev, req->resv, NULL, nr_pages,
						   &busy) >= nr_pages;
}

static int panthor_overcommit_take_from_older_and_get(struct panthor_overcommit_request *req,
						      u64 seq)
{
	unsigned long nr_pages = req->missing(req);

	if (!panthor_overcommit_spare_from_older(req, seq, nr_pages))
		return -ENOMEM;

	panthor_overcommit_need(req->ptdev, nr_pages);
	return req->get(req);
}

/**
 * panthor_overcommit_get_from_older() - Get memory, without taking it from recent VMs
 * @req: Request. Its needed() isn't used.
 * @seq: Number telling how recent the VM is that it's for, see &panthor_vm_reclaim.seq.
 *
 * Same as panthor_overcommit_get() for those who can do without. They get what the system has to
 * spare, and take the rest from what no GPU uses, and from VMs that are older than @seq,
 * but not from other VMs, from what's mapped in several of them, or from processes. That's
 * also true for the GPU memory the current task reclaims in @req->get. They don't wait for
 * VMs to be idle, and don't try again. Others don't have to wait for them to make use of
 * it.
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: 0 on success, -ENOMEM if it doesn't fit, -ERESTARTSYS or -EINTR if a signal was
 * received before we were admitted, -ENODEV if the device is gone, or what @req->get
 * returned.
 */
int panthor_overcommit_get_from_older(struct panthor_overcommit_request *req, u64 seq)
{
	int ret;

	ret = panthor_overcommit_enter_state(req->ptdev, req->vm, TASK_INTERRUPTIBLE);
	if (ret)
		return ret;

	panthor_gem_shrinker_limit(&req->ptdev->reclaim, seq);
	if (drm_dev_is_unplugged(&req->ptdev->base))
		ret = -ENODEV;
	else
		ret = panthor_overcommit_take_from_older_and_get(req, seq);
	panthor_gem_shrinker_unlimit(&req->ptdev->reclaim);

	panthor_overcommit_leave(req->ptdev, NULL);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_get_from_older);

/**
 * struct panthor_overcommit_bo_request - Request for the pages of an object
 */
struct panthor_overcommit_bo_request {
	/** @base: Inherit from panthor_overcommit_request. */
	struct panthor_overcommit_request base;

	/** @bo: Object. */
	struct panthor_gem_object *bo;

	/** @get: How to get the pages. */
	int (*get)(struct panthor_gem_object *bo, gfp_t gfp);

	/** @gfp: How to allocate them, if that doesn't depend on how many attempts were made. */
	gfp_t gfp;
};

static unsigned long panthor_overcommit_missing_pages(struct panthor_gem_object *bo)
{
	return panthor_gem_is_resident(bo) ? 0 : bo->base.size >> PAGE_SHIFT;
}

static unsigned long panthor_overcommit_bo_missing(struct panthor_overcommit_request *base)
{
	struct panthor_overcommit_bo_request *req =
		container_of(base, struct panthor_overcommit_bo_request, base);

	return panthor_overcommit_missing_pages(req->bo);
}

static int panthor_overcommit_bo_get(struct panthor_overcommit_request *base)
{
	struct panthor_overcommit_bo_request *req =
		container_of(base, struct panthor_overcommit_bo_request, base);

	return req->get(req->bo, panthor_gem_gfp(base->insist));
}

static int panthor_overcommit_get_bo(struct panthor_gem_object *bo, struct panthor_vm *vm,
				     bool killable,
				     int (*get)(struct panthor_gem_object *bo, gfp_t gfp))
{
	struct panthor_overcommit_bo_request req = {
		.base = {
			.ptdev = container_of(bo->base.dev, struct panthor_device, base),
			.vm = vm,
			.resv = vm ? panthor_vm_resv(vm) : bo->base.resv,
			.killable = killable,
			.missing = panthor_overcommit_bo_missing,
			.needed = panthor_overcommit_bo_missing,
			.get = panthor_overcommit_bo_get,
		},
		.bo = bo,
		.get = get,
	};

	return panthor_overcommit_get(&req.base);
}

/**
 * panthor_overcommit_populate() - Get the pages of an object, making room if needed
 * @bo: Object that's not imported.
 *
 * The object might be evicted again before the caller had a chance to use it.
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: 0 on success, -ENOMEM if it can't fit, -EIO if pages couldn't be read back,
 * -EINTR or -ERESTARTSYS if the task was killed.
 */
int panthor_overcommit_populate(struct panthor_gem_object *bo)
{
	return panthor_overcommit_get_bo(bo, NULL, true, panthor_gem_populate);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_populate);

static int panthor_overcommit_bo_get_gfp(struct panthor_overcommit_request *base)
{
	struct panthor_overcommit_bo_request *req =
		container_of(base, struct panthor_overcommit_bo_request, base);

	return req->get(req->bo, req->gfp);
}

/**
 * panthor_overcommit_populate_from_older() - Get the pages of an object, if that's no problem
 * @bo: Object that's not imported.
 * @seq: How recent the object is, see panthor_overcommit_get_from_older().
 * @gfp: How to allocate the pages, see panthor_gem_gfp().
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: What panthor_overcommit_populate(), or panthor_overcommit_get_from_older() return.
 */
int panthor_overcommit_populate_from_older(struct panthor_gem_object *bo, u64 seq, gfp_t gfp)
{
	struct panthor_overcommit_bo_request req = {
		.base = {
			.ptdev = container_of(bo->base.dev, struct panthor_device, base),
			.resv = bo->base.resv,
			.missing = panthor_overcommit_bo_missing,
			.get = panthor_overcommit_bo_get_gfp,
		},
		.bo = bo,
		.get = panthor_gem_populate,
		.gfp = gfp,
	};

	return panthor_overcommit_get_from_older(&req.base, seq);
}

/**
 * panthor_overcommit_pin_briefly() - Pin an object for a short time, making room if needed
 * @bo: Object.
 * @vm: VM the object is going to be used in, NULL if it's for another device.
 * @killable: True if only being killed is a reason to give up, because the caller would
 * have to undo what it did before, and to do it again.
 *
 * See panthor_gem_pin_briefly(). Undone by panthor_gem_unpin().
 *
 * Context: Process context, with nothing locked. Sleeps, possibly for long.
 *
 * Return: What panthor_overcommit_populate() returns. -ERESTARTSYS if a signal was received
 * while waiting to be admitted.
 */
int panthor_overcommit_pin_briefly(struct panthor_gem_object *bo, struct panthor_vm *vm,
				   bool killable)
{
	return panthor_overcommit_get_bo(bo, vm, killable, panthor_gem_pin_briefly);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_pin_briefly);

/* Those who must not enter reclaim aren't kept from going over a limit when they are charged. */
static bool panthor_overcommit_may_charge(unsigned long nr_pages)
{
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	/* Whoever made it the active one has a reference to it, and it to its parents. */
	for (memcg = current->active_memcg; memcg; memcg = parent_mem_cgroup(memcg)) {
		unsigned long max = READ_ONCE(memcg->memory.max);

		max += max >> PANTHOR_OVERCOMMIT_EXTRA_SHIFT;
		if (page_counter_read(&memcg->memory) + nr_pages > max)
			return false;
	}
#endif

	return true;
}

/**
 * panthor_overcommit_pin_noreclaim() - Pin an object for a short time, if there's memory
 * @bo: Object.
 *
 * See panthor_gem_pin_briefly(). Undone by panthor_gem_unpin().
 *
 * Context: Process context, with nothing locked. The caller must not enter reclaim, see
 * memalloc_noreclaim_save().
 *
 * Return: 0 on success, -ENOMEM if there's no memory, or the cgroup that was passed to
 * set_active_memcg() has more than it should have.
 */
int panthor_overcommit_pin_noreclaim(struct panthor_gem_object *bo)
{
	if (!panthor_overcommit_may_charge(bo->base.size >> PAGE_SHIFT))
		return -ENOMEM;

	return panthor_gem_pin_briefly(bo, panthor_gem_gfp(false));
}

/**
 * panthor_overcommit_try_populate_locked() - Get the pages of an object if that's quickly done
 * @bo: Object that's not imported.
 *
 * That's the case of small objects which were never evicted, so there's nothing to be
 * read from swap, when there's plenty of memory.
 *
 * Context: Process context, with the reservation of the object held. See
 * panthor_gem_populate_locked().
 *
 * Return: true if the object has its pages, false if panthor_overcommit_populate() is the
 * way to get them.
 */
bool panthor_overcommit_try_populate_locked(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);

	dma_resv_assert_held(bo->base.resv);

	return panthor_overcommit_is_plenty(ptdev, panthor_overcommit_missing_pages(bo)) &&
	       !atomic_read(&bo->reclaimed_count) && !panthor_gem_populate_locked(bo);
}

/**
 * panthor_overcommit_init() - Initialize what's needed to overcommit memory
 * @ptdev: Device.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_overcommit_init(struct panthor_device *ptdev)
{
	init_waitqueue_head(&ptdev->overcommit.waitq);

	return drmm_mutex_init(&ptdev->base, &ptdev->overcommit.lock);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_overcommit_init);
