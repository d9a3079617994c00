// SPDX-License-Identifier: GPL-2.0
/*
 * Sync objects: what jobs and binds wait for and signal.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <linux/sync_file.h>

#include "libdrm_calls.h"
#include "pan.h"

static __s64 deadline_ns(int timeout_ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec + timeout_ms * 1000000LL;
}

/**
 * pan_wait_op() - A job or bind waits for a syncobj.
 * @handle: syncobj
 *
 * Return: the operation.
 */
struct drm_panthor_sync_op pan_wait_op(__u32 handle)
{
	return (struct drm_panthor_sync_op) {
		.flags = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ | DRM_PANTHOR_SYNC_OP_WAIT,
		.handle = handle,
	};
}

/**
 * pan_signal_op() - A job or bind signals a syncobj.
 * @handle: syncobj
 *
 * Return: the operation.
 */
struct drm_panthor_sync_op pan_signal_op(__u32 handle)
{
	return (struct drm_panthor_sync_op) {
		.flags = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ | DRM_PANTHOR_SYNC_OP_SIGNAL,
		.handle = handle,
	};
}

/**
 * pan_wait_point_op() - A job or bind waits for a point of a timeline.
 * @handle: syncobj
 * @point: point
 *
 * Return: the operation.
 */
struct drm_panthor_sync_op pan_wait_point_op(__u32 handle, __u64 point)
{
	return (struct drm_panthor_sync_op) {
		.flags = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ |
			 DRM_PANTHOR_SYNC_OP_WAIT,
		.handle = handle,
		.timeline_value = point,
	};
}

/**
 * pan_signal_point_op() - A job or bind signals a point of a timeline.
 * @handle: syncobj
 * @point: point
 *
 * Return: the operation.
 */
struct drm_panthor_sync_op pan_signal_point_op(__u32 handle, __u64 point)
{
	return (struct drm_panthor_sync_op) {
		.flags = DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_TIMELINE_SYNCOBJ |
			 (__u32)DRM_PANTHOR_SYNC_OP_SIGNAL,
		.handle = handle,
		.timeline_value = point,
	};
}

/**
 * pan_sync_create() - Create a syncobj, unsignalled.
 * @dev: device
 * @handle: syncobj
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_create(struct pan_dev *dev, __u32 *handle)
{
	return libdrm_sync_create(dev->fd, handle);
}

/**
 * pan_sync_destroy() - Destroy a syncobj.
 * @dev: device
 * @handle: syncobj
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_destroy(struct pan_dev *dev, __u32 handle)
{
	return libdrm_sync_destroy(dev->fd, handle);
}

/**
 * pan_sync_signal() - Signal a syncobj from the CPU.
 * @dev: device
 * @handle: syncobj
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_signal(struct pan_dev *dev, __u32 handle)
{
	return libdrm_sync_signal(dev->fd, handle);
}

/**
 * pan_sync_reset() - Take the fence out of a syncobj.
 * @dev: device
 * @handle: syncobj
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_reset(struct pan_dev *dev, __u32 handle)
{
	return libdrm_sync_reset(dev->fd, handle);
}

/**
 * pan_sync_wait() - Wait until a syncobj is signalled, well or badly.
 * @dev: device
 * @handle: syncobj
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, or another negative errno.
 */
int pan_sync_wait(struct pan_dev *dev, __u32 handle, int timeout_ms)
{
	return libdrm_sync_wait(dev->fd, handle, deadline_ns(timeout_ms));
}

/**
 * pan_sync_file_status() - What became of the fences in a sync file.
 * @fd: sync file
 *
 * Return: 0 if they signalled without error, -EBUSY if they did not signal
 * yet, otherwise the error they signalled with (or that of the ioctl).
 */
int pan_sync_file_status(int fd)
{
	struct sync_file_info info = { .num_fences = 0 };
	int ret;

	ret = pan_ioctl(fd, SYNC_IOC_FILE_INFO, &info);
	if (ret)
		return ret;
	if (info.status < 0)
		return info.status;
	return info.status == 1 ? 0 : -EBUSY;
}

/**
 * pan_sync_export_file() - Get the fence of a syncobj as a sync file.
 * @dev: device
 * @handle: syncobj
 * @fd: sync file, to be closed by the caller
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_export_file(struct pan_dev *dev, __u32 handle, int *fd)
{
	return libdrm_sync_export_file(dev->fd, handle, fd);
}

/**
 * pan_sync_result() - What became of the work that signals a syncobj.
 * @dev: device
 * @handle: syncobj
 *
 * The wait ioctls of syncobjs hide a fence's error, sync files tell it. Only
 * while the group or VM of the work lives: the answer has the name of its
 * scheduler in it, and Linux 6.12 doesn't care whether that was freed.
 *
 * Return: as pan_sync_file_status().
 */
int pan_sync_result(struct pan_dev *dev, __u32 handle)
{
	int fd, ret;

	ret = pan_sync_export_file(dev, handle, &fd);
	if (ret)
		return ret;
	ret = pan_sync_file_status(fd);
	close(fd);
	return ret;
}

/**
 * pan_sync_wait_result() - Wait for a syncobj and tell how the work ended.
 * @dev: device
 * @handle: syncobj
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, otherwise the fence's error.
 */
int pan_sync_wait_result(struct pan_dev *dev, __u32 handle, int timeout_ms)
{
	int ret;

	ret = pan_sync_wait(dev, handle, timeout_ms);
	return ret ? ret : pan_sync_result(dev, handle);
}

/**
 * pan_sync_point_wait() - Wait for a timeline point.
 * @dev: device
 * @handle: syncobj
 * @point: point
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, or another negative errno.
 */
int pan_sync_point_wait(struct pan_dev *dev, __u32 handle, __u64 point, int timeout_ms)
{
	return libdrm_point_wait(dev->fd, handle, point, deadline_ns(timeout_ms));
}

/**
 * pan_sync_point_query() - Last signalled point of a timeline.
 * @dev: device
 * @handle: syncobj
 * @point: point
 *
 * Return: 0 or a negative errno.
 */
int pan_sync_point_query(struct pan_dev *dev, __u32 handle, __u64 *point)
{
	return libdrm_point_query(dev->fd, handle, point);
}
