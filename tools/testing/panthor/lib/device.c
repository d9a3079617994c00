// SPDX-License-Identifier: GPL-2.0
/*
 * Opening the GPU, asking what it is, and its runtime power state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libdrm_calls.h"
#include "pan.h"
#include "pan_util.h"

#define PAN_DRIVER_NAME		"panthor"
#define PRIMARY_FIRST_MINOR	0
#define RENDER_FIRST_MINOR	128
#define MINORS_PER_TYPE		64

/**
 * pan_ioctl() - ioctl() that restarts after signals and returns the errno.
 * @fd: file descriptor
 * @request: ioctl number
 * @arg: its argument
 *
 * Return: what the ioctl returned, or a negative errno.
 */
int pan_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret == -1 && errno == EINTR);

	return ret == -1 ? -errno : ret;
}

static int open_if_panthor(const char *path)
{
	char name[32];
	int fd, ret;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	ret = libdrm_driver_name(fd, name, sizeof(name));
	if (!ret && strcmp(name, PAN_DRIVER_NAME))
		ret = -ENODEV;
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int find_node(const char *prefix, unsigned int first)
{
	unsigned int i;
	char path[64];
	int fd;

	for (i = first; i < first + MINORS_PER_TYPE; i++) {
		snprintf(path, sizeof(path), "/dev/dri/%s%u", prefix, i);
		fd = open_if_panthor(path);
		if (fd >= 0)
			return fd;
	}
	return -ENODEV;
}

static int find_sysfs(struct pan_dev *dev)
{
	struct stat st;
	char link[64];

	if (fstat(dev->fd, &st))
		return -errno;
	dev->minor = minor(st.st_rdev);
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u/device",
		 major(st.st_rdev), minor(st.st_rdev));
	return realpath(link, dev->sysfs) ? 0 : -errno;
}

static int query_all(struct pan_dev *dev)
{
	__u32 size = sizeof(dev->gpu);
	int ret;

	ret = pan_query(dev, DRM_PANTHOR_DEV_QUERY_GPU_INFO, &dev->gpu, &size);
	if (ret)
		return ret;
	size = sizeof(dev->csif);
	return pan_query(dev, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, &dev->csif, &size);
}

static int init_dev(struct pan_dev *dev, int fd)
{
	int ret;

	memset(dev, 0, sizeof(*dev));
	dev->fd = fd;
	if (fd < 0)
		return fd;

	ret = find_sysfs(dev);
	if (!ret)
		ret = query_all(dev);
	if (ret)
		pan_close(dev);
	return ret;
}

/**
 * pan_open() - Open the render node of the first panthor GPU.
 * @dev: filled in
 *
 * Return: 0, -ENODEV if there is no such GPU, or another negative errno.
 */
int pan_open(struct pan_dev *dev)
{
	return init_dev(dev, find_node("renderD", RENDER_FIRST_MINOR));
}

/**
 * pan_open_primary() - Open the primary (card) node of the first panthor GPU.
 * @dev: filled in
 *
 * Return: 0, -ENODEV if there is no such GPU, or another negative errno.
 */
int pan_open_primary(struct pan_dev *dev)
{
	return init_dev(dev, find_node("card", PRIMARY_FIRST_MINOR));
}

/**
 * pan_reopen() - Open the node of @dev a second time: another DRM client.
 * @dev: open device
 * @other: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_reopen(const struct pan_dev *dev, struct pan_dev *other)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dev->fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return init_dev(other, fd < 0 ? -errno : fd);
}

/**
 * pan_close() - Close a device.
 * @dev: device, open or not
 */
void pan_close(struct pan_dev *dev)
{
	if (dev->fd > 0)
		close(dev->fd);
	dev->fd = -1;
}

/**
 * pan_query() - DEV_QUERY.
 * @dev: device
 * @type: DRM_PANTHOR_DEV_QUERY_*
 * @data: where the answer goes, NULL to ask for its size
 * @size: in: bytes at @data, out: as returned by the driver
 *
 * Return: 0 or a negative errno.
 */
int pan_query(struct pan_dev *dev, __u32 type, void *data, __u32 *size)
{
	struct drm_panthor_dev_query args = {
		.type = type,
		.size = *size,
		.pointer = (__u64)(unsigned long)data,
	};
	int ret = pan_ioctl(dev->fd, DRM_IOCTL_PANTHOR_DEV_QUERY, &args);

	*size = args.size;
	return ret;
}

/**
 * pan_version() - Version of the driver's uAPI.
 * @dev: device
 * @major: major number
 * @minor: minor number
 *
 * Return: 0 or a negative errno.
 */
int pan_version(struct pan_dev *dev, int *major, int *minor)
{
	return libdrm_driver_version(dev->fd, major, minor);
}

/**
 * pan_device_name() - Name of the platform device, as in bind and unbind.
 * @dev: device
 *
 * Return: a string that lives as long as @dev.
 */
const char *pan_device_name(const struct pan_dev *dev)
{
	const char *slash = strrchr(dev->sysfs, '/');

	return slash ? slash + 1 : dev->sysfs;
}

/**
 * pan_runtime_status() - Runtime power state of the GPU.
 * @dev: device
 * @buf: gets "active", "suspended", "suspending" or "resuming"
 * @len: size of @buf
 *
 * Return: 0 or a negative errno.
 */
int pan_runtime_status(struct pan_dev *dev, char *buf, size_t len)
{
	char path[PATH_MAX + 32];
	int ret;

	snprintf(path, sizeof(path), "%s/power/runtime_status", dev->sysfs);
	ret = pan_read_file(path, buf, len);
	if (ret < 0)
		return ret;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int is_suspended(void *arg)
{
	char status[32];
	int ret;

	ret = pan_runtime_status(arg, status, sizeof(status));
	return ret ? ret : !strcmp(status, "suspended");
}

/**
 * pan_wait_suspended() - Wait until the GPU is runtime-suspended.
 * @dev: device
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, or another negative errno.
 */
int pan_wait_suspended(struct pan_dev *dev, int timeout_ms)
{
	return pan_poll(is_suspended, dev, timeout_ms);
}

/**
 * pan_keep_awake() - Forbid or allow runtime suspend.
 * @dev: device
 * @on: true keeps the GPU powered
 *
 * Return: 0 or a negative errno.
 */
int pan_keep_awake(struct pan_dev *dev, bool on)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/power/control", dev->sysfs);
	return pan_write_file(path, on ? "on" : "auto");
}
