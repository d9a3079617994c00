/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_OVERCOMMIT_H__
#define __PANTHOR_OVERCOMMIT_H__

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "panthor_gem_shrinker.h"

struct dma_resv;
struct mm_struct;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;

/**
 * struct panthor_overcommit - Who's allowed to take memory from others
 */
struct panthor_overcommit {
	/**
	 * @lock: Held by the one that's admitted.
	 *
	 * Taken before any reservation.
	 */
	struct mutex lock;

	/**
	 * @claimed: Number of pages that are about to be allocated.
	 *
	 * Those of a claim count until all of them are allocated. What's small
	 * isn't claimed as long as there's plenty.
	 */
	atomic_long_t claimed;

	/** @needed: Part of @claimed that's for the one that's admitted. */
	unsigned long needed;

	/** @start: When the current one was admitted. */
	ktime_t start;

	/** @wait_left: How long VMs can still be waited for in this admission, in jiffies. */
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

	/** @pflags: PSI state to restore when the current admission ends. */
	unsigned long pflags;

	/** @time_slice_vm: VM that got its memory last. Might not exist any more. */
	struct panthor_vm *time_slice_vm;

	/** @time_slice_mm: Address space of the process that got it. Might not exist any more. */
	struct mm_struct *time_slice_mm;

	/** @time_slice_end: When another VM can be admitted. */
	ktime_t time_slice_end;
};

/**
 * struct panthor_overcommit_request - Something that needs memory
 */
struct panthor_overcommit_request {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @vm: VM the memory is for, NULL in CPU faults, and for other devices. */
	struct panthor_vm *vm;

	/**
	 * @resv: Reservation of the VM to take from last. That of an object which
	 * isn't private to a VM means that there's none.
	 */
	struct dma_resv *resv;

	/** @killable: True if waiting to be admitted only ends if the task is killed. */
	bool killable;

	/** @insist: Set for the last attempt: others can be killed for it. */
	bool insist;

	/** @tries: Number of attempts so far, not counting the first one. */
	u32 tries;

	/** @polls: Number of times we looked if it could fit, when it couldn't. */
	u32 polls;

	/** @missing: Returns the number of pages that aren't there. Can lock things. */
	unsigned long (*missing)(struct panthor_overcommit_request *req);

	/**
	 * @needed: Returns the number of pages that have to be there at the same time.
	 * Can lock things.
	 */
	unsigned long (*needed)(struct panthor_overcommit_request *req);

	/**
	 * @get: Gets them. On failure, what it did get is as reclaimable as before.
	 * Shouldn't be interrupted by signals, except those that kill the task.
	 */
	int (*get)(struct panthor_overcommit_request *req);
};

unsigned long panthor_overcommit_shortage(struct panthor_device *ptdev, unsigned long nr_pages);
bool panthor_overcommit_try_claim(struct panthor_device *ptdev, unsigned long nr_pages);
void panthor_overcommit_unclaim(struct panthor_device *ptdev, unsigned long nr_pages);
int panthor_overcommit_enter(struct panthor_device *ptdev, struct panthor_vm *vm);
unsigned long panthor_overcommit_need(struct panthor_device *ptdev, unsigned long nr_pages);
void panthor_overcommit_pause(struct panthor_device *ptdev, struct panthor_vm *vm);
void panthor_overcommit_leave(struct panthor_device *ptdev, struct panthor_vm *vm);
int panthor_overcommit_get(struct panthor_overcommit_request *req);
int panthor_overcommit_get_from_older(struct panthor_overcommit_request *req, u64 seq);
int panthor_overcommit_populate(struct panthor_gem_object *bo);
int panthor_overcommit_populate_from_older(struct panthor_gem_object *bo, u64 seq, gfp_t gfp);
int panthor_overcommit_pin_briefly(struct panthor_gem_object *bo, struct panthor_vm *vm,
				   bool killable);
int panthor_overcommit_pin_noreclaim(struct panthor_gem_object *bo);
bool panthor_overcommit_try_populate_locked(struct panthor_gem_object *bo);
int panthor_overcommit_init(struct panthor_device *ptdev);

#endif
