/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IGT_DEBUGFS_H
#define IGT_DEBUGFS_H

int igt_debugfs_dir(int device);

#endif /* IGT_DEBUGFS_H */
