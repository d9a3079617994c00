/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_SHRINKER_H__
#define __PANTHOR_GEM_SHRINKER_H__

#include <linux/types.h>

#include "panthor_gem_evict.h"

struct dma_resv;
struct mem_cgroup;
struct panthor_device;

/* How long a swap device has to free something before the OOM killer is called. */
#define PANTHOR_GEM_SHRINKER_WRITE_MS	100

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

void panthor_gem_shrinker_limit(struct panthor_reclaim *reclaim, u64 seq);
void panthor_gem_shrinker_unlimit(struct panthor_reclaim *reclaim);
unsigned long panthor_gem_shrinker_reclaim_others(struct panthor_device *ptdev,
						  struct dma_resv *resv,
						  struct mem_cgroup *memcg, unsigned long nr_pages,
						  bool *busy);
unsigned long panthor_gem_shrinker_reclaim_own(struct panthor_device *ptdev, struct dma_resv *resv,
					       unsigned long nr_pages, bool *busy);
unsigned long panthor_gem_shrinker_older_pages(struct panthor_device *ptdev, u64 seq);
unsigned long panthor_gem_shrinker_reclaim(struct panthor_device *ptdev, unsigned long nr_pages,
					   gfp_t gfp);
int panthor_gem_shrinker_init(struct panthor_device *ptdev);
void panthor_gem_shrinker_unplug(struct panthor_device *ptdev);
int panthor_gem_shrinker_alloc(struct panthor_device *ptdev);

#endif
