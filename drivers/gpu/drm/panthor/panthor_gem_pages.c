// SPDX-License-Identifier: GPL-2.0 or MIT

/*
 * Backing pages of a GEM object, and the views the device and the kernel have
 * on them.
 */

#include <linux/blkdev.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_evict.h"
#include "panthor_gem_memcg.h"
#include "panthor_kunit.h"

static unsigned int panthor_gem_mark_count(const struct sg_table *sgt)
{
	return DIV_ROUND_UP(sgt->nents, PANTHOR_GEM_MARK_DISTANCE);
}

/*
 * If pages are scattered, there are as many entries as pages, and there can be a GPU
 * mapping for each of them. To go through all entries for all mappings takes forever.
 */
static struct panthor_gem_mark *panthor_gem_alloc_marks(struct sg_table *sgt)
{
	unsigned int count = panthor_gem_mark_count(sgt);
	struct panthor_gem_mark *marks, *mark;
	struct scatterlist *sgl;
	unsigned int i;
	u64 offset = 0;

	if (count <= 1)
		return NULL;

	/* We can do without. */
	marks = kvmalloc_array(count, sizeof(*marks), GFP_KERNEL | __GFP_RETRY_MAYFAIL |
						      __GFP_NOWARN | __GFP_NOMEMALLOC);
	if (!marks)
		return NULL;

	mark = marks;
	for_each_sgtable_dma_sg(sgt, sgl, i) {
		if (!(i % PANTHOR_GEM_MARK_DISTANCE))
			*mark++ = (struct panthor_gem_mark) { sgl, offset };
		offset += sg_dma_len(sgl);
	}

	return marks;
}

/**
 * panthor_gem_dmap_seek() - Get close to an offset in a device mapping
 * @dmap: Device mapping. It must have an sg table.
 * @offset: Offset in the object, in bytes. Set to what's left from the entry that's returned.
 * @nents: Set to the number of entries that are left, including the one that's returned.
 *
 * Context: Any. The reservation of the object must be held, or its pages pinned.
 *
 * Return: The entry of the sg table with that offset, or one that's less than
 * PANTHOR_GEM_MARK_DISTANCE entries before it, if there was memory for the marks.
 */
struct scatterlist *panthor_gem_dmap_seek(const struct panthor_gem_dmap *dmap, u64 *offset,
					  unsigned int *nents)
{
	unsigned int first = 0, end = panthor_gem_mark_count(dmap->sgt);

	*nents = dmap->sgt->nents;
	if (!dmap->marks)
		return dmap->sgt->sgl;

	/* The first mark has offset 0. */
	while (end - first > 1) {
		unsigned int middle = first + (end - first) / 2;

		if (dmap->marks[middle].offset <= *offset)
			first = middle;
		else
			end = middle;
	}

	*offset -= dmap->marks[first].offset;
	*nents -= first * PANTHOR_GEM_MARK_DISTANCE;
	return dmap->marks[first].sgl;
}

/**
 * panthor_gem_assert_locked_or_gone() - Assert that nobody can use an object
 * behind our back
 * @bo: Object.
 *
 * Either the reservation is held, or the last reference was dropped. In the
 * latter case we can't take the lock, because the final put might come from a
 * reclaim context, but we don't need it either.
 */
static void panthor_gem_assert_locked_or_gone(struct panthor_gem_object *bo)
{
	if (kref_read(&bo->base.refcount))
		dma_resv_assert_held(bo->base.resv);
}

/*
 * Same as drm_prime_pages_to_sg(), except that running out of memory is no reason for
 * invoking the OOM killer, unless it is for the pages: whoever needs the object has other
 * means.
 */
static struct sg_table *panthor_gem_alloc_sgt(struct panthor_gem_object *bo, gfp_t gfp)
{
	size_t max_segment = dma_max_mapping_size(bo->base.dev->dev) ?: UINT_MAX;
	struct sg_table *sgt;
	int ret;

	gfp = GFP_KERNEL | (gfp & (__GFP_RETRY_MAYFAIL | __GFP_NOWARN));
	sgt = kmalloc(sizeof(*sgt), gfp);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table_from_pages_segment(sgt, bo->backing.pages,
						bo->base.size >> PAGE_SHIFT, 0, bo->base.size,
						min_t(size_t, max_segment, UINT_MAX), gfp);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}

	return sgt;
}

static int __panthor_gem_map_device_locked(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct drm_gem_object *obj = &bo->base;
	struct sg_table *sgt;
	int ret;

	sgt = panthor_gem_alloc_sgt(bo, gfp);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	/* On non-coherent devices, this also flushes the zeroed pages out of
	 * the CPU caches, before any uncached view on them is created.
	 */
	ret = dma_map_sgtable(obj->dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
	if (ret) {
		sg_free_table(sgt);
		kfree(sgt);
		return ret;
	}

	bo->dmap.marks = panthor_gem_alloc_marks(sgt);

	/* mprotect() looks at it without the reservation. */
	WRITE_ONCE(bo->dmap.sgt, sgt);
	return 0;
}

/*
 * After the device is gone, the content can still be accessed by CPUs, but there's
 * nothing to map it for. Whoever needs the mapping has to check if there's one.
 */
VISIBLE_IF_KUNIT int panthor_gem_map_device_locked(struct panthor_gem_object *bo, gfp_t gfp)
{
	int ret, cookie;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_map_device_locked, bo, gfp);

	dma_resv_assert_held(bo->base.resv);

	if (!drm_dev_enter(bo->base.dev, &cookie))
		return 0;

	ret = __panthor_gem_map_device_locked(bo, gfp);
	drm_dev_exit(cookie);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_map_device_locked);

static void panthor_gem_unmap_device(struct panthor_gem_object *bo)
{
	struct sg_table *sgt = bo->dmap.sgt;

	if (!sgt)
		return;

	WRITE_ONCE(bo->dmap.sgt, NULL);
	dma_unmap_sgtable(bo->base.dev->dev, sgt, DMA_BIDIRECTIONAL, 0);
	sg_free_table(sgt);
	kfree(sgt);
	kvfree(bo->dmap.marks);
	bo->dmap.marks = NULL;
}

/**
 * panthor_gem_gfp() - Tell how to allocate the pages of an object
 * @insist: True if others can be killed for it.
 *
 * Return: What's to be passed to the functions that get pages.
 */
gfp_t panthor_gem_gfp(bool insist)
{
	/* Those who must not enter reclaim are allowed to use the memory reserves,
	 * which are there to get out of trouble. GPU memory isn't what they are for.
	 */
	if (current->flags & PF_MEMALLOC)
		return (PANTHOR_GEM_GFP & ~__GFP_DIRECT_RECLAIM) | __GFP_NOMEMALLOC;

	return insist ? GFP_HIGHUSER : PANTHOR_GEM_GFP;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_gfp);

/**
 * panthor_gem_fits_in_ram() - Check if a machine of this size can hold an object
 * @size: Size of the object, in bytes.
 *
 * Return: false if there's no point in taking memory from anybody, because it
 * wouldn't be enough.
 */
bool panthor_gem_fits_in_ram(u64 size)
{
	return size <= ALIGN_DOWN(SIZE_MAX, PAGE_SIZE) && size >> PAGE_SHIFT <= totalram_pages();
}

static struct page **panthor_gem_get_pages(struct panthor_gem_object *bo, gfp_t gfp)
{
	if (!panthor_gem_fits_in_ram(bo->base.size))
		return ERR_PTR(-ENOMEM);

	return drm_gem_get_pages_gfp(&bo->base, gfp);
}

/*
 * What to do after an object didn't get all its pages. If it never had any, those it
 * did get have no content that's worth a place in swap.
 */
static void panthor_gem_drop_pages_locked(struct panthor_gem_object *bo)
{
	struct inode *inode = file_inode(bo->base.filp);

	dma_resv_assert_held(bo->base.resv);

	/* Failing to get pages drops the mark of those somebody else got. */
	if (bo->backing.pages) {
		mapping_set_unevictable(inode->i_mapping);
		return;
	}

	if (atomic_read(&bo->reclaimed_count))
		return;

	shmem_truncate_range(inode, 0, bo->base.size - 1);

	/* Whoever is getting pages ahead might have some that aren't there any more. */
	smp_store_release(&bo->backing.drops, bo->backing.drops + 1);
}

/* Those who overcommit memory have to know how much of what's in use is ours. */
static void panthor_gem_account_backed(struct panthor_gem_object *bo, int sign)
{
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);
	long nr_pages = bo->base.size >> PAGE_SHIFT;

	atomic_long_add(sign * nr_pages, &ptdev->reclaim.backed);
}

/* Takes over the pages, even if that fails. */
static int panthor_gem_set_pages_locked(struct panthor_gem_object *bo, struct page **pages,
					gfp_t gfp)
{
	int ret;

	dma_resv_assert_held(bo->base.resv);

	/* Others might have failed, or been evicted, since the pages were got. */
	mapping_set_unevictable(bo->base.filp->f_mapping);
	WRITE_ONCE(bo->backing.pages, pages);
	panthor_gem_account_backed(bo, 1);
	panthor_gem_set_lruvec_locked(bo);
	ret = panthor_gem_map_device_locked(bo, gfp);
	if (ret) {
		panthor_gem_depopulate(bo);
		panthor_gem_drop_pages_locked(bo);
		return ret;
	}

	panthor_gem_lru_account_restore_locked(bo);
	return 0;
}

/**
 * panthor_gem_back_locked() - Make sure an object has backing pages, for a start
 * @bo: Object.
 *
 * Same as panthor_gem_populate_locked(), for those who are going to change other
 * things the reclaim state depends on. They have to update it after that.
 *
 * Context: See panthor_gem_populate_locked().
 *
 * Return: What panthor_gem_populate_locked() returns.
 */
int panthor_gem_back_locked(struct panthor_gem_object *bo)
{
	const gfp_t gfp = panthor_gem_gfp(false);
	struct page **pages;

	dma_resv_assert_held(bo->base.resv);

	if (bo->backing.pages || panthor_gem_is_imported(bo))
		return 0;

	pages = panthor_gem_get_pages(bo, gfp);
	if (IS_ERR(pages)) {
		panthor_gem_drop_pages_locked(bo);
		return PTR_ERR(pages);
	}

	return panthor_gem_set_pages_locked(bo, pages, gfp);
}

/**
 * panthor_gem_populate_locked() - Make sure an object has backing pages
 * @bo: Object.
 *
 * Gets the backing pages, from swap if that's where they are, and maps them for
 * the device, unless that's already done. The object keeps its pages until it's
 * freed or evicted. Does nothing on imported objects, whose pages belong to the
 * exporter.
 *
 * Context: Process context, with the reservation of the object held. Sleeps,
 * and allocates memory in a way that can recurse in reclaim, unless the caller is
 * in a memalloc_noreclaim_save() section.
 *
 * Return: 0 on success, -ENOMEM if there's not enough memory, -EIO if pages
 * couldn't be read back, another negative error code otherwise. On failure, the
 * object is left without pages.
 */
int panthor_gem_populate_locked(struct panthor_gem_object *bo)
{
	int ret;

	ret = panthor_gem_back_locked(bo);
	if (!ret)
		panthor_gem_lru_update_locked(bo);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_populate_locked);

/*
 * Those who must not enter reclaim get nothing out of doing this ahead, and need
 * the reservation for it.
 */
static struct page **panthor_gem_get_pages_ahead(struct panthor_gem_object *bo, gfp_t gfp)
{
	if (panthor_gem_is_resident(bo) || current->flags & PF_MEMALLOC)
		return NULL;

	return panthor_gem_get_pages(bo, gfp);
}

/* Use the pages we got ahead, unless somebody else was faster. */
static int panthor_gem_use_pages_locked(struct panthor_gem_object *bo, struct page **pages,
					u32 drops, gfp_t gfp)
{
	struct address_space *mapping = bo->base.filp->f_mapping;
	int ret;

	if (!bo->backing.pages && drops == bo->backing.drops)
		return panthor_gem_set_pages_locked(bo, pages, gfp);

	drm_gem_put_pages(&bo->base, pages, false, false);
	ret = panthor_gem_back_locked(bo);

	/* Any drm_gem_put_pages() drops the mark of all pages. */
	if (!ret)
		mapping_set_unevictable(mapping);

	return ret;
}

/*
 * Same as taking the reservation and calling panthor_gem_back_locked(), except that
 * memory is looked for before the reservation is taken. If that's the one of a VM,
 * nothing can be reclaimed from this VM as long as it's held, so a process with a
 * single VM could run out of memory although most of what it has is idle.
 */
static int panthor_gem_lock_backed(struct panthor_gem_object *bo, gfp_t gfp)
{
	/* Before the first page. Pairs with panthor_gem_drop_pages_locked(). */
	u32 drops = smp_load_acquire(&bo->backing.drops);
	struct page **pages = panthor_gem_get_pages_ahead(bo, gfp);
	int ret;

	/* Can't be interrupted, because both what we got and what we didn't leave
	 * something to be done with the reservation held.
	 */
	dma_resv_lock(bo->base.resv, NULL);
	if (IS_ERR(pages)) {
		panthor_gem_drop_pages_locked(bo);
		ret = bo->backing.pages ? 0 : PTR_ERR(pages);
	} else if (pages) {
		ret = panthor_gem_use_pages_locked(bo, pages, drops, gfp);
	} else {
		ret = panthor_gem_back_locked(bo);
	}

	if (ret)
		dma_resv_unlock(bo->base.resv);

	return ret;
}

/**
 * panthor_gem_lock_populated() - Lock an object that has backing pages
 * @bo: Object.
 * @gfp: How to allocate the pages, see panthor_gem_gfp().
 *
 * Same as taking the reservation and calling panthor_gem_populate_locked(), except
 * that the memory is looked for before the reservation is taken.
 *
 * Context: Process context. See panthor_gem_populate_locked().
 *
 * Return: 0 on success, a negative error code otherwise, in which case the
 * reservation isn't held.
 */
int panthor_gem_lock_populated(struct panthor_gem_object *bo, gfp_t gfp)
{
	int ret;

	ret = panthor_gem_lock_backed(bo, gfp);
	if (!ret)
		panthor_gem_lru_update_locked(bo);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_lock_populated);

/**
 * panthor_gem_populate() - Make sure an object had backing pages
 * @bo: Object.
 * @gfp: How to allocate the pages, see panthor_gem_gfp().
 *
 * Same as panthor_gem_populate_locked(), except that this one takes the reservation
 * of the object, after which the pages might be gone again.
 *
 * Context: Process context, with no reservation held.
 *
 * Return: What panthor_gem_populate_locked() returns.
 */
int panthor_gem_populate(struct panthor_gem_object *bo, gfp_t gfp)
{
	int ret;

	ret = panthor_gem_lock_populated(bo, gfp);
	if (!ret)
		dma_resv_unlock(bo->base.resv);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_populate);

/**
 * panthor_gem_depopulate() - Give the backing pages back to the system
 * @bo: Object.
 *
 * The object must have no kernel mapping, no pin, and no GPU or CPU mapping
 * pointing to the pages. The content is preserved by shmem, which might move it
 * to swap, unless the last reference to the object is gone.
 *
 * Context: Any context that can sleep, including reclaim. The reservation of
 * the object must be held, unless its last reference is gone.
 */
void panthor_gem_depopulate(struct panthor_gem_object *bo)
{
	struct page **pages = bo->backing.pages;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_depopulate, bo);

	panthor_gem_assert_locked_or_gone(bo);

	if (!pages)
		return;

	drm_WARN_ON(bo->base.dev, bo->backing.pin_count);

	panthor_gem_unmap_device(bo);
	WRITE_ONCE(bo->backing.pages, NULL);
	panthor_gem_account_backed(bo, -1);

	/* We don't track what the GPU writes, so consider everything dirty.
	 * Clean pages are dropped instead of being written to swap, which is
	 * what should happen to those of an object that's being freed.
	 */
	drm_gem_put_pages(&bo->base, pages, kref_read(&bo->base.refcount), false);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_depopulate);

VISIBLE_IF_KUNIT unsigned long
panthor_gem_reclaim_range(struct panthor_gem_object *bo, pgoff_t start, pgoff_t end,
			  struct reclaim_mapping_stat *stat)
{
	unsigned long freed;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_reclaim_range, bo, start, end, stat);

	freed = reclaim_mapping_range(bo->base.filp->f_mapping, start, end, stat);
	mm_account_reclaimed_memcg_pages(freed);

	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_reclaim_range);

/* Number of pages that aren't in the page cache, @others not included. */
static unsigned long panthor_gem_in_swap(struct panthor_gem_object *bo, unsigned long others)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;

	return nr_pages - min(nr_pages, others + READ_ONCE(bo->base.filp->f_mapping->nrpages));
}

/**
 * panthor_gem_write() - Write the content of an object to swap, and free it
 * @bo: Object that was just evicted.
 * @writing: Filled with the number of pages that aren't free yet, but will be once they
 * are written, see panthor_gem_free_written().
 *
 * To the system, the pages of an object that nobody has used for ages look like
 * they just were, because being put back is the first thing that happens to them.
 * Everything else would be swapped out before they are. What can't be written now
 * is left to the system.
 *
 * Context: Process context, including reclaim if it's allowed to do I/O and to
 * enter filesystems. The caller has a reference to the object. No reservation should
 * be held, because this takes a while: whoever needs the pages again gets a reference
 * to them first, and they aren't written, or waits until they are.
 *
 * Return: The number of pages that were freed.
 */
unsigned long panthor_gem_write(struct panthor_gem_object *bo, unsigned long *writing)
{
	unsigned long nr_pages = bo->base.size >> PAGE_SHIFT;
	struct reclaim_mapping_stat stat = {};
	struct blk_plug plug;
	unsigned long freed;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_write, bo, writing);

	blk_start_plug(&plug);
	freed = panthor_gem_reclaim_range(bo, 0, nr_pages, NULL);
	blk_finish_plug(&plug);

	/* Pages leave the page cache for the swap cache before they are written, and stay
	 * there if that fails, so if some aren't free, it takes another look to find out.
	 */
	if (panthor_gem_in_swap(bo, freed))
		freed += panthor_gem_reclaim_range(bo, 0, nr_pages, &stat);
	*writing = panthor_gem_in_swap(bo, freed + stat.nr_failed);

	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_write);

/* There are no more than panthor_gem_object::written_parts can count. */
static unsigned long panthor_gem_part_pages(struct panthor_gem_object *bo)
{
	return max(PANTHOR_GEM_EVICT_SMALL_BATCH_PAGES,
		   DIV_ROUND_UP(bo->base.size >> PAGE_SHIFT, U8_MAX));
}

/**
 * panthor_gem_free_written() - Free the pages of an object that were written meanwhile
 * @bo: Object that was passed to panthor_gem_write().
 * @nr_pages: Number of pages that are wanted, not 0.
 * @writing: Filled with the number of pages that are still being written. If there are more
 * than what's wanted, they aren't all looked at. 0 if there are none.
 *
 * With a slow swap device, this is called over and over again. So it begins where the first
 * page was that's being written, and looks at no more than what's wanted from there, except
 * that what was written is rarely freed in order, so there might be some in between.
 *
 * Context: See panthor_gem_write().
 *
 * Return: The number of pages that were freed.
 */
unsigned long panthor_gem_free_written(struct panthor_gem_object *bo, unsigned long nr_pages,
				       unsigned long *writing)
{
	unsigned long left = nr_pages + PANTHOR_GEM_EVICT_BATCH_PAGES, freed = 0;
	const unsigned long part_pages = panthor_gem_part_pages(bo);
	const pgoff_t end = bo->base.size >> PAGE_SHIFT;
	u8 part = READ_ONCE(bo->written_parts);
	struct reclaim_mapping_stat stat;
	pgoff_t start, next;

	KUNIT_STATIC_STUB_REDIRECT(panthor_gem_free_written, bo, nr_pages, writing);

	*writing = 0;
	for (start = part * part_pages; start < end && *writing < nr_pages && left; start = next) {
		next = min(start + part_pages, end);
		freed += panthor_gem_reclaim_range(bo, start, next, &stat);
		*writing += stat.nr_writeback;
		if (*writing)
			left -= min(left, next - start);
		else
			WRITE_ONCE(bo->written_parts, ++part);
	}

	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_free_written);

/**
 * panthor_gem_pin_locked() - Pin the pages of an object
 * @bo: Object. Imported objects are always pinned, by their attachment.
 *
 * Populates the object if needed, and forbids its eviction until the matching
 * panthor_gem_unpin_locked().
 *
 * Context: See panthor_gem_populate_locked().
 *
 * Return: 0 on success, a negative error code otherwise, in which case the
 * object isn't pinned.
 */
int panthor_gem_pin_locked(struct panthor_gem_object *bo)
{
	int ret;

	ret = panthor_gem_back_locked(bo);
	if (ret)
		return ret;

	bo->backing.pin_count++;
	panthor_gem_lru_update_locked(bo);
	return 0;
}

/**
 * panthor_gem_unpin_locked() - Undo panthor_gem_pin_locked()
 * @bo: Object.
 *
 * The pages stay there, but can be reclaimed once the last pin is gone.
 *
 * Context: The reservation of the object must be held.
 */
void panthor_gem_unpin_locked(struct panthor_gem_object *bo)
{
	dma_resv_assert_held(bo->base.resv);

	if (drm_WARN_ON_ONCE(bo->base.dev, !bo->backing.pin_count))
		return;

	if (!--bo->backing.pin_count)
		panthor_gem_lru_update_locked(bo);
}

/**
 * panthor_gem_pin() - Pin the pages of an object
 * @bo: Object.
 *
 * See panthor_gem_pin_locked(), except that this one takes the reservation lock
 * of the object.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_pin(struct panthor_gem_object *bo)
{
	int ret;

	ret = panthor_gem_lock_backed(bo, panthor_gem_gfp(false));
	if (ret)
		return ret;

	ret = panthor_gem_pin_locked(bo);
	dma_resv_unlock(bo->base.resv);

	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_pin);

/**
 * panthor_gem_pin_briefly() - Pin the pages of an object for a short time
 * @bo: Object. Nothing is allocated for imported ones.
 * @gfp: How to allocate the pages, see panthor_gem_gfp().
 *
 * Same as panthor_gem_pin(), except that the object stays in the list it's in, or in
 * none if it had no pages. If a scan finds it there, it's moved to where it belongs,
 * but that's unlikely enough to spare moving it back and forth. Undone by
 * panthor_gem_unpin().
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_pin_briefly(struct panthor_gem_object *bo, gfp_t gfp)
{
	int ret;

	ret = panthor_gem_lock_backed(bo, gfp);
	if (ret)
		return ret;

	bo->backing.pin_count++;
	dma_resv_unlock(bo->base.resv);

	return 0;
}

/**
 * panthor_gem_unpin() - Undo panthor_gem_pin()
 * @bo: Object.
 */
void panthor_gem_unpin(struct panthor_gem_object *bo)
{
	dma_resv_lock(bo->base.resv, NULL);
	panthor_gem_unpin_locked(bo);
	dma_resv_unlock(bo->base.resv);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_gem_unpin);

static int panthor_gem_vmap_get_locked(struct panthor_gem_object *bo)
{
	pgprot_t prot = PAGE_KERNEL;
	void *vaddr;
	int ret;

	if (bo->cmap.vaddr_use_count++)
		return 0;

	ret = panthor_gem_pin_locked(bo);
	if (ret)
		goto err_put_use;

	if (!panthor_gem_is_cached_locked(bo))
		prot = panthor_gem_pgprot(bo, prot);

	vaddr = vmap(bo->backing.pages, bo->base.size >> PAGE_SHIFT, VM_MAP, prot);
	if (!vaddr) {
		ret = -ENOMEM;
		goto err_unpin;
	}

	bo->cmap.vaddr = vaddr;
	return 0;

err_unpin:
	panthor_gem_unpin_locked(bo);

err_put_use:
	bo->cmap.vaddr_use_count--;
	return ret;
}

static void panthor_gem_vmap_put_locked(struct panthor_gem_object *bo)
{
	if (drm_WARN_ON_ONCE(bo->base.dev, !bo->cmap.vaddr_use_count))
		return;

	if (--bo->cmap.vaddr_use_count)
		return;

	vunmap(bo->cmap.vaddr);
	bo->cmap.vaddr = NULL;
	panthor_gem_unpin_locked(bo);
}

/**
 * panthor_gem_vmap_locked() - Implementation of drm_gem_object_funcs.vmap
 * @obj: GEM object.
 * @map: Filled with the address of the kernel mapping.
 *
 * The mapping is shared by all users, and pins the pages.
 *
 * Context: See panthor_gem_populate_locked().
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_gem_vmap_locked(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);
	int ret;

	dma_resv_assert_held(obj->resv);

	if (panthor_gem_is_imported(bo))
		return panthor_gem_prime_vmap_locked(bo, map);

	ret = panthor_gem_vmap_get_locked(bo);
	if (!ret)
		iosys_map_set_vaddr(map, bo->cmap.vaddr);

	return ret;
}

/**
 * panthor_gem_vunmap_locked() - Implementation of drm_gem_object_funcs.vunmap
 * @obj: GEM object.
 * @map: Mapping returned by panthor_gem_vmap_locked().
 *
 * Context: The reservation of the object must be held.
 */
void panthor_gem_vunmap_locked(struct drm_gem_object *obj, struct iosys_map *map)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);

	dma_resv_assert_held(obj->resv);

	if (panthor_gem_is_imported(bo))
		dma_buf_vunmap(obj->import_attach->dmabuf, map);
	else
		panthor_gem_vmap_put_locked(bo);
}

static u64 panthor_gem_load(const void *addr, size_t size)
{
	return size == sizeof(u64) ? READ_ONCE(*(const u64 *)addr) :
				     READ_ONCE(*(const u32 *)addr);
}

/* What's imported isn't necessarily made of pages. */
static int panthor_gem_read_imported(struct panthor_gem_object *bo, u64 offset, size_t size,
				     u64 *value)
{
	unsigned int noreclaim;
	struct iosys_map map;
	int ret;

	if (!dma_resv_trylock(bo->base.resv))
		return -EBUSY;

	noreclaim = memalloc_noreclaim_save();
	ret = panthor_gem_vmap_locked(&bo->base, &map);
	if (!ret) {
		*value = panthor_gem_load(map.vaddr + offset, size);
		panthor_gem_vunmap_locked(&bo->base, &map);
	}
	memalloc_noreclaim_restore(noreclaim);

	dma_resv_unlock(bo->base.resv);
	return ret;
}

/**
 * panthor_gem_read_mapped() - Read a word of an object that's mapped by the GPU
 * @bo: Object.
 * @offset: Where the word is in the object. It doesn't cross a page.
 * @dma_addr: The address the GPU finds it at.
 * @size: Size of the word, 4 or 8.
 * @value: Set to what's there.
 *
 * Context: Process context, including the DMA signalling path. The caller must
 * make sure that the GPU mapping stays, which is what keeps the pages there. No
 * reservation is waited for.
 *
 * Return: 0 on success, -EBUSY if the object is imported, and its reservation is
 * held by somebody else, another negative error code if it can't be mapped.
 */
int panthor_gem_read_mapped(struct panthor_gem_object *bo, u64 offset, dma_addr_t dma_addr,
			    size_t size, u64 *value)
{
	void *vaddr;

	if (panthor_gem_is_imported(bo))
		return panthor_gem_read_imported(bo, offset, size, value);

	/* The caches might have what was there before the GPU wrote to it. Nobody
	 * writes through this mapping, so there's nothing to be lost.
	 */
	dma_sync_single_for_cpu(bo->base.dev->dev, dma_addr, size, DMA_FROM_DEVICE);
	vaddr = kmap_local_page(bo->backing.pages[offset >> PAGE_SHIFT]);
	*value = panthor_gem_load(vaddr + offset_in_page(offset), size);
	kunmap_local(vaddr);

	return 0;
}
