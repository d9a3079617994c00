/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that play a part in a test.
 */
#ifndef PAN_CHILD_H
#define PAN_CHILD_H

#include <sys/types.h>

#include "pan_util.h"

/**
 * struct pan_child - A child process; the child has one, too.
 * @pid: process, 0 in the child
 * @fd: socket to the other side
 * @arg: argument of the child's function
 */
struct pan_child {
	pid_t pid;
	int fd;
	void *arg;
};

/* child.c */
int pan_child_start(struct pan_child *child, int (*fn)(struct pan_child *self), void *arg);
int pan_child_tell(struct pan_child *other, __s64 value);
int pan_child_hear(struct pan_child *other, __s64 *value);
int pan_child_meet(struct pan_child *other);
int pan_child_wait(struct pan_child *child, int *result);
int pan_child_kill(struct pan_child *child, int sig);

#endif /* PAN_CHILD_H */
