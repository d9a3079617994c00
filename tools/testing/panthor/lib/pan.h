/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thin C library over the panthor uAPI, for tests and measurements.
 *
 * Conventions
 *  - A function that can fail returns 0 (or a count) on success and a negative
 *    errno otherwise. Nothing here aborts, exits or retries behind the
 *    caller's back, with one exception: ioctls interrupted by a signal are
 *    restarted.
 *  - Sizes and offsets are bytes, times are milliseconds.
 *  - Objects are plain structs owned by the caller. Each _create() or _open()
 *    has a counterpart; calling that on an object that was never created, or
 *    twice, is harmless.
 *
 * Other headers: pan_cs.h builds command streams, pan_ctx.h runs them,
 * pan_stat.h reads fdinfo, debugfs and /proc, pan_util.h has seeds, patterns
 * and deadlines.
 */
#ifndef PAN_H
#define PAN_H

#include <stdbool.h>
#include <stddef.h>
#include <limits.h>
#include <stdint.h>
#include <unistd.h>
#include <linux/types.h>

#include <drm.h>
#include <drm/panthor_drm.h>

/* The CPU's page is what memory is allocated and swapped in. */
#define PAN_PAGE_SIZE		((__u64)sysconf(_SC_PAGESIZE))
/* The GPU's is what VM_BIND and addresses of rings are multiples of. */
#define PAN_GPU_PAGE_SIZE	4096ULL
#define PAN_SZ_64K		0x10000ULL
#define PAN_SZ_1M		0x100000ULL
#define PAN_SZ_2M		0x200000ULL

/**
 * struct pan_dev - An open file of the GPU.
 * @fd: file descriptor, -1 when closed
 * @minor: minor number of the node that was opened
 * @sysfs: directory of the platform device
 * @gpu: answer of DEV_QUERY(GPU_INFO)
 * @csif: answer of DEV_QUERY(CSIF_INFO)
 */
struct pan_dev {
	int fd;
	unsigned int minor;
	char sysfs[PATH_MAX];
	struct drm_panthor_gpu_info gpu;
	struct drm_panthor_csif_info csif;
};

/**
 * struct pan_vm - A GPU address space.
 * @dev: file it belongs to, NULL when there is no VM
 * @id: VM handle
 * @user_va_range: end of the part that user space may bind
 * @next_va: where pan_vm_alloc_va() continues
 */
struct pan_vm {
	struct pan_dev *dev;
	__u32 id;
	__u64 user_va_range;
	__u64 next_va;
};

/**
 * struct pan_bo - A buffer object.
 * @dev: file that owns the handle, NULL when there is no buffer
 * @handle: GEM handle
 * @size: size as returned by the driver
 * @map: CPU mapping made by pan_bo_mmap(), or NULL
 * @va: GPU address of a mapping, for callers that keep just one
 */
struct pan_bo {
	struct pan_dev *dev;
	__u32 handle;
	__u64 size;
	void *map;
	__u64 va;
};

/**
 * struct pan_group - A scheduling group.
 * @dev: file it belongs to, NULL when there is no group
 * @handle: group handle
 * @queues: number of queues
 */
struct pan_group {
	struct pan_dev *dev;
	__u32 handle;
	__u32 queues;
};

/* device.c */
int pan_ioctl(int fd, unsigned long request, void *arg);
int pan_open(struct pan_dev *dev);
int pan_open_primary(struct pan_dev *dev);
int pan_reopen(const struct pan_dev *dev, struct pan_dev *other);
void pan_close(struct pan_dev *dev);
int pan_query(struct pan_dev *dev, __u32 type, void *data, __u32 *size);
int pan_version(struct pan_dev *dev, int *major, int *minor);
int pan_runtime_status(struct pan_dev *dev, char *buf, size_t len);
int pan_wait_suspended(struct pan_dev *dev, int timeout_ms);
int pan_keep_awake(struct pan_dev *dev, bool on);
const char *pan_device_name(const struct pan_dev *dev);

/* driver.c */
int pan_driver_bind(const char *name);
int pan_driver_unbind(const char *name);
int pan_module_load(const char *module);
int pan_module_unload(const char *module);
int pan_module_unload_wait(const char *module, int timeout_ms);

/* vm.c */
int pan_vm_create(struct pan_dev *dev, __u64 user_va_range, struct pan_vm *vm);
int pan_vm_destroy(struct pan_vm *vm);
int pan_vm_state(struct pan_vm *vm, __u32 *state);
__u64 pan_vm_alloc_va(struct pan_vm *vm, __u64 size, __u64 align);

struct drm_panthor_vm_bind_op
pan_op_map(const struct pan_bo *bo, __u64 offset, __u64 va, __u64 size, __u32 flags);
struct drm_panthor_vm_bind_op pan_op_unmap(__u64 va, __u64 size);
struct drm_panthor_vm_bind_op pan_op_sync(const struct drm_panthor_sync_op *syncs, __u32 count);
int pan_vm_bind(struct pan_vm *vm, __u32 flags, struct drm_panthor_vm_bind_op *ops,
		__u32 count, __u32 *done);
int pan_vm_map(struct pan_vm *vm, const struct pan_bo *bo, __u64 offset,
	       __u64 va, __u64 size, __u32 flags);
int pan_vm_unmap(struct pan_vm *vm, __u64 va, __u64 size);
int pan_vm_bind_async(struct pan_vm *vm, struct drm_panthor_vm_bind_op *ops, __u32 count);

/* bo.c */
int pan_bo_create(struct pan_dev *dev, __u64 size, __u32 flags,
		  const struct pan_vm *exclusive, struct pan_bo *bo);
int pan_bo_create_mapped(struct pan_vm *vm, __u64 size, __u64 align,
			 bool exclusive, struct pan_bo *bo);
int pan_bo_mmap_offset(const struct pan_bo *bo, __u64 *offset);
int pan_bo_mmap(struct pan_bo *bo);
int pan_bo_munmap(struct pan_bo *bo);
int pan_bo_close(struct pan_bo *bo);
int pan_bo_export(const struct pan_bo *bo, int *fd);
int pan_bo_import(struct pan_dev *dev, int fd, __u64 size, struct pan_bo *bo);

/* vgem.c: a second driver to share buffers with */
int pan_vgem_open(int *fd);
int pan_vgem_create(int fd, __u64 size, __u32 *handle);
int pan_vgem_mmap(int fd, __u32 handle, __u64 size, void **map);
int pan_gem_close(int fd, __u32 handle);

/* sync.c */
struct drm_panthor_sync_op pan_wait_op(__u32 handle);
struct drm_panthor_sync_op pan_signal_op(__u32 handle);
struct drm_panthor_sync_op pan_wait_point_op(__u32 handle, __u64 point);
struct drm_panthor_sync_op pan_signal_point_op(__u32 handle, __u64 point);
int pan_sync_create(struct pan_dev *dev, __u32 *handle);
int pan_sync_destroy(struct pan_dev *dev, __u32 handle);
int pan_sync_signal(struct pan_dev *dev, __u32 handle);
int pan_sync_reset(struct pan_dev *dev, __u32 handle);
int pan_sync_wait(struct pan_dev *dev, __u32 handle, int timeout_ms);
int pan_sync_result(struct pan_dev *dev, __u32 handle);
int pan_sync_wait_result(struct pan_dev *dev, __u32 handle, int timeout_ms);
int pan_sync_point_wait(struct pan_dev *dev, __u32 handle, __u64 point, int timeout_ms);
int pan_sync_point_query(struct pan_dev *dev, __u32 handle, __u64 *point);
int pan_sync_export_file(struct pan_dev *dev, __u32 handle, int *fd);
int pan_sync_file_status(int fd);

/* group.c */
struct drm_panthor_group_create
pan_group_args(const struct pan_vm *vm, struct drm_panthor_queue_create *queues, __u32 count);
int pan_group_create_raw(struct pan_dev *dev, struct drm_panthor_group_create *args,
			 struct pan_group *group);
int pan_group_create(const struct pan_vm *vm, __u32 queues, __u32 ring_size,
		     __u8 priority, struct pan_group *group);
int pan_group_destroy(struct pan_group *group);
int pan_group_state(struct pan_group *group, __u32 *state, __u32 *fatal_queues);
int pan_group_submit(struct pan_group *group, struct drm_panthor_queue_submit *subs,
		     __u32 count);
int pan_queue_submit(struct pan_group *group, __u32 queue, __u64 addr, __u32 size,
		     const struct drm_panthor_sync_op *syncs, __u32 count);

/* heap.c */
int pan_heap_create(struct pan_vm *vm, __u32 initial, __u32 chunk_size, __u32 max,
		    __u32 in_flight, struct drm_panthor_tiler_heap_create *heap);
int pan_heap_destroy(struct pan_dev *dev, __u32 handle);

#endif /* PAN_H */
