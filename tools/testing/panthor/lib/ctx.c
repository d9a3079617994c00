// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts.
 */
#include <errno.h>
#include <string.h>

#include "pan_ctx.h"
#include "pan_util.h"

#define RING_SIZE	4096
#define STREAM_ALIGN	64ULL

static int create_rest(struct pan_ctx *ctx, __u32 queues)
{
	int ret;

	ret = pan_group_create(&ctx->vm, queues, RING_SIZE,
			       PANTHOR_GROUP_PRIORITY_MEDIUM, &ctx->group);
	if (!ret)
		ret = pan_bo_create_mapped(&ctx->vm, PAN_CTX_STREAMS, PAN_PAGE_SIZE,
					   true, &ctx->streams);
	if (!ret)
		ret = pan_bo_mmap(&ctx->streams);
	if (!ret)
		ret = pan_bo_create_mapped(&ctx->vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					   true, &ctx->result);
	if (!ret)
		ret = pan_bo_mmap(&ctx->result);
	if (!ret)
		ret = pan_sync_create(ctx->dev, &ctx->sync);
	if (ret)
		pan_ctx_destroy(ctx);
	return ret;
}

/**
 * pan_ctx_create() - Create a context with a VM of its own.
 * @dev: device
 * @queues: number of queues of its group
 * @ctx: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_ctx_create(struct pan_dev *dev, __u32 queues, struct pan_ctx *ctx)
{
	int ret;

	memset(ctx, 0, sizeof(*ctx));
	ctx->dev = dev;
	ret = pan_vm_create(dev, 0, &ctx->vm);
	if (ret) {
		ctx->dev = NULL;
		return ret;
	}
	return create_rest(ctx, queues);
}

/**
 * pan_ctx_create_in() - Create a context in a VM of somebody else.
 * @vm: address space; its owner must not use pan_vm_alloc_va() afterwards
 *	unless it goes on from ctx->vm.next_va
 * @queues: number of queues of its group
 * @ctx: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_ctx_create_in(const struct pan_vm *vm, __u32 queues, struct pan_ctx *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->dev = vm->dev;
	ctx->vm = *vm;
	ctx->borrowed_vm = true;
	return create_rest(ctx, queues);
}

static void first_error(int *ret, int err)
{
	if (!*ret)
		*ret = err;
}

static void unmap_borrowed(struct pan_ctx *ctx, const struct pan_bo *bo, int *ret)
{
	if (ctx->borrowed_vm && bo->va)
		first_error(ret, pan_vm_unmap(&ctx->vm, bo->va, bo->size));
}

/**
 * pan_ctx_destroy() - Destroy a context.
 * @ctx: context
 *
 * Return: 0 or the first negative errno.
 */
int pan_ctx_destroy(struct pan_ctx *ctx)
{
	int ret = 0;

	if (!ctx->dev)
		return 0;
	if (ctx->sync)
		first_error(&ret, pan_sync_destroy(ctx->dev, ctx->sync));
	first_error(&ret, pan_group_destroy(&ctx->group));
	unmap_borrowed(ctx, &ctx->result, &ret);
	unmap_borrowed(ctx, &ctx->streams, &ret);
	first_error(&ret, pan_bo_close(&ctx->result));
	first_error(&ret, pan_bo_close(&ctx->streams));
	if (!ctx->borrowed_vm)
		first_error(&ret, pan_vm_destroy(&ctx->vm));
	ctx->dev = NULL;
	return ret;
}

/**
 * pan_ctx_new_group() - Replace a group that a fault has killed.
 * @ctx: context
 *
 * Return: 0 or a negative errno.
 */
int pan_ctx_new_group(struct pan_ctx *ctx)
{
	__u32 queues = ctx->group.queues;
	int ret;

	ret = pan_group_destroy(&ctx->group);
	if (ret)
		return ret;
	return pan_group_create(&ctx->vm, queues, RING_SIZE,
				PANTHOR_GROUP_PRIORITY_MEDIUM, &ctx->group);
}

/**
 * pan_ctx_upload_va() - Where the next stream will go.
 * @ctx: context
 * @size: its bytes
 *
 * For streams that contain their own address.
 *
 * Return: GPU address.
 */
__u64 pan_ctx_upload_va(const struct pan_ctx *ctx, __u32 size)
{
	bool wraps = ctx->stream_next + size > ctx->streams.size;

	return ctx->streams.va + (wraps ? 0 : ctx->stream_next);
}

/**
 * pan_ctx_upload() - Copy a stream to GPU memory.
 * @ctx: context
 * @cs: stream
 * @va: its GPU address
 *
 * Memory is reused after 256 KiB of streams; the caller sees to it that those
 * have been executed by then.
 *
 * Return: 0, -ENOSPC if the stream was too long to be built.
 */
int pan_ctx_upload(struct pan_ctx *ctx, const struct pan_cs *cs, __u64 *va)
{
	__u32 size = pan_cs_size(cs);

	if (cs->err)
		return cs->err;
	*va = pan_ctx_upload_va(ctx, size);
	ctx->stream_next = *va - ctx->streams.va;
	memcpy((char *)ctx->streams.map + ctx->stream_next, cs->words, size);
	ctx->stream_next += (size + STREAM_ALIGN - 1) & ~(STREAM_ALIGN - 1);
	return 0;
}

/**
 * pan_ctx_submit() - Upload a stream and submit it.
 * @ctx: context
 * @queue: queue index
 * @cs: stream
 * @syncs: sync operations, may be NULL
 * @count: their number
 *
 * Return: 0 or a negative errno.
 */
int pan_ctx_submit(struct pan_ctx *ctx, __u32 queue, const struct pan_cs *cs,
		   const struct drm_panthor_sync_op *syncs, __u32 count)
{
	__u64 va;
	int ret;

	ret = pan_ctx_upload(ctx, cs, &va);
	if (ret)
		return ret;
	return pan_queue_submit(&ctx->group, queue, va, pan_cs_size(cs), syncs, count);
}

/**
 * pan_ctx_start() - Submit a stream that signals the context's syncobj.
 * @ctx: context
 * @queue: queue index
 * @cs: stream
 *
 * Return: 0 or a negative errno.
 */
int pan_ctx_start(struct pan_ctx *ctx, __u32 queue, const struct pan_cs *cs)
{
	struct drm_panthor_sync_op done = pan_signal_op(ctx->sync);

	return pan_ctx_submit(ctx, queue, cs, &done, 1);
}

/**
 * pan_ctx_wait() - Wait for what pan_ctx_start() submitted last.
 * @ctx: context
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, otherwise the error the job ended with.
 */
int pan_ctx_wait(struct pan_ctx *ctx, int timeout_ms)
{
	return pan_sync_wait_result(ctx->dev, ctx->sync, timeout_ms);
}

/**
 * pan_ctx_run() - Run a stream on queue 0 and wait for its end.
 * @ctx: context
 * @cs: stream
 *
 * Return: 0, -ETIME at the deadline, otherwise the error of the submission or
 * the job.
 */
int pan_ctx_run(struct pan_ctx *ctx, const struct pan_cs *cs)
{
	int ret;

	ret = pan_ctx_start(ctx, 0, cs);
	return ret ? ret : pan_ctx_wait(ctx, PAN_DEADLINE_MS);
}

/**
 * pan_ctx_slot() - Take one of 256 zeroed slots for a result, in turn.
 * @ctx: context
 * @cpu: the word as the CPU sees it
 *
 * Slots are 16 bytes, enough for a sync object.
 *
 * Return: the word's GPU address.
 */
__u64 pan_ctx_slot(struct pan_ctx *ctx, __u64 **cpu)
{
	const __u32 slot_size = 16;
	__u64 offset = ctx->result_next;

	ctx->result_next = (ctx->result_next + slot_size) % ctx->result.size;
	*cpu = (__u64 *)((char *)ctx->result.map + offset);
	pan_poke(*cpu, 0);
	pan_poke(*cpu + 1, 0);
	return ctx->result.va + offset;
}
