/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_GEM_MEMCG_H__
#define __PANTHOR_GEM_MEMCG_H__

#include <linux/types.h>

struct mem_cgroup;
struct panthor_device;
struct panthor_gem_object;
struct panthor_lruvec;
struct panthor_reclaim;
struct shrink_control;

/**
 * struct panthor_lruvec_pages - What a cgroup is responsible for
 */
struct panthor_lruvec_pages {
	/** @reclaimable: Number of pages that could be evicted. */
	unsigned long reclaimable;

	/** @written: Number of pages that were evicted, and are being written. */
	unsigned long written;

	/** @inherited: Not 0 if there might be more soon without a bit being set for it. */
	u64 inherited;
};

int panthor_lruvec_cache_init(void);
void panthor_lruvec_cache_fini(void);

int panthor_lruvecs_init(struct panthor_device *ptdev);
struct panthor_lruvec *panthor_lruvec_next(struct panthor_reclaim *reclaim,
					   struct panthor_lruvec *prev);
struct panthor_lruvec *panthor_lruvec_get_next_of(struct panthor_reclaim *reclaim,
						  struct shrink_control *sc);
void panthor_lruvec_put(struct panthor_reclaim *reclaim, struct panthor_lruvec *lruvec);
void panthor_lruvec_list_locked(struct panthor_reclaim *reclaim, struct panthor_lruvec *lruvec);
void panthor_lruvec_count_pages(struct panthor_reclaim *reclaim, struct shrink_control *sc,
				struct panthor_lruvec_pages *pages);
bool panthor_lruvec_is_in(struct panthor_lruvec *lruvec, struct mem_cgroup *memcg);
void panthor_lruvec_path(struct panthor_lruvec *lruvec, char *buf, size_t len);

void panthor_gem_set_lruvec_locked(struct panthor_gem_object *bo);
void panthor_gem_forget_lruvec(struct panthor_gem_object *bo);

#endif
