/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of memory that isn't there share.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include "evict.h"

#define MIB	(1ULL << 20)

/* Buffers of different sizes, so that each can be found in debugfs gems. */
static inline int limits_fill(struct pan_ctx *ctx, struct pan_bo *bos, int count, __u64 size)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++) {
		ret = pan_bo_create_mapped(&ctx->vm, size + i * PAN_PAGE_SIZE, PAN_PAGE_SIZE, true,
					   &bos[i]);
		if (!ret)
			ret = pan_gpu_fill(ctx, bos[i].va, size, i + 1);
	}
	return ret;
}

/* Memory nobody else can have until the process ends. */
static inline int limits_lock_memory(__u64 bytes)
{
	char *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	return mem == MAP_FAILED || mlock(mem, bytes) ? -errno : 0;
}

/* Init and the shell are smaller than a test, but let it survive them. */
static inline int limits_survive(void)
{
	int ret = pan_write_file("/proc/self/oom_score_adj", "-1000");

	if (!ret && mlockall(MCL_CURRENT))
		ret = -errno;
	return ret;
}

#endif /* LIMITS_H */
