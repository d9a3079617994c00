// SPDX-License-Identifier: GPL-2.0
/*
 * vgem, the virtual GEM provider, as the other party in buffer sharing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_mode.h>

#include "libdrm_calls.h"
#include "pan.h"

#define MAX_CARDS	64

/**
 * pan_vgem_open() - Open the primary node of vgem.
 * @fd: file descriptor
 *
 * Return: 0, -ENODEV if vgem is not loaded.
 */
int pan_vgem_open(int *fd)
{
	char path[32], name[32];
	int i;

	for (i = 0; i < MAX_CARDS; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		*fd = open(path, O_RDWR | O_CLOEXEC);
		if (*fd < 0)
			continue;
		if (!libdrm_driver_name(*fd, name, sizeof(name)) && !strcmp(name, "vgem"))
			return 0;
		close(*fd);
	}
	*fd = -1;
	return -ENODEV;
}

/**
 * pan_vgem_create() - Create a buffer of vgem's.
 * @fd: vgem
 * @size: bytes, a multiple of the page size
 * @handle: GEM handle
 *
 * Return: 0 or a negative errno.
 */
int pan_vgem_create(int fd, __u64 size, __u32 *handle)
{
	struct drm_mode_create_dumb args = {
		.width = PAN_PAGE_SIZE,
		.height = size / PAN_PAGE_SIZE,
		.bpp = 8,
	};
	int ret;

	ret = pan_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &args);
	*handle = args.handle;
	return ret;
}

/**
 * pan_vgem_mmap() - Map a buffer through vgem.
 * @fd: vgem
 * @handle: GEM handle
 * @size: bytes
 * @map: the mapping
 *
 * Return: 0 or a negative errno.
 */
int pan_vgem_mmap(int fd, __u32 handle, __u64 size, void **map)
{
	struct drm_mode_map_dumb args = { .handle = handle };
	int ret;

	ret = pan_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &args);
	if (ret)
		return ret;
	*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	return *map == MAP_FAILED ? -errno : 0;
}

/**
 * pan_gem_close() - GEM_CLOSE on any DRM file.
 * @fd: DRM file
 * @handle: GEM handle
 *
 * Return: 0 or a negative errno.
 */
int pan_gem_close(int fd, __u32 handle)
{
	struct drm_gem_close args = { .handle = handle };

	return pan_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}
