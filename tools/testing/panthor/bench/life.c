// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a buffer from the day it's created. The buffers are small: more
 * would measure how memory is zeroed.
 */
#include "bench.h"

static struct pan_bo bos[BATCH_MAX];
static struct batch_call calls[BATCH_MAX];

static struct batch_call ioctl_call(struct pan_dev *dev, __u32 cmd, void *arg)
{
	return (struct batch_call) {
		.what = BATCH_IOCTL, .fd = dev->fd, .cmd = cmd, .arg = (__u64)arg,
	};
}

static double create(struct pan_vm *vm, __u32 count)
{
	static struct drm_panthor_bo_create args[BATCH_MAX];
	double us;
	__u32 i;

	for (i = 0; i < count; i++) {
		args[i] = (struct drm_panthor_bo_create) {
			.size = PAN_PAGE_SIZE, .exclusive_vm_id = vm->id,
		};
		calls[i] = ioctl_call(vm->dev, DRM_IOCTL_PANTHOR_BO_CREATE, &args[i]);
	}
	us = calls_run(calls, count);
	for (i = 0; i < count; i++)
		bos[i] = (struct pan_bo) {
			.dev = vm->dev, .handle = args[i].handle, .size = PAN_PAGE_SIZE,
		};
	return us;
}

static double destroy(__u32 count)
{
	static struct drm_gem_close args[BATCH_MAX];
	__u32 i;

	for (i = 0; i < count; i++) {
		args[i] = (struct drm_gem_close) { .handle = bos[i].handle };
		calls[i] = ioctl_call(bos[i].dev, DRM_IOCTL_GEM_CLOSE, &args[i]);
	}
	return calls_run(calls, count);
}

/* Map what @ops say, and unmap all of it. */
static double bind(struct pan_vm *vm, struct drm_panthor_vm_bind_op *ops, __u32 count)
{
	struct drm_panthor_vm_bind_op unmap = pan_op_unmap(ops[0].va, count * ops[0].size);
	struct drm_panthor_vm_bind args[2] = {
		{
			.vm_id = vm->id,
			.ops = { .stride = sizeof(*ops), .count = count, .array = (__u64)ops },
		},
		{
			.vm_id = vm->id,
			.ops = { .stride = sizeof(unmap), .count = 1, .array = (__u64)&unmap },
		},
	};
	__u32 i;

	for (i = 0; i < 2; i++)
		calls[i] = ioctl_call(vm->dev, DRM_IOCTL_PANTHOR_VM_BIND, &args[i]);
	return calls_run(calls, 2);
}

static double bind_all(struct pan_vm *vm, __u64 va, __u32 count)
{
	static struct drm_panthor_vm_bind_op ops[BATCH_MAX];
	__u32 i;

	for (i = 0; i < count; i++)
		ops[i] = pan_op_map(&bos[i], 0, va + i * PAN_PAGE_SIZE, PAN_PAGE_SIZE, 0);
	return bind(vm, ops, count);
}

/**
 * maps_us() - Have a buffer that has its memory mapped many times, and unmapped.
 * @bo: the buffer
 * @vm: where to map it
 * @va: where there's room for that
 * @count: how many times, up to BATCH_MAX
 *
 * Return: µs for each.
 */
double maps_us(const struct pan_bo *bo, struct pan_vm *vm, __u64 va, __u32 count)
{
	static struct drm_panthor_vm_bind_op ops[BATCH_MAX];
	__u32 i;

	for (i = 0; i < count; i++)
		ops[i] = pan_op_map(bo, 0, va + i * bo->size, bo->size, 0);
	return bind(vm, ops, count) / count;
}

/**
 * lives_us() - Have buffers created, bound, unbound, and closed.
 * @vm: whose they are
 * @va: where there's room for them
 * @count: their number, up to BATCH_MAX
 *
 * Return: µs for each.
 */
double lives_us(struct pan_vm *vm, __u64 va, __u32 count)
{
	double us;

	us = create(vm, count);
	us += bind_all(vm, va, count);
	us += destroy(count);
	return us / count;
}

static double map(__u32 count)
{
	__u64 offset;
	double us;
	__u32 i;

	for (i = 0; i < count; i++) {
		MUST(pan_bo_mmap_offset(&bos[i], &offset));
		calls[i] = (struct batch_call) {
			.what = BATCH_MMAP, .fd = bos[i].dev->fd, .size = bos[i].size,
			.arg = offset,
		};
	}
	us = calls_run(calls, count);
	for (i = 0; i < count; i++)
		bos[i].map = (void *)calls[i].ret;
	return us;
}

static double touch(__u32 count)
{
	__u32 i;

	for (i = 0; i < count; i++)
		calls[i] = (struct batch_call) {
			.what = BATCH_TOUCH, .arg = (__u64)bos[i].map,
		};
	return calls_run(calls, count);
}

/**
 * faults_us() - mmap() and the first access to each of many new buffers.
 * @dev: whose they are
 * @count: their number, up to BATCH_MAX
 *
 * Return: µs for each.
 */
double faults_us(struct pan_dev *dev, __u32 count)
{
	double us;
	__u32 i;

	for (i = 0; i < count; i++)
		MUST(pan_bo_create(dev, PAN_PAGE_SIZE, 0, NULL, &bos[i]));
	us = map(count);
	us += touch(count);
	for (i = 0; i < count; i++)
		MUST(pan_bo_close(&bos[i]));
	return us / count;
}
