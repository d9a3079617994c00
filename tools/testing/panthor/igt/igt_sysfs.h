/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IGT_SYSFS_H
#define IGT_SYSFS_H

#include <stdbool.h>

int igt_sysfs_open(int device);
bool igt_sysfs_has_attr(int dir, const char *attr);
int igt_sysfs_write(int dir, const char *attr, const void *data, int len);
int igt_sysfs_printf(int dir, const char *attr, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* IGT_SYSFS_H */
