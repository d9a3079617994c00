/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_MEM_RECLAIM_H__
#define __PANTHOR_MEM_RECLAIM_H__

struct attribute_group;

extern const struct attribute_group *panthor_mem_reclaim_groups[];

#endif
