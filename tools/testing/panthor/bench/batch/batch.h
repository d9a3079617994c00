/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/batch: many system calls in one. Those of User-Mode Linux take longer than what
 * they do, and not always as long: what a driver adds can't be seen beside them.
 */
#ifndef BATCH_H
#define BATCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

enum batch_what {
	BATCH_IOCTL,	/* ioctl(@fd, @cmd, @arg) */
	BATCH_MMAP,	/* mmap() of @arg, an offset in @fd, shared, readable and writable */
	BATCH_TOUCH,	/* write to the address @arg */
};

/**
 * struct batch_call - One call
 * @what: one of enum batch_what
 * @fd: file descriptor
 * @cmd: ioctl: its number
 * @size: mmap: bytes to map
 * @arg: see enum batch_what
 * @ret: written: what the call returned, a negative errno if it failed
 */
struct batch_call {
	__u32 what;
	__s32 fd;
	__u32 cmd;
	__u32 size;
	__u64 arg;
	__s64 ret;
};

#define BATCH_MAX	1024

/**
 * struct batch - Calls to carry out one after the other
 * @calls: address of an array of struct batch_call
 * @count: of calls, up to BATCH_MAX
 * @ns: written: what they took all together
 */
struct batch {
	__u64 calls;
	__u64 count;
	__u64 ns;
};

#define BATCH_RUN	_IOWR('B', 0, struct batch)

#endif /* BATCH_H */
