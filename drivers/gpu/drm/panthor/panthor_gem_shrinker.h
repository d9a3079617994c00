/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_SHRINKER_H__
#define __PANTHOR_GEM_SHRINKER_H__

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>
#include <linux/types.h>

#include <drm/drm_gem.h>

#include "panthor_gem_room.h"

struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;

/**
 * enum panthor_gem_reclaim_state - Reclaim state of a GEM object
 *
 * Ordered by the effort it takes to reclaim the memory of an object, and to
 * bring it back.
 */
enum panthor_gem_reclaim_state {
	/** @PANTHOR_GEM_UNUSED: Has pages that nobody can access. */
	PANTHOR_GEM_UNUSED,

	/** @PANTHOR_GEM_MMAPPED: Only mapped by CPUs. */
	PANTHOR_GEM_MMAPPED,

	/** @PANTHOR_GEM_GPU_MAPPED_VM: GPU-mapped in one VM. */
	PANTHOR_GEM_GPU_MAPPED_VM,

	/** @PANTHOR_GEM_GPU_MAPPED_SHARED: GPU-mapped in several VMs. */
	PANTHOR_GEM_GPU_MAPPED_SHARED,

	/** @PANTHOR_GEM_UNRECLAIMABLE: Has no pages, or pages that are pinned. In no list. */
	PANTHOR_GEM_UNRECLAIMABLE,
};

/**
 * enum panthor_reclaim_skip - Reasons for not reclaiming something
 */
enum panthor_reclaim_skip {
	/** @PANTHOR_RECLAIM_SKIP_PINNED: Pinned since it was listed. */
	PANTHOR_RECLAIM_SKIP_PINNED,

	/** @PANTHOR_RECLAIM_SKIP_ACTIVE: The GPU isn't done with it. */
	PANTHOR_RECLAIM_SKIP_ACTIVE,

	/** @PANTHOR_RECLAIM_SKIP_CONTENDED: Someone else is using it. */
	PANTHOR_RECLAIM_SKIP_CONTENDED,

	/** @PANTHOR_RECLAIM_SKIP_NO_SWAP: There's no room in swap. */
	PANTHOR_RECLAIM_SKIP_NO_SWAP,

	/** @PANTHOR_RECLAIM_SKIP_VM: Its GPU mappings couldn't be removed. */
	PANTHOR_RECLAIM_SKIP_VM,

	/** @PANTHOR_RECLAIM_SKIP_COUNT: Number of reasons. */
	PANTHOR_RECLAIM_SKIP_COUNT,
};

/**
 * enum panthor_reclaim_stage - Stages of a scan, from cheap to dear
 */
enum panthor_reclaim_stage {
	/** @PANTHOR_RECLAIM_STAGE_WRITTEN: What was written since it was evicted. */
	PANTHOR_RECLAIM_STAGE_WRITTEN,

	/** @PANTHOR_RECLAIM_STAGE_UNUSED: Unused objects. */
	PANTHOR_RECLAIM_STAGE_UNUSED,

	/** @PANTHOR_RECLAIM_STAGE_MMAPPED: Objects that are only CPU mapped. */
	PANTHOR_RECLAIM_STAGE_MMAPPED,

	/** @PANTHOR_RECLAIM_STAGE_VMS: Objects of VMs that are idle. */
	PANTHOR_RECLAIM_STAGE_VMS,

	/** @PANTHOR_RECLAIM_STAGE_SHARED: Objects mapped in several VMs. */
	PANTHOR_RECLAIM_STAGE_SHARED,

	/** @PANTHOR_RECLAIM_STAGE_AFTER_OTHERS: What others were evicting objects of. */
	PANTHOR_RECLAIM_STAGE_AFTER_OTHERS,

	/** @PANTHOR_RECLAIM_STAGE_BUSY_VMS: Objects of VMs we have to wait for. */
	PANTHOR_RECLAIM_STAGE_BUSY_VMS,

	/** @PANTHOR_RECLAIM_STAGE_COUNT: Number of stages. */
	PANTHOR_RECLAIM_STAGE_COUNT,
};

/**
 * struct panthor_reclaim_stats - What happened since the device was probed
 *
 * Each counter is exact, but nothing prevents one of them from changing while
 * another one is being looked at.
 */
struct panthor_reclaim_stats {
	/** @evictions: Number of times an object was evicted. */
	atomic_long_t evictions;

	/** @evicted_pages: Number of pages that were given back. */
	atomic_long_t evicted_pages;

	/** @restores: Number of times an evicted object got memory again. */
	atomic_long_t restores;

	/** @restored_pages: Number of pages that were brought back. */
	atomic_long_t restored_pages;

	/** @waits: Number of times we waited for a VM to become idle, or for others. */
	atomic_long_t waits;

	/** @skips: Number of times something was skipped, by reason. */
	atomic_long_t skips[PANTHOR_RECLAIM_SKIP_COUNT];
};

/**
 * struct panthor_vm_reclaim - Reclaim related fields of a VM
 */
struct panthor_vm_reclaim {
	/** @lru: Objects that are GPU-mapped in this VM only. */
	struct drm_gem_lru lru;

	/**
	 * @node: Used to insert the VM in panthor_reclaim::vms.
	 *
	 * Only VMs whose @lru is not empty are inserted.
	 */
	struct list_head node;

	/** @seq: When the VM was inserted in, or moved to the tail of the list. */
	u64 seq;

	/** @unswappable: Same as &panthor_gem_object.unswappable, for what's in @lru. */
	unsigned long unswappable;
};

/**
 * struct panthor_reclaim - Reclaim related fields of a device
 */
struct panthor_reclaim {
	/**
	 * @lock: Lock protecting the lists.
	 *
	 * Taken in reclaim, nothing must be allocated with this lock held.
	 */
	struct mutex lock;

	/** @unused: Objects in the PANTHOR_GEM_UNUSED state. */
	struct drm_gem_lru unused;

	/** @mmapped: Objects in the PANTHOR_GEM_MMAPPED state. */
	struct drm_gem_lru mmapped;

	/**
	 * @vms: VMs with objects in the PANTHOR_GEM_GPU_MAPPED_VM state, in
	 * order of last activity.
	 *
	 * GPU jobs are attached to VMs, not to objects, so that's the finest
	 * information we have. This spares moving each object of a VM at
	 * submission, too.
	 */
	struct list_head vms;

	/** @seq: Last sequence number attributed to a VM. */
	u64 seq;

	/** @last_wait: Sequence number of the last VM kswapd was waiting for. */
	u64 last_wait;

	/** @shared: Objects in the PANTHOR_GEM_GPU_MAPPED_SHARED state. */
	struct drm_gem_lru shared;

	/**
	 * @written: Evicted objects of which some pages were still being written.
	 *
	 * Their state is PANTHOR_GEM_UNRECLAIMABLE. Those that get pages go to another
	 * list, or to none if they are pinned. Changed without the reservation of the
	 * object, so there might be some that just got pages.
	 */
	struct drm_gem_lru written;

	/**
	 * @nr_pages: Number of pages in all lists.
	 *
	 * Can be read without the lock.
	 */
	long nr_pages;

	/**
	 * @evictors: Number of those who are evicting something.
	 *
	 * Includes those who are about to find out that they can't. See
	 * panthor_reclaim_enter().
	 */
	atomic_t evictors;

	/** @evict_seq: Number of times one of them was done, and had evicted something. */
	atomic_t evict_seq;

	/** @room: Who's allowed to take memory from others. */
	struct panthor_room room;

	/** @shrinker: Shrinker, NULL until the device is ready for it. */
	struct shrinker *shrinker;

	/** @stats: What happened so far. */
	struct panthor_reclaim_stats stats;

	/** @last_shrink: Number of pages reclaimed by the last write to debugfs. */
	unsigned long last_shrink;
};

int panthor_gem_reclaim_init(struct panthor_device *ptdev);
int panthor_gem_shrinker_init(struct panthor_device *ptdev);
void panthor_gem_shrinker_unplug(struct panthor_device *ptdev);
unsigned long panthor_reclaim_swap_room(void);
void panthor_reclaim_enter(struct panthor_device *ptdev);
void panthor_reclaim_leave(struct panthor_device *ptdev, bool evicted);
bool panthor_gem_evict_locked(struct panthor_gem_object *bo);
unsigned long panthor_gem_write_evicted(struct panthor_gem_object *bo, unsigned long *writing);
unsigned long panthor_vm_reclaimable_pages(struct panthor_vm *vm);
int panthor_vm_wait_reclaimable(struct panthor_device *ptdev, struct panthor_vm *vm);
unsigned long panthor_vm_evict(struct panthor_device *ptdev, struct panthor_vm *vm,
			       unsigned long nr_pages);
unsigned long panthor_reclaim_others(struct panthor_device *ptdev, struct dma_resv *resv,
				     struct mem_cgroup *memcg, unsigned long nr_pages, bool *busy);
unsigned long panthor_reclaim_own(struct panthor_device *ptdev, struct dma_resv *resv,
				  unsigned long nr_pages, bool *busy);
unsigned long panthor_gem_shrink(struct panthor_device *ptdev, unsigned long nr_pages, gfp_t gfp);
void panthor_vm_reclaim_init(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);
void panthor_vm_reclaim_fini(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);
void panthor_vm_reclaim_touch(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);

void panthor_gem_update_reclaim_state(struct panthor_gem_object *bo);
void panthor_gem_update_reclaim_state_locked(struct panthor_gem_object *bo);
void panthor_gem_account_restore_locked(struct panthor_gem_object *bo);
void panthor_gem_forget_reclaim_state(struct panthor_gem_object *bo);

#endif
