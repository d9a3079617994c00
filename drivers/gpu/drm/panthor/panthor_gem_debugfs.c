// SPDX-License-Identifier: GPL-2.0 or MIT

/* debugfs files about GEM objects, and their reclaim. */

#include <linux/debugfs.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_memcg.h"
#include "panthor_gem_debugfs.h"
#include "panthor_gem_shrinker.h"
#include "panthor_kunit.h"
#include "panthor_mmu.h"

/* These are part of the format of the gems file, don't change them. */
#define PANTHOR_GEM_STATE_IMPORTED	BIT(0)
#define PANTHOR_GEM_STATE_EXPORTED	BIT(1)
#define PANTHOR_GEM_STATE_EVICTED	BIT(2)

#define PANTHOR_GEM_USAGE_KERNEL	BIT(0)
#define PANTHOR_GEM_USAGE_FW_MAPPED	BIT(1)

/**
 * struct panthor_gem_totals - Totals over all GEM objects
 */
struct panthor_gem_totals {
	/** @size: Size of the objects, in bytes. */
	u64 size;

	/** @resident: Size of those that have memory, in bytes. */
	u64 resident;

	/** @reclaimable: Size of those whose memory can be reclaimed, in bytes. */
	u64 reclaimable;
};

static u32 panthor_gem_debugfs_state(struct panthor_gem_object *bo, bool resident)
{
	u32 state = 0;

	if (panthor_gem_is_imported(bo))
		state |= PANTHOR_GEM_STATE_IMPORTED;
	else if (READ_ONCE(bo->base.dma_buf))
		state |= PANTHOR_GEM_STATE_EXPORTED;

	if (!resident && panthor_gem_was_reclaimed(bo))
		state |= PANTHOR_GEM_STATE_EVICTED;

	return state;
}

static void panthor_gem_debugfs_show_legend(struct seq_file *m)
{
	seq_printf(m, "GEM state flags: imported (0x%lx), exported (0x%lx), evicted (0x%lx)\n",
		   PANTHOR_GEM_STATE_IMPORTED, PANTHOR_GEM_STATE_EXPORTED,
		   PANTHOR_GEM_STATE_EVICTED);
	seq_printf(m, "GEM usage flags: kernel (0x%lx), fw-mapped (0x%lx)\n",
		   PANTHOR_GEM_USAGE_KERNEL, PANTHOR_GEM_USAGE_FW_MAPPED);
	seq_printf(m, "%-32s%-16s%-11s%-11s%-16s%-16s%-19s%-11s%-11s%s\n",
		   "created-by", "global-name", "refcount", "evictions", "size",
		   "resident-size", "file-offset", "state", "usage", "label");
}

static void panthor_gem_debugfs_show_bo(struct seq_file *m, struct panthor_gem_object *bo,
					struct panthor_gem_totals *totals)
{
	bool is_resident = panthor_gem_is_resident(bo);
	size_t size = bo->base.size;
	size_t resident = is_resident ? size : 0;
	char creator[TASK_COMM_LEN + 12];

	snprintf(creator, sizeof(creator), "%s/%d", bo->debugfs.creator, bo->debugfs.tgid);
	seq_printf(m, "%-32s%-16d%-11u%-11d%-16zu%-16zu0x%-17llx0x%-9x0x%-9x%s\n",
		   creator, bo->base.name, kref_read(&bo->base.refcount),
		   atomic_read(&bo->reclaimed_count), size, resident,
		   drm_vma_node_offset_addr(&bo->base.vma_node),
		   panthor_gem_debugfs_state(bo, is_resident), bo->debugfs.usage,
		   bo->debugfs.label ?: "");

	totals->size += size;
	totals->resident += resident;
	if (READ_ONCE(bo->reclaim_state) != PANTHOR_GEM_UNRECLAIMABLE)
		totals->reclaimable += size;
}

/*
 * The values that are shown are read without the locks protecting them, so that
 * looking at them doesn't disturb. Each of them makes sense, but they might not
 * be consistent with each other.
 */
VISIBLE_IF_KUNIT int panthor_gem_debugfs_show(struct seq_file *m, void *arg)
{
	struct drm_info_node *node = m->private;
	struct panthor_device *ptdev =
		container_of(node->minor->dev, struct panthor_device, base);
	struct panthor_gem_totals totals = {};
	struct panthor_gem_object *bo;

	panthor_gem_debugfs_show_legend(m);

	/* Objects don't go away meanwhile, not even those being freed. */
	mutex_lock(&ptdev->gems.lock);
	list_for_each_entry(bo, &ptdev->gems.list, debugfs.node)
		panthor_gem_debugfs_show_bo(m, bo, &totals);
	mutex_unlock(&ptdev->gems.lock);

	seq_printf(m, "Total size: %llu, Total resident: %llu, Total reclaimable: %llu\n",
		   totals.size, totals.resident, totals.reclaimable);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_debugfs_show);

/* A VM is listed once for each cgroup it has something of. */
static bool panthor_vm_lru_is_first(struct panthor_vm_lru *vm_lru)
{
	struct panthor_vm_lru *pos;

	list_for_each_entry(pos, &vm_lru->vm_reclaim->lrus, vm_node) {
		if (pos->lruvec)
			return pos == vm_lru;
	}

	return false;
}

static void panthor_reclaim_debugfs_show_lists(struct seq_file *m,
					       struct panthor_reclaim *reclaim)
{
	unsigned long vm_pages = 0, vm_count = 0;
	long unused = 0, mmapped = 0, shared = 0;
	struct panthor_vm_lru *vm_lru;
	struct panthor_lruvec *lruvec;

	mutex_lock(&reclaim->lock);
	list_for_each_entry(vm_lru, &reclaim->vms, node) {
		vm_pages += vm_lru->lru.count;
		vm_count += panthor_vm_lru_is_first(vm_lru);
	}

	list_for_each_entry(lruvec, &reclaim->lruvecs, node) {
		unused += lruvec->unused.count;
		mmapped += lruvec->mmapped.count;
		shared += lruvec->shared.count;
	}

	seq_printf(m, "unused: %ld\n", unused);
	seq_printf(m, "mmapped: %ld\n", mmapped);
	seq_printf(m, "gpu-mapped-vm: %lu\n", vm_pages);
	seq_printf(m, "gpu-mapped-shared: %ld\n", shared);
	seq_printf(m, "reclaimable: %ld\n", reclaim->nr_pages);
	seq_printf(m, "vms: %lu\n", vm_count);
	mutex_unlock(&reclaim->lock);
}

/* One line per memory cgroup that pays for something, or did before it was evicted. */
static void panthor_reclaim_debugfs_show_cgroups(struct seq_file *m,
						 struct panthor_reclaim *reclaim)
{
	struct panthor_lruvec *lruvec = NULL;
	char *path;

	path = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!path)
		return;

	while ((lruvec = panthor_lruvec_next(reclaim, lruvec))) {
		panthor_lruvec_path(lruvec, path, PATH_MAX);
		seq_printf(m, "cgroup %s: %ld\n", path, READ_ONCE(lruvec->nr_pages));
	}

	kfree(path);
}

static const char * const panthor_reclaim_skip_names[] = {
	[PANTHOR_RECLAIM_SKIP_PINNED] = "pinned",
	[PANTHOR_RECLAIM_SKIP_ACTIVE] = "active",
	[PANTHOR_RECLAIM_SKIP_CONTENDED] = "contended",
	[PANTHOR_RECLAIM_SKIP_NO_SWAP] = "no-swap",
	[PANTHOR_RECLAIM_SKIP_VM] = "vm",
	[PANTHOR_RECLAIM_SKIP_RECENT] = "recent",
};

static_assert(ARRAY_SIZE(panthor_reclaim_skip_names) == PANTHOR_RECLAIM_SKIP_COUNT);

static void panthor_reclaim_debugfs_show_stats(struct seq_file *m,
					       struct panthor_reclaim_stats *stats)
{
	seq_printf(m, "evictions: %ld\n", atomic_long_read(&stats->evictions));
	seq_printf(m, "evicted-pages: %ld\n", atomic_long_read(&stats->evicted_pages));
	seq_printf(m, "restores: %ld\n", atomic_long_read(&stats->restores));
	seq_printf(m, "restored-pages: %ld\n", atomic_long_read(&stats->restored_pages));
	seq_printf(m, "waits: %ld\n", atomic_long_read(&stats->waits));

	for (u32 i = 0; i < PANTHOR_RECLAIM_SKIP_COUNT; i++)
		seq_printf(m, "skipped-%s: %ld\n", panthor_reclaim_skip_names[i],
			   atomic_long_read(&stats->skips[i]));
}

/*
 * One value per line: number of pages in each list, what happened so far, and the number
 * of pages each cgroup has in the lists.
 */
VISIBLE_IF_KUNIT int panthor_reclaim_debugfs_show(struct seq_file *m, void *arg)
{
	struct drm_info_node *node = m->private;
	struct panthor_device *ptdev =
		container_of(node->minor->dev, struct panthor_device, base);

	panthor_reclaim_debugfs_show_lists(m, &ptdev->reclaim);
	panthor_reclaim_debugfs_show_stats(m, &ptdev->reclaim.stats);
	panthor_reclaim_debugfs_show_cgroups(m, &ptdev->reclaim);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_reclaim_debugfs_show);

static int panthor_shrink_get(void *data, u64 *val)
{
	struct panthor_device *ptdev = data;

	*val = READ_ONCE(ptdev->reclaim.last_shrink);
	return 0;
}

/*
 * Scan in the same conditions as direct reclaim would do it, so lockdep gets to
 * see everything that's done there.
 */
static int panthor_shrink_set(void *data, u64 nr_pages)
{
	struct panthor_device *ptdev = data;
	unsigned int noreclaim;
	unsigned long freed;
	int cookie;

	if (nr_pages > ULONG_MAX >> PAGE_SHIFT)
		return -ERANGE;

	if (!drm_dev_enter(&ptdev->base, &cookie))
		return -ENODEV;

	fs_reclaim_acquire(GFP_KERNEL);
	noreclaim = memalloc_noreclaim_save();
	freed = panthor_gem_shrinker_reclaim(ptdev, nr_pages, GFP_KERNEL);
	memalloc_noreclaim_restore(noreclaim);
	fs_reclaim_release(GFP_KERNEL);

	WRITE_ONCE(ptdev->reclaim.last_shrink, freed);
	drm_dev_exit(cookie);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(panthor_shrink_fops, panthor_shrink_get, panthor_shrink_set, "%llu\n");

static struct drm_info_list panthor_gem_debugfs_list[] = {
	{ "gems", panthor_gem_debugfs_show, 0, NULL },
	{ "reclaim", panthor_reclaim_debugfs_show, 0, NULL },
};

/**
 * panthor_gem_debugfs_register() - Create the debugfs files
 * @minor: DRM minor to create them for.
 */
void panthor_gem_debugfs_register(struct drm_minor *minor)
{
	drm_debugfs_create_files(panthor_gem_debugfs_list,
				 ARRAY_SIZE(panthor_gem_debugfs_list),
				 minor->debugfs_root, minor);
	debugfs_create_file_unsafe("shrink", 0600, minor->debugfs_root,
				   container_of(minor->dev, struct panthor_device, base),
				   &panthor_shrink_fops);
}

/**
 * panthor_gem_debugfs_init() - Prepare for objects to be tracked
 * @ptdev: Device.
 */
void panthor_gem_debugfs_init(struct panthor_device *ptdev)
{
	INIT_LIST_HEAD(&ptdev->gems.list);
	mutex_init(&ptdev->gems.lock);

	/* Reclaim might drop the last reference to an object. */
	fs_reclaim_acquire(GFP_KERNEL);
	might_lock(&ptdev->gems.lock);
	fs_reclaim_release(GFP_KERNEL);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_debugfs_init);

/**
 * panthor_gem_debugfs_init_bo() - Initialize the debugfs fields of an object
 * @bo: Object.
 */
void panthor_gem_debugfs_init_bo(struct panthor_gem_object *bo)
{
	INIT_LIST_HEAD(&bo->debugfs.node);
	get_task_comm(bo->debugfs.creator, current->group_leader);
	bo->debugfs.tgid = current->tgid;
}

/**
 * panthor_gem_debugfs_add() - Show an object in debugfs
 * @bo: Object.
 */
void panthor_gem_debugfs_add(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev =
		container_of(bo->base.dev, struct panthor_device, base);

	mutex_lock(&ptdev->gems.lock);
	list_add_tail(&bo->debugfs.node, &ptdev->gems.list);
	mutex_unlock(&ptdev->gems.lock);
}

/**
 * panthor_gem_debugfs_remove() - Stop showing an object in debugfs
 * @bo: Object. Might not be shown if its creation failed half-way.
 *
 * Context: Process context, including reclaim.
 */
void panthor_gem_debugfs_remove(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev =
		container_of(bo->base.dev, struct panthor_device, base);

	mutex_lock(&ptdev->gems.lock);
	list_del(&bo->debugfs.node);
	mutex_unlock(&ptdev->gems.lock);
}

/**
 * panthor_gem_debugfs_set_kernel() - Flag an object as being used by the kernel
 * @bo: Object.
 * @vm: VM the object is mapped to.
 * @label: What it's used for. Not copied.
 */
void panthor_gem_debugfs_set_kernel(struct panthor_gem_object *bo, struct panthor_vm *vm,
				    const char *label)
{
	bo->debugfs.usage = PANTHOR_GEM_USAGE_KERNEL;
	if (panthor_vm_is_mcu(vm))
		bo->debugfs.usage |= PANTHOR_GEM_USAGE_FW_MAPPED;

	bo->debugfs.label = label;
}
