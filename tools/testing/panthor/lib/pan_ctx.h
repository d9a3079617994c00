/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A context: what it takes to run command streams. One VM, one group, memory
 * for streams and for results.
 */
#ifndef PAN_CTX_H
#define PAN_CTX_H

#include "pan.h"
#include "pan_cs.h"

/**
 * struct pan_ctx - A context.
 * @dev: device, NULL when there is no context
 * @vm: address space; owned unless @borrowed_vm
 * @borrowed_vm: the VM belongs to another context
 * @group: scheduling group
 * @streams: memory for command streams, private to the VM
 * @stream_next: where the next stream goes
 * @result: one page for results, CPU-mapped
 * @result_next: next free result slot
 * @sync: syncobj of the helpers that wait
 */
struct pan_ctx {
	struct pan_dev *dev;
	struct pan_vm vm;
	bool borrowed_vm;
	struct pan_group group;
	struct pan_bo streams;
	__u64 stream_next;
	struct pan_bo result;
	__u32 result_next;
	__u32 sync;
};

/* Size of @streams */
#define PAN_CTX_STREAMS	(256ULL << 10)
/* Pages that a context takes: @streams and @result */
#define PAN_CTX_PAGES	(PAN_CTX_STREAMS / PAN_PAGE_SIZE + 1)

/* ctx.c */
int pan_ctx_create(struct pan_dev *dev, __u32 queues, struct pan_ctx *ctx);
int pan_ctx_create_in(const struct pan_vm *vm, __u32 queues, struct pan_ctx *ctx);
int pan_ctx_destroy(struct pan_ctx *ctx);
int pan_ctx_new_group(struct pan_ctx *ctx);

__u64 pan_ctx_upload_va(const struct pan_ctx *ctx, __u32 size);
int pan_ctx_upload(struct pan_ctx *ctx, const struct pan_cs *cs, __u64 *va);
int pan_ctx_submit(struct pan_ctx *ctx, __u32 queue, const struct pan_cs *cs,
		   const struct drm_panthor_sync_op *syncs, __u32 count);
int pan_ctx_start(struct pan_ctx *ctx, __u32 queue, const struct pan_cs *cs);
int pan_ctx_wait(struct pan_ctx *ctx, int timeout_ms);
int pan_ctx_run(struct pan_ctx *ctx, const struct pan_cs *cs);
__u64 pan_ctx_slot(struct pan_ctx *ctx, __u64 **cpu);

/* job.c: complete jobs */
int pan_gpu_fill(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 seed);
int pan_gpu_verify(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 seed, __u64 *wrong);
int pan_gpu_sum(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 *sum);
int pan_gpu_copy(struct pan_ctx *ctx, __u64 dst, __u64 src, __u64 len);
int pan_gpu_store64(struct pan_ctx *ctx, __u64 va, __u64 value);
int pan_gpu_load64(struct pan_ctx *ctx, __u64 va, __u64 *value);

#endif /* PAN_CTX_H */
