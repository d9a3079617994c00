/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand, by the kernel's fault injection. Needs root and a kernel
 * with CONFIG_FAULT_INJECTION_DEBUG_FS, which KERNEL=debug has.
 */
#ifndef PAN_FAULT_H
#define PAN_FAULT_H

#include <stdbool.h>

/* fault.c */
int pan_fail_nth_open(void);
int pan_fail_nth_arm(int fd, unsigned int nth);
int pan_fail_nth_disarm(int fd, bool *hit);
int pan_fail_pages_open(void);
int pan_fail_pages_arm(int fd, unsigned int nth, unsigned int count);
int pan_fail_pages_disarm(int fd, unsigned int count, bool *hit);
int pan_swap_io_fail(bool on);

#endif /* PAN_FAULT_H */
