// SPDX-License-Identifier: GPL-2.0
/*
 * Calls into libdrm. They live in one place because libdrm is not of one mind
 * about errors: some functions return -1 and set errno, others a negative
 * errno; and because its CamelCase names stay here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <xf86drm.h>

#include "libdrm_calls.h"

static int result(int ret)
{
	return ret == -1 ? -errno : ret;
}

int libdrm_driver_name(int fd, char *name, size_t len)
{
	drmVersionPtr version = drmGetVersion(fd);

	if (!version)
		return -ENODEV;
	snprintf(name, len, "%s", version->name);
	drmFreeVersion(version);
	return 0;
}

int libdrm_driver_version(int fd, int *major, int *minor)
{
	drmVersionPtr version = drmGetVersion(fd);

	if (!version)
		return -ENODEV;
	*major = version->version_major;
	*minor = version->version_minor;
	drmFreeVersion(version);
	return 0;
}

int libdrm_prime_export(int fd, __u32 handle, int *dmabuf)
{
	return result(drmPrimeHandleToFD(fd, handle, DRM_CLOEXEC | DRM_RDWR, dmabuf));
}

int libdrm_prime_import(int fd, int dmabuf, __u32 *handle)
{
	return result(drmPrimeFDToHandle(fd, dmabuf, handle));
}

int libdrm_sync_create(int fd, __u32 *handle)
{
	return result(drmSyncobjCreate(fd, 0, handle));
}

int libdrm_sync_destroy(int fd, __u32 handle)
{
	return result(drmSyncobjDestroy(fd, handle));
}

int libdrm_sync_signal(int fd, __u32 handle)
{
	return result(drmSyncobjSignal(fd, &handle, 1));
}

int libdrm_sync_reset(int fd, __u32 handle)
{
	return result(drmSyncobjReset(fd, &handle, 1));
}

int libdrm_sync_wait(int fd, __u32 handle, __s64 deadline_ns)
{
	return result(drmSyncobjWait(fd, &handle, 1, deadline_ns,
				     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, NULL));
}

int libdrm_sync_export_file(int fd, __u32 handle, int *file)
{
	return result(drmSyncobjExportSyncFile(fd, handle, file));
}

int libdrm_point_wait(int fd, __u32 handle, __u64 point, __s64 deadline_ns)
{
	uint64_t value = point;

	return result(drmSyncobjTimelineWait(fd, &handle, &value, 1, deadline_ns,
					     DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT, NULL));
}

int libdrm_point_query(int fd, __u32 handle, __u64 *point)
{
	uint64_t value = 0;
	int ret;

	ret = result(drmSyncobjQuery(fd, &handle, &value, 1));
	*point = value;
	return ret;
}
