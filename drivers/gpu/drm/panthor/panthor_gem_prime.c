// SPDX-License-Identifier: GPL-2.0 or MIT

/* Export of GEM objects as dma-bufs, import of dma-bufs as GEM objects. */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <drm/drm_prime.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_overcommit.h"

/*
 * Others might have to make room for the pages, and they might have to be read from swap,
 * which can't be done with the reservation held. They stay until the attachment has
 * pinned them, too.
 */
static int panthor_gem_prime_attach(struct dma_buf *dma_buf, struct dma_buf_attachment *attach)
{
	struct panthor_gem_object *bo = to_panthor_bo(dma_buf->priv);
	int ret;

	ret = panthor_overcommit_pin_briefly(bo, NULL, true);
	if (ret)
		return ret;

	ret = drm_gem_map_attach(dma_buf, attach);
	panthor_gem_unpin(bo);

	return ret;
}

static void panthor_gem_prime_sync(struct device *dev, struct sg_table *sgt,
				   enum dma_data_direction dir, bool for_cpu)
{
	if (!sgt)
		return;

	if (for_cpu)
		dma_sync_sgtable_for_cpu(dev, sgt, dir);
	else
		dma_sync_sgtable_for_device(dev, sgt, dir);
}

/* Sync all the mappings a device has on the buffer: the importers' and ours. */
static void panthor_gem_prime_sync_all(struct dma_buf *dma_buf,
				       enum dma_data_direction dir, bool for_cpu)
{
	struct drm_gem_object *obj = dma_buf->priv;
	struct dma_buf_attachment *attach;

	dma_resv_lock(obj->resv, NULL);
	panthor_gem_prime_sync(obj->dev->dev, to_panthor_bo(obj)->dmap.sgt, dir, for_cpu);
	list_for_each_entry(attach, &dma_buf->attachments, node)
		panthor_gem_prime_sync(attach->dev, attach->sgt, dir, for_cpu);
	dma_resv_unlock(obj->resv);
}

static int panthor_gem_prime_begin_cpu_access(struct dma_buf *dma_buf,
					      enum dma_data_direction dir)
{
	panthor_gem_prime_sync_all(dma_buf, dir, true);
	return 0;
}

static int panthor_gem_prime_end_cpu_access(struct dma_buf *dma_buf,
					    enum dma_data_direction dir)
{
	panthor_gem_prime_sync_all(dma_buf, dir, false);
	return 0;
}

/* The sg tables are cached in the attachments, where the sync finds them. */
static const struct dma_buf_ops panthor_dma_buf_ops = {
	.cache_sgt_mapping = true,
	.attach = panthor_gem_prime_attach,
	.detach = drm_gem_map_detach,
	.map_dma_buf = drm_gem_map_dma_buf,
	.unmap_dma_buf = drm_gem_unmap_dma_buf,
	.release = drm_gem_dmabuf_release,
	.mmap = drm_gem_dmabuf_mmap,
	.vmap = drm_gem_dmabuf_vmap,
	.vunmap = drm_gem_dmabuf_vunmap,
	.begin_cpu_access = panthor_gem_prime_begin_cpu_access,
	.end_cpu_access = panthor_gem_prime_end_cpu_access,
};

/**
 * panthor_gem_prime_get_sg_table() - Implementation of
 * drm_gem_object_funcs.get_sg_table
 * @obj: GEM object. Its pages must be pinned.
 *
 * Return: An sg table to be mapped by an importer, an ERR_PTR() otherwise.
 */
struct sg_table *panthor_gem_prime_get_sg_table(struct drm_gem_object *obj)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);

	drm_WARN_ON(obj->dev, panthor_gem_is_imported(bo));

	return drm_prime_pages_to_sg(obj->dev, bo->backing.pages, obj->size >> PAGE_SHIFT);
}

/**
 * panthor_gem_prime_export() - Implementation of drm_gem_object_funcs.export
 * @obj: GEM object.
 * @flags: dma-buf flags.
 *
 * Return: A dma-buf on success, ERR_PTR(-EINVAL) if the object is private to a
 * VM, another ERR_PTR() otherwise.
 */
struct dma_buf *panthor_gem_prime_export(struct drm_gem_object *obj, int flags)
{
	struct dma_buf_export_info exp_info = {
		.exp_name = KBUILD_MODNAME,
		.owner = THIS_MODULE,
		.ops = &panthor_dma_buf_ops,
		.size = obj->size,
		.flags = flags,
		.priv = obj,
		.resv = obj->resv,
	};

	/* We can't export GEMs that have an exclusive VM. */
	if (to_panthor_bo(obj)->exclusive_vm_root_gem)
		return ERR_PTR(-EINVAL);

	return drm_gem_dmabuf_export(obj->dev, &exp_info);
}

/**
 * panthor_gem_prime_import() - Implementation of drm_driver.gem_prime_import
 * @ddev: DRM device.
 * @dma_buf: dma-buf to import.
 *
 * Return: The exported object if it comes from this device, a new one wrapping
 * the dma-buf otherwise, an ERR_PTR() on failure.
 */
struct drm_gem_object *panthor_gem_prime_import(struct drm_device *ddev,
						struct dma_buf *dma_buf)
{
	struct drm_gem_object *obj = dma_buf->priv;

	if (dma_buf->ops == &panthor_dma_buf_ops && obj->dev == ddev) {
		drm_gem_object_get(obj);
		return obj;
	}

	return drm_gem_prime_import(ddev, dma_buf);
}

/**
 * panthor_gem_prime_import_sg_table() - Implementation of
 * drm_driver.gem_prime_import_sg_table
 * @ddev: DRM device.
 * @attach: Attachment to the imported dma-buf.
 * @sgt: Mapping of the dma-buf for our device.
 *
 * The exporter owns the pages, and the sg table is released along with the
 * attachment when the object is freed.
 *
 * Return: A GEM object on success, an ERR_PTR() otherwise.
 */
struct drm_gem_object *
panthor_gem_prime_import_sg_table(struct drm_device *ddev,
				  struct dma_buf_attachment *attach,
				  struct sg_table *sgt)
{
	struct panthor_gem_object *bo;

	bo = panthor_gem_create_imported(ddev, PAGE_ALIGN(attach->dmabuf->size));
	if (IS_ERR(bo))
		return ERR_CAST(bo);

	bo->dmap.sgt = sgt;
	return &bo->base;
}

/**
 * panthor_gem_prime_vmap_locked() - Map an imported object in the kernel
 * @bo: Imported object.
 * @map: Filled with the address of the mapping.
 *
 * Return: 0 on success, -EIO if the mapping isn't made of system memory,
 * another negative error code otherwise.
 */
int panthor_gem_prime_vmap_locked(struct panthor_gem_object *bo, struct iosys_map *map)
{
	struct dma_buf *dma_buf = bo->base.import_attach->dmabuf;
	int ret;

	ret = dma_buf_vmap(dma_buf, map);
	if (ret)
		return ret;

	if (drm_WARN_ON(bo->base.dev, map->is_iomem)) {
		dma_buf_vunmap(dma_buf, map);
		return -EIO;
	}

	return 0;
}

MODULE_IMPORT_NS(DMA_BUF);
