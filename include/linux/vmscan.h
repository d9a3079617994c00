/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_VMSCAN_H
#define _LINUX_VMSCAN_H

#include <linux/types.h>

/* All anonymous pages are scanned that the priority asks for. */
#define ANON_PRESSURE_MAX	1024U

bool reclaim_get_anon_pressure(unsigned int *pressure, int *priority);
bool reclaim_got_enough(void);

#endif /* _LINUX_VMSCAN_H */
