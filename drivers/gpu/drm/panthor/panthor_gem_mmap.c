// SPDX-License-Identifier: GPL-2.0 or MIT

/* CPU mappings of a GEM object, and the faults they take. */

#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>

#include <drm/drm_drv.h>
#include <drm/panthor_drm.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_overcommit.h"

static vm_fault_t panthor_gem_insert_page_locked(struct panthor_gem_object *bo,
						 struct vm_fault *vmf)
{
	/* Count from the start of the object, not from the start of the VMA:
	 * they differ once the VMA was split, and for mappings of a dma-buf
	 * which don't start at offset zero.
	 */
	pgoff_t page_offset = vmf->pgoff - drm_vma_node_start(&bo->base.vma_node);
	struct vm_area_struct *vma = vmf->vma;
	pgprot_t prot = vma->vm_page_prot;

	dma_resv_assert_held(bo->base.resv);

	if (page_offset >= bo->base.size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	if (panthor_gem_is_cached_locked(bo))
		prot = vm_get_page_prot(vma->vm_flags);

	return vmf_insert_pfn_prot(vma, vmf->address,
				   page_to_pfn(bo->backing.pages[page_offset]), prot);
}

/* Insert the page if that can be done right away, that is, nobody has to wait. */
static bool panthor_gem_try_insert_page(struct panthor_gem_object *bo,
					struct vm_fault *vmf, vm_fault_t *ret)
{
	bool resident;

	if (!dma_resv_trylock(bo->base.resv))
		return false;

	resident = bo->backing.pages || panthor_overcommit_try_populate_locked(bo);
	if (resident)
		*ret = panthor_gem_insert_page_locked(bo, vmf);
	dma_resv_unlock(bo->base.resv);

	return resident;
}

/* Get the pages with the mmap/VMA lock released. */
static vm_fault_t panthor_gem_populate_and_retry(struct panthor_gem_object *bo,
						 struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;

	/* The VMA might go away once the lock is released, and with it, what keeps
	 * the object, and the device.
	 */
	drm_gem_object_get(&bo->base);
	get_file(file);
	release_fault_lock(vmf);

	/* If it doesn't work out, the next try is the one to report it. */
	if (panthor_overcommit_populate(bo) == -ENOMEM) {
		WRITE_ONCE(bo->fault_failed_at, (u32)jiffies);
		WRITE_ONCE(bo->fault_failed, current->pid);
	}

	drm_gem_object_put(&bo->base);
	fput(file);

	return VM_FAULT_RETRY;
}

/*
 * Check if there was no memory the last time this task tried, which was just now. There
 * might have been a signal in between, so this isn't necessarily a fault that's retried.
 */
static bool panthor_gem_fault_just_failed(struct panthor_gem_object *bo)
{
	if (READ_ONCE(bo->fault_failed) != current->pid)
		return false;

	WRITE_ONCE(bo->fault_failed, 0);
	return (u32)jiffies - READ_ONCE(bo->fault_failed_at) < HZ;
}

static vm_fault_t panthor_gem_populate_and_insert(struct panthor_gem_object *bo,
						  struct vm_fault *vmf)
{
	vm_fault_t ret;
	int err;

	err = panthor_gem_lock_populated(bo, panthor_gem_gfp(false));

	/* It was there, but was evicted since. Start over, where it's possible to wait
	 * for memory.
	 */
	if (err == -ENOMEM && vmf->flags & FAULT_FLAG_ALLOW_RETRY)
		return panthor_gem_populate_and_retry(bo, vmf);

	if (err)
		return VM_FAULT_SIGBUS;

	ret = panthor_gem_insert_page_locked(bo, vmf);
	dma_resv_unlock(bo->base.resv);

	return ret;
}

static vm_fault_t panthor_gem_fault(struct vm_fault *vmf)
{
	struct panthor_gem_object *bo = to_panthor_bo(vmf->vma->vm_private_data);
	vm_fault_t ret;

	if (panthor_gem_try_insert_page(bo, vmf, &ret))
		return ret;

	/* That's final: VM_FAULT_OOM would be retried for ever, taking memory from
	 * everybody else each time, because nobody gets killed for GEM pages.
	 */
	if (!panthor_gem_is_resident(bo) && panthor_gem_fault_just_failed(bo))
		return VM_FAULT_SIGBUS;

	/* The reservation might be held for long, by someone who allocates or
	 * waits for the GPU, so don't block on it with the mmap lock held if
	 * that can be avoided.
	 */
	if (fault_flag_allow_retry_first(vmf->flags))
		return panthor_gem_populate_and_retry(bo, vmf);

	return panthor_gem_populate_and_insert(bo, vmf);
}

/*
 * The mmap lock is held for write here, so don't wait for someone who might be
 * reading the memory of a whole VM from swap. All we lose is objects being evicted
 * in the order we'd like them to: the shrinker doesn't trust the state it finds.
 */
static void panthor_gem_try_update_reclaim_state(struct panthor_gem_object *bo)
{
	if (!dma_resv_trylock(bo->base.resv))
		return;

	panthor_gem_lru_update_locked(bo);
	dma_resv_unlock(bo->base.resv);
}

static void panthor_gem_mmap_get(struct panthor_gem_object *bo)
{
	if (atomic_inc_return(&bo->cmap.mmap_count) == 1)
		panthor_gem_try_update_reclaim_state(bo);
}

static void panthor_gem_mmap_put(struct panthor_gem_object *bo)
{
	int count = atomic_dec_return(&bo->cmap.mmap_count);

	drm_WARN_ON_ONCE(bo->base.dev, count < 0);
	if (!count)
		panthor_gem_try_update_reclaim_state(bo);
}

static void panthor_gem_vm_open(struct vm_area_struct *vma)
{
	panthor_gem_mmap_get(to_panthor_bo(vma->vm_private_data));
	drm_gem_vm_open(vma);
}

static void panthor_gem_vm_close(struct vm_area_struct *vma)
{
	panthor_gem_mmap_put(to_panthor_bo(vma->vm_private_data));
	drm_gem_vm_close(vma);
}

/*
 * Some architectures give all the pages of a VMA its protection, attributes included.
 * Those that had to be inserted with others, because the device is gone, mustn't get
 * them.
 */
static int panthor_gem_vm_mprotect(struct vm_area_struct *vma, unsigned long start,
				   unsigned long end, unsigned long newflags)
{
	struct panthor_gem_object *bo = to_panthor_bo(vma->vm_private_data);
	struct panthor_device *ptdev = container_of(bo->base.dev, struct panthor_device, base);

	if (ptdev->coherent)
		return 0;

	/* There are faults that don't take the mmap lock, let there be none from now
	 * on. Pages that were inserted by earlier ones still are what they were then.
	 */
	vma_start_write(vma);

	return drm_dev_is_unplugged(&ptdev->base) && !READ_ONCE(bo->dmap.sgt) ? -ENODEV : 0;
}

const struct vm_operations_struct panthor_gem_vm_ops = {
	.fault = panthor_gem_fault,
	.mprotect = panthor_gem_vm_mprotect,
	.open = panthor_gem_vm_open,
	.close = panthor_gem_vm_close,
};

static int panthor_gem_mmap_imported(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	int ret;

	/* Reset both vm_ops and vm_private_data, so we don't end up with
	 * vm_ops pointing to our implementation if the dma-buf backend
	 * doesn't set those fields.
	 */
	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;

	ret = dma_buf_mmap(obj->dma_buf, vma, 0);

	/* Drop the reference drm_gem_mmap_obj() acquired. */
	if (!ret)
		drm_gem_object_put(obj);

	return ret;
}

/**
 * panthor_gem_mmap() - Implementation of drm_gem_object_funcs.mmap
 * @obj: GEM object.
 * @vma: VMA to attach the object to.
 *
 * Context: Process context, with the mmap lock held for write.
 *
 * Return: 0 on success, -EINVAL if the object can't be mapped, or not that
 * way, another negative error code otherwise.
 */
int panthor_gem_mmap(struct drm_gem_object *obj, struct vm_area_struct *vma)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);

	/* Don't allow mmap on objects that have the NO_MMAP flag set. */
	if (bo->flags & DRM_PANTHOR_BO_NO_MMAP)
		return -EINVAL;

	if (panthor_gem_is_imported(bo))
		return panthor_gem_mmap_imported(obj, vma);

	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = panthor_gem_pgprot(bo, vm_get_page_prot(vma->vm_flags));
	panthor_gem_mmap_get(bo);

	return 0;
}
