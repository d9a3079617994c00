// SPDX-License-Identifier: GPL-2.0 or MIT

/* Bringing back the GPU memory of a process before it's needed, on request. */

#include <linux/atomic.h>
#include <linux/idr.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include <drm/drm_drv.h>
#include <drm/drm_exec.h>
#include <drm/drm_file.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_overcommit.h"
#include "panthor_mem_claim.h"
#include "panthor_mem_reclaim.h"
#include "panthor_mmu.h"
#include "panthor_trace.h"

/**
 * DOC: Claim on request
 *
 * Resource managers also know when an application is about to be used again. Writing the
 * ID of its process to the mem_claim attribute of the device brings the memory of all its
 * contexts back, so the next job finds nothing to restore:
 *
 * 1. One VM after the other, the pages of what was evicted, and its mappings, a few
 *    megabytes at a time. It's the same thing that happens when a job is submitted, see
 *    above, except that others are admitted, and signals are looked at, in between.
 * 2. The pages of what was evicted, has a handle, and isn't mapped in a VM of this
 *    context. CPU mappings come back at the next fault.
 *
 * This isn't as good a reason as a job for others to lose memory. What's missing comes
 * from what no GPU uses, from VMs that were active before the claimed one was, and from
 * the rest of the system. VMs that were active after that, and what's mapped in several
 * VMs, are left alone, as is what the GPU is working on. If that's not enough, the request
 * fails, and what came back stays.
 *
 * A VM that was claimed is as recent as if it had a job, so what came back isn't the
 * first thing to be taken by the next one who's short of memory.
 */

/* Bring back that many pages before others are admitted, and checking for signals. */
#define PANTHOR_MEM_CLAIM_CHUNK		((unsigned long)SZ_4M >> PAGE_SHIFT)

/* How many times to bring back what was evicted again while the rest was brought back. */
#define PANTHOR_MEM_CLAIM_MAX_ROUNDS	4

/**
 * struct panthor_mem_claim - Request for the memory of a process to come back
 */
struct panthor_mem_claim {
	/** @base: Inherit from panthor_mem_request. */
	struct panthor_mem_request base;

	/** @restored: Number of pages that came back so far. */
	unsigned long restored;
};

/**
 * struct panthor_mem_claim_vm - Request for a part of what was evicted from a VM
 */
struct panthor_mem_claim_vm {
	/** @base: Inherit from panthor_overcommit_request. */
	struct panthor_overcommit_request base;

	/** @pins: Objects to bring back. */
	struct panthor_vm_pins pins;

	/** @more: Set if there's something left after that. */
	bool more;
};

/* Less than what jobs get: they don't make kswapd look for memory in recent VMs. */
static gfp_t panthor_mem_claim_gfp(void)
{
	return panthor_gem_gfp(false) & ~__GFP_KSWAPD_RECLAIM;
}

static int panthor_mem_claim_lock_vm(struct drm_exec *exec, struct panthor_vm *vm)
{
	int ret = 0;

	drm_exec_init(exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(exec) {
		ret = panthor_vm_prepare_mapped_bos_resvs(exec, vm, 0);
	}

	return ret;
}

static unsigned long panthor_mem_claim_vm_missing(struct panthor_overcommit_request *base)
{
	struct panthor_mem_claim_vm *req = container_of(base, struct panthor_mem_claim_vm, base);
	unsigned long pages = 0;

	for (size_t i = 0; i < req->pins.count; i++) {
		if (!panthor_gem_is_resident(req->pins.bos[i]))
			pages += req->pins.bos[i]->base.size >> PAGE_SHIFT;
	}

	return pages;
}

/* Get pages with nothing locked, then lock and map. */
static int panthor_mem_claim_vm_get(struct panthor_overcommit_request *base)
{
	struct panthor_mem_claim_vm *req = container_of(base, struct panthor_mem_claim_vm, base);
	struct drm_exec exec;
	int ret;

	ret = panthor_vm_pins_get(&req->pins, panthor_mem_claim_gfp());
	if (ret)
		return ret;

	ret = panthor_mem_claim_lock_vm(&exec, base->vm);
	if (!ret) {
		ret = panthor_vm_restore_resident(base->vm, &exec);
		req->more = ret == -EAGAIN;
		panthor_vm_pins_put_locked(&req->pins, &exec);
	}
	drm_exec_fini(&exec);

	return req->more ? 0 : ret;
}

/* Find out what to bring back next. Returns how much of it has no pages, or an error. */
static long panthor_mem_claim_vm_prepare(struct panthor_mem_claim_vm *req)
{
	struct drm_exec exec;
	long ret;

	ret = panthor_mem_claim_lock_vm(&exec, req->base.vm);
	if (!ret)
		ret = panthor_vm_pins_add_evicted(&req->pins, req->base.vm,
						  PANTHOR_MEM_CLAIM_CHUNK, false);
	if (!ret)
		ret = min(panthor_vm_evicted_pages(req->base.vm), (unsigned long)LONG_MAX);
	drm_exec_fini(&exec);

	return ret;
}

/*
 * Bring back a part of what was evicted. Returns how much of the VM had no pages before,
 * 0 if nothing is left now, or an error.
 */
static long panthor_mem_claim_vm_part(struct panthor_mem_claim *claim, struct panthor_vm *vm,
				      u64 seq)
{
	struct panthor_mem_claim_vm req = {
		.base = {
			.ptdev = claim->base.ptdev,
			.vm = vm,
			.resv = panthor_vm_resv(vm),
			.missing = panthor_mem_claim_vm_missing,
			.get = panthor_mem_claim_vm_get,
		},
	};
	unsigned long missing;
	long ret, left;

	left = panthor_mem_claim_vm_prepare(&req);
	if (left < 0) {
		panthor_vm_pins_put(&req.pins);
		return left;
	}

	missing = panthor_mem_claim_vm_missing(&req.base);
	ret = panthor_overcommit_get_from_older(&req.base, seq);
	panthor_vm_pins_put(&req.pins);
	if (ret)
		return ret;

	claim->restored += missing;
	return req.more ? max(left, 1L) : 0;
}

static int panthor_mem_claim_vm(struct panthor_mem_claim *claim, struct panthor_vm *vm)
{
	/* Getting its first pages back makes it more recent. */
	u64 seq = READ_ONCE(panthor_vm_reclaim(vm)->seq);
	long left, last = LONG_MAX;
	u32 rounds = 0;
	int ret;

	do {
		left = panthor_mem_claim_vm_part(claim, vm, seq);
		if (left <= 0)
			break;

		/* Somebody takes it back as fast as it comes. */
		if (left >= last && ++rounds > PANTHOR_MEM_CLAIM_MAX_ROUNDS)
			left = -ENOMEM;

		last = left;
		ret = panthor_mem_request_check(&claim->base);
		if (ret)
			left = ret;
	} while (left > 0);

	if (!left)
		panthor_vm_touch(vm);

	return left;
}

static int panthor_mem_claim_vms(struct panthor_mem_claim *claim, struct panthor_file *pfile)
{
	struct panthor_vm *vm;
	unsigned long id = 0;
	int ret = 0;

	while (!ret && (vm = panthor_vm_pool_get_next_vm(pfile->vms, &id))) {
		ret = panthor_mem_claim_vm(claim, vm);
		panthor_vm_put(vm);
		if (!ret)
			ret = panthor_mem_request_check(&claim->base);
	}

	return ret;
}

static bool panthor_mem_claim_wants(struct drm_gem_object *obj)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);

	return !panthor_gem_is_imported(bo) && atomic_read(&bo->reclaimed_count) &&
	       !panthor_gem_is_resident(bo);
}

/* Get the next object, in the order of handles, that was evicted. */
static struct panthor_gem_object *
panthor_mem_claim_next_bo(struct drm_file *file, int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	while ((obj = idr_get_next(&file->object_idr, handle))) {
		(*handle)++;
		if (panthor_mem_claim_wants(obj)) {
			drm_gem_object_get(obj);
			break;
		}
	}
	spin_unlock(&file->table_lock);

	return obj ? to_panthor_bo(obj) : NULL;
}

/* Objects are as recent as the VM that was active last, among those of their context. */
static u64 panthor_mem_claim_newest_seq(struct panthor_file *pfile)
{
	struct panthor_vm *vm;
	unsigned long id = 0;
	u64 seq = 0;

	while ((vm = panthor_vm_pool_get_next_vm(pfile->vms, &id))) {
		seq = max(seq, READ_ONCE(panthor_vm_reclaim(vm)->seq));
		panthor_vm_put(vm);
	}

	return seq;
}

static int panthor_mem_claim_handles(struct panthor_mem_claim *claim, struct drm_file *file,
				     u64 seq)
{
	struct panthor_gem_object *bo;
	int handle = 0, ret = 0;

	while (!ret && (bo = panthor_mem_claim_next_bo(file, &handle))) {
		ret = panthor_overcommit_populate_from_older(bo, seq, panthor_mem_claim_gfp());
		if (!ret)
			claim->restored += bo->base.size >> PAGE_SHIFT;

		drm_gem_object_put(&bo->base);
		if (!ret)
			ret = panthor_mem_request_check(&claim->base);
	}

	return ret;
}

static int panthor_mem_claim_file(struct panthor_mem_request *base, struct drm_file *file)
{
	struct panthor_mem_claim *claim = container_of(base, struct panthor_mem_claim, base);
	struct panthor_file *pfile = file->driver_priv;
	u64 seq = panthor_mem_claim_newest_seq(pfile);
	int ret;

	ret = panthor_mem_claim_vms(claim, pfile);
	if (ret)
		return ret;

	return panthor_mem_claim_handles(claim, file, seq);
}

/**
 * panthor_mem_claim_process() - Bring back the memory of a process
 * @ptdev: Device.
 * @pid: Process.
 *
 * Context: Process context, with nothing locked, in a section entered with
 * drm_dev_enter(). Sleeps, possibly for long.
 *
 * Return: 0 on success, -ESRCH if the process has no context, -ENOMEM if not all of it
 * fits, -EIO if pages couldn't be read back, -ERESTARTSYS if a signal was received,
 * -ENODEV if the device is gone, another negative error code otherwise. What came back
 * before an error stays.
 */
int panthor_mem_claim_process(struct panthor_device *ptdev, struct pid *pid)
{
	struct panthor_mem_claim claim = {
		.base = {
			.ptdev = ptdev,
			.pid = pid,
			.file = panthor_mem_claim_file,
		},
	};
	int ret;

	ret = panthor_mem_request_run(&claim.base);
	if (ret == -EINTR)
		ret = -ERESTARTSYS;

	trace_gem_claim(ptdev, pid, claim.restored, ret);
	return ret;
}
