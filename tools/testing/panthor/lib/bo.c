// SPDX-License-Identifier: GPL-2.0
/*
 * Buffer objects: creation, CPU mappings, sharing.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "libdrm_calls.h"
#include "pan.h"

/**
 * pan_bo_create() - Create a buffer.
 * @dev: device
 * @size: bytes, rounded up to pages by the driver
 * @flags: DRM_PANTHOR_BO_*
 * @exclusive: the only VM it may be bound to, or NULL
 * @bo: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_create(struct pan_dev *dev, __u64 size, __u32 flags,
		  const struct pan_vm *exclusive, struct pan_bo *bo)
{
	struct drm_panthor_bo_create args = {
		.size = size,
		.flags = flags,
		.exclusive_vm_id = exclusive ? exclusive->id : 0,
	};
	int ret;

	memset(bo, 0, sizeof(*bo));
	ret = pan_ioctl(dev->fd, DRM_IOCTL_PANTHOR_BO_CREATE, &args);
	if (ret)
		return ret;

	bo->dev = dev;
	bo->handle = args.handle;
	bo->size = args.size;
	return 0;
}

/**
 * pan_bo_create_mapped() - Create a buffer and map all of it in a VM.
 * @vm: address space
 * @size: bytes
 * @align: alignment of the GPU address
 * @exclusive: whether the buffer is private to @vm
 * @bo: filled in, @bo->va is the address
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_create_mapped(struct pan_vm *vm, __u64 size, __u64 align,
			 bool exclusive, struct pan_bo *bo)
{
	int ret;

	ret = pan_bo_create(vm->dev, size, 0, exclusive ? vm : NULL, bo);
	if (ret)
		return ret;

	bo->va = pan_vm_alloc_va(vm, bo->size, align);
	ret = pan_vm_map(vm, bo, 0, bo->va, bo->size, 0);
	if (ret)
		pan_bo_close(bo);
	return ret;
}

/**
 * pan_bo_mmap_offset() - BO_MMAP_OFFSET.
 * @bo: buffer
 * @offset: offset to pass to mmap()
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_mmap_offset(const struct pan_bo *bo, __u64 *offset)
{
	struct drm_panthor_bo_mmap_offset args = { .handle = bo->handle };
	int ret;

	ret = pan_ioctl(bo->dev->fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);
	*offset = args.offset;
	return ret;
}

/**
 * pan_bo_mmap() - Map the whole buffer for the CPU, into bo->map.
 * @bo: buffer
 *
 * Return: 0 (also if it is mapped already) or a negative errno.
 */
int pan_bo_mmap(struct pan_bo *bo)
{
	__u64 offset;
	void *map;
	int ret;

	if (bo->map)
		return 0;
	ret = pan_bo_mmap_offset(bo, &offset);
	if (ret)
		return ret;

	map = mmap(NULL, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED, bo->dev->fd, offset);
	if (map == MAP_FAILED)
		return -errno;
	bo->map = map;
	return 0;
}

/**
 * pan_bo_munmap() - Undo pan_bo_mmap().
 * @bo: buffer
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_munmap(struct pan_bo *bo)
{
	int ret = 0;

	if (bo->map && munmap(bo->map, bo->size))
		ret = -errno;
	bo->map = NULL;
	return ret;
}

/**
 * pan_bo_close() - Drop the CPU mapping and the handle.
 * @bo: buffer
 *
 * Return: 0 or the first negative errno.
 */
int pan_bo_close(struct pan_bo *bo)
{
	int ret, err;

	if (!bo->dev)
		return 0;
	ret = pan_bo_munmap(bo);
	err = pan_gem_close(bo->dev->fd, bo->handle);
	bo->dev = NULL;
	return ret ? ret : err;
}

/**
 * pan_bo_export() - Make a dma-buf of a buffer.
 * @bo: buffer
 * @fd: the dma-buf, to be closed by the caller
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_export(const struct pan_bo *bo, int *fd)
{
	return libdrm_prime_export(bo->dev->fd, bo->handle, fd);
}

/**
 * pan_bo_import() - Get a handle for a dma-buf.
 * @dev: device
 * @fd: dma-buf
 * @size: its size
 * @bo: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_bo_import(struct pan_dev *dev, int fd, __u64 size, struct pan_bo *bo)
{
	int ret;

	memset(bo, 0, sizeof(*bo));
	ret = libdrm_prime_import(dev->fd, fd, &bo->handle);
	if (ret)
		return ret;
	bo->dev = dev;
	bo->size = size;
	return 0;
}
