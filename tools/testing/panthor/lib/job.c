// SPDX-License-Identifier: GPL-2.0
/*
 * Complete jobs: build, submit, wait, fetch the result.
 */
#include "pan_ctx.h"
#include "pan_util.h"

/**
 * pan_gpu_fill() - Fill a range with a pattern.
 * @ctx: context
 * @va: GPU address
 * @len: bytes
 * @seed: seed
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_fill(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 seed)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_fill(&cs, va, len, seed);
	return pan_ctx_run(ctx, &cs);
}

/**
 * pan_gpu_verify() - Compare a range with a pattern.
 * @ctx: context
 * @va: GPU address
 * @len: bytes
 * @seed: seed
 * @wrong: number of words that differ, ~0 if the job failed
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_verify(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 seed, __u64 *wrong)
{
	__u64 result_va, *result;
	struct pan_cs cs;
	int ret;

	result_va = pan_ctx_slot(ctx, &result);
	pan_poke(result, ~0ULL);
	pan_cs_init(&cs);
	pan_cs_verify(&cs, va, len, seed, result_va);
	ret = pan_ctx_run(ctx, &cs);
	*wrong = pan_peek(result);
	return ret;
}

/**
 * pan_gpu_sum() - Sum up a range.
 * @ctx: context
 * @va: GPU address
 * @len: bytes
 * @sum: the sum
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_sum(struct pan_ctx *ctx, __u64 va, __u64 len, __u64 *sum)
{
	__u64 result_va, *result;
	struct pan_cs cs;
	int ret;

	result_va = pan_ctx_slot(ctx, &result);
	pan_cs_init(&cs);
	pan_cs_sum(&cs, va, len, result_va);
	ret = pan_ctx_run(ctx, &cs);
	*sum = pan_peek(result);
	return ret;
}

/**
 * pan_gpu_copy() - Copy a range.
 * @ctx: context
 * @dst: GPU address
 * @src: GPU address
 * @len: bytes
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_copy(struct pan_ctx *ctx, __u64 dst, __u64 src, __u64 len)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_copy(&cs, dst, src, len);
	return pan_ctx_run(ctx, &cs);
}

/**
 * pan_gpu_store64() - Store a word.
 * @ctx: context
 * @va: GPU address
 * @value: word
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_store64(struct pan_ctx *ctx, __u64 va, __u64 value)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, value);
	return pan_ctx_run(ctx, &cs);
}

/**
 * pan_gpu_load64() - Load a word.
 * @ctx: context
 * @va: GPU address
 * @value: word
 *
 * Return: as pan_ctx_run().
 */
int pan_gpu_load64(struct pan_ctx *ctx, __u64 va, __u64 *value)
{
	__u64 result_va, *result;
	struct pan_cs cs;
	int ret;

	result_va = pan_ctx_slot(ctx, &result);
	pan_cs_init(&cs);
	pan_cs_copy64(&cs, result_va, va);
	ret = pan_ctx_run(ctx, &cs);
	*value = pan_peek(result);
	return ret;
}
