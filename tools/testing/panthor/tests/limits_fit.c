// SPDX-License-Identifier: GPL-2.0
/*
 * What can't fit in memory fails, once, with an error that says so, and nobody
 * else suffers from it: no process is killed, the buffers of others are taken at
 * most once, and all memory is as free, or as reclaimable, as it was before.
 *
 * guest: --kernel plain --mem 256M
 */
#include <signal.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <xf86drm.h>

#include "limits.h"
#include "pan_child.h"

#define OTHERS		(32 * MIB)	/* what somebody else has */
#define OTHERS_BUFFERS	8
#define SPARE		(12 * MIB)	/* what a kernel needs at least */
#define SLACK		(24 * MIB)	/* what comes and goes meanwhile */
#define ATTEMPTS	4

FIXTURE(limits_fit) {
	struct pan_env env;
	struct pan_ctx other;
	struct pan_bo others[OTHERS_BUFFERS];
	__u64 total;
	__u64 oom_kills;
	__u64 evictions;
	char swap[256];
	bool swap_is_off;
};

/* Many boards have no swap: there, nothing can be evicted, and nothing has to come back. */
FIXTURE_VARIANT(limits_fit) {
	bool swap;
};

FIXTURE_VARIANT_ADD(limits_fit, swap) { true };
FIXTURE_VARIANT_ADD(limits_fit, no_swap) { false };

FIXTURE_SETUP(limits_fit)
{
	int i;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_module_load("vgem"));
	ASSERT_EQ(0, pan_swap_device(self->swap, sizeof(self->swap)));
	if (!variant->swap) {
		ASSERT_EQ(0, swapoff(self->swap));
		self->swap_is_off = true;
	}
	ASSERT_EQ(0, pan_meminfo("MemTotal", &self->total));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));
	for (i = 0; i < OTHERS_BUFFERS; i++) {
		ASSERT_EQ(0, pan_bo_create_mapped(&self->other.vm, OTHERS / OTHERS_BUFFERS,
						  PAN_PAGE_SIZE, true, &self->others[i]));
		ASSERT_EQ(0, pan_gpu_fill(&self->other, self->others[i].va,
					  self->others[i].size, i + 1));
	}
	ASSERT_EQ(0, pan_vmstat("oom_kill", &self->oom_kills));
	self->evictions = EVICTIONS(&self->env.dev);
}

FIXTURE_TEARDOWN(limits_fit)
{
	__u64 kills = 0;
	int i;

	EXPECT_EQ(0, pan_vmstat("oom_kill", &kills));
	EXPECT_EQ(self->oom_kills, kills);
	for (i = 0; i < OTHERS_BUFFERS; i++)
		EXPECT_GPU_SEES(&self->other, self->others[i].va, self->others[i].size, i + 1);
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	if (self->swap_is_off)
		EXPECT_EQ(0, swapon(self->swap, 0));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Nothing came back meanwhile, so each of them can only have been taken once. */
#define EXPECT_TAKEN_ONCE(self) \
	EXPECT_GE(OTHERS_BUFFERS + ATTEMPTS, EVICTIONS(&(self)->env.dev) - (self)->evictions)

/* What no machine of this size could hold isn't created. */
TEST_F_TIMEOUT(limits_fit, larger_than_memory, 600)
{
	struct pan_bo bo;
	__u64 size;

	EXPECT_EQ(-ENOMEM, pan_bo_create(&self->env.dev, self->total + PAN_PAGE_SIZE, 0, NULL,
					 &bo));
	for (size = 2 * self->total; size; size *= 2)
		EXPECT_GT(0, pan_bo_create(&self->env.dev, size, 0, NULL, &bo));
	EXPECT_GT(0, pan_bo_create(&self->env.dev, ~0ULL, 0, NULL, &bo));
	EXPECT_GT(0, pan_bo_create(&self->env.dev, ~0ULL - PAN_PAGE_SIZE + 1, 0, NULL, &bo));
	EXPECT_EQ(self->evictions, EVICTIONS(&self->env.dev));
}

/* It takes up room for addresses that others need, too. */
TEST_F_TIMEOUT(limits_fit, mmap_offsets, 600)
{
	struct pan_bo bos[64];
	__u64 size, offset;
	int i, n = 0;

	for (size = 256ULL << 30; size > self->total; size /= 2)
		while (n < 48 && !pan_bo_create(&self->env.dev, size, 0, NULL, &bos[n]))
			n++;
	for (i = n; i < 64; i++) {
		ASSERT_EQ(0, pan_bo_create(&self->env.dev, self->total / 2, 0, NULL, &bos[i]));
		ASSERT_EQ(0, pan_bo_mmap_offset(&bos[i], &offset));
	}
	for (i = 0; i < 64; i++)
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
}

/* --- a buffer that could be held, if there wasn't anything else */

static void on_sigbus(int sig)
{
	_exit(sig);
}

static int touch(struct pan_child *self)
{
	volatile char *map = self->arg;

	signal(SIGBUS, on_sigbus);
	*map = 1;
	return 0;
}

static int read_into(struct pan_child *self)
{
	int fds[2];

	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		return -errno;
	return read(fds[0], self->arg, 1) == 1 ? 0 : -errno;
}

/* What becomes of a child that accesses the mapping: minus the signal, or the error. */
#define RESULT_OF(fn, map) ({							\
	struct pan_child __child;						\
	int __result = -1;							\
										\
	ASSERT_EQ(0, pan_child_start(&__child, fn, map));			\
	ASSERT_EQ(0, pan_child_wait(&__child, &__result));			\
	__result;								\
})

static int create_too_large(struct pan_env *env, __u64 total, struct pan_bo *bo)
{
	__u64 size = (total - SPARE) / PAN_PAGE_SIZE * PAN_PAGE_SIZE;
	int ret = pan_bo_create(&env->dev, size, 0, NULL, bo);

	return ret ? ret : pan_bo_mmap(bo);
}

TEST_F_TIMEOUT(limits_fit, cpu_access, 600)
{
	struct pan_bo bo;

	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	EXPECT_EQ(-SIGBUS, RESULT_OF(touch, bo.map));
	EXPECT_TAKEN_ONCE(self);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F_TIMEOUT(limits_fit, system_call, 600)
{
	struct pan_bo bo;

	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	EXPECT_EQ(-EFAULT, RESULT_OF(read_into, bo.map));
	EXPECT_TAKEN_ONCE(self);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F_TIMEOUT(limits_fit, dma_buf_mmap, 600)
{
	struct pan_bo bo;
	void *map;
	int fd;

	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	map = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-SIGBUS, RESULT_OF(touch, map));
	EXPECT_TAKEN_ONCE(self);
	EXPECT_EQ(0, munmap(map, bo.size));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F_TIMEOUT(limits_fit, attachment, 600)
{
	int fd, vgem, ret;
	struct pan_bo bo;
	__u32 handle;
	void *map;

	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_vgem_open(&vgem));
	ret = drmPrimeFDToHandle(vgem, fd, &handle);
	if (!ret)
		ret = pan_vgem_mmap(vgem, handle, bo.size, &map);
	EXPECT_NE(0, ret);
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_TAKEN_ONCE(self);
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, close(vgem));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Memory that nobody can use: locked, or on the unevictable list for no reason. */
static __u64 unevictable(void)
{
	__u64 bytes = ~0ULL;

	return pan_meminfo("Unevictable", &bytes) ? ~0ULL : bytes;
}

static __u64 in_use(void)
{
	__u64 shmem = 0, free_swap = 0, swap = 0;

	pan_meminfo("Shmem", &shmem);
	pan_swap_free(&free_swap);
	pan_swap_total(&swap);
	return shmem + swap - free_swap;
}

/* After each failure things are what they were, and the buffer has no pages. */
TEST_F_TIMEOUT(limits_fit, bind, 600)
{
	__u64 va, used, locked, others_in_use;
	struct pan_ctx ctx;
	struct pan_bo bo;
	int i;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	va = pan_vm_alloc_va(&ctx.vm, bo.size, PAN_PAGE_SIZE);
	locked = unevictable();
	used = in_use();

	for (i = 0; i < ATTEMPTS; i++)
		EXPECT_EQ(-ENOMEM, pan_vm_map(&ctx.vm, &bo, 0, va, bo.size, 0));
	EXPECT_TAKEN_ONCE(self);
	EXPECT_GE(locked + SLACK, unevictable());

	/* Processes went to swap meanwhile, but they are small. */
	others_in_use = in_use();
	EXPECT_GE(used + 2 * SLACK, others_in_use)
		TH_LOG("%llu MiB, now %llu MiB", used / MIB, others_in_use / MIB);

	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

/* The same after CPU accesses, and the memory is there for somebody else. */
TEST_F_TIMEOUT(limits_fit, memory_after_failures, 600)
{
	__u64 locked, used;
	struct pan_ctx ctx;
	struct pan_bo bo, small;
	int i;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, create_too_large(&self->env, self->total, &bo));
	locked = unevictable();
	used = in_use();
	for (i = 0; i < ATTEMPTS; i++)
		EXPECT_EQ(-SIGBUS, RESULT_OF(touch, bo.map));
	EXPECT_GE(locked + SLACK, unevictable());
	EXPECT_GE(used + 2 * SLACK, in_use());

	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, self->total / 8 * 5, PAN_PAGE_SIZE, true,
					  &small));
	EXPECT_EQ(0, pan_gpu_fill(&ctx, small.va, small.size, 1));
	EXPECT_EQ(0, pan_bo_close(&small));
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

TEST_HARNESS_MAIN
