// SPDX-License-Identifier: GPL-2.0
/*
 * A memory cgroup that has no swap: its buffers can't leave memory, and aren't evicted in
 * order to find that out. Others are.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "evict.h"
#include "pan_child.h"

#define CGROUP		"/sys/fs/cgroup"
#define NO_SWAP		CGROUP "/no-swap"

#define BUFFER		(PAN_SZ_1M + PAN_PAGE_SIZE)
#define BUFFERS		16
#define TOTAL_PAGES	(BUFFERS * BUFFER / PAN_PAGE_SIZE)

struct client {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	__u64 seed;
};

FIXTURE(evict_cgroup) {
	struct pan_env env;
	struct client mine;
	struct pan_child child;
	bool cgroup;
	__u64 seed;
	__s64 answer;
};

static int client_start(struct client *c)
{
	int ret, i;

	ret = pan_ctx_create(&c->dev, 1, &c->ctx);
	for (i = 0; !ret && i < BUFFERS; i++) {
		ret = pan_bo_create_mapped(&c->ctx.vm, BUFFER, PAN_PAGE_SIZE, true, &c->bos[i]);
		if (!ret)
			ret = pan_gpu_fill(&c->ctx, c->bos[i].va, BUFFER, c->seed + i);
	}
	return ret;
}

static int client_verify(struct client *c)
{
	__u64 wrong = 0;
	int ret, i;

	for (i = 0; i < BUFFERS; i++) {
		ret = pan_gpu_verify(&c->ctx, c->bos[i].va, BUFFER, c->seed + i, &wrong);
		if (ret || wrong)
			return ret ? ret : -EIO;
	}
	return 0;
}

static void client_stop(struct client *c)
{
	int i;

	for (i = 0; i < BUFFERS; i++)
		pan_bo_close(&c->bos[i]);
	pan_ctx_destroy(&c->ctx);
}

/* The client without swap: verifies what it has, when it's told to. */
static int play(struct pan_child *self)
{
	struct client c = { .seed = *(__u64 *)self->arg };
	__s64 go_on;
	int ret;

	ret = pan_write_file(NO_SWAP "/cgroup.procs", "0");
	if (!ret)
		ret = pan_open(&c.dev);
	if (!ret)
		ret = client_start(&c);
	do {
		if (!ret)
			ret = client_verify(&c);
		pan_child_tell(self, ret);
	} while (!pan_child_hear(self, &go_on) && go_on);
	client_stop(&c);
	pan_close(&c.dev);
	return ret;
}

FIXTURE_SETUP(evict_cgroup)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_write_file(CGROUP "/cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, mkdir(NO_SWAP, 0755));
	self->cgroup = true;
	ASSERT_EQ(0, pan_write_file(NO_SWAP "/memory.swap.max", "0"));

	/* The longest idle, which goes first. */
	ASSERT_EQ(0, pan_child_start(&self->child, play, &self->seed));
	ASSERT_EQ(0, pan_child_hear(&self->child, &self->answer));
	ASSERT_EQ(0, self->answer);
	self->mine.dev = self->env.dev;
	self->mine.seed = self->seed + BUFFERS;
	ASSERT_EQ(0, client_start(&self->mine));
}

FIXTURE_TEARDOWN(evict_cgroup)
{
	int result = -1;

	client_stop(&self->mine);
	if (self->child.pid > 0) {
		EXPECT_EQ(0, pan_child_tell(&self->child, 1));
		EXPECT_EQ(0, pan_child_hear(&self->child, &self->answer));
		EXPECT_EQ(0, self->answer);
		EXPECT_EQ(0, pan_child_tell(&self->child, 0));
		EXPECT_EQ(0, pan_child_wait(&self->child, &result));
		EXPECT_EQ(0, result);
	}
	if (self->cgroup)
		EXPECT_EQ(0, rmdir(NO_SWAP));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Evictions of all buffers of a process, and how many of them are evicted. */
static void look(struct __test_metadata *_metadata, FIXTURE_DATA(evict_cgroup) *self, pid_t pid,
		 __u64 *evictions, __u64 *evicted)
{
	struct pan_gems gems = {};
	size_t i;

	*evictions = 0;
	*evicted = 0;
	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &gems));
	for (i = 0; i < gems.count; i++) {
		if (gems.gems[i].tgid != pid || gems.gems[i].size != BUFFER)
			continue;
		*evictions += gems.gems[i].evictions;
		*evicted += gem_is_evicted(&gems.gems[i]);
	}
	pan_gems_free(&gems);
}

/* It's their turn, and there's room in swap, but not for them. */
TEST_F(evict_cgroup, no_swap)
{
	__u64 pages, theirs, mine, evicted, before, after, skipped, still;

	ASSERT_EQ(0, pan_vmstat("pswpout", &before));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &skipped));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, TOTAL_PAGES / 4, &pages));
	look(_metadata, self, self->child.pid, &theirs, &evicted);
	EXPECT_EQ(0, evicted);
	look(_metadata, self, getpid(), &mine, &evicted);
	ASSERT_EQ(0, pan_vmstat("pswpout", &after));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &still));
	TH_LOG("%llu pages, %llu evictions there, %llu here", pages, theirs, mine);

	EXPECT_EQ(0, theirs);
	EXPECT_LT(skipped, still);
	EXPECT_LE(TOTAL_PAGES / 4, pages);
	EXPECT_LE(1, mine);
	/* Pages of zeroes, as there are others, are freed without being written. */
	EXPECT_LE(mine * (BUFFER / PAN_PAGE_SIZE), after - before);
	EXPECT_EQ(0, client_verify(&self->mine));
}

/* A request that's about that process only says that nothing came of it. */
TEST_F(evict_cgroup, mem_reclaim)
{
	EXPECT_EQ(-EAGAIN, pan_mem_reclaim_write(&self->env.dev, self->child.pid));
	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	EXPECT_EQ(0, client_verify(&self->mine));
}

TEST_HARNESS_MAIN
