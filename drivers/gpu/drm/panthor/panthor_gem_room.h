/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_ROOM_H__
#define __PANTHOR_GEM_ROOM_H__

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct dma_resv;
struct mm_struct;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;
struct task_struct;

/**
 * struct panthor_room - Who's allowed to take memory from others
 */
struct panthor_room {
	/**
	 * @lock: Held by the one whose turn it is.
	 *
	 * Taken before any reservation.
	 */
	struct mutex lock;

	/** @backed: Number of pages of all GEM objects, reclaimable or not. */
	atomic_long_t backed;

	/**
	 * @claimed: Number of pages that are about to be allocated.
	 *
	 * Those of a claim count until all of them are allocated. What's small
	 * isn't claimed as long as there's plenty.
	 */
	atomic_long_t claimed;

	/** @needed: Part of @claimed that's for the one whose turn it is. */
	unsigned long needed;

	/** @start: When the current turn started. */
	ktime_t start;

	/** @wait_left: How long VMs can still be waited for in this turn, in jiffies. */
	unsigned long wait_left;

	/**
	 * @waiting_for: Set if VMs are being waited for, NULL otherwise.
	 *
	 * It's the reservation of the one that's being waited on behalf of. Might not
	 * exist any more when it's looked at, it's only there to be compared.
	 */
	struct dma_resv *waiting_for;

	/** @waiting_own: True if it's this VM that's being waited for, not the others. */
	bool waiting_own;

	/** @waitq: Where those who'd use these VMs are waiting. */
	wait_queue_head_t waitq;

	/** @pflags: PSI state to restore when the current turn ends. */
	unsigned long pflags;

	/** @slice_vm: VM that got its memory last. Might not exist any more. */
	struct panthor_vm *slice_vm;

	/** @slice_mm: Address space of the process that got it. Might not exist any more. */
	struct mm_struct *slice_mm;

	/** @slice_end: When the next turn of another VM can start. */
	ktime_t slice_end;

	/**
	 * @older_task: Task that only takes memory from VMs that are older than
	 * @older_than, whatever it takes it for. NULL if there's none.
	 */
	struct task_struct *older_task;

	/** @older_than: &panthor_vm_reclaim.seq of a VM. Nobody else looks at it. */
	u64 older_than;
};

/**
 * struct panthor_room_request - Something that needs memory
 */
struct panthor_room_request {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @vm: VM the memory is for, NULL in CPU faults. */
	struct panthor_vm *vm;

	/**
	 * @resv: Reservation of the VM to take from last. That of an object which
	 * isn't private to a VM means that there's none.
	 */
	struct dma_resv *resv;

	/** @insist: Set for the last attempt: others can be killed for it. */
	bool insist;

	/** @tries: Number of attempts so far, not counting the first one. */
	u32 tries;

	/** @polls: Number of times we looked if it could fit, when it couldn't. */
	u32 polls;

	/** @missing: Returns the number of pages that aren't there. Can lock things. */
	unsigned long (*missing)(struct panthor_room_request *req);

	/**
	 * @needed: Returns the number of pages that have to be there at the same time.
	 * Can lock things.
	 */
	unsigned long (*needed)(struct panthor_room_request *req);

	/**
	 * @get: Gets them. On failure, what it did get is as reclaimable as before.
	 * Shouldn't be interrupted by signals, except those that kill the task.
	 */
	int (*get)(struct panthor_room_request *req);
};

unsigned long panthor_room_shortage(struct panthor_device *ptdev, unsigned long nr_pages);
bool panthor_room_try_claim(struct panthor_device *ptdev, unsigned long nr_pages);
void panthor_room_unclaim(struct panthor_device *ptdev, unsigned long nr_pages);
int panthor_room_enter(struct panthor_device *ptdev, struct panthor_vm *vm);
unsigned long panthor_room_need(struct panthor_device *ptdev, unsigned long nr_pages);
void panthor_room_leave(struct panthor_device *ptdev, struct panthor_vm *vm);
void panthor_room_pause(struct panthor_device *ptdev, struct panthor_vm *vm);
int panthor_room_get(struct panthor_room_request *req);
u64 panthor_room_last_seq(struct panthor_room *room, u64 seq);
int panthor_room_get_from_older(struct panthor_room_request *req, u64 seq);
bool panthor_room_try_populate_locked(struct panthor_gem_object *bo);
int panthor_room_populate(struct panthor_gem_object *bo);
int panthor_room_populate_from_older(struct panthor_gem_object *bo, u64 seq, gfp_t gfp);
int panthor_room_pin_briefly(struct panthor_gem_object *bo, struct panthor_vm *vm);
int panthor_room_init(struct panthor_device *ptdev);

#endif
