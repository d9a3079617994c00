// SPDX-License-Identifier: GPL-2.0
/*
 * Its turn: as long as there's file cache that nobody misses, and according to swappiness,
 * GPU memory stays where it is, as anonymous memory does. What the GPU works on has a
 * second chance.
 *
 * guest: --kernel plain --mem 320M
 */
#include <fcntl.h>

#include "evict.h"

#define BUFFER		(4 * PAN_SZ_1M)
#define BUFFERS		24		/* 96 MiB, of 320 */
#define TOTAL		((__u64)BUFFERS * BUFFER)
#define TO_READ		(1024 * PAN_SZ_1M)
#define CHUNK		(4 * PAN_SZ_1M)
#define SWAPPINESS	"/proc/sys/vm/swappiness"

FIXTURE(evict_turn) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	char swappiness[16];
	void *anon;
	__u64 seed;
};

FIXTURE_VARIANT(evict_turn) {
	const char *swappiness;
	bool nothing;
	bool files_too;		/* reclaim looks at files as well */
};

FIXTURE_VARIANT_ADD(evict_turn, swappiness_0) { "0", true, true };
FIXTURE_VARIANT_ADD(evict_turn, swappiness_60) { "60", false, true };
/* What's in files is only looked at when there's nothing else, so whatever is there goes. */
FIXTURE_VARIANT_ADD(evict_turn, swappiness_200) { "200", false, false };

FIXTURE_SETUP(evict_turn)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_LT(0, pan_read_file(SWAPPINESS, self->swappiness, sizeof(self->swappiness)));
	ASSERT_EQ(0, pan_write_file(SWAPPINESS, variant->swappiness));
}

FIXTURE_TEARDOWN(evict_turn)
{
	int i;

	EXPECT_EQ(0, pan_write_file(SWAPPINESS, self->swappiness));
	for (i = 0; i < BUFFERS; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int fill_buffers(FIXTURE_DATA(evict_turn) *self)
{
	int i, ret = 0;

	for (i = 0; !ret && i < BUFFERS; i++) {
		ret = pan_bo_create_mapped(&self->ctx.vm, BUFFER, PAN_PAGE_SIZE, true,
					   &self->bos[i]);
		if (!ret)
			ret = pan_gpu_fill(&self->ctx, self->bos[i].va, BUFFER, self->seed + i);
	}
	return ret;
}

/*
 * Read what's a file to the system, several times as much as fits in memory, and do
 * something after each chunk.
 */
static int read_much(int (*meanwhile)(void *arg), void *arg)
{
	char *chunk = malloc(CHUNK);
	char path[128];
	__u64 done = 0;
	off_t at = 0;
	int fd, ret;

	ret = pan_swap_device(path, sizeof(path));
	fd = ret ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !chunk) {
		free(chunk);
		return ret ? ret : -errno;
	}
	while (!ret && done < TO_READ) {
		ssize_t len = pread(fd, chunk, CHUNK, at);

		if (len < 0)
			ret = -errno;
		at = len > 0 ? at + len : 0;
		done += len > 0 ? len : 0;
		if (!ret && meanwhile)
			ret = meanwhile(arg);
	}
	close(fd);
	free(chunk);
	return ret;
}

static void expect_intact(struct __test_metadata *_metadata, FIXTURE_DATA(evict_turn) *self)
{
	int i;

	for (i = 0; i < BUFFERS; i++)
		EXPECT_GPU_SEES(&self->ctx, self->bos[i].va, BUFFER, self->seed + i);
}

/* What anonymous memory loses to the same reads is what GPU memory may lose, and a bit. */
TEST_F(evict_turn, idle)
{
	__u64 before, anon, pages, start, evictions;

	self->anon = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->anon);
	pan_fill(self->anon, TOTAL, self->seed);
	ASSERT_EQ(0, pan_vmstat("pswpout", &before));
	ASSERT_EQ(0, read_much(NULL, NULL));
	ASSERT_EQ(0, pan_vmstat("pswpout", &anon));
	anon -= before;
	ASSERT_EQ(0, munmap(self->anon, TOTAL));

	ASSERT_EQ(0, fill_buffers(self));
	evictions = EVICTIONS(&self->env.dev);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &start));
	ASSERT_EQ(0, read_much(NULL, NULL));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &pages));
	pages -= start;
	TH_LOG("anonymous memory: %llu KiB, GPU memory: %llu KiB", anon * 4, pages * 4);
	if (variant->nothing)
		EXPECT_EQ(evictions, EVICTIONS(&self->env.dev));
	if (variant->files_too)
		EXPECT_GE(anon + 8 * PAN_SZ_1M / PAN_PAGE_SIZE, pages);
	expect_intact(_metadata, self);
}

static int draw(void *arg)
{
	FIXTURE_DATA(evict_turn) *self = arg;

	return pan_gpu_fill(&self->ctx, self->bos[0].va, PAN_PAGE_SIZE, self->seed);
}

/* Somebody who draws beside that doesn't notice. */
TEST_F(evict_turn, working)
{
	__u64 before, after, restores, restored;

	ASSERT_EQ(0, fill_buffers(self));
	before = EVICTIONS(&self->env.dev);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "restores", &restores));
	ASSERT_EQ(0, read_much(draw, self));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "restores", &restored));
	after = EVICTIONS(&self->env.dev);
	if (variant->files_too) {
		EXPECT_EQ(before, after);
		EXPECT_EQ(restores, restored);
	}
	expect_intact(_metadata, self);
}

/* If it's needed, it's there: anonymous memory that doesn't fit otherwise. */
TEST_F(evict_turn, needed)
{
	__u64 before = EVICTIONS(&self->env.dev);

	ASSERT_EQ(0, fill_buffers(self));
	self->anon = mmap(NULL, 256 * PAN_SZ_1M, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->anon);
	pan_fill(self->anon, 256 * PAN_SZ_1M, self->seed);
	EXPECT_LT(before, EVICTIONS(&self->env.dev));
	EXPECT_EQ(0, pan_verify(self->anon, 256 * PAN_SZ_1M, self->seed));
	ASSERT_EQ(0, munmap(self->anon, 256 * PAN_SZ_1M));
	expect_intact(_metadata, self);
}

TEST_HARNESS_MAIN
