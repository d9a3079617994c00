// SPDX-License-Identifier: GPL-2.0
/*
 * Swap on compressed RAM: the compressed copy of what is evicted takes memory
 * before anything is freed. There's less of it free than is evicted here, and the
 * content can't be compressed, so it has to be freed along the way.
 *
 * guest: --kernel plain --mem 256M --swap 0
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "evict.h"
#include "pan_child.h"

#define ZRAM		(512 * PAN_SZ_1M)
#define BUFFER		(8 * PAN_SZ_1M)
#define BUFFERS		18
#define TOTAL		(BUFFERS * BUFFER)

/* What a process that looks at free memory all the time has seen. */
struct sampler {
	__u64 fewest;
	__u64 samples;
};

FIXTURE(evict_reserves) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	__u64 seed;
	bool zram;
	struct sampler *sampler;
	pid_t pid;
};

FIXTURE_VARIANT(evict_reserves) {
	int (*evict)(struct pan_dev *dev);
};

static int by_mem_reclaim(struct pan_dev *dev)
{
	return pan_mem_reclaim_write(dev, getpid());
}

static int by_shrink(struct pan_dev *dev)
{
	return pan_shrink(dev, TOTAL / PAN_PAGE_SIZE, NULL);
}

static int by_memory_reclaim(struct pan_dev *dev)
{
	int ret;

	(void)dev;
	/* Files and processes give some of it, too. */
	ret = pan_memory_reclaim(2 * TOTAL);
	return ret == -EAGAIN ? 0 : ret;
}

FIXTURE_VARIANT_ADD(evict_reserves, mem_reclaim) { by_mem_reclaim };
FIXTURE_VARIANT_ADD(evict_reserves, shrink) { by_shrink };
FIXTURE_VARIANT_ADD(evict_reserves, memory_reclaim) { by_memory_reclaim };

/* The first number in zoneinfo that follows a word: UML has one zone. */
static __u64 zone_pages(const char *word)
{
	char text[16384], *p;
	__u64 pages = 0;

	if (pan_read_file("/proc/zoneinfo", text, sizeof(text)) < 0)
		return 0;
	p = strstr(text, word);
	if (!p || sscanf(p + strlen(word), "%llu", &pages) != 1)
		return 0;
	return pages;
}

static void sample(struct sampler *s)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	mlockall(MCL_CURRENT | MCL_FUTURE);
	for (;;) {
		__u64 pages = zone_pages("pages free");

		if (pages < pan_peek(&s->fewest))
			pan_poke(&s->fewest, pages);
		pan_poke(&s->samples, pan_peek(&s->samples) + 1);
		nanosleep(&ms, NULL);
	}
}

static int sampled(void *arg)
{
	struct sampler *s = arg;

	return pan_peek(&s->samples) >= 2;
}

FIXTURE_SETUP(evict_reserves)
{
	int i;

	PAN_ENV_SETUP(&self->env);
	/* Before there's something to be undone, which a skip wouldn't do. */
	if (!pan_has_shrink(&self->env.dev))
		PAN_SKIP_IF(pan_may_be_unpatched(), "the driver has no debugfs shrink");
	ASSERT_EQ(0, pan_zram_start(ZRAM));
	self->zram = true;
	self->seed = pan_rand(&self->env.rand);
	self->sampler = mmap(NULL, PAN_PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->sampler);
	ASSERT_EQ(0, mlockall(MCL_CURRENT));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	for (i = 0; i < BUFFERS; i++) {
		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, BUFFER, PAN_PAGE_SIZE, true,
						  &self->bos[i]));
		ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bos[i].va, BUFFER, self->seed + i));
	}
}

FIXTURE_TEARDOWN(evict_reserves)
{
	int i;

	if (self->pid > 0) {
		EXPECT_EQ(0, kill(self->pid, SIGKILL));
		EXPECT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	}
	for (i = 0; i < BUFFERS; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	if (self->zram)
		EXPECT_EQ(0, pan_zram_stop());
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_reserves, compressed)
{
	__u64 free = 0, min = zone_pages(" min "), failed = 0, used = 0, samples;
	struct pan_reclaim before = {}, after = {};
	int i;

	self->sampler->fewest = ~0ULL;
	self->pid = fork();
	if (!self->pid)
		sample(self->sampler);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, pan_poll(sampled, self->sampler, PAN_DEADLINE_MS));

	/* Otherwise, there's nothing to it. */
	ASSERT_EQ(0, pan_meminfo("MemFree", &free));
	ASSERT_GT(TOTAL / 3 * 2, free);
	ASSERT_LT(0, min);
	ASSERT_LT(min, pan_peek(&self->sampler->fewest));

	samples = pan_peek(&self->sampler->samples);
	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &before));
	ASSERT_EQ(0, variant->evict(&self->env.dev));
	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &after));
	samples = pan_peek(&self->sampler->samples) - samples;
	ASSERT_EQ(0, pan_zram_used(&used));
	ASSERT_EQ(0, pan_zram_failed_writes(&failed));
	TH_LOG("%llu MiB free, evicted %llu pages, zram has %llu MiB, fewest free pages %llu in %llu looks, min %llu",
	       free >> 20, after.evicted_pages - before.evicted_pages, used >> 20,
	       self->sampler->fewest, samples, min);

	EXPECT_LE(TOTAL / PAN_PAGE_SIZE, after.evicted_pages - before.evicted_pages);
	EXPECT_LE(TOTAL / 10 * 9, used);
	EXPECT_LE(10, samples);
	EXPECT_LT(min, self->sampler->fewest);
	EXPECT_EQ(0, failed);
	for (i = 0; i < BUFFERS; i++)
		EXPECT_GPU_SEES(&self->ctx, self->bos[i].va, BUFFER, self->seed + i);
}

TEST_HARNESS_MAIN
