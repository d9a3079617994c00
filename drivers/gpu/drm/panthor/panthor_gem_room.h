/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_ROOM_H__
#define __PANTHOR_GEM_ROOM_H__

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct dma_resv;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;

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

	/** @pflags: PSI state to restore when the current turn ends. */
	unsigned long pflags;

	/** @slice_vm: VM that got its memory last. Might not exist any more. */
	struct panthor_vm *slice_vm;

	/** @slice_end: When the next turn of another VM can start. */
	ktime_t slice_end;
};

unsigned long panthor_room_shortage(struct panthor_device *ptdev, unsigned long nr_pages);
bool panthor_room_try_claim(struct panthor_device *ptdev, unsigned long nr_pages);
void panthor_room_unclaim(struct panthor_device *ptdev, unsigned long nr_pages);
int panthor_room_enter(struct panthor_device *ptdev, struct panthor_vm *vm);
unsigned long panthor_room_need(struct panthor_device *ptdev, unsigned long nr_pages);
int panthor_room_make(struct panthor_device *ptdev, struct dma_resv *resv,
		      unsigned long nr_pages);
void panthor_room_leave(struct panthor_device *ptdev, struct panthor_vm *vm);
bool panthor_room_try_populate_locked(struct panthor_gem_object *bo);
int panthor_room_populate(struct panthor_gem_object *bo);
int panthor_room_pin_briefly(struct panthor_gem_object *bo, struct panthor_vm *vm);
int panthor_room_init(struct panthor_device *ptdev);

#endif
