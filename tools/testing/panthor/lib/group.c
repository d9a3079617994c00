// SPDX-License-Identifier: GPL-2.0
/*
 * Scheduling groups and job submission.
 */
#include <errno.h>
#include <string.h>

#include "pan.h"

#define MAX_QUEUES	32

static __u64 lowest_bit(__u64 mask)
{
	return mask & -mask;
}

/**
 * pan_group_args() - Arguments of a group that takes one core of each kind.
 * @vm: its address space
 * @queues: queue descriptions, must live until the ioctl
 * @count: their number
 *
 * Return: arguments that are valid and may be changed before use.
 */
struct drm_panthor_group_create
pan_group_args(const struct pan_vm *vm, struct drm_panthor_queue_create *queues, __u32 count)
{
	const struct drm_panthor_gpu_info *gpu = &vm->dev->gpu;

	return (struct drm_panthor_group_create) {
		.queues = DRM_PANTHOR_OBJ_ARRAY(count, queues),
		.max_compute_cores = 1,
		.max_fragment_cores = 1,
		.max_tiler_cores = 1,
		.priority = PANTHOR_GROUP_PRIORITY_MEDIUM,
		.compute_core_mask = lowest_bit(gpu->shader_present),
		.fragment_core_mask = lowest_bit(gpu->shader_present),
		.tiler_core_mask = lowest_bit(gpu->tiler_present),
		.vm_id = vm->id,
	};
}

/**
 * pan_group_create_raw() - GROUP_CREATE with the caller's arguments.
 * @dev: device
 * @args: arguments
 * @group: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_group_create_raw(struct pan_dev *dev, struct drm_panthor_group_create *args,
			 struct pan_group *group)
{
	int ret;

	memset(group, 0, sizeof(*group));
	ret = pan_ioctl(dev->fd, DRM_IOCTL_PANTHOR_GROUP_CREATE, args);
	if (ret)
		return ret;

	group->dev = dev;
	group->handle = args->group_handle;
	group->queues = args->queues.count;
	return 0;
}

/**
 * pan_group_create() - Create a group of equal queues.
 * @vm: its address space
 * @queues: number of queues
 * @ring_size: ring buffer of each, in bytes: a power of two, 4 KiB to 64 KiB
 * @priority: PANTHOR_GROUP_PRIORITY_*
 * @group: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_group_create(const struct pan_vm *vm, __u32 queues, __u32 ring_size,
		     __u8 priority, struct pan_group *group)
{
	struct drm_panthor_queue_create descs[MAX_QUEUES] = {};
	struct drm_panthor_group_create args;
	__u32 i;

	memset(group, 0, sizeof(*group));
	if (queues > MAX_QUEUES)
		return -EINVAL;
	for (i = 0; i < queues; i++)
		descs[i].ringbuf_size = ring_size;

	args = pan_group_args(vm, descs, queues);
	args.priority = priority;
	return pan_group_create_raw(vm->dev, &args, group);
}

/**
 * pan_group_destroy() - Destroy a group. Its jobs are cancelled.
 * @group: group
 *
 * Return: 0 or a negative errno.
 */
int pan_group_destroy(struct pan_group *group)
{
	struct drm_panthor_group_destroy args = { .group_handle = group->handle };
	int ret;

	if (!group->dev)
		return 0;
	ret = pan_ioctl(group->dev->fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
	group->dev = NULL;
	return ret;
}

/**
 * pan_group_state() - GROUP_GET_STATE.
 * @group: group
 * @state: DRM_PANTHOR_GROUP_STATE_* flags
 * @fatal_queues: mask of queues that had a fatal fault
 *
 * Return: 0 or a negative errno.
 */
int pan_group_state(struct pan_group *group, __u32 *state, __u32 *fatal_queues)
{
	struct drm_panthor_group_get_state args = { .group_handle = group->handle };
	int ret;

	ret = pan_ioctl(group->dev->fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);
	*state = args.state;
	*fatal_queues = args.fatal_queues;
	return ret;
}

/**
 * pan_group_submit() - GROUP_SUBMIT.
 * @group: group
 * @subs: jobs
 * @count: their number
 *
 * Return: 0 or a negative errno.
 */
int pan_group_submit(struct pan_group *group, struct drm_panthor_queue_submit *subs,
		     __u32 count)
{
	struct drm_panthor_group_submit args = {
		.group_handle = group->handle,
		.queue_submits = DRM_PANTHOR_OBJ_ARRAY(count, subs),
	};

	return pan_ioctl(group->dev->fd, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

/**
 * pan_queue_submit() - Submit one job.
 * @group: group
 * @queue: queue index
 * @addr: GPU address of the command stream, 64-byte aligned
 * @size: its bytes
 * @syncs: sync operations, may be NULL
 * @count: their number
 *
 * Return: 0 or a negative errno.
 */
int pan_queue_submit(struct pan_group *group, __u32 queue, __u64 addr, __u32 size,
		     const struct drm_panthor_sync_op *syncs, __u32 count)
{
	struct drm_panthor_queue_submit sub = {
		.queue_index = queue,
		.stream_size = size,
		.stream_addr = addr,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(count, syncs),
	};

	return pan_group_submit(group, &sub, 1);
}
