// SPDX-License-Identifier: GPL-2.0
/*
 * The device goes away, or the GPU stops working, in the middle of everything:
 * unbind, a reset that fails, a GPU that doesn't wake up or whose MMU doesn't
 * respond when it's put to sleep. Everybody gets an error, nobody hangs, and
 * nothing is released that the GPU might still use.
 *
 * guest: --mem 256M --swap 1G
 */
#include <poll.h>
#include <pthread.h>

#include "evict.h"

#define SIZE		(83 * PAN_PAGE_SIZE)
#define CHUNK		(256U << 10)
#define CHUNKS		64

FIXTURE(device_gone) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	char name[256];
	__u64 seed;
};

FIXTURE_SETUP(device_gone)
{
	EVICT_SETUP(self);
	snprintf(self->name, sizeof(self->name), "%s", pan_device_name(&self->env.dev));
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
}

/* Only what keeps the file open, there may be no device any more. */
static void leave(FIXTURE_DATA(device_gone) *self)
{
	pan_bo_munmap(&self->bo);
	pan_bo_munmap(&self->ctx.streams);
	pan_bo_munmap(&self->ctx.result);
	pan_close(&self->env.dev);
}

static void expect_works(struct __test_metadata *_metadata, FIXTURE_DATA(device_gone) *self)
{
	__u64 wrong = ~0ULL;
	struct pan_ctx ctx;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, SIZE, PAN_PAGE_SIZE, true, &bo));
	EXPECT_EQ(0, pan_gpu_fill(&ctx, bo.va, SIZE, self->seed));
	EXPECT_EQ(0, pan_gpu_verify(&ctx, bo.va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

/* The old device leaves nothing behind: the module would tell. The new one works. */
FIXTURE_TEARDOWN(device_gone)
{
	EXPECT_EQ(0, pan_model_knobs_reset());
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	leave(self);
	ASSERT_EQ(0, pan_module_unload_wait("panthor", PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_module_load("panthor"));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	expect_works(_metadata, self);
	PAN_ENV_TEARDOWN(&self->env);
}

static int is_gone(void *arg)
{
	int major, minor, ret = pan_version(arg, &major, &minor);

	return ret == -ENODEV ? 1 : ret;
}

static int is_gone_or_booted(void *arg)
{
	FIXTURE_DATA(device_gone) *self = arg;
	__u64 boots = 0;
	int ret = is_gone(&self->env.dev);

	if (ret)
		return ret;
	ret = pan_model_counter("boots", &boots);
	return ret ? ret : boots > self->seed;
}

/* The MMU hangs when memory is reclaimed, and so does the reset that should help. */
static void lose_flush_and_reset(struct __test_metadata *_metadata,
				 FIXTURE_DATA(device_gone) *self)
{
	__u64 before = 0, skipped = 0;

	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-vm", &before));
	ASSERT_EQ(0, pan_model_knob_set("reset_hang", "1"));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	if (pan_reclaim_counter(&self->env.dev, "skipped-vm", &skipped) != -ENODEV)
		EXPECT_LT(before, skipped);
}

/*
 * The GPU still has in its TLB what it couldn't be told to forget. The device is of
 * no use any more; before that is known, nothing may be evicted.
 */
TEST_F(device_gone, reset_fails)
{
	__u64 resets = PAN_COUNTER("resets"), seed = self->seed;
	struct pan_gem gem;

	self->seed = PAN_COUNTER("boots");
	lose_flush_and_reset(_metadata, self);
	ASSERT_EQ(0, pan_poll(is_gone_or_booted, self, PAN_DEADLINE_MS));
	self->seed = seed;
	if (!pan_shrink(&self->env.dev, EVERYTHING, NULL) && !evict_gem(&self->bo, &gem))
		EXPECT_FALSE(gem_is_evicted(&gem));
	EXPECT_EQ(resets, PAN_COUNTER("resets"));
	EXPECT_EQ(0, pan_poll(is_gone, &self->env.dev, PAN_DEADLINE_MS));
	EXPECT_EQ(-ENODEV, pan_gpu_store64(&self->ctx, self->bo.va, 1));
	EXPECT_EQ(0, pan_verify(self->bo.map, SIZE, self->seed));
}

/* What can't be released is many buffers, each of which nobody waits for. */
TEST_F(device_gone, reset_fails_with_heap)
{
	struct drm_panthor_tiler_heap_create heap;

	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, CHUNKS, CHUNK, CHUNKS, 1, &heap));
	lose_flush_and_reset(_metadata, self);
	EXPECT_EQ(0, pan_poll(is_gone, &self->env.dev, PAN_DEADLINE_MS));
}

/* The MMU doesn't respond when address spaces are taken away from VMs. */
TEST_F(device_gone, mmu_hangs_at_suspend)
{
	__u64 locks = PAN_COUNTER("as_lock");

	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_LT(locks, PAN_COUNTER("as_lock"));
	EVICT(&self->bo);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

/* The reset at the end of a suspend doesn't work, the one at the next resume does. */
TEST_F(device_gone, reset_fails_at_suspend)
{
	__u64 resets;

	ASSERT_EQ(0, pan_model_knob_set("retention", "1"));
	ASSERT_EQ(0, pan_model_knob_set("reset_hang", "1"));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("reset_hang", "0"));
	resets = PAN_COUNTER("resets");
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_LT(resets, PAN_COUNTER("resets"));
	ASSERT_EQ(0, pan_model_knob_set("retention", "0"));
}

TEST_F(device_gone, mmu_hangs_at_unbind)
{
	struct drm_panthor_tiler_heap_create heap;

	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, CHUNKS, CHUNK, CHUNKS, 1, &heap));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	ASSERT_EQ(0, pan_driver_unbind(self->name));
	EXPECT_EQ(-ENODEV, pan_gpu_store64(&self->ctx, self->bo.va, 1));
	EXPECT_EQ(0, pan_verify(self->bo.map, SIZE, self->seed));
}

/* How long it takes the driver to give up a job, and then some. */
static bool fence_ends(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, 10 * PAN_DEADLINE_MS) == 1;
}

/*
 * A job is being executed, and another one waits for it. Both are given up, and unbind
 * doesn't wait for the first one, which would never end.
 */
TEST_F_TIMEOUT(device_gone, jobs_in_flight, 240)
{
	struct drm_panthor_sync_op sync;
	int first = -1, second = -1;
	struct pan_ctx other;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_sync_export_file(&self->env.dev, self->ctx.sync, &first));
	sync = pan_wait_op(self->ctx.sync);
	ASSERT_EQ(0, pan_ctx_submit(&other, 0, &cs, &sync, 1));
	ASSERT_EQ(0, pan_ctx_start(&other, 0, &cs));
	ASSERT_EQ(0, pan_sync_export_file(&self->env.dev, other.sync, &second));

	ASSERT_EQ(0, pan_driver_unbind(self->name));
	EXPECT_TRUE(fence_ends(first));
	EXPECT_TRUE(fence_ends(second));
	EXPECT_GT(0, pan_sync_file_status(first));
	EXPECT_GT(0, pan_sync_file_status(second));
	close(first);
	close(second);
	pan_bo_munmap(&other.streams);
	pan_bo_munmap(&other.result);
}

/*
 * Under load
 */

#define THREADS		8
#define BOS		5
#define BO_SIZE		PAN_SZ_1M

struct user {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo bos[BOS];
	pthread_t thread;
	__u64 rand;
	__u64 seed;
	bool *stop;
	int (*step)(struct user *u, struct pan_bo *bo);
	__u64 steps;
	__u64 errors;
	int result;
};

static int step_bind(struct user *u, struct pan_bo *bo)
{
	int ret = pan_vm_unmap(&u->ctx.vm, bo->va, bo->size);

	return ret ? ret : pan_vm_map(&u->ctx.vm, bo, 0, bo->va, bo->size, 0);
}

static int step_submit(struct user *u, struct pan_bo *bo)
{
	return pan_gpu_fill(&u->ctx, bo->va, bo->size, u->seed);
}

/* CPUs can use what they have mapped, whatever happens. */
static int step_fault(struct user *u, struct pan_bo *bo)
{
	pan_fill(bo->map, bo->size, u->seed);
	if (pan_verify(bo->map, bo->size, u->seed))
		u->result = -EILSEQ;
	return pan_gpu_store64(&u->ctx, u->ctx.result.va, 1);
}

static int step_heap(struct user *u, struct pan_bo *bo)
{
	struct drm_panthor_tiler_heap_create heap;
	struct pan_cs cs;
	int ret, err, i;

	ret = pan_heap_create(&u->ctx.vm, 1, CHUNK, 6, 0xffff, &heap);
	if (ret)
		return ret;
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 0, heap.tiler_heap_ctx_gpu_va);
	pan_cs_emit(&cs, csf_heap_set(0));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_VT_START));
	for (i = 0; i < 5; i++)
		pan_cs_emit(&cs, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_VT_END));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_FRAG_END));
	ret = pan_ctx_run(&u->ctx, &cs);
	err = pan_heap_destroy(&u->dev, heap.handle);
	return ret ? ret : err;
}

static int (* const steps[])(struct user *u, struct pan_bo *bo) = {
	step_bind, step_submit, step_fault, step_heap,
};

/* Goes on after errors, with a new group if it gets one, until it's told to stop. */
static void *user_thread(void *arg)
{
	struct user *u = arg;
	struct pan_group group;

	while (!__atomic_load_n(u->stop, __ATOMIC_ACQUIRE)) {
		struct pan_bo *bo = &u->bos[pan_rand(&u->rand) % BOS];
		int ret = u->step(u, bo);

		__atomic_add_fetch(&u->steps, 1, __ATOMIC_RELEASE);
		if (!ret)
			continue;
		if (ret == -ETIME)
			u->result = ret;
		__atomic_add_fetch(&u->errors, 1, __ATOMIC_RELEASE);
		group = u->ctx.group;
		if (pan_ctx_new_group(&u->ctx))
			u->ctx.group = group;
	}
	return NULL;
}

static int user_create(struct user *u, struct pan_dev *dev, unsigned int nr)
{
	int ret, i;

	u->step = steps[nr % ARRAY_SIZE(steps)];
	ret = pan_reopen(dev, &u->dev);
	if (!ret)
		ret = pan_ctx_create(&u->dev, 1, &u->ctx);
	for (i = 0; !ret && i < BOS; i++) {
		ret = pan_bo_create_mapped(&u->ctx.vm, BO_SIZE, PAN_PAGE_SIZE, true, &u->bos[i]);
		if (!ret)
			ret = pan_bo_mmap(&u->bos[i]);
	}
	return ret;
}

static void user_leave(struct user *u)
{
	int i;

	for (i = 0; i < BOS; i++)
		pan_bo_munmap(&u->bos[i]);
	pan_bo_munmap(&u->ctx.streams);
	pan_bo_munmap(&u->ctx.result);
	pan_close(&u->dev);
}

struct progress {
	struct pan_dev *dev;
	struct user *users;
	__u64 goals[THREADS];
	bool errors;
};

/* Whatever they have is evicted all the time, as if memory was short. */
static int has_progress(void *arg)
{
	struct progress *p = arg;
	int i;

	if (p->dev)
		pan_shrink(p->dev, EVERYTHING, NULL);

	for (i = 0; i < THREADS; i++) {
		__u64 *counter = p->errors ? &p->users[i].errors : &p->users[i].steps;

		if (pan_peek(counter) < p->goals[i])
			return 0;
	}
	return 1;
}

/* Wait until each of them has done, or failed to do, that much more. */
static int wait_progress(struct pan_dev *dev, struct user *users, __u64 more, bool errors)
{
	struct progress p = { .dev = dev, .users = users, .errors = errors };
	int i;

	for (i = 0; i < THREADS; i++)
		p.goals[i] = more + pan_peek(errors ? &users[i].errors : &users[i].steps);
	return pan_poll(has_progress, &p, 10 * PAN_DEADLINE_MS);
}


static struct user users[THREADS];
static bool stop;

static void start_users(struct __test_metadata *_metadata, FIXTURE_DATA(device_gone) *self)
{
	__u64 evictions = EVICTIONS(&self->env.dev);
	int i;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	for (i = 0; i < THREADS; i++) {
		users[i].rand = users[i].seed = pan_rand(&self->env.rand);
		users[i].stop = &stop;
		ASSERT_EQ(0, user_create(&users[i], &self->env.dev, i));
	}
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, user_thread, &users[i]));
	ASSERT_EQ(0, wait_progress(&self->env.dev, users, 4, false));
	EXPECT_LT(evictions, EVICTIONS(&self->env.dev));
}

/* They have all noticed, one way or the other, and none of them is stuck. */
static void stop_users(struct __test_metadata *_metadata)
{
	int i;

	EXPECT_EQ(0, wait_progress(NULL, users, 2, true));
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(users[i].thread, NULL));
		EXPECT_EQ(0, users[i].result)
			TH_LOG("user %d", i);
		user_leave(&users[i]);
	}
}

TEST_F_TIMEOUT(device_gone, unbind_under_load, 600)
{
	start_users(_metadata, self);
	ASSERT_EQ(0, pan_driver_unbind(self->name));
	EXPECT_EQ(0, wait_progress(NULL, users, 2, false));
	stop_users(_metadata);
	EXPECT_EQ(0, pan_verify(self->bo.map, SIZE, self->seed));
}

TEST_F_TIMEOUT(device_gone, reset_fails_under_load, 600)
{
	start_users(_metadata, self);
	ASSERT_EQ(0, pan_model_knob_set("reset_hang", "1"));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	EXPECT_EQ(0, pan_poll(is_gone, &self->env.dev, PAN_DEADLINE_MS));
	stop_users(_metadata);
	EXPECT_EQ(0, pan_verify(self->bo.map, SIZE, self->seed));
}

/* Hold everybody up until the GPU sleeps, and let it not wake up after that. */
TEST_F_TIMEOUT(device_gone, resume_fails_under_load, 600)
{
	int i;

	start_users(_metadata, self);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_join(users[i].thread, NULL));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("refuse_power", "1"));
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&users[i].thread, NULL, user_thread, &users[i]));
	EXPECT_EQ(0, wait_progress(NULL, users, 2, false));
	ASSERT_EQ(0, pan_driver_unbind(self->name));
	stop_users(_metadata);
	EXPECT_EQ(0, pan_verify(self->bo.map, SIZE, self->seed));
}

TEST_HARNESS_MAIN
