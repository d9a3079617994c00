/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_LRU_H__
#define __PANTHOR_GEM_LRU_H__

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/list_lru.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/shrinker.h>
#include <linux/types.h>

#include <drm/drm_gem.h>

struct mem_cgroup;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;
struct task_struct;

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
} __packed;

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

	/** @PANTHOR_RECLAIM_SKIP_RECENT: New, or used by the GPU, since it was looked at. */
	PANTHOR_RECLAIM_SKIP_RECENT,

	/** @PANTHOR_RECLAIM_SKIP_COUNT: Number of reasons. */
	PANTHOR_RECLAIM_SKIP_COUNT,
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
 * struct panthor_second_chance - What was passed over, instead of being evicted
 *
 * Read, and changed, without a lock: whoever gets it wrong passes over some pages twice.
 */
struct panthor_second_chance {
	/** @jobs: &panthor_vm_reclaim.jobs at that time. If that's old, it was in use since. */
	u32 jobs;

	/** @passed: Number of pages that were passed over. */
	unsigned long passed;
};

/**
 * struct panthor_vm_lru - What a VM has that one memory cgroup pays for
 *
 * Protected by panthor_reclaim::lock.
 */
struct panthor_vm_lru {
	/** @lru: Objects of @lruvec that are GPU-mapped in this VM only. */
	struct drm_gem_lru lru;

	/** @vm_reclaim: Reclaim related fields of the VM. */
	struct panthor_vm_reclaim *vm_reclaim;

	/** @vm_node: Used to insert this in panthor_vm_reclaim::lrus. Never removed. */
	struct list_head vm_node;

	/** @lruvec: Who pays, NULL if @lru is empty. */
	struct panthor_lruvec *lruvec;

	/** @node: Used to insert this in panthor_reclaim::vms, unless @lru is empty. */
	struct list_head node;

	/** @lruvec_node: The same for panthor_lruvec::vms. */
	struct list_head lruvec_node;

	/** @seq: When this was inserted in, or moved to the tail of both lists. */
	u64 seq;

	/** @unswappable: Same as &panthor_gem_object.unswappable, for what's in @lru. */
	u32 unswappable;

	/** @chance: Second chance of what's in @lru. */
	struct panthor_second_chance chance;
};

/**
 * struct panthor_vm_reclaim - Reclaim related fields of a VM
 */
struct panthor_vm_reclaim {
	/** @lru: The first of @lrus, enough for those who never change their cgroup. */
	struct panthor_vm_lru lru;

	/**
	 * @lrus: Objects that are GPU-mapped in this VM only, by memory cgroup.
	 *
	 * Only grows, so it can be walked without the lock.
	 */
	struct list_head lrus;

	/**
	 * @nr_pages: Number of pages in @lrus.
	 *
	 * Can be read without the lock.
	 */
	unsigned long nr_pages;

	/** @seq: &panthor_vm_lru.seq of the one that moved last. */
	u64 seq;

	/**
	 * @jobs: Number that's another one after a job was submitted, or done. Read, and
	 * changed, without a lock.
	 */
	u32 jobs;
};

/**
 * struct panthor_lruvec - What a memory cgroup pays for
 *
 * Exists as long as there's an object whose pages were charged to the cgroup the last
 * time it got some. Protected by panthor_reclaim::lock.
 */
struct panthor_lruvec {
	/** @memcg: Memory cgroup we have a reference to, NULL if that's the root. */
	struct mem_cgroup *memcg;

	/** @id: Increasing number, 0 for the root. */
	u64 id;

	/**
	 * @refs: Number of objects, and of those who look at this.
	 *
	 * Dropped with the lock held. The root is never released.
	 */
	refcount_t refs;

	/** @hash_node: Used to insert this in panthor_reclaim::lruvec_hash. */
	struct hlist_node hash_node;

	/** @node: Used to insert this in panthor_reclaim::lruvecs. */
	struct list_head node;

	/**
	 * @memcg_node: Used to insert this in panthor_reclaim::memcgs.
	 *
	 * That's done when the first object is listed.
	 */
	struct list_head memcg_node;

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
	 * @nr_pages: Number of pages in all lists but the last one.
	 *
	 * Can be read without the lock.
	 */
	long nr_pages;

	/** @last_wait: Sequence number of the last VM kswapd was waiting for. */
	u64 last_wait;
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

	/** @root: What the root memory cgroup pays for, or nobody in particular. */
	struct panthor_lruvec root;

	/** @lruvecs: All &struct panthor_lruvec, in the order of their IDs. */
	struct list_head lruvecs;

	/** @lruvec_hash: The same by cgroup, except for the root. */
	DECLARE_HASHTABLE(lruvec_hash, 6);

	/** @last_lruvec: Last ID attributed to one of them. */
	u64 last_lruvec;

	/**
	 * @memcgs: Those that had something to reclaim, by the cgroup that's responsible.
	 *
	 * That's the closest one that wasn't removed.
	 */
	struct list_lru memcgs;

	/** @vms: All &struct panthor_vm_lru that aren't empty, in order of last activity. */
	struct list_head vms;

	/** @seq: Last sequence number attributed to a VM. */
	u64 seq;

	/**
	 * @nr_pages: Number of pages there are to reclaim.
	 *
	 * Can be read without the lock.
	 */
	long nr_pages;

	/**
	 * @evictors: Number of those who are evicting something.
	 *
	 * Includes those who are about to find out that they can't. See
	 * panthor_gem_evict_enter().
	 */
	atomic_t evictors;

	/** @evict_seq: Number of times one of them was done, and had evicted something. */
	atomic_t evict_seq;

	/** @backed: Number of pages of all GEM objects, reclaimable or not. */
	atomic_long_t backed;

	/**
	 * @older_task: Task that only takes memory from VMs that are older than
	 * @older_than, whatever it takes it for. NULL if there's none.
	 */
	struct task_struct *older_task;

	/** @older_than: &panthor_vm_reclaim.seq of a VM. Nobody else looks at it. */
	u64 older_than;

	/** @swap_stalled: True if waiting for what's being written was in vain, last time. */
	bool swap_stalled;

	/** @shrinker: Shrinker, NULL once the device is unplugged. */
	struct shrinker *shrinker;

	/** @stats: What happened so far. */
	struct panthor_reclaim_stats stats;

	/** @last_shrink: Number of pages reclaimed by the last write to debugfs. */
	unsigned long last_shrink;
};

enum panthor_gem_reclaim_state panthor_gem_lru_eval_state_locked(struct panthor_gem_object *bo,
								 struct panthor_vm **vm);
void panthor_gem_lru_set_state(struct panthor_gem_object *bo,
			       enum panthor_gem_reclaim_state state, struct panthor_vm *vm);
void panthor_gem_lru_update_locked(struct panthor_gem_object *bo);
void panthor_gem_lru_update(struct panthor_gem_object *bo);
void panthor_gem_lru_forget(struct panthor_gem_object *bo);
u32 panthor_gem_lru_vm_jobs(struct panthor_vm *vm);
unsigned long panthor_gem_lru_pass_over(struct panthor_second_chance *chance, u32 jobs,
					unsigned long total, unsigned long nr_pages);
bool panthor_gem_lru_pass_over_shared_locked(struct panthor_gem_object *bo);
void panthor_gem_lru_skip_pages(struct panthor_device *ptdev, enum panthor_reclaim_skip reason,
				unsigned long nr_pages);
void panthor_gem_lru_skip(struct panthor_gem_object *bo, enum panthor_reclaim_skip reason);
void panthor_gem_lru_account_evict_locked(struct panthor_gem_object *bo);
void panthor_gem_lru_account_restore_locked(struct panthor_gem_object *bo);
void panthor_gem_lru_set_written(struct panthor_gem_object *bo);
void panthor_gem_lru_clear_written(struct panthor_gem_object *bo);
void panthor_gem_lru_skip_vm(struct panthor_device *ptdev, struct panthor_vm_lru *vm_lru,
			     enum panthor_reclaim_skip reason);
unsigned long panthor_gem_lru_vm_pages(struct panthor_vm *vm);
bool panthor_gem_lru_vm_has_bo(struct panthor_vm_reclaim *vm_reclaim,
			       struct panthor_gem_object *bo);
struct panthor_lruvec *panthor_gem_lru_get_lruvec(struct panthor_reclaim *reclaim,
						  struct panthor_vm_lru *vm_lru);
void panthor_gem_lru_touch_vm(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);
void panthor_gem_lru_init_vm(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);
void panthor_gem_lru_fini_vm(struct panthor_device *ptdev, struct panthor_vm_reclaim *reclaim);
int panthor_gem_lru_init(struct panthor_device *ptdev);

#endif
