// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs mem_claim when memory is short: what's claimed takes it from VMs that are older,
 * and from nobody who is more recent. What doesn't fit fails, and what came back stays.
 *
 * guest: --kernel plain --mem 256M
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "limits.h"
#include "pan_child.h"

#define CGROUP		"/sys/fs/cgroup/claim"
#define CPU_LISTS	"/proc/sys/vm/percpu_pagelist_high_fraction"
#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"
#define BUFFER		(4 * MIB)
#define CLAIMED		10	/* buffers of the process in question: 40 MiB */
#define OTHERS		12	/* those of another VM, 48 MiB */

FIXTURE(mem_claim_overcommit) {
	struct pan_env env;
	struct pan_ctx older, younger;
	struct pan_bo older_bos[OTHERS], younger_bos[OTHERS];
	struct pan_child child, hog;
	char min_free[32];
};

/* Fills what it has, then verifies it when it's told to. */
static int play(struct pan_child *self)
{
	struct pan_bo bos[CLAIMED];
	struct pan_ctx ctx;
	struct pan_dev dev;
	__s64 go_on = 1;
	__u64 wrong;
	int i, ret;

	ret = pan_write_file(CGROUP "/cgroup.procs", "0");
	if (!ret)
		ret = limits_survive();
	if (!ret)
		ret = pan_open(&dev);
	if (!ret)
		ret = pan_ctx_create(&dev, 1, &ctx);
	if (!ret)
		ret = limits_fill(&ctx, bos, CLAIMED, BUFFER);
	while (go_on) {
		pan_child_tell(self, ret);
		if (pan_child_hear(self, &go_on))
			break;
		for (i = 0; !ret && go_on && i < CLAIMED; i++) {
			wrong = ~0ULL;
			ret = pan_gpu_verify(&ctx, bos[i].va, BUFFER, i + 1, &wrong);
			if (!ret && wrong)
				ret = -EILSEQ;
		}
	}
	return ret;
}

/* Keeps all but that much from the others. */
static int hog(struct pan_child *self)
{
	__u64 available = 0, leave = *(__u64 *)self->arg;
	int ret;

	ret = limits_survive();
	if (!ret)
		ret = pan_meminfo("MemAvailable", &available);
	if (!ret && available > leave)
		ret = limits_lock_memory(available - leave);
	pan_child_tell(self, ret);
	return pan_child_meet(self);
}

static void start_hog(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self,
		      __u64 leave)
{
	__s64 ret = -1;

	ASSERT_EQ(0, pan_child_start(&self->hog, hog, &leave));
	ASSERT_EQ(0, pan_child_hear(&self->hog, &ret));
	ASSERT_EQ(0, ret);
}

static void stop_hog(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self)
{
	if (self->hog.pid > 0)
		EXPECT_EQ(0, pan_child_kill(&self->hog, SIGKILL));
	self->hog.pid = 0;
}

static void hear_child(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self)
{
	__s64 ret = -1;

	ASSERT_EQ(0, pan_child_hear(&self->child, &ret));
	ASSERT_EQ(0, ret);
}

static void verify_child(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self)
{
	ASSERT_EQ(0, pan_child_tell(&self->child, 1));
	hear_child(_metadata, self);
}

static int fill(struct pan_ctx *ctx, struct pan_bo *bos)
{
	return limits_fill(ctx, bos, OTHERS, BUFFER);
}

FIXTURE_SETUP(mem_claim_overcommit)
{
	char path[PATH_MAX + 16];

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	pan_mem_claim_path(&self->env.dev, path, sizeof(path));
	ASSERT_EQ(0, access(path, F_OK));
	/* What's free in there, up to an eighth of all, isn't in any statistics. */
	ASSERT_EQ(0, pan_write_file(CPU_LISTS, "100000"));
	/*
	 * With large pages, a sixth of all is kept free for huge ones. kswapd would see to
	 * that all the time, and it takes from everybody.
	 */
	ASSERT_LT(0, pan_read_file(MIN_FREE, self->min_free, sizeof(self->min_free)));
	ASSERT_EQ(0, pan_write_file(MIN_FREE, "2048"));
	ASSERT_EQ(0, pan_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	ASSERT_EQ(0, limits_survive());
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->older));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->younger));
}

static int remove_cgroup(void *arg)
{
	(void)arg;
	if (!rmdir(CGROUP))
		return 1;
	return errno == EBUSY ? 0 : -errno;
}

FIXTURE_TEARDOWN(mem_claim_overcommit)
{
	int result = -1;

	stop_hog(_metadata, self);
	if (self->child.pid > 0) {
		EXPECT_EQ(0, pan_child_tell(&self->child, 0));
		EXPECT_EQ(0, pan_child_wait(&self->child, &result));
		EXPECT_EQ(0, result);
	}
	if (!access(CGROUP, F_OK))
		EXPECT_EQ(0, pan_poll(remove_cgroup, NULL, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_destroy(&self->older));
	EXPECT_EQ(0, pan_ctx_destroy(&self->younger));
	EXPECT_EQ(0, pan_write_file(MIN_FREE, self->min_free));
	EXPECT_EQ(0, pan_write_file(CPU_LISTS, "0"));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Evictions of all buffers of a process, and how much it has in memory. */
static __u64 look(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self,
		  pid_t pid, __u64 *resident)
{
	struct pan_gems gems = {};
	__u64 evictions = 0;
	size_t i;

	*resident = 0;
	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &gems));
	for (i = 0; i < gems.count; i++) {
		if (gems.gems[i].tgid != pid || gems.gems[i].size < BUFFER)
			continue;
		evictions += gems.gems[i].evictions;
		*resident += gems.gems[i].resident;
	}
	pan_gems_free(&gems);
	return evictions;
}

/* Evictions of some of our own buffers. */
static __u64 evictions_of(struct __test_metadata *_metadata, struct pan_bo *bos)
{
	__u64 evictions = 0;
	struct pan_gem gem;
	int i;

	for (i = 0; i < OTHERS; i++) {
		ASSERT_EQ(0, pan_gems_find(bos[i].dev, getpid(), bos[i].size, &gem));
		evictions += gem.evictions;
	}
	return evictions;
}

static void start_child(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self)
{
	ASSERT_EQ(0, pan_child_start(&self->child, play, NULL));
	hear_child(_metadata, self);
}

static int gone_step(void *arg)
{
	__u64 cached = 0;
	int ret;

	(void)arg;
	ret = pan_write_file(CGROUP "/memory.reclaim", "40M");
	if (!ret || ret == -EAGAIN)
		ret = pan_meminfo("SwapCached", &cached);
	return ret ? ret : cached < BUFFER;
}

/* Swap is a disk here, so what was evicted only leaves memory when somebody needs it. */
static void evict_child(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim_overcommit) *self)
{
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, self->child.pid));
	ASSERT_EQ(0, pan_poll(gone_step, NULL, PAN_DEADLINE_MS));
}

/*
 * It needs 40 MiB, the system can spare less than 20, and an older VM has 48. The most
 * recent one isn't asked.
 */
TEST_F(mem_claim_overcommit, takes_from_older)
{
	__u64 resident = 0, before;
	int i;

	/* sizes of their own, so that they can be told apart */
	ASSERT_EQ(0, fill(&self->older, self->older_bos));
	start_child(_metadata, self);
	for (i = 0; i < OTHERS; i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->younger.vm, BUFFER +
						  (OTHERS + i) * PAN_PAGE_SIZE, PAN_PAGE_SIZE,
						  true, &self->younger_bos[i]));
	evict_child(_metadata, self);
	ASSERT_EQ(0, pan_gpu_fill(&self->younger, self->younger_bos[0].va, BUFFER, 1));
	EXPECT_EQ(CLAIMED, look(_metadata, self, self->child.pid, &resident));
	EXPECT_EQ(0, resident);
	start_hog(_metadata, self, 32 * MIB);
	before = evictions_of(_metadata, self->older_bos);

	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, self->child.pid));
	EXPECT_EQ(CLAIMED, look(_metadata, self, self->child.pid, &resident));
	EXPECT_LE(CLAIMED * BUFFER, resident);
	EXPECT_LT(before, evictions_of(_metadata, self->older_bos));
	EXPECT_EQ(0, evictions_of(_metadata, self->younger_bos));
	TH_LOG("%llu buffers of the older VM evicted",
	       evictions_of(_metadata, self->older_bos));
	stop_hog(_metadata, self);
	verify_child(_metadata, self);
}

/* The only VM that has enough is more recent. A part comes back, the rest later. */
TEST_F(mem_claim_overcommit, leaves_recent_alone)
{
	__u64 resident = 0;

	start_child(_metadata, self);
	evict_child(_metadata, self);
	ASSERT_EQ(0, fill(&self->younger, self->younger_bos));
	start_hog(_metadata, self, 32 * MIB);

	EXPECT_EQ(-ENOMEM, pan_mem_claim_write(&self->env.dev, self->child.pid));
	EXPECT_EQ(0, evictions_of(_metadata, self->younger_bos));
	look(_metadata, self, self->child.pid, &resident);
	EXPECT_LT(0, resident);
	EXPECT_GT(CLAIMED * BUFFER, resident);
	TH_LOG("%llu MiB came back", resident / MIB);

	stop_hog(_metadata, self);
	EXPECT_EQ(0, pan_mem_claim_write(&self->env.dev, self->child.pid));
	look(_metadata, self, self->child.pid, &resident);
	EXPECT_LE(CLAIMED * BUFFER, resident);
	EXPECT_EQ(0, evictions_of(_metadata, self->younger_bos));
	verify_child(_metadata, self);
}

static __u64 oom_kills(void)
{
	char text[1024], *line;

	if (pan_read_file(CGROUP "/memory.events", text, sizeof(text)) < 0)
		return ~0ULL;
	line = strstr(text, "oom_kill ");
	return line ? strtoull(line + strlen("oom_kill "), NULL, 10) : ~0ULL;
}

/*
 * Memory belongs to the cgroup that it was evicted from, whoever brings it back. If that
 * one is at its limit, nobody else has to suffer, and nobody is killed.
 */
TEST_F(mem_claim_overcommit, cgroup_at_its_limit)
{
	__u64 resident = 0;

	ASSERT_EQ(0, fill(&self->older, self->older_bos));
	start_child(_metadata, self);
	evict_child(_metadata, self);
	ASSERT_EQ(0, pan_write_file(CGROUP "/memory.max", "25165824"));

	EXPECT_EQ(-ENOMEM, pan_mem_claim_write(&self->env.dev, self->child.pid));
	look(_metadata, self, self->child.pid, &resident);
	EXPECT_LT(0, resident);
	EXPECT_GT(CLAIMED * BUFFER, resident);
	EXPECT_EQ(0, evictions_of(_metadata, self->older_bos));
	EXPECT_EQ(0, oom_kills());

	ASSERT_EQ(0, pan_write_file(CGROUP "/memory.max", "max"));
	EXPECT_EQ(0, pan_mem_claim_write(&self->env.dev, self->child.pid));
	look(_metadata, self, self->child.pid, &resident);
	EXPECT_LE(CLAIMED * BUFFER, resident);
	verify_child(_metadata, self);
}

TEST_HARNESS_MAIN
