/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_DEBUGFS_H__
#define __PANTHOR_GEM_DEBUGFS_H__

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/types.h>

struct drm_minor;
struct panthor_device;
struct panthor_gem_object;
struct panthor_vm;

#ifdef CONFIG_DEBUG_FS
/**
 * struct panthor_gem_debugfs - What's shown in debugfs about a GEM object
 */
struct panthor_gem_debugfs {
	/** @node: Used to insert the object in panthor_gems_debugfs::list. */
	struct list_head node;

	/** @creator: Name of the process which created the object. */
	char creator[TASK_COMM_LEN];

	/** @tgid: ID of the process which created the object. */
	pid_t tgid;

	/** @usage: Combination of PANTHOR_GEM_USAGE_xxx flags. */
	u32 usage;

	/** @label: What the object is used for, NULL if that's not known. */
	const char *label;
};

/**
 * struct panthor_gems_debugfs - GEM objects of a device
 */
struct panthor_gems_debugfs {
	/**
	 * @lock: Lock protecting @list.
	 *
	 * Taken in reclaim, nothing must be allocated with this lock held.
	 */
	struct mutex lock;

	/** @list: All the GEM objects of the device. */
	struct list_head list;
};

void panthor_gem_debugfs_init(struct panthor_device *ptdev);
void panthor_gem_debugfs_register(struct drm_minor *minor);
void panthor_gem_debugfs_init_bo(struct panthor_gem_object *bo);
void panthor_gem_debugfs_add(struct panthor_gem_object *bo);
void panthor_gem_debugfs_remove(struct panthor_gem_object *bo);
void panthor_gem_debugfs_set_kernel(struct panthor_gem_object *bo, struct panthor_vm *vm,
				    const char *label);
#else
static inline void panthor_gem_debugfs_init(struct panthor_device *ptdev)
{
}

static inline void panthor_gem_debugfs_init_bo(struct panthor_gem_object *bo)
{
}

static inline void panthor_gem_debugfs_add(struct panthor_gem_object *bo)
{
}

static inline void panthor_gem_debugfs_remove(struct panthor_gem_object *bo)
{
}

static inline void panthor_gem_debugfs_set_kernel(struct panthor_gem_object *bo,
						  struct panthor_vm *vm, const char *label)
{
}
#endif

#endif
