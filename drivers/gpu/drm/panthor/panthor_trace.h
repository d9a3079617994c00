/* SPDX-License-Identifier: GPL-2.0 or MIT */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM panthor

#if !defined(__PANTHOR_TRACE_H__) || defined(TRACE_HEADER_MULTI_READ)
#define __PANTHOR_TRACE_H__

#include <linux/pid.h>
#include <linux/tracepoint.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_lru.h"

#define panthor_show_reclaim_state(state) \
	__print_symbolic(state, \
		{ PANTHOR_GEM_UNUSED, "unused" }, \
		{ PANTHOR_GEM_MMAPPED, "mmapped" }, \
		{ PANTHOR_GEM_GPU_MAPPED_VM, "gpu-mapped-vm" }, \
		{ PANTHOR_GEM_GPU_MAPPED_SHARED, "gpu-mapped-shared" }, \
		{ PANTHOR_GEM_UNRECLAIMABLE, "unreclaimable" })

#define panthor_show_reclaim_skip(reason) \
	__print_symbolic(reason, \
		{ PANTHOR_RECLAIM_SKIP_PINNED, "pinned" }, \
		{ PANTHOR_RECLAIM_SKIP_ACTIVE, "active" }, \
		{ PANTHOR_RECLAIM_SKIP_CONTENDED, "contended" }, \
		{ PANTHOR_RECLAIM_SKIP_NO_SWAP, "no-swap" }, \
		{ PANTHOR_RECLAIM_SKIP_VM, "vm" }, \
		{ PANTHOR_RECLAIM_SKIP_RECENT, "recent" })

/*
 * gem_reclaim_scan - A scan is over
 * @dev: Device.
 * @nr_to_scan: Number of pages that were asked for.
 * @written: Number of pages of what was evicted before.
 * @unused: Number of pages reclaimed from unused objects.
 * @mmapped: Number of pages reclaimed from objects that were only CPU mapped.
 * @vms: Number of pages reclaimed from objects mapped in one, idle, VM.
 * @shared: Number of pages reclaimed from objects mapped in several VMs.
 * @after_others: Number of pages reclaimed after waiting for other reclaimers.
 * @busy_vms: Number of pages reclaimed from VMs we had to wait for.
 * @freed: Number of all these pages that are free.
 * @writing: Number of those that are still being written to swap.
 */
TRACE_EVENT(gem_reclaim_scan,
	TP_PROTO(struct panthor_device *ptdev, unsigned long nr_to_scan,
		 const unsigned long *pages, unsigned long writing),
	TP_ARGS(ptdev, nr_to_scan, pages, writing),
	TP_STRUCT__entry(
		__string(dev, dev_name(ptdev->base.dev))
		__field(unsigned long, nr_to_scan)
		__field(unsigned long, written)
		__field(unsigned long, unused)
		__field(unsigned long, mmapped)
		__field(unsigned long, vms)
		__field(unsigned long, shared)
		__field(unsigned long, after_others)
		__field(unsigned long, busy_vms)
		__field(unsigned long, freed)
		__field(unsigned long, writing)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->nr_to_scan = nr_to_scan;
		__entry->written = pages[PANTHOR_RECLAIM_STAGE_WRITTEN];
		__entry->unused = pages[PANTHOR_RECLAIM_STAGE_UNUSED];
		__entry->mmapped = pages[PANTHOR_RECLAIM_STAGE_MMAPPED];
		__entry->vms = pages[PANTHOR_RECLAIM_STAGE_VMS];
		__entry->shared = pages[PANTHOR_RECLAIM_STAGE_SHARED];
		__entry->after_others = pages[PANTHOR_RECLAIM_STAGE_AFTER_OTHERS];
		__entry->busy_vms = pages[PANTHOR_RECLAIM_STAGE_BUSY_VMS];
		__entry->freed = 0;
		for (u32 i = 0; i < PANTHOR_RECLAIM_STAGE_COUNT; i++)
			__entry->freed += pages[i];
		__entry->freed -= writing;
		__entry->writing = writing;
	),
	TP_printk("%s: nr_to_scan=%lu written=%lu unused=%lu mmapped=%lu vms=%lu shared=%lu after_others=%lu busy_vms=%lu freed=%lu writing=%lu",
		  __get_str(dev), __entry->nr_to_scan, __entry->written, __entry->unused,
		  __entry->mmapped, __entry->vms, __entry->shared, __entry->after_others,
		  __entry->busy_vms, __entry->freed, __entry->writing)
);

DECLARE_EVENT_CLASS(gem_reclaim_bo,
	TP_PROTO(struct panthor_gem_object *bo),
	TP_ARGS(bo),
	TP_STRUCT__entry(
		__string(dev, dev_name(bo->base.dev->dev))
		__field(const void *, bo)
		__field(size_t, nr_pages)
		__field(int, state)
		__field(int, count)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->bo = bo;
		__entry->nr_pages = bo->base.size >> PAGE_SHIFT;
		__entry->state = bo->reclaim_state;
		__entry->count = atomic_read(&bo->reclaimed_count);
	),
	TP_printk("%s: bo=%p nr_pages=%zu state=%s count=%d", __get_str(dev), __entry->bo,
		  __entry->nr_pages, panthor_show_reclaim_state(__entry->state),
		  __entry->count)
);

/*
 * gem_evict - The memory of an object is about to be given back
 * @bo: Object. Its state is the one it had before, and its count includes this
 * time.
 */
DEFINE_EVENT(gem_reclaim_bo, gem_evict,
	TP_PROTO(struct panthor_gem_object *bo),
	TP_ARGS(bo)
);

/*
 * gem_restore - An object which was evicted got memory again
 * @bo: Object. Its GPU mappings might still be missing.
 */
DEFINE_EVENT(gem_reclaim_bo, gem_restore,
	TP_PROTO(struct panthor_gem_object *bo),
	TP_ARGS(bo)
);

/*
 * gem_claim - Somebody asked for the memory of a process to come back
 * @dev: Device.
 * @pid: ID of the process, in the initial namespace.
 * @nr_pages: Number of pages that came back.
 * @ret: 0 if that was everything, a negative error code otherwise.
 */
TRACE_EVENT(gem_claim,
	TP_PROTO(struct panthor_device *ptdev, struct pid *pid, unsigned long nr_pages, int ret),
	TP_ARGS(ptdev, pid, nr_pages, ret),
	TP_STRUCT__entry(
		__string(dev, dev_name(ptdev->base.dev))
		__field(pid_t, pid)
		__field(unsigned long, nr_pages)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->pid = pid_nr(pid);
		__entry->nr_pages = nr_pages;
		__entry->ret = ret;
	),
	TP_printk("%s: pid=%d nr_pages=%lu ret=%d", __get_str(dev), __entry->pid,
		  __entry->nr_pages, __entry->ret)
);

/*
 * gem_reclaim_skip - Memory couldn't be reclaimed
 * @dev: Device.
 * @reason: What prevented it.
 * @nr_pages: Number of pages that were skipped. Those of an object, those of all
 * the objects of a VM, or those the caller was looking for if nothing could be
 * done.
 */
TRACE_EVENT(gem_reclaim_skip,
	TP_PROTO(struct panthor_device *ptdev, enum panthor_reclaim_skip reason,
		 unsigned long nr_pages),
	TP_ARGS(ptdev, reason, nr_pages),
	TP_STRUCT__entry(
		__string(dev, dev_name(ptdev->base.dev))
		__field(int, reason)
		__field(unsigned long, nr_pages)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->reason = reason;
		__entry->nr_pages = nr_pages;
	),
	TP_printk("%s: reason=%s nr_pages=%lu", __get_str(dev),
		  panthor_show_reclaim_skip(__entry->reason), __entry->nr_pages)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE panthor_trace
#include <trace/define_trace.h>
