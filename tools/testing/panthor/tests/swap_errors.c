// SPDX-License-Identifier: GPL-2.0
/*
 * The swap device is full, or broken. Case 12.
 *
 * guest: --swap 48M
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "evict.h"
#include "pan_child.h"
#include "pan_fault.h"

#define SIZE		(300 * PAN_PAGE_SIZE)
#define NO_ROOM		(SIZE / 2)

#define READAHEAD	"/proc/sys/vm/page-cluster"

FIXTURE(swap_errors) {
	struct pan_env env;
	struct pan_ctx ctx, other;
	struct pan_bo bo, theirs;
	__u64 seed;
	bool io_fails;
	char readahead[16];
};

FIXTURE_SETUP(swap_errors)
{
	EVICT_SETUP(self);
	/* Read ahead is memory of others, too, who would be killed for the failure. */
	ASSERT_LT(0, pan_read_file(READAHEAD, self->readahead, sizeof(self->readahead)));
	ASSERT_EQ(0, pan_write_file(READAHEAD, "0"));
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->other.vm, SIZE + PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					  true, &self->theirs));
	ASSERT_EQ(0, pan_gpu_fill(&self->other, self->theirs.va, self->theirs.size, self->seed));
	/* Our own memory must not be on a device that fails. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(swap_errors)
{
	if (self->io_fails)
		EXPECT_EQ(0, pan_swap_io_fail(false));
	EXPECT_GPU_SEES(&self->other, self->theirs.va, self->theirs.size, self->seed);
	EXPECT_EQ(0, pan_bo_close(&self->theirs));
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	EXPECT_EQ(0, pan_write_file(READAHEAD, self->readahead));
	PAN_ENV_TEARDOWN(&self->env);
}

#define SWAP_IO_FAILS(self, on) do {						\
	int __ret = pan_swap_io_fail(on);					\
										\
	if (__ret == -ENOENT)							\
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no fault injection in this kernel"); \
	ASSERT_EQ(0, __ret);							\
	(self)->io_fails = on;							\
} while (0)

static int fill_swap(void *arg)
{
	__u64 free_bytes = 0;
	int ret;

	(void)arg;
	ret = pan_swap_free(&free_bytes);
	if (ret || free_bytes < NO_ROOM)
		return ret ? ret : 1;
	ret = pan_memory_reclaim(free_bytes);
	return ret == -EAGAIN ? 0 : ret;
}

/*
 * Nobody starts what can't be finished; with room again, it goes on. What comes
 * back from swap makes room there: hence a VM of its own, with nothing to come.
 */
TEST_F(swap_errors, full)
{
	__u64 skipped, before, total, size = SIZE + 2 * PAN_PAGE_SIZE;
	struct pan_ctx fresh;
	struct pan_bo bo;
	pid_t hog;
	int i;

	ASSERT_EQ(0, pan_swap_total(&total));
	ASSERT_EQ(0, pan_pressure_start(2 * total, &hog));
	ASSERT_EQ(0, pan_poll(fill_swap, NULL, 3 * PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &fresh));
	ASSERT_EQ(0, pan_bo_create_mapped(&fresh.vm, size, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&fresh, bo.va, size, self->seed));

	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &before));
	/* Each scan is content with what there's room for; all get their turn. */
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_RESIDENT(&bo, 0);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &skipped));
	EXPECT_LT(before, skipped);
	EXPECT_SOUND(&self->env.dev);
	/* What was evicted while there was room comes back. */
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);

	ASSERT_EQ(0, pan_pressure_stop(hog));
	EVICT(&bo);
	EXPECT_GPU_SEES(&fresh, bo.va, size, self->seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&fresh));
}

struct broken_goal {
	struct pan_ctx *ctx;
	const struct pan_bo *bo;
	struct pan_cs cs;
	int result;
};

/*
 * Whether the buffer is on the device only shows when it is wanted back. What
 * the job itself needs is not to be lost: the CPU gets it back before.
 */
static int restore_fails(void *arg)
{
	struct broken_goal *goal = arg;
	int ret;

	ret = evict_bo(goal->bo, NULL);
	if (!ret)
		ret = push_to_swap(goal->bo->size, PAN_DEADLINE_MS);
	if (ret)
		return ret;
	pan_peek(goal->ctx->streams.map);
	pan_peek(goal->ctx->result.map);
	ret = pan_swap_io_fail(true);
	if (ret)
		return ret;
	goal->result = pan_ctx_run(goal->ctx, &goal->cs);
	ret = pan_swap_io_fail(false);
	return ret ? ret : goal->result != 0;
}

/*
 * What can't be read back is lost, and the jobs that need it are refused. They
 * are the only ones: other VMs, and this one without that buffer, go on.
 */
TEST_F(swap_errors, read_error_at_submit)
{
	struct broken_goal goal = { .ctx = &self->ctx, .bo = &self->bo };
	struct pan_bo fresh;
	struct pan_gem gem;

	SWAP_IO_FAILS(self, true);
	SWAP_IO_FAILS(self, false);
	pan_cs_init(&goal.cs);
	pan_cs_emit(&goal.cs, csf_nop());
	ASSERT_EQ(0, pan_poll(restore_fails, &goal, 3 * PAN_DEADLINE_MS));
	EXPECT_EQ(-EIO, goal.result);
	ASSERT_EQ(0, evict_gem(&self->bo, &gem));
	EXPECT_TRUE(gem_is_evicted(&gem));
	EXPECT_SOUND(&self->env.dev);
	EXPECT_EQ(-EIO, pan_ctx_run(&self->ctx, &goal.cs));
	EXPECT_GPU_SEES(&self->other, self->theirs.va, self->theirs.size, self->seed);

	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->bo.va, SIZE));
	EXPECT_EQ(0, pan_ctx_run(&self->ctx, &goal.cs));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &fresh));
	EXPECT_EQ(0, pan_gpu_fill(&self->ctx, fresh.va, SIZE, self->seed));
	EXPECT_GPU_SEES(&self->ctx, fresh.va, SIZE, self->seed);
	EXPECT_EQ(0, pan_bo_close(&fresh));
}

/* A CPU that reads such a page gets the signal for it, as with any file. */
TEST_F(swap_errors, read_error_at_cpu_fault)
{
	struct broken_goal goal = { .ctx = &self->ctx, .bo = &self->bo };
	int status = 0;
	pid_t pid;

	SWAP_IO_FAILS(self, true);
	SWAP_IO_FAILS(self, false);
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_cs_init(&goal.cs);
	pan_cs_emit(&goal.cs, csf_nop());
	ASSERT_EQ(0, pan_poll(restore_fails, &goal, 3 * PAN_DEADLINE_MS));
	pid = fork();
	if (!pid)
		_exit(pan_verify(self->bo.map, SIZE, self->seed) != 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	EXPECT_SOUND(&self->env.dev);
}

static void on_alarm(int sig)
{
}

/* As nothing gets free by that, reclaim would go on for long. */
static int fail_to_write(void *arg)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	const struct sigaction action = { .sa_handler = on_alarm };
	__u64 *before = arg, written = 0;
	int ret;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	ret = pan_memory_reclaim(SIZE);
	if (ret && ret != -EAGAIN && ret != -EINTR)
		return ret;
	ret = pan_vmstat("pswpout", &written);
	return ret ? ret : written >= *before + 100;
}

/* What can't be written stays in memory. */
TEST_F(swap_errors, write_error)
{
	__u64 before = 0;

	SWAP_IO_FAILS(self, true);
	EVICT(&self->bo);
	EVICT(&self->theirs);
	ASSERT_EQ(0, pan_vmstat("pswpout", &before));
	ASSERT_EQ(0, pan_poll(fail_to_write, &before, PAN_DEADLINE_MS));
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_GPU_SEES(&self->other, self->theirs.va, self->theirs.size, self->seed);
	SWAP_IO_FAILS(self, false);
	EVICT(&self->bo);
	PUSH_TO_SWAP(SIZE);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

struct refused_goal {
	struct __test_metadata *metadata;
	struct pan_bo *bo;
	__u64 seed;
};

/*
 * Evict a buffer that can't be written twice. A host that's slow might have taken the five
 * seconds after which it's tried again: then, that's the first time.
 */
static int refused_step(void *arg)
{
	struct refused_goal *goal = arg;
	struct __test_metadata *_metadata = goal->metadata;
	struct pan_dev *dev = goal->bo->dev;
	struct pan_gem gem = {};
	const __u64 size = goal->bo->size / PAN_PAGE_SIZE;
	__u64 pages, evictions, before, skips = 0;
	int ret;

	/* Asking for more than there's room for would count as skipped, too. */
	ret = pan_shrink(dev, size, &pages);
	if (!ret)
		ret = evict_gem(goal->bo, &gem);
	if (ret || !gem_is_evicted(&gem))
		return ret;
	/* Nothing else is in memory that could be evicted. */
	EXPECT_EQ(0, pages);
	EXPECT_EQ(0, pan_verify(goal->bo->map, goal->bo->size, goal->seed));
	evictions = gem.evictions;
	ret = pan_reclaim_counter(dev, "skipped-no-swap", &before);
	if (!ret)
		ret = pan_shrink(dev, size, &pages);
	if (!ret)
		ret = pan_reclaim_counter(dev, "skipped-no-swap", &skips);
	if (!ret)
		ret = evict_gem(goal->bo, &gem);
	return ret ? ret : gem.evictions == evictions && skips > before;
}

static int evict_all(void *arg)
{
	__u64 pages = 0;
	int ret = pan_shrink(arg, EVERYTHING, &pages);

	return ret ? ret : !pages;
}

/* What couldn't be written isn't reclaimed, and isn't evicted again at once. */
TEST_F(swap_errors, write_error_is_no_progress)
{
	struct refused_goal goal = { .metadata = _metadata, .seed = self->seed };
	struct pan_bo bo;

	ASSERT_EQ(0, pan_poll(evict_all, &self->env.dev, PAN_DEADLINE_MS));
	/* Nobody looks at it with the GPU, for which all of a VM would come back. */
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE + 3 * PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, bo.size, self->seed);
	goal.bo = &bo;

	SWAP_IO_FAILS(self, true);
	EXPECT_EQ(0, pan_poll(refused_step, &goal, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_verify(bo.map, bo.size, self->seed));
	EXPECT_EQ(-EAGAIN, pan_mem_reclaim_write(&self->env.dev, getpid()));
	SWAP_IO_FAILS(self, false);
	EXPECT_EQ(0, pan_verify(bo.map, bo.size, self->seed));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_HARNESS_MAIN
