/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the eviction tests share: asking for eviction, and finding out about
 * single buffers. A buffer is found in debugfs gems by its size, so each test
 * gives the buffers it looks for sizes of their own.
 */
#ifndef EVICT_H
#define EVICT_H

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pan_test.h"

#define EVERYTHING	0x100000U	/* pages: 4 GiB */

/* Skips the test if the driver can't evict, or has nowhere to evict to. */
#define EVICT_REQUIRE(env) do {							\
	__u64 __swap = 0;							\
										\
	if (!pan_has_shrink(&(env)->dev))					\
		PAN_SKIP_IF(pan_may_be_unpatched(), "the driver has no debugfs shrink"); \
	ASSERT_EQ(0, pan_swap_free(&__swap));					\
	if (!__swap)								\
		SKIP(return, "no swap");					\
} while (0)

/* The usual beginning of a fixture: device, eviction, one context. */
#define EVICT_SETUP(self) do {							\
	__typeof__(self) __self = (self);					\
										\
	PAN_ENV_SETUP(&__self->env);						\
	EVICT_REQUIRE(&__self->env);						\
	ASSERT_EQ(0, pan_ctx_create(&__self->env.dev, 1, &__self->ctx));	\
} while (0)

static inline int evict_gem(const struct pan_bo *bo, struct pan_gem *gem)
{
	return pan_gems_find(bo->dev, getpid(), bo->size, gem);
}

static inline bool gem_is_evicted(const struct pan_gem *gem)
{
	return gem->state & PAN_GEM_EVICTED;
}

struct evict_goal {
	const struct pan_bo *bo;
	__u64 reclaimed;
};

static inline int evict_step(void *arg)
{
	struct evict_goal *goal = arg;
	struct pan_gem gem;
	__u64 pages = 0;
	int ret;

	ret = pan_shrink(goal->bo->dev, EVERYTHING, &pages);
	goal->reclaimed += pages;
	if (!ret)
		ret = evict_gem(goal->bo, &gem);
	return ret ? ret : gem_is_evicted(&gem);
}

/*
 * Shrink until a buffer is evicted. More than one round may be needed: the
 * shrinker only tries locks, and may find one taken.
 */
static inline int evict_bo(const struct pan_bo *bo, __u64 *reclaimed)
{
	struct evict_goal goal = { .bo = bo };
	int ret = pan_poll(evict_step, &goal, PAN_DEADLINE_MS);

	if (reclaimed)
		*reclaimed = goal.reclaimed;
	return ret;
}

/* A buffer is evicted for the count'th time, and shows it in each column. */
#define EXPECT_EVICTED(bo, count) do {						\
	struct pan_gem __gem = {};						\
										\
	EXPECT_EQ(0, evict_gem(bo, &__gem));					\
	EXPECT_EQ(PAN_GEM_EVICTED, __gem.state & PAN_GEM_EVICTED);		\
	EXPECT_EQ(0, __gem.resident);						\
	EXPECT_EQ(count, __gem.evictions);					\
} while (0)

/* A buffer has all its pages, and has been evicted so often before. */
#define EXPECT_RESIDENT(bo, count) do {						\
	const struct pan_bo *__bo = (bo);					\
	struct pan_gem __gem = {};						\
										\
	EXPECT_EQ(0, evict_gem(__bo, &__gem));					\
	EXPECT_EQ(0, __gem.state & PAN_GEM_EVICTED);				\
	EXPECT_EQ(__bo->size, __gem.resident);					\
	EXPECT_EQ(count, __gem.evictions);					\
} while (0)

#define EVICT(bo) ASSERT_EQ(0, evict_bo(bo, NULL))

/* Number of buffers that were evicted so far. */
#define EVICTIONS(dev) ({							\
	__u64 __count = 0;							\
										\
	EXPECT_EQ(0, pan_reclaim_counter(dev, "evictions", &__count));		\
	__count;								\
})

static inline int written_step(void *arg)
{
	__u64 *goal = arg, now = 0;
	int ret;

	ret = pan_vmstat("pswpout", &now);
	return ret ? ret : now >= *goal;
}

/*
 * Pages that other CPUs collect before they put, or move them in the lists of vmscan. Until
 * they have enough, nobody can isolate these.
 */
static inline __u64 pages_in_batches(void)
{
	return 2 * 31 * (sysconf(_SC_NPROCESSORS_ONLN) - 1);
}

/*
 * Wait until that many pages have been written to swap since the guest was booted, except
 * those that couldn't.
 */
static inline int wait_written(__u64 pages)
{
	__u64 left = pages_in_batches();

	pages -= pages < left ? pages : left;
	return pan_poll(written_step, &pages, PAN_DEADLINE_MS);
}

struct swap_goal {
	__u64 bytes;
	__u64 swapped;
	__u64 cached;
};

/* What is in swap, and how much of it is in memory, too. */
static inline int swap_state(struct swap_goal *goal)
{
	__u64 total = 0, free_bytes = 0;
	int ret;

	ret = pan_swap_total(&total);
	if (!ret)
		ret = pan_swap_free(&free_bytes);
	if (!ret)
		ret = pan_meminfo("SwapCached", &goal->cached);
	goal->swapped = total - free_bytes;
	return ret;
}

static inline int swap_step(void *arg)
{
	struct swap_goal *goal = arg;
	int ret;

	ret = swap_state(goal);
	if (ret)
		return ret;
	if (goal->swapped >= goal->cached + goal->bytes / 4 * 3 && goal->cached <= goal->bytes / 4)
		return 1;
	ret = pan_memory_reclaim(goal->bytes + goal->cached);
	return ret == -EAGAIN ? 0 : ret;
}

/*
 * What the driver gave back has left memory: it's written and freed as soon as it's
 * evicted, except what others hold, or the disk isn't done with, which the system is asked
 * to free. Done with three quarters of it, because processes swap, too. This one doesn't.
 */
static inline int push_to_swap(__u64 bytes, int timeout_ms)
{
	struct swap_goal goal = { .bytes = bytes };
	int ret;

	if (mlockall(MCL_CURRENT))
		return -errno;
	ret = pan_poll(swap_step, &goal, timeout_ms);
	munlockall();
	if (ret == -ETIME)
		printf("# %llu bytes in swap, %llu of them in memory, too\n", goal.swapped,
		       goal.cached);
	return ret;
}

#define PUSH_TO_SWAP(bytes) ASSERT_EQ(0, push_to_swap(bytes, PAN_DEADLINE_MS))

/* Contents, by the GPU and by the CPU. */
#define EXPECT_GPU_SEES(ctx, va, len, seed) do {				\
	__u64 __wrong = ~0ULL;							\
										\
	EXPECT_EQ(0, pan_gpu_verify(ctx, va, len, seed, &__wrong));		\
	EXPECT_EQ(0, __wrong);							\
} while (0)

#define EXPECT_CPU_SEES(bo, seed) do {						\
	struct pan_bo *__bo = (bo);						\
										\
	ASSERT_EQ(0, pan_bo_mmap(__bo));					\
	EXPECT_EQ(0, pan_verify(__bo->map, __bo->size, seed));			\
} while (0)

#endif /* EVICT_H */
