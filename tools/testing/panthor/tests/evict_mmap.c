// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction of buffers that the CPU has mapped: each access afterwards brings
 * the right page back, whoever makes it. Case 3.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "evict.h"

#define PAGES	59
#define WORDS	(PAN_PAGE_SIZE / sizeof(__u64))	/* of a page */

FIXTURE(evict_mmap) {
	struct pan_env env;
	struct pan_bo bo;
	__u64 seed;
};

FIXTURE_SETUP(evict_mmap)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAGES * PAN_PAGE_SIZE, 0, NULL, &self->bo));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, self->bo.size, self->seed);
}

FIXTURE_TEARDOWN(evict_mmap)
{
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	PAN_ENV_TEARDOWN(&self->env);
}

static char *page(FIXTURE_DATA(evict_mmap) *self, int nr)
{
	return (char *)self->bo.map + nr * PAN_PAGE_SIZE;
}

TEST_F(evict_mmap, read_fault)
{
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 1);
	PUSH_TO_SWAP(self->bo.size);
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_RESIDENT(&self->bo, 1);
}

/* A write to one word of a page keeps all others of it. */
TEST_F(evict_mmap, write_fault)
{
	__u64 *word = (__u64 *)page(self, 17) + 5, old = *word;

	EVICT(&self->bo);
	PUSH_TO_SWAP(self->bo.size);
	*word = ~old;
	EXPECT_EQ(1, pan_verify(self->bo.map, self->bo.size, self->seed));

	/* What was written is not lost the next time. */
	EVICT(&self->bo);
	PUSH_TO_SWAP(self->bo.size);
	EXPECT_EQ(~old, *word);
	*word = old;
	EXPECT_EQ(0, pan_verify(self->bo.map, self->bo.size, self->seed));
}

/* One page brought back, evicted again; the mapping was never touched else. */
TEST_F(evict_mmap, evict_between_faults)
{
	int i;

	for (i = 0; i < PAGES; i += 7) {
		EVICT(&self->bo);
		EXPECT_EQ(csf_pattern(self->seed, i * WORDS), *(__u64 *)page(self, i));
	}
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

static int in_child(int (*func)(FIXTURE_DATA(evict_mmap) *self), FIXTURE_DATA(evict_mmap) *self)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(func(self));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int child_verifies(FIXTURE_DATA(evict_mmap) *self)
{
	return pan_verify(self->bo.map, self->bo.size, self->seed) ? 1 : 0;
}

static int child_maps_and_verifies(FIXTURE_DATA(evict_mmap) *self)
{
	self->bo.map = NULL;
	return pan_bo_mmap(&self->bo) ? 2 : child_verifies(self);
}

static int child_writes(FIXTURE_DATA(evict_mmap) *self)
{
	pan_fill(self->bo.map, self->bo.size, self->seed + 1);
	return 0;
}

/* The mapping is inherited: child first, then parent. */
TEST_F(evict_mmap, after_fork)
{
	EVICT(&self->bo);
	EXPECT_EQ(0, in_child(child_verifies, self));
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EVICT(&self->bo);
	EXPECT_EQ(0, in_child(child_writes, self));
	EXPECT_CPU_SEES(&self->bo, self->seed + 1);
}

/* A process with a mapping of its own. */
TEST_F(evict_mmap, second_mapping)
{
	EVICT(&self->bo);
	PUSH_TO_SWAP(self->bo.size);
	EXPECT_EQ(0, in_child(child_maps_and_verifies, self));
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/*
 * Half of the mapping is gone, its first half: what remains shows the second
 * half of the buffer, before and after eviction.
 */
TEST_F(evict_mmap, partial_munmap)
{
	const int gone = 20;
	int i;

	ASSERT_EQ(0, munmap(self->bo.map, gone * PAN_PAGE_SIZE));
	EVICT(&self->bo);
	for (i = gone; i < PAGES; i++) {
		EXPECT_EQ(csf_pattern(self->seed, i * WORDS), *(__u64 *)page(self, i));
		EXPECT_EQ(csf_pattern(self->seed, (i + 1) * WORDS - 1), *((__u64 *)page(self, i) + WORDS - 1));
	}
	ASSERT_EQ(0, munmap(page(self, gone), (PAGES - gone) * PAN_PAGE_SIZE));
	self->bo.map = NULL;
	EVICT(&self->bo);
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/* A hole in the middle. */
TEST_F(evict_mmap, hole)
{
	int i;

	ASSERT_EQ(0, munmap(page(self, 10), 30 * PAN_PAGE_SIZE));
	EVICT(&self->bo);
	EXPECT_EVICTED(&self->bo, 1);
	for (i = 0; i < PAGES; i++)
		if (i < 10 || i >= 40)
			EXPECT_EQ(csf_pattern(self->seed, i * WORDS), *(__u64 *)page(self, i));
	ASSERT_EQ(0, munmap(self->bo.map, self->bo.size));
	self->bo.map = NULL;
	EXPECT_CPU_SEES(&self->bo, self->seed);
}

/* System calls fault pages in as well. */
TEST_F(evict_mmap, by_system_call)
{
	int pipefd[2];
	__u64 word = 0;

	ASSERT_EQ(0, pipe(pipefd));
	EVICT(&self->bo);
	ASSERT_EQ(8, write(pipefd[1], page(self, 33), 8));
	ASSERT_EQ(8, read(pipefd[0], &word, 8));
	EXPECT_EQ(csf_pattern(self->seed, 33 * WORDS), word);
	EVICT(&self->bo);
	ASSERT_EQ(8, write(pipefd[1], &word, 8));
	ASSERT_EQ(8, read(pipefd[0], page(self, 33), 8));
	EXPECT_CPU_SEES(&self->bo, self->seed);
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST_HARNESS_MAIN
