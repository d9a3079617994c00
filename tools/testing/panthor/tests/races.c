// SPDX-License-Identifier: GPL-2.0
/*
 * Eviction against everything that can happen at the same time, one thing a test, in
 * rounds, until there were enough of them and enough evictions. With several CPUs
 * (ARCH=arm64), that's at the same time indeed.
 *
 * guest: --mem 320M --swap 1G
 */
#include <sched.h>
#include <signal.h>

#include "mem_request.h"

#define EVICTORS	2
#define PAGES		19ULL	/* a size that no other buffer has, whatever the page */
#define BOS		6
#define ROUNDS		100
#define FEW_ROUNDS	20	/* where each takes longer */
#define MIN_EVICTIONS	50
#define AUTOSUSPEND_MS	50	/* the driver's own */

/* Whom to evict, if not a certain process. */
#define EVERYBODY	0
#define NOBODY		-1
#define END		-2

FIXTURE(races) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_child evictors[EVICTORS];
	int count;
	volatile __s64 *target;	/* process to be reclaimed, or one of the above */
	__u64 pages;		/* how much at a time */
	struct pan_bo bos[BOS];
	__u64 seed;
	__u64 evictions;
	__u64 faults;
};

FIXTURE_SETUP(races)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	self->faults = PAN_COUNTER("faults");
	self->pages = EVERYTHING;
	self->target = mmap(NULL, PAN_PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->target);
}

static void evict_whom(FIXTURE_DATA(races) *self, __s64 target)
{
	__atomic_store_n(self->target, target, __ATOMIC_RELEASE);
}

/* Fails the test if an evictor failed. */
static void stop_evicting(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self)
{
	int result = 0;

	evict_whom(self, END);
	while (self->count) {
		self->count--;
		EXPECT_EQ(0, pan_child_wait(&self->evictors[self->count], &result));
		EXPECT_EQ(0, result);
	}
}

static int set_autosuspend(struct pan_dev *dev, int ms)
{
	char path[PATH_MAX + 40];

	snprintf(path, sizeof(path), "%s/power/autosuspend_delay_ms", dev->sysfs);
	return pan_write_u64(path, ms);
}

FIXTURE_TEARDOWN(races)
{
	stop_evicting(_metadata, self);
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, set_autosuspend(&self->env.dev, AUTOSUSPEND_MS));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	EXPECT_EQ(0, munmap((void *)self->target, PAN_PAGE_SIZE));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Evicts what there is, or what a process has, again and again. */
static int evictor(struct pan_child *self)
{
	FIXTURE_DATA(races) *test = self->arg;
	__s64 target = NOBODY;
	int ret = 0;

	while (!ret && target != END) {
		if (target > 0)
			ret = pan_mem_reclaim_write(&test->env.dev, target);
		else if (target == EVERYBODY)
			ret = pan_shrink(&test->env.dev, test->pages, NULL);
		/* busy, or gone */
		if (target > 0 && (ret == -EAGAIN || ret == -ESRCH))
			ret = 0;
		sched_yield();
		target = __atomic_load_n(test->target, __ATOMIC_ACQUIRE);
	}
	return ret;
}

static void start_evicting(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self)
{
	self->evictions = EVICTIONS(&self->env.dev);
	while (self->count < EVICTORS) {
		ASSERT_EQ(0, pan_child_start(&self->evictors[self->count], evictor, self));
		self->count++;
	}
}

/* The rounds are many, and enough was evicted in them. */
static bool is_enough(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self, int round,
		      int rounds)
{
	return !__test_passed(_metadata) ||
	       (round >= rounds &&
		EVICTIONS(&self->env.dev) >= self->evictions + MIN_EVICTIONS);
}

static void create(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self, bool private,
		   struct pan_bo *bo)
{
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, PAGES * PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					  private, bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo->va, bo->size, self->seed));
}

/* Add one to a word of each page. Returns the number of those that weren't @before. */
static int count_on(const struct pan_bo *bo, __u64 before)
{
	__u64 page, *word;
	int wrong = 0;

	for (page = 0; page < bo->size / PAN_PAGE_SIZE; page++) {
		word = (__u64 *)((char *)bo->map + page * PAN_PAGE_SIZE);
		wrong += pan_peek(word) != before;
		pan_poke(word, before + 1);
	}
	return wrong;
}

/* What a CPU writes isn't lost, be it mapped by the GPU or not. */
TEST_F(races, fault)
{
	struct pan_bo bos[2];
	int i, round;

	create(_metadata, self, true, &bos[0]);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAGES * PAN_PAGE_SIZE, 0, NULL, &bos[1]));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pan_bo_mmap(&bos[i]));
		memset(bos[i].map, 0, bos[i].size);
	}
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, 10 * ROUNDS); round++) {
		for (i = 0; i < 2; i++)
			EXPECT_EQ(0, count_on(&bos[i], round))
				TH_LOG("buffer %d, round %d", i, round);
	}
	stop_evicting(_metadata, self);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, count_on(&bos[i], round));
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
	}
}

/* A job finds what the one before has written. */
TEST_F(races, submit)
{
	struct pan_bo bo;
	__u64 seed = self->seed;
	int round;

	create(_metadata, self, true, &bo);
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, ROUNDS); round++) {
		EXPECT_GPU_SEES(&self->ctx, bo.va, bo.size, seed);
		seed++;
		EXPECT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, bo.size, seed));
	}
	stop_evicting(_metadata, self);
	EXPECT_GPU_SEES(&self->ctx, bo.va, bo.size, seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Parts of a buffer are unmapped, and mapped again. */
TEST_F(races, bind)
{
	struct pan_bo bos[2];
	int i, round;

	for (i = 0; i < 2; i++)
		create(_metadata, self, i, &bos[i]);
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, ROUNDS); round++) {
		struct pan_bo *bo = &bos[round & 1];
		__u64 first = pan_rand(&self->env.rand) % PAGES;
		__u64 offset = first * PAN_PAGE_SIZE;
		__u64 size = (1 + pan_rand(&self->env.rand) % (PAGES - first)) * PAN_PAGE_SIZE;

		EXPECT_EQ(0, pan_vm_unmap(&self->ctx.vm, bo->va + offset, size));
		EXPECT_EQ(0, pan_vm_map(&self->ctx.vm, bo, offset, bo->va + offset, size, 0));
		if (round % 4 == 3)
			EXPECT_GPU_SEES(&self->ctx, bo->va, bo->size, self->seed);
	}
	stop_evicting(_metadata, self);
	for (i = 0; i < 2; i++) {
		EXPECT_GPU_SEES(&self->ctx, bos[i].va, bos[i].size, self->seed);
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
	}
}

/* VMs come and go, some of them destroyed, some along with their file. */
TEST_F(races, vm_end)
{
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo bo;
	int round;

	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		ASSERT_EQ(0, pan_reopen(&self->env.dev, &dev));
		ASSERT_EQ(0, pan_ctx_create(&dev, 1, &ctx));
		ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, PAGES * PAN_PAGE_SIZE, PAN_PAGE_SIZE,
						  round & 1, &bo));
		EXPECT_EQ(0, pan_gpu_fill(&ctx, bo.va, bo.size, self->seed + round));
		if (round & 2) {
			EXPECT_GPU_SEES(&ctx, bo.va, bo.size, self->seed + round);
			EXPECT_EQ(0, pan_bo_close(&bo));
			EXPECT_EQ(0, pan_ctx_destroy(&ctx));
		} else {
			pan_bo_munmap(&ctx.streams);
			pan_bo_munmap(&ctx.result);
		}
		pan_close(&dev);
	}
	stop_evicting(_metadata, self);
	EXPECT_SOUND(&self->env.dev);
}

/* The process that's reclaimed goes away. */
TEST_F(races, mem_reclaim_exit)
{
	struct client client = { .seed = self->seed };
	struct pan_child child;
	int round;

	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		start_client(_metadata, &client, &child);
		evict_whom(self, child.pid);
		verify_client(_metadata, &child);
		usleep(pan_rand(&self->env.rand) % 5000);
		if (round & 1) {
			ASSERT_EQ(0, pan_child_kill(&child, SIGKILL));
		} else {
			stop_client(_metadata, &child);
		}
	}
	stop_evicting(_metadata, self);
	EXPECT_SOUND(&self->env.dev);
}

/* Find out in which address space the only one runs that does. */
static int find_victim(void *as)
{
	struct pan_stream at;
	int ret = pan_model_busy_stream(&at);

	if (ret)
		return ret == -ENOENT || ret == -EEXIST ? 0 : ret;
	*(__u32 *)as = at.as;
	return 1;
}

/* Kill it. The driver resets the GPU. */
static int kill_victim(void *as)
{
	struct pan_stream at;
	char knob[64];
	int ret;

	ret = pan_model_busy_stream(&at);
	/* The jobs of the other one might not look done yet. */
	if (ret == -ENOENT || ret == -EEXIST || (!ret && at.as != *(__u32 *)as))
		return 0;
	if (ret)
		return ret;
	snprintf(knob, sizeof(knob), "%u %u %x", at.csg, at.cs, CSF_EXC_CS_UNRECOVERABLE);
	ret = pan_model_knob_set("fatal", knob);
	/* The driver may have taken it off its slot, from which it comes back. */
	return ret == -ENODEV ? 0 : ret ? ret : 1;
}

/* One command of the MMU after the other, one buffer after the other: it takes a while. */
static void create_slow(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self)
{
	int i;

	for (i = 0; i < BOS; i++)
		create(_metadata, self, true, &self->bos[i]);
	self->pages = PAGES;
	ASSERT_EQ(0, pan_model_knob_set_u64("as_latency_us", 2000));
}

static void verify(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self)
{
	int i;

	for (i = 0; i < BOS; i++)
		EXPECT_GPU_SEES(&self->ctx, self->bos[i].va, self->bos[i].size, self->seed);
}

static void verify_and_close(struct __test_metadata *_metadata, FIXTURE_DATA(races) *self)
{
	int i;

	verify(_metadata, self);
	for (i = 0; i < BOS; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
}

/* The GPU is reset while a VM is evicted. It gets no commands meanwhile. */
TEST_F(races, reset)
{
	__u64 l2_off = PAN_COUNTER("as_l2_off");
	struct pan_ctx victim;
	struct pan_cs cs;
	__u64 resets;
	int round;
	__u32 as;

	create_slow(_metadata, self);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &victim));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		resets = PAN_COUNTER("resets");
		ASSERT_EQ(0, pan_ctx_start(&victim, 0, &cs));
		ASSERT_EQ(0, pan_poll(find_victim, &as, PAN_DEADLINE_MS));
		/* Everything's there when it begins, or there was nothing to evict. */
		evict_whom(self, NOBODY);
		verify(_metadata, self);
		ASSERT_EQ(0, pan_poll(kill_victim, &as, PAN_DEADLINE_MS));
		evict_whom(self, EVERYBODY);
		ASSERT_EQ(0, pan_model_wait_counter("resets", resets + 1, PAN_DEADLINE_MS));
		EXPECT_GT(0, pan_ctx_wait(&victim, PAN_DEADLINE_MS));
		ASSERT_EQ(0, pan_ctx_new_group(&victim));
	}
	stop_evicting(_metadata, self);
	EXPECT_EQ(l2_off, PAN_COUNTER("as_l2_off"));
	verify_and_close(_metadata, self);
	EXPECT_EQ(0, pan_ctx_destroy(&victim));
}

/* The GPU goes to sleep while a VM is evicted. */
TEST_F(races, suspend)
{
	__u64 clock_on = PAN_COUNTER("clock_on");
	int round;

	create_slow(_metadata, self);
	ASSERT_EQ(0, set_autosuspend(&self->env.dev, 0));
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		EXPECT_GPU_SEES(&self->ctx, self->bos[0].va, self->bos[0].size, self->seed);
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	}
	stop_evicting(_metadata, self);
	EXPECT_LE(clock_on + round, PAN_COUNTER("clock_on"));
	verify_and_close(_metadata, self);
}

/* What two VMs share, and each reclaimer might find half evicted by the other. */
TEST_F(races, two_reclaimers)
{
	struct pan_bo bos[BOS];
	struct pan_ctx other;
	__u64 va[BOS];
	int i, round;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	for (i = 0; i < BOS; i++) {
		create(_metadata, self, false, &bos[i]);
		va[i] = pan_vm_alloc_va(&other.vm, bos[i].size, PAN_PAGE_SIZE);
		if (i & 1)
			ASSERT_EQ(0, pan_vm_map(&other.vm, &bos[i], 0, va[i], bos[i].size, 0));
	}
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		for (i = 0; i < BOS; i++) {
			EXPECT_GPU_SEES(&self->ctx, bos[i].va, bos[i].size, self->seed);
			if (i & 1) {
				EXPECT_GPU_SEES(&other, va[i], bos[i].size, self->seed);
			}
		}
	}
	stop_evicting(_metadata, self);
	for (i = 0; i < BOS; i++) {
		EXPECT_GPU_SEES(&self->ctx, bos[i].va, bos[i].size, self->seed);
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
	}
	EXPECT_EQ(0, pan_ctx_destroy(&other));
}

/* Another device attaches itself, which has to find the memory, and to keep it. */
TEST_F(races, attach)
{
	struct pan_dev vgem = { .fd = -1 };
	struct pan_bo bo, theirs;
	struct pan_gem gem;
	int fd, i, round;
	void *map;

	if (pan_vgem_open(&vgem.fd) == -ENODEV)
		pan_module_load("vgem");
	if (vgem.fd < 0 && pan_vgem_open(&vgem.fd) == -ENODEV)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	create(_metadata, self, false, &bo);
	start_evicting(_metadata, self);
	for (round = 0; !is_enough(_metadata, self, round, FEW_ROUNDS); round++) {
		ASSERT_EQ(0, pan_bo_export(&bo, &fd));
		ASSERT_EQ(0, pan_bo_import(&vgem, fd, bo.size, &theirs));
		map = mmap(NULL, bo.size, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, map);
		for (i = 0; i < 10; i++) {
			ASSERT_EQ(0, evict_gem(&bo, &gem));
			EXPECT_EQ(bo.size, gem.resident);
			EXPECT_EQ(0, gem.state & PAN_GEM_EVICTED);
			EXPECT_EQ(0, pan_verify(map, bo.size, self->seed));
		}
		EXPECT_EQ(0, munmap(map, bo.size));
		EXPECT_EQ(0, pan_gem_close(vgem.fd, theirs.handle));
		close(fd);
		EXPECT_GPU_SEES(&self->ctx, bo.va, bo.size, self->seed);
	}
	stop_evicting(_metadata, self);
	EXPECT_EQ(0, pan_bo_close(&bo));
	close(vgem.fd);
}

TEST_HARNESS_MAIN
