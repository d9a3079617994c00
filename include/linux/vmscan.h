/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_VMSCAN_H
#define _LINUX_VMSCAN_H

#include <linux/types.h>

/* All anonymous pages are scanned that the priority asks for. */
#define ANON_PRESSURE_MAX	1024U

/**
 * struct reclaim_pressure - How hard anonymous memory is pressed
 */
struct reclaim_pressure {
	/**
	 * @anon: Share of anonymous pages that was scanned, compared to what the priority
	 * asks for, ANON_PRESSURE_MAX if that's all of it.
	 */
	unsigned int anon;

	/** @priority: Priority, from DEF_PRIORITY down to 0, which is the last round. */
	int priority;

	/**
	 * @nr_missing: If what's in the lists isn't enough, number of free pages that are
	 * missing to get to the low watermark, 0 otherwise. Getting much less might end
	 * in the OOM killer being called, however much the shrinkers have.
	 */
	unsigned long nr_missing;
};

bool reclaim_get_pressure(struct reclaim_pressure *pressure);
bool reclaim_got_enough(void);

#endif /* _LINUX_VMSCAN_H */
