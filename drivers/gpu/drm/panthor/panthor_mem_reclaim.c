// SPDX-License-Identifier: GPL-2.0 or MIT

/* Reclaim of the GPU memory of a process, on request. */

#include <linux/capability.h>
#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kstrtox.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sysfs.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>

#include "panthor_device.h"
#include "panthor_gem.h"
#include "panthor_gem_evict.h"
#include "panthor_gem_lru.h"
#include "panthor_kunit.h"
#include "panthor_mem_claim.h"
#include "panthor_mem_reclaim.h"
#include "panthor_mmu.h"

/**
 * DOC: Reclaim on request
 *
 * Resource managers know about things the kernel can't guess, like an
 * application that went to the background and will stay there for a while.
 * Writing the ID of a process to the mem_reclaim attribute of the device reclaims
 * the memory of all the contexts of this process.
 *
 * This is not done in a reclaim context, so locks protecting a buffer or a VM are
 * waited for, and so is the GPU, for a bounded time, once per VM. What happens to
 * a buffer after that is the same thing that happens in a scan. Nothing but
 * a reference to the context is held while doing so, and signals are handled
 * between two steps, none of which lasts long.
 *
 * Contexts belong to the process which issued the last ioctl on them. Buffers that
 * other processes might be using, that is, those that are mapped in several VMs,
 * or have several handles or were exported while not being mapped in the VM of
 * that process, are left alone.
 */

/* Reclaim that many pages of a VM before checking for signals. */
#define PANTHOR_MEM_RECLAIM_CHUNK	((unsigned long)SZ_4M >> PAGE_SHIFT)

/**
 * struct panthor_mem_reclaim - Request for the memory of a process to be reclaimed
 */
struct panthor_mem_reclaim {
	/** @base: Inherit from panthor_mem_request. */
	struct panthor_mem_request base;

	/** @candidates: True if there was something that could be reclaimed. */
	bool candidates;

	/** @freed: Number of pages that were reclaimed so far. */
	unsigned long freed;
};

/**
 * panthor_mem_request_check() - Check if it's time to stop
 * @req: Request.
 *
 * Context: Process context, with nothing locked. Lets others run.
 *
 * Return: 0 to go on, -ERESTARTSYS if a signal was received, -ENODEV if the device is
 * gone.
 */
int panthor_mem_request_check(struct panthor_mem_request *req)
{
	cond_resched();

	if (signal_pending(current))
		return -ERESTARTSYS;

	return drm_dev_is_unplugged(&req->ptdev->base) ? -ENODEV : 0;
}

static int panthor_mem_reclaim_vm(struct panthor_mem_reclaim *req, struct panthor_vm *vm)
{
	unsigned long freed, left = panthor_gem_lru_vm_pages(vm);
	int ret;

	if (!left)
		return 0;

	req->candidates = true;
	ret = panthor_gem_evict_wait_reclaimable(req->base.ptdev, vm);
	if (ret)
		return ret == -EBUSY ? 0 : ret;

	do {
		freed = panthor_gem_evict_vm(req->base.ptdev, vm,
					     min(left, PANTHOR_MEM_RECLAIM_CHUNK));
		req->freed += freed;
		left -= min(left, freed);
		ret = panthor_mem_request_check(&req->base);
	} while (!ret && freed && left);

	return ret;
}

static int panthor_mem_reclaim_vms(struct panthor_mem_reclaim *req, struct panthor_file *pfile)
{
	struct panthor_vm *vm;
	unsigned long id = 0;
	int ret = 0;

	while (!ret && (vm = panthor_vm_pool_get_next_vm(pfile->vms, &id))) {
		ret = panthor_mem_reclaim_vm(req, vm);
		panthor_vm_put(vm);
	}

	return ret;
}

/* Can another process be using an object of ours? */
static bool panthor_mem_reclaim_is_shared(struct drm_gem_object *obj)
{
	return READ_ONCE(obj->handle_count) > 1 || READ_ONCE(obj->dma_buf);
}

/* Something we can reclaim without touching a VM, and that nobody else has? */
static bool panthor_mem_reclaim_wants(struct drm_gem_object *obj)
{
	struct panthor_gem_object *bo = to_panthor_bo(obj);

	return READ_ONCE(bo->reclaim_state) <= PANTHOR_GEM_MMAPPED &&
	       !panthor_mem_reclaim_is_shared(obj);
}

/* Get the next object, in the order of handles, that nobody else has. */
static struct panthor_gem_object *
panthor_mem_reclaim_next_bo(struct drm_file *file, int *handle)
{
	struct drm_gem_object *obj;

	spin_lock(&file->table_lock);
	while ((obj = idr_get_next(&file->object_idr, handle))) {
		(*handle)++;
		if (panthor_mem_reclaim_wants(obj)) {
			drm_gem_object_get(obj);
			break;
		}
	}
	spin_unlock(&file->table_lock);

	return obj ? to_panthor_bo(obj) : NULL;
}

static int panthor_mem_reclaim_bo(struct panthor_mem_reclaim *req, struct panthor_gem_object *bo)
{
	unsigned long writing = 0;
	bool evicted;
	int ret;

	req->candidates = true;
	ret = dma_resv_lock_interruptible(bo->base.resv, NULL);
	if (ret)
		return -ERESTARTSYS;

	/* It might have been mapped since we looked at it. */
	panthor_gem_evict_enter(req->base.ptdev);
	evicted = bo->reclaim_state <= PANTHOR_GEM_MMAPPED && panthor_gem_evict_locked(bo);
	dma_resv_unlock(bo->base.resv);
	panthor_gem_evict_leave(req->base.ptdev, evicted);

	if (evicted)
		req->freed += panthor_gem_evict_write(bo, &writing);

	return panthor_mem_request_check(&req->base);
}

/* Objects that are not mapped in a VM. */
static int panthor_mem_reclaim_handles(struct panthor_mem_reclaim *req, struct drm_file *file)
{
	struct panthor_gem_object *bo;
	int handle = 0, ret = 0;

	while (!ret && (bo = panthor_mem_reclaim_next_bo(file, &handle))) {
		ret = panthor_mem_reclaim_bo(req, bo);
		drm_gem_object_put(&bo->base);
	}

	return ret;
}

/*
 * Get the next context of the process, in the order they were created. The caller
 * gets a reference to the struct file, which keeps the DRM file, and everything
 * in there.
 */
static struct drm_file *
panthor_mem_request_next_file_locked(struct panthor_mem_request *req, u64 *client_id)
{
	struct drm_device *ddev = &req->ptdev->base;
	struct drm_file *file, *next = NULL;

	lockdep_assert_held(&ddev->filelist_mutex);

	list_for_each_entry(file, &ddev->filelist, lhead) {
		if (file->client_id <= *client_id || (next && file->client_id > next->client_id) ||
		    rcu_access_pointer(file->pid) != req->pid)
			continue;

		next = file;
	}

	if (next)
		*client_id = next->client_id;

	return next;
}

/* Returns 1 if a context was found, 0 if there's none left. */
static int panthor_mem_request_get_next_file(struct panthor_mem_request *req, u64 *client_id,
					     struct drm_file **file)
{
	struct drm_device *ddev = &req->ptdev->base;
	int ret;

	ret = mutex_lock_interruptible(&ddev->filelist_mutex);
	if (ret)
		return -ERESTARTSYS;

	/* Skip those that are being closed. */
	do {
		*file = panthor_mem_request_next_file_locked(req, client_id);
	} while (*file && !get_file_active(&(*file)->filp));
	mutex_unlock(&ddev->filelist_mutex);

	return *file ? 1 : 0;
}

/**
 * panthor_mem_request_run() - Do something for all the contexts of a process
 * @req: Request.
 *
 * Context: Process context, with nothing locked, in a section entered with
 * drm_dev_enter().
 *
 * Return: 0 on success, -ESRCH if the process has no context, -ERESTARTSYS if a signal
 * was received, or what @req->file returned.
 */
int panthor_mem_request_run(struct panthor_mem_request *req)
{
	struct drm_file *file;
	u64 client_id = 0;
	bool found = false;
	int ret;

	while ((ret = panthor_mem_request_get_next_file(req, &client_id, &file)) > 0) {
		found = true;
		ret = req->file(req, file);
		fput(file->filp);
		if (ret)
			return ret;
	}

	if (ret)
		return ret;

	return found ? 0 : -ESRCH;
}

static int panthor_mem_reclaim_file(struct panthor_mem_request *base, struct drm_file *file)
{
	struct panthor_mem_reclaim *req = container_of(base, struct panthor_mem_reclaim, base);
	int ret;

	ret = panthor_mem_reclaim_handles(req, file);
	if (ret)
		return ret;

	return panthor_mem_reclaim_vms(req, file->driver_priv);
}

static int panthor_mem_reclaim_process(struct panthor_device *ptdev, struct pid *pid)
{
	struct panthor_mem_reclaim req = {
		.base = {
			.ptdev = ptdev,
			.pid = pid,
			.file = panthor_mem_reclaim_file,
		},
	};
	int ret;

	if (!panthor_gem_evict_swap_space())
		return -EOPNOTSUPP;

	ret = panthor_mem_request_run(&req.base);
	if (ret)
		return ret;

	return req.candidates && !req.freed ? -EAGAIN : 0;
}

/**
 * panthor_mem_reclaim_parse() - Parse what's written to mem_reclaim, or mem_claim
 * @buf: String to parse.
 * @tgid: Filled with the process ID on success.
 *
 * Return: 0 on success, -EINVAL if this isn't a strictly positive decimal number,
 * -ERANGE if it's too large.
 */
VISIBLE_IF_KUNIT int panthor_mem_reclaim_parse(const char *buf, pid_t *tgid)
{
	int ret, val;

	ret = kstrtoint(buf, 10, &val);
	if (ret)
		return ret;

	if (val <= 0)
		return -EINVAL;

	*tgid = val;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_mem_reclaim_parse);

/* Parse what was written, check who has written it, and do it. */
static ssize_t panthor_mem_store(struct device *dev, const char *buf, size_t len,
				 bool for_oneself,
				 int (*process)(struct panthor_device *ptdev, struct pid *pid))
{
	struct panthor_device *ptdev = dev_get_drvdata(dev);
	struct pid *pid;
	pid_t tgid;
	int ret, cookie;

	ret = panthor_mem_reclaim_parse(buf, &tgid);
	if (ret)
		return ret;

	/* The number is the one the writer sees. */
	pid = find_get_pid(tgid);

	/* Without the capability, whether others exist isn't any of your business. */
	if (!(for_oneself && pid == task_tgid(current)) && !capable(CAP_SYS_RESOURCE)) {
		ret = -EPERM;
		goto out_put_pid;
	}

	if (!pid) {
		ret = -ESRCH;
		goto out_put_pid;
	}

	if (!drm_dev_enter(&ptdev->base, &cookie)) {
		ret = -ENODEV;
		goto out_put_pid;
	}

	ret = process(ptdev, pid);
	drm_dev_exit(cookie);

out_put_pid:
	put_pid(pid);
	return ret ?: len;
}

static ssize_t mem_reclaim_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t len)
{
	return panthor_mem_store(dev, buf, len, true, panthor_mem_reclaim_process);
}
static DEVICE_ATTR_WO(mem_reclaim);

static ssize_t mem_claim_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t len)
{
	/* Others might have to make room for it, so nobody does that for oneself. */
	return panthor_mem_store(dev, buf, len, false, panthor_mem_claim_process);
}
static DEVICE_ATTR_WO(mem_claim);

static struct attribute *panthor_mem_reclaim_attrs[] = {
	&dev_attr_mem_reclaim.attr,
	&dev_attr_mem_claim.attr,
	NULL,
};

const struct attribute_group panthor_mem_reclaim_group = {
	.attrs = panthor_mem_reclaim_attrs,
};
