// SPDX-License-Identifier: GPL-2.0
/*
 * Seeded patterns, as the model's RANGE_* instructions make and check them.
 */
#include "mali_csf_model_uapi.h"
#include "pan.h"
#include "pan_util.h"

#define WORDS_PER_PAGE	(PAN_PAGE_SIZE / sizeof(__u64))

/**
 * pan_fill() - What RANGE_FILL does, by the CPU.
 * @mem: memory, 8-byte aligned
 * @len: bytes, a multiple of 8
 * @seed: seed
 */
void pan_fill(void *mem, __u64 len, __u64 seed)
{
	__u64 *words = mem;
	__u64 i;

	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = csf_pattern(seed, i);
}

/**
 * pan_verify() - What RANGE_VERIFY does, by the CPU.
 * @mem: memory, 8-byte aligned
 * @len: bytes, a multiple of 8
 * @seed: seed
 *
 * Return: number of words that differ from the pattern.
 */
__u64 pan_verify(const void *mem, __u64 len, __u64 seed)
{
	const __u64 *words = mem;
	__u64 i, bad = 0;

	for (i = 0; i < len / sizeof(*words); i++)
		bad += words[i] != csf_pattern(seed, i);
	return bad;
}

/**
 * pan_verify_edges() - Check the first and the last word of each page.
 * @mem: memory, page aligned
 * @len: bytes, a multiple of the page size
 * @seed: seed
 *
 * Finds a page that is missing, stale or swapped with another one, at a
 * fraction of the cost of pan_verify().
 *
 * Return: number of words that differ from the pattern.
 */
__u64 pan_verify_edges(const void *mem, __u64 len, __u64 seed)
{
	const __u64 *words = mem;
	__u64 i, bad = 0;

	for (i = 0; i < len / sizeof(*words); i += WORDS_PER_PAGE) {
		bad += words[i] != csf_pattern(seed, i);
		bad += words[i + WORDS_PER_PAGE - 1] !=
		       csf_pattern(seed, i + WORDS_PER_PAGE - 1);
	}
	return bad;
}

/**
 * pan_sum() - What RANGE_SUM does, by the CPU.
 * @mem: memory, 8-byte aligned
 * @len: bytes, a multiple of 8
 *
 * Return: the sum, which depends on the order of the words.
 */
__u64 pan_sum(const void *mem, __u64 len)
{
	const __u64 *words = mem;
	__u64 i, acc = 0;

	for (i = 0; i < len / sizeof(*words); i++)
		acc = acc * 6364136223846793005ULL + words[i];
	return acc;
}

/**
 * pan_pattern_sum() - RANGE_SUM of a range that holds the pattern.
 * @len: bytes, a multiple of 8
 * @seed: seed
 *
 * Return: the sum.
 */
__u64 pan_pattern_sum(__u64 len, __u64 seed)
{
	__u64 i, acc = 0;

	for (i = 0; i < len / sizeof(__u64); i++)
		acc = acc * 6364136223846793005ULL + csf_pattern(seed, i);
	return acc;
}
