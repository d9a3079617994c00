/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_MEM_CLAIM_H__
#define __PANTHOR_MEM_CLAIM_H__

struct panthor_device;
struct pid;

int panthor_mem_claim_process(struct panthor_device *ptdev, struct pid *pid);

#endif
