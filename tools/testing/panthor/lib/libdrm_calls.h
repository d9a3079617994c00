/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions of libdrm that this library uses, all of them, behind names
 * and error codes that follow our conventions. Private to lib/.
 */
#ifndef LIBDRM_CALLS_H
#define LIBDRM_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

int libdrm_driver_name(int fd, char *name, size_t len);
int libdrm_driver_version(int fd, int *major, int *minor);

int libdrm_prime_export(int fd, __u32 handle, int *dmabuf);
int libdrm_prime_import(int fd, int dmabuf, __u32 *handle);

int libdrm_sync_create(int fd, __u32 *handle);
int libdrm_sync_destroy(int fd, __u32 handle);
int libdrm_sync_signal(int fd, __u32 handle);
int libdrm_sync_reset(int fd, __u32 handle);
int libdrm_sync_wait(int fd, __u32 handle, __s64 deadline_ns);
int libdrm_sync_export_file(int fd, __u32 handle, int *file);
int libdrm_point_wait(int fd, __u32 handle, __u64 point, __s64 deadline_ns);
int libdrm_point_query(int fd, __u32 handle, __u64 *point);

#endif /* LIBDRM_CALLS_H */
