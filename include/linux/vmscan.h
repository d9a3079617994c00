/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_VMSCAN_H
#define _LINUX_VMSCAN_H

#include <linux/types.h>

struct shrink_control;

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

	/** @priority: Priority, from DEF_PRIORITY down to 0. */
	int priority;

	/** @last_round: True if it's the OOM killer's turn after this. */
	bool last_round;

	/**
	 * @nr_missing: If what's in the lists isn't enough, number of free pages that are
	 * missing to get to the low watermark, 0 otherwise. Getting much less might end
	 * in the OOM killer being called, however much the shrinkers have.
	 */
	unsigned long nr_missing;
};

bool reclaim_get_pressure(struct reclaim_pressure *pressure);
bool reclaim_got_enough(void);
void reclaim_note_anon_cost(struct shrink_control *sc, unsigned long nr_io,
			    unsigned long nr_rotated);

#endif /* _LINUX_VMSCAN_H */
