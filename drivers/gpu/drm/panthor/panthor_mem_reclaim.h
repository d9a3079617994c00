/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_MEM_RECLAIM_H__
#define __PANTHOR_MEM_RECLAIM_H__

struct attribute_group;
struct drm_file;
struct panthor_device;
struct pid;

/**
 * struct panthor_mem_request - Something to be done with the memory of a process
 */
struct panthor_mem_request {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @pid: Process whose memory it's about. */
	struct pid *pid;

	/**
	 * @file: Does it for one context, in process context, with nothing locked. Returns
	 * 0 to go on with the next one, a negative error code to stop.
	 */
	int (*file)(struct panthor_mem_request *req, struct drm_file *file);
};

int panthor_mem_request_check(struct panthor_mem_request *req);
int panthor_mem_request_run(struct panthor_mem_request *req);

extern const struct attribute_group panthor_mem_reclaim_group;

#endif
