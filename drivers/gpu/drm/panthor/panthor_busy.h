/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_BUSY_H__
#define __PANTHOR_BUSY_H__

#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/**
 * struct panthor_busy - How long a client made use of the GPU
 *
 * Groups can outlive the file they were created with, and so does this.
 */
struct panthor_busy {
	/** @refcount: One for the file, and one for each of its groups. */
	struct kref refcount;

	/** @lock: Protects everything below, and the fields of the groups. */
	spinlock_t lock;

	/** @groups: Number of groups that have a job on a slot. */
	u32 groups;

	/** @since: When any of this was updated. */
	ktime_t since;

	/** @ns: Time in use until then, in nanoseconds. */
	u64 ns;
};

/**
 * struct panthor_busy_group - What one group contributes
 */
struct panthor_busy_group {
	/** @busy: Client. */
	struct panthor_busy *busy;

	/** @jobs: Number of jobs the group was given, and that aren't done. */
	u32 jobs;

	/** @on_slot: True if the group has a slot. */
	bool on_slot;
};

struct panthor_busy *panthor_busy_create(void);
void panthor_busy_put(struct panthor_busy *busy);
u64 panthor_busy_ns(struct panthor_busy *busy);
void panthor_busy_group_init(struct panthor_busy_group *group, struct panthor_busy *busy);
void panthor_busy_group_fini(struct panthor_busy_group *group);
void panthor_busy_group_on_slot(struct panthor_busy_group *group, bool on_slot);
void panthor_busy_group_add_jobs(struct panthor_busy_group *group, int jobs);

#endif
