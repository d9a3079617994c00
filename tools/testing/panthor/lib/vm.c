// SPDX-License-Identifier: GPL-2.0
/*
 * GPU address spaces and VM_BIND.
 */
#include <errno.h>
#include <string.h>

#include "pan.h"

/* Keep the first 16 MiB free, so that small wrong addresses fault. */
#define FIRST_VA	(16 * PAN_SZ_1M)

/**
 * pan_vm_create() - Create an address space.
 * @dev: device
 * @user_va_range: bytes that user space may bind, 0 for the driver's default
 * @vm: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_create(struct pan_dev *dev, __u64 user_va_range, struct pan_vm *vm)
{
	struct drm_panthor_vm_create args = { .user_va_range = user_va_range };
	int ret;

	memset(vm, 0, sizeof(*vm));
	ret = pan_ioctl(dev->fd, DRM_IOCTL_PANTHOR_VM_CREATE, &args);
	if (ret)
		return ret;

	vm->dev = dev;
	vm->id = args.id;
	vm->user_va_range = args.user_va_range;
	vm->next_va = FIRST_VA;
	return 0;
}

/**
 * pan_vm_destroy() - Destroy an address space.
 * @vm: address space
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_destroy(struct pan_vm *vm)
{
	struct drm_panthor_vm_destroy args = { .id = vm->id };
	int ret;

	if (!vm->dev)
		return 0;
	ret = pan_ioctl(vm->dev->fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
	vm->dev = NULL;
	return ret;
}

/**
 * pan_vm_state() - VM_GET_STATE.
 * @vm: address space
 * @state: enum drm_panthor_vm_state
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_state(struct pan_vm *vm, __u32 *state)
{
	struct drm_panthor_vm_get_state args = { .vm_id = vm->id };
	int ret;

	ret = pan_ioctl(vm->dev->fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &args);
	*state = args.state;
	return ret;
}

/**
 * pan_vm_alloc_va() - Reserve addresses that nothing else was given.
 * @vm: address space
 * @size: bytes
 * @align: power of two, at least a page
 *
 * A page is left free behind each range, so that overruns fault. Ranges are
 * never given back.
 *
 * Return: the address.
 */
__u64 pan_vm_alloc_va(struct pan_vm *vm, __u64 size, __u64 align)
{
	__u64 va = (vm->next_va + align - 1) & ~(align - 1);

	vm->next_va = va + size + PAN_PAGE_SIZE;
	return va;
}

/**
 * pan_op_map() - Build a map operation.
 * @bo: buffer
 * @offset: first byte of the buffer
 * @va: GPU address
 * @size: bytes
 * @flags: DRM_PANTHOR_VM_BIND_OP_MAP_*
 *
 * Return: the operation, without syncs.
 */
struct drm_panthor_vm_bind_op
pan_op_map(const struct pan_bo *bo, __u64 offset, __u64 va, __u64 size, __u32 flags)
{
	return (struct drm_panthor_vm_bind_op) {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP | flags,
		.bo_handle = bo->handle,
		.bo_offset = offset,
		.va = va,
		.size = size,
	};
}

/**
 * pan_op_unmap() - Build an unmap operation.
 * @va: GPU address
 * @size: bytes
 *
 * Return: the operation, without syncs.
 */
struct drm_panthor_vm_bind_op pan_op_unmap(__u64 va, __u64 size)
{
	return (struct drm_panthor_vm_bind_op) {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = va,
		.size = size,
	};
}

/**
 * pan_op_sync() - Build a sync-only operation.
 * @syncs: sync operations, must live until the ioctl
 * @count: their number
 *
 * Return: the operation.
 */
struct drm_panthor_vm_bind_op pan_op_sync(const struct drm_panthor_sync_op *syncs, __u32 count)
{
	return (struct drm_panthor_vm_bind_op) {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(count, syncs),
	};
}

/**
 * pan_vm_bind() - The VM_BIND ioctl.
 * @vm: address space
 * @flags: 0 or DRM_PANTHOR_VM_BIND_ASYNC
 * @ops: operations
 * @count: their number
 * @done: if not NULL, how many the driver says it did; all of them on success
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_bind(struct pan_vm *vm, __u32 flags, struct drm_panthor_vm_bind_op *ops,
		__u32 count, __u32 *done)
{
	struct drm_panthor_vm_bind args = {
		.vm_id = vm->id,
		.flags = flags,
		.ops = DRM_PANTHOR_OBJ_ARRAY(count, ops),
	};
	int ret;

	ret = pan_ioctl(vm->dev->fd, DRM_IOCTL_PANTHOR_VM_BIND, &args);
	if (done)
		*done = args.ops.count;
	return ret;
}

/**
 * pan_vm_map() - Map part of a buffer, synchronously.
 * @vm: address space
 * @bo: buffer
 * @offset: first byte of the buffer
 * @va: GPU address
 * @size: bytes
 * @flags: DRM_PANTHOR_VM_BIND_OP_MAP_*
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_map(struct pan_vm *vm, const struct pan_bo *bo, __u64 offset,
	       __u64 va, __u64 size, __u32 flags)
{
	struct drm_panthor_vm_bind_op op = pan_op_map(bo, offset, va, size, flags);

	return pan_vm_bind(vm, 0, &op, 1, NULL);
}

/**
 * pan_vm_unmap() - Unmap a range, synchronously.
 * @vm: address space
 * @va: GPU address
 * @size: bytes
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_unmap(struct pan_vm *vm, __u64 va, __u64 size)
{
	struct drm_panthor_vm_bind_op op = pan_op_unmap(va, size);

	return pan_vm_bind(vm, 0, &op, 1, NULL);
}

/**
 * pan_vm_bind_async() - Queue operations on the VM's own queue.
 * @vm: address space
 * @ops: operations, with their syncs
 * @count: their number
 *
 * Return: 0 or a negative errno.
 */
int pan_vm_bind_async(struct pan_vm *vm, struct drm_panthor_vm_bind_op *ops, __u32 count)
{
	return pan_vm_bind(vm, DRM_PANTHOR_VM_BIND_ASYNC, ops, count, NULL);
}
