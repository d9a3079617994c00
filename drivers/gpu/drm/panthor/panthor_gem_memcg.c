// SPDX-License-Identifier: GPL-2.0 or MIT

/* Which memory cgroup pays for what GEM objects have. */

#include <linux/cgroup.h>
#include <linux/list_lru.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include <drm/drm_managed.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_memcg.h"
#include "panthor_kunit.h"

/**
 * DOC: Memory cgroups
 *
 * The pages of GEM objects are charged to memory cgroups as any others, so cgroups with
 * limits have to get them back:
 *
 * 1. An object counts for the cgroup its first page is charged to, as a whole. That's the
 *    one of whoever made it resident, or if it comes back from swap, the one it left,
 *    unless that was removed. It's looked up each time an object gets its pages, and
 *    stays the same as long as it has them, no matter who uses it, or where they move.
 * 2. Each cgroup has lists of its own, see &struct panthor_lruvec. When the system is
 *    short of memory, vmscan asks each cgroup for its share, in proportion to what it
 *    has. When a cgroup is, it asks that one, and those below. Those that are protected
 *    aren't asked. Inside a cgroup, the order is the one of &enum panthor_reclaim_stage.
 * 3. A VM can have objects of several cgroups, because a process made some resident
 *    before it was moved, or because they are shared. There's a list for each of them.
 * 4. Pages stay charged to a cgroup that was removed. They are found in the closest one
 *    above it that wasn't, by means of &struct list_lru.
 * 5. What a cgroup has is worth what it can put in swap, so memory.swap.max counts.
 * 6. Those who don't ask for the sake of a cgroup, as mem_reclaim in sysfs, get what
 *    there is in all of them, in the order of last activity.
 *
 * Without memory cgroups, or kernel memory accounting, everything is in the lists of the
 * root, or found there.
 */

static struct kmem_cache *panthor_lruvec_cache;

/**
 * panthor_lruvec_cache_init() - Create what's needed to allocate lists
 *
 * Return: 0 on success, -ENOMEM otherwise.
 */
int panthor_lruvec_cache_init(void)
{
	panthor_lruvec_cache = KMEM_CACHE(panthor_lruvec, SLAB_ACCOUNT);

	return panthor_lruvec_cache ? 0 : -ENOMEM;
}

/**
 * panthor_lruvec_cache_fini() - Undo panthor_lruvec_cache_init()
 */
void panthor_lruvec_cache_fini(void)
{
	kmem_cache_destroy(panthor_lruvec_cache);
}

/* Get the cgroup that pays for an object that has its pages, NULL if that's the root. */
VISIBLE_IF_KUNIT struct mem_cgroup *panthor_gem_get_memcg_locked(struct panthor_gem_object *bo)
{
	struct mem_cgroup *memcg = NULL;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_get_memcg_locked, bo);

	dma_resv_assert_held(bo->base.resv);

#ifdef CONFIG_MEMCG
	if (mem_cgroup_disabled())
		return NULL;

	/* A page has a reference to its cgroup. */
	rcu_read_lock();
	memcg = folio_memcg(page_folio(bo->backing.pages[0]));
	if (memcg && (!parent_mem_cgroup(memcg) || !css_tryget(&memcg->css)))
		memcg = NULL;
	rcu_read_unlock();
#endif

	return memcg;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_get_memcg_locked);

VISIBLE_IF_KUNIT void panthor_lruvec_put_memcg(struct mem_cgroup *memcg)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_lruvec_put_memcg, memcg);

	mem_cgroup_put(memcg);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_lruvec_put_memcg);

VISIBLE_IF_KUNIT struct mem_cgroup *panthor_memcg_set_active(struct mem_cgroup *memcg)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_memcg_set_active, memcg);

	return set_active_memcg(memcg);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_memcg_set_active);

static void panthor_lruvec_init(struct panthor_reclaim *reclaim, struct panthor_lruvec *lruvec)
{
	refcount_set(&lruvec->refs, 1);
	INIT_HLIST_NODE(&lruvec->hash_node);
	INIT_LIST_HEAD(&lruvec->memcg_node);
	INIT_LIST_HEAD(&lruvec->vms);
	drm_gem_lru_init(&lruvec->unused, &reclaim->lock);
	drm_gem_lru_init(&lruvec->mmapped, &reclaim->lock);
	drm_gem_lru_init(&lruvec->shared, &reclaim->lock);
	drm_gem_lru_init(&lruvec->written, &reclaim->lock);
}

/*
 * Those who must not enter reclaim aren't kept from going over a limit. This isn't what
 * the memory reserves are for.
 */
static void *panthor_lruvec_alloc_noreclaim(struct panthor_reclaim *reclaim, gfp_t gfp)
{
	unsigned int noreclaim = memalloc_noreclaim_save();
	void *lruvec;

	gfp = (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOMEMALLOC;
	lruvec = kmem_cache_alloc_lru(panthor_lruvec_cache, &reclaim->memcgs, gfp);
	memalloc_noreclaim_restore(noreclaim);

	return lruvec;
}

/* The cgroup it's charged to is the one it's listed for, and the one it's about. */
static struct panthor_lruvec *panthor_lruvec_alloc(struct panthor_reclaim *reclaim,
						   struct mem_cgroup *memcg)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ZERO;
	struct mem_cgroup *old = panthor_memcg_set_active(memcg);
	struct panthor_lruvec *lruvec = NULL;

	if (!(current->flags & PF_MEMALLOC))
		lruvec = kmem_cache_alloc_lru(panthor_lruvec_cache, &reclaim->memcgs, gfp);

	/* A cgroup at its limit is the last one that should lose track of what it has. */
	if (!lruvec)
		lruvec = panthor_lruvec_alloc_noreclaim(reclaim, gfp);
	panthor_memcg_set_active(old);
	if (lruvec)
		panthor_lruvec_init(reclaim, lruvec);

	return lruvec;
}

static struct panthor_lruvec *panthor_lruvec_find_locked(struct panthor_reclaim *reclaim,
							 struct mem_cgroup *memcg)
{
	struct panthor_lruvec *lruvec;

	lockdep_assert_held(&reclaim->lock);

	if (!memcg)
		return &reclaim->root;

	hash_for_each_possible(reclaim->lruvec_hash, lruvec, hash_node, (unsigned long)memcg) {
		if (lruvec->memcg == memcg)
			return lruvec;
	}

	return NULL;
}

/* Takes over the references to the lists, and to the cgroup. */
static struct panthor_lruvec *panthor_lruvec_add_locked(struct panthor_reclaim *reclaim,
							struct panthor_lruvec *lruvec,
							struct mem_cgroup *memcg)
{
	lockdep_assert_held(&reclaim->lock);

	lruvec->memcg = memcg;
	lruvec->id = ++reclaim->last_lruvec;
	hash_add(reclaim->lruvec_hash, &lruvec->hash_node, (unsigned long)memcg);
	list_add_tail(&lruvec->node, &reclaim->lruvecs);

	return lruvec;
}

static void panthor_lruvec_put_locked(struct panthor_reclaim *reclaim,
				      struct panthor_lruvec *lruvec)
{
	lockdep_assert_held(&reclaim->lock);

	if (!refcount_dec_and_test(&lruvec->refs))
		return;

	/* Objects have a reference for as long as they are listed. */
	WARN_ON(!list_empty(&lruvec->written.list));

	hash_del(&lruvec->hash_node);
	list_del(&lruvec->node);

	/* From here on, nobody finds it. Until then, they find that it's too late. */
	if (!list_empty(&lruvec->memcg_node))
		list_lru_del_obj(&reclaim->memcgs, &lruvec->memcg_node);

	panthor_lruvec_put_memcg(lruvec->memcg);
	kmem_cache_free(panthor_lruvec_cache, lruvec);
}

/**
 * panthor_lruvec_put() - Drop a reference to the lists of a cgroup
 * @reclaim: Reclaim related fields of the device.
 * @lruvec: Lists.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_lruvec_put(struct panthor_reclaim *reclaim, struct panthor_lruvec *lruvec)
{
	mutex_lock(&reclaim->lock);
	panthor_lruvec_put_locked(reclaim, lruvec);
	mutex_unlock(&reclaim->lock);
}

/**
 * panthor_lruvec_next() - Go through all cgroups that have something on the device
 * @reclaim: Reclaim related fields of the device.
 * @prev: What the last call returned, NULL for the first one. The reference to it is
 * dropped.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 *
 * Return: Lists of a cgroup, with a reference the caller has to drop unless it goes on.
 * NULL if there are no more.
 */
struct panthor_lruvec *panthor_lruvec_next(struct panthor_reclaim *reclaim,
					   struct panthor_lruvec *prev)
{
	struct panthor_lruvec *next;

	mutex_lock(&reclaim->lock);
	next = list_prepare_entry(prev, &reclaim->lruvecs, node);
	next = list_next_entry(next, node);
	if (list_entry_is_head(next, &reclaim->lruvecs, node))
		next = NULL;
	else
		refcount_inc(&next->refs);

	if (prev)
		panthor_lruvec_put_locked(reclaim, prev);
	mutex_unlock(&reclaim->lock);

	return next;
}

/**
 * panthor_lruvec_list_locked() - Let reclaim find the lists of a cgroup
 * @reclaim: Reclaim related fields of the device.
 * @lruvec: Lists that just got an object, which must be counted by now.
 *
 * Sets the bit without which the shrinker isn't called for a cgroup. That isn't done
 * before, because the bit is lost if the shrinker isn't registered yet, which might be
 * the case when the firmware gets its memory.
 *
 * Context: The list lock must be held.
 */
void panthor_lruvec_list_locked(struct panthor_reclaim *reclaim, struct panthor_lruvec *lruvec)
{
	lockdep_assert_held(&reclaim->lock);

	if (list_empty(&lruvec->memcg_node) && reclaim->shrinker)
		list_lru_add_obj(&reclaim->memcgs, &lruvec->memcg_node);
}

/* Called with the lock of the list held. */
static enum lru_status panthor_lruvec_get_first(struct list_head *item,
						struct list_lru_one *list, spinlock_t *lock,
						void *arg)
{
	struct panthor_lruvec **lruvec = arg;

	*lruvec = container_of(item, struct panthor_lruvec, memcg_node);
	if (!refcount_inc_not_zero(&(*lruvec)->refs))
		*lruvec = NULL;

	return LRU_ROTATE;
}

/**
 * panthor_lruvec_get_next_of() - Get one of the lists a cgroup is responsible for
 * @reclaim: Reclaim related fields of the device.
 * @sc: What the shrinker was called with.
 *
 * There's more than one if it inherited some. They are returned in turn.
 *
 * Context: Process context, including reclaim.
 *
 * Return: Lists with a reference, NULL if there are none, or those whose turn it was are
 * going away.
 */
struct panthor_lruvec *panthor_lruvec_get_next_of(struct panthor_reclaim *reclaim,
						  struct shrink_control *sc)
{
	struct panthor_lruvec *lruvec = NULL;
	unsigned long nr_to_walk = 1;

	list_lru_walk_one(&reclaim->memcgs, sc->nid, sc->memcg, panthor_lruvec_get_first,
			  &lruvec, &nr_to_walk);

	return lruvec;
}

static enum lru_status panthor_lruvec_count_one(struct list_head *item,
						struct list_lru_one *list, spinlock_t *lock,
						void *arg)
{
	struct panthor_lruvec *lruvec = container_of(item, struct panthor_lruvec, memcg_node);
	struct panthor_lruvec_pages *pages = arg;

	pages->reclaimable += max(READ_ONCE(lruvec->nr_pages), 0L);
	pages->written += max(READ_ONCE(lruvec->written.count), 0L);
	pages->inherited |= lruvec->id;

	return LRU_SKIP;
}

/**
 * panthor_lruvec_count_pages() - Tell what a cgroup is responsible for
 * @reclaim: Reclaim related fields of the device.
 * @sc: What the shrinker was called with.
 * @pages: Filled with what was found.
 *
 * Context: Any. Takes time in proportion to the number of cgroups below this one that
 * were removed, and still have something.
 */
void panthor_lruvec_count_pages(struct panthor_reclaim *reclaim, struct shrink_control *sc,
				struct panthor_lruvec_pages *pages)
{
	unsigned long nr_to_walk = ULONG_MAX;

	memset(pages, 0, sizeof(*pages));
	list_lru_walk_one(&reclaim->memcgs, sc->nid, sc->memcg, panthor_lruvec_count_one, pages,
			  &nr_to_walk);
}

/**
 * panthor_lruvec_is_in() - Check if something belongs to a cgroup, or one below it
 * @lruvec: Lists the caller has a reference to.
 * @memcg: Memory cgroup. NULL if any will do.
 *
 * Context: Any.
 *
 * Return: true if it does.
 */
bool panthor_lruvec_is_in(struct panthor_lruvec *lruvec, struct mem_cgroup *memcg)
{
	if (!memcg)
		return true;

#ifdef CONFIG_MEMCG
	return lruvec->memcg && mem_cgroup_is_descendant(lruvec->memcg, memcg);
#else
	return false;
#endif
}

/**
 * panthor_lruvec_path() - Get the path of a cgroup
 * @lruvec: Lists the caller has a reference to.
 * @buf: Filled with the path.
 * @len: Size of the buffer.
 *
 * Context: Any.
 */
void panthor_lruvec_path(struct panthor_lruvec *lruvec, char *buf, size_t len)
{
	strscpy(buf, "/", len);
#ifdef CONFIG_MEMCG
	if (lruvec->memcg)
		cgroup_path(lruvec->memcg->css.cgroup, buf, len);
#endif
}

static void panthor_gem_change_lruvec_locked(struct panthor_reclaim *reclaim,
					     struct panthor_gem_object *bo,
					     struct panthor_lruvec *lruvec)
{
	struct panthor_lruvec *old = bo->lruvec;

	lockdep_assert_held(&reclaim->lock);

	/* The object just got its pages, so it can only be in the list of written ones. */
	if (bo->base.lru)
		drm_gem_lru_remove_locked(&bo->base);

	bo->lruvec = lruvec;
	if (old)
		panthor_lruvec_put_locked(reclaim, old);
}

/**
 * panthor_gem_set_lruvec_locked() - Find out who pays for the pages of an object
 * @bo: Object that just got its pages, and isn't listed yet.
 *
 * If what's needed to keep track of a cgroup can't be allocated, which is little compared
 * to the pages, the object counts for the root until it gets pages again.
 *
 * Context: Process context, with the reservation of the object held. See
 * panthor_gem_populate_locked().
 */
void panthor_gem_set_lruvec_locked(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);
	struct mem_cgroup *memcg = panthor_gem_get_memcg_locked(bo);
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	struct panthor_lruvec *lruvec, *spare = NULL;

	/* That's almost always the case of those who come back. */
	if (bo->lruvec && bo->lruvec->memcg == memcg)
		goto out_put_memcg;

	mutex_lock(&reclaim->lock);
	lruvec = panthor_lruvec_find_locked(reclaim, memcg);
	if (!lruvec) {
		mutex_unlock(&reclaim->lock);
		spare = panthor_lruvec_alloc(reclaim, memcg);
		mutex_lock(&reclaim->lock);
		lruvec = panthor_lruvec_find_locked(reclaim, memcg);
	}

	if (!lruvec && spare) {
		lruvec = panthor_lruvec_add_locked(reclaim, spare, memcg);
		spare = NULL;
		memcg = NULL;
	} else {
		lruvec = lruvec ?: &reclaim->root;
		refcount_inc(&lruvec->refs);
	}
	panthor_gem_change_lruvec_locked(reclaim, bo, lruvec);
	mutex_unlock(&reclaim->lock);

	if (spare)
		kmem_cache_free(panthor_lruvec_cache, spare);

out_put_memcg:
	panthor_lruvec_put_memcg(memcg);
}

/**
 * panthor_gem_forget_lruvec() - Stop counting an object for anyone
 * @bo: Object whose last reference is gone, and that's in no list any more.
 *
 * Context: Process context, including reclaim. Takes the list lock.
 */
void panthor_gem_forget_lruvec(struct panthor_gem_object *bo)
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);

	if (!bo->lruvec)
		return;

	panthor_lruvec_put(&ptdev->reclaim, bo->lruvec);
	bo->lruvec = NULL;
}

static void panthor_lruvecs_fini(struct drm_device *ddev, void *arg)
{
	struct panthor_reclaim *reclaim = arg;

	drm_WARN_ON(ddev, !list_is_singular(&reclaim->lruvecs));
	list_lru_del(&reclaim->memcgs, &reclaim->root.memcg_node, 0, NULL);
	list_lru_destroy(&reclaim->memcgs);
}

/**
 * panthor_lruvecs_init() - Prepare for objects to be counted
 * @ptdev: Device whose shrinker was allocated.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_lruvecs_init(struct panthor_device *ptdev)
{
	struct panthor_reclaim *reclaim = &ptdev->reclaim;
	int ret;

	ret = list_lru_init_memcg(&reclaim->memcgs, reclaim->shrinker);
	if (ret)
		return ret;

	INIT_LIST_HEAD(&reclaim->lruvecs);
	hash_init(reclaim->lruvec_hash);
	panthor_lruvec_init(reclaim, &reclaim->root);
	list_add_tail(&reclaim->root.node, &reclaim->lruvecs);
	list_lru_add(&reclaim->memcgs, &reclaim->root.memcg_node, 0, NULL);

	return drmm_add_action_or_reset(&ptdev->base, panthor_lruvecs_fini, reclaim);
}
