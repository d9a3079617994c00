// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for VMs that take memory from each other. */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>

#include "../panthor_gem_room.h"
#include "panthor_kunit_helpers.h"

/* How long the room was used for, and thus belongs to the one who used it. */
#define PANTHOR_ROOM_TEST_SLICE_MS	200

/* What fits, fits. */
static void panthor_room_test_fits(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, panthor_room_shortage(ctx->ptdev, 0), 0);
}

/* What's larger than the memory doesn't. */
static void panthor_room_test_does_not_fit(struct kunit *test)
{
	unsigned long nr_pages = totalram_pages();
	struct panthor_kunit *ctx = test->priv;

	KUNIT_EXPECT_GT(test, panthor_room_shortage(ctx->ptdev, nr_pages), 0);
	KUNIT_EXPECT_GE(test, panthor_room_shortage(ctx->ptdev, 2 * nr_pages), nr_pages);
}

/* Without swap, there's nowhere to move things to. */
static void panthor_room_test_no_swap(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;

	ctx->swap_room = 0;
	KUNIT_EXPECT_EQ(test, panthor_room_shortage(ctx->ptdev, totalram_pages()), 0);
}

/* What's evicted together has to fit in swap together. */
static void panthor_room_test_little_swap(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < 3; i++)
		panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(i));

	ctx->swap_room = 2 * PANTHOR_KUNIT_BO_PAGES;
	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, NULL, PANTHOR_KUNIT_ALL, 0),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
}

/* What couldn't be evicted leaves its place in swap to others. */
static void panthor_room_test_little_swap_contended(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_holder *holder;
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));

	ctx->swap_room = PANTHOR_KUNIT_BO_PAGES;
	holder = panthor_kunit_hold_mutex(test, &bos[0]->gpuva_list_lock);
	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, NULL, PANTHOR_KUNIT_BO_PAGES, 0),
			PANTHOR_KUNIT_BO_PAGES);
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
}

/* About as many pages as fit. */
static unsigned long panthor_room_test_capacity(struct panthor_kunit *ctx)
{
	unsigned long nr_pages = totalram_pages();

	return nr_pages - panthor_room_shortage(ctx->ptdev, nr_pages);
}

/* What fits only fits once. */
static void panthor_room_test_claim(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	unsigned long most = panthor_room_test_capacity(ctx) / 4 * 3;

	KUNIT_ASSERT_TRUE(test, panthor_room_try_claim(ctx->ptdev, most));
	KUNIT_EXPECT_FALSE(test, panthor_room_try_claim(ctx->ptdev, most));
	KUNIT_EXPECT_TRUE(test, panthor_room_try_claim(ctx->ptdev, 0));

	/* Being refused doesn't take anything away from others. */
	KUNIT_EXPECT_TRUE(test, panthor_room_try_claim(ctx->ptdev, most / 8));
	panthor_room_unclaim(ctx->ptdev, most / 8);

	panthor_room_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_TRUE(test, panthor_room_try_claim(ctx->ptdev, most));
	panthor_room_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.room.claimed));
}

/* What's needed by the one whose turn it is isn't there for others, until it ends. */
static void panthor_room_test_need(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	unsigned long most = panthor_room_test_capacity(ctx) / 4 * 3;

	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, NULL));
	KUNIT_EXPECT_GT(test, panthor_room_need(ctx->ptdev, 2 * most), most / 4);
	KUNIT_EXPECT_EQ(test, panthor_room_need(ctx->ptdev, most), 0);
	KUNIT_EXPECT_FALSE(test, panthor_room_try_claim(ctx->ptdev, most));
	panthor_room_leave(ctx->ptdev, NULL);

	KUNIT_EXPECT_TRUE(test, panthor_room_try_claim(ctx->ptdev, most));
	panthor_room_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.room.claimed));
}

/* Memory comes from other VMs, those that were used a long time ago first. */
static void panthor_room_test_order(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];
	struct panthor_vm *vms[3];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = panthor_kunit_vm(test);
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(0));
	}

	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, panthor_vm_resv(vms[0]), 1, 1),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));

	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, panthor_vm_resv(vms[0]),
						     PANTHOR_KUNIT_ALL, 1),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));
}

/* What no GPU uses comes first. */
static void panthor_room_test_unused_first(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *used, *unused, *mmapped;

	used = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	mmapped = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	panthor_kunit_mmap_get(mmapped);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(mmapped));
	unused = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(unused));

	panthor_reclaim_others(ctx->ptdev, NULL, 1, 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(unused));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(mmapped));
	panthor_reclaim_others(ctx->ptdev, NULL, 1, 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(mmapped));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(used));
	panthor_kunit_mmap_put(mmapped);
}

/* Pages come from others, but only if they are missing, and if it's of any use. */
static void panthor_room_test_populate(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_gem_object *own, *other, *missing, *hopeless;
	struct panthor_kunit *ctx = test->priv;
	unsigned long everything = totalram_pages();

	own = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	hopeless = panthor_kunit_bo(test, vm, (everything + 1) << PAGE_SHIFT);
	atomic_long_add(everything, &ctx->ptdev->reclaim.room.claimed);

	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(own));
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_room_populate(hopeless));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(other));

	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(missing));
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(own));

	atomic_long_sub(everything, &ctx->ptdev->reclaim.room.claimed);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.room.claimed));
}

static int panthor_room_test_look_at_claim(struct panthor_gem_object *bo)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	long *claimed = ctx->priv;

	*claimed = atomic_long_read(&ctx->ptdev->reclaim.room.claimed);
	return 0;
}

/* Others are told what's about to be allocated, unless it's little, and there's plenty. */
static void panthor_room_test_plenty(struct kunit *test)
{
	unsigned long large = (SZ_64K >> PAGE_SHIFT) + 1;
	unsigned long enough = 2 * (totalram_pages() / 16);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[4];
	long claimed = -1;

	bos[0] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	bos[1] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	bos[2] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	bos[3] = panthor_kunit_bo(test, NULL, large << PAGE_SHIFT);
	ctx->priv = &claimed;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_room_test_look_at_claim);

	ctx->free_pages = enough + 2;
	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(bos[0]));
	KUNIT_EXPECT_EQ(test, 0, claimed);

	/* What others are about to allocate isn't free any more. */
	atomic_long_add(2, &ctx->ptdev->reclaim.room.claimed);
	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(bos[1]));
	KUNIT_EXPECT_EQ(test, 2 + PANTHOR_KUNIT_BO_PAGES, claimed);
	atomic_long_sub(2, &ctx->ptdev->reclaim.room.claimed);

	ctx->free_pages = enough - 2;
	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(bos[2]));
	KUNIT_EXPECT_EQ(test, PANTHOR_KUNIT_BO_PAGES, claimed);

	ctx->free_pages = totalram_pages();
	KUNIT_EXPECT_EQ(test, 0, panthor_room_populate(bos[3]));
	KUNIT_EXPECT_EQ(test, large, claimed);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.room.claimed));
}

/* Pinned pages, which are in no list, don't count as what can be moved to swap. */
static void panthor_room_test_pinned(struct kunit *test)
{
	unsigned long shortage, nr_pages = 2 * totalram_pages();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo, *swappable;

	swappable = panthor_kunit_bo(test, NULL, SZ_4M);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(swappable));
	atomic_long_sub(SZ_4M >> PAGE_SHIFT, &ctx->ptdev->reclaim.room.backed);

	bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_EQ(test, PANTHOR_KUNIT_BO_PAGES,
			atomic_long_read(&ctx->ptdev->reclaim.room.backed));

	/* If all that could be swapped out was ours, there'd be less room. */
	shortage = panthor_room_shortage(ctx->ptdev, nr_pages);
	atomic_long_add(nr_pages, &ctx->ptdev->reclaim.room.backed);
	KUNIT_EXPECT_GT(test, panthor_room_shortage(ctx->ptdev, nr_pages), shortage);
	atomic_long_sub(nr_pages, &ctx->ptdev->reclaim.room.backed);

	panthor_gem_unpin(bo);
	atomic_long_add(SZ_4M >> PAGE_SHIFT, &ctx->ptdev->reclaim.room.backed);
	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.room.backed));
}

/* Fails twice. */
static int panthor_room_test_map_device(struct panthor_gem_object *bo)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	int *failures = ctx->priv;

	if (++*failures <= 2)
		return -ENOMEM;

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo);
}

/* If there's less than it looks like, others are asked in the end. */
static void panthor_room_test_wrong_estimation(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_gem_object *missing, *other;
	struct panthor_kunit *ctx = test->priv;
	int failures = 0;

	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	ctx->priv = &failures;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_room_test_map_device);

	KUNIT_EXPECT_EQ(test, 0, panthor_room_pin_briefly(missing, vm));
	KUNIT_EXPECT_EQ(test, 3, failures);
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));

	KUNIT_EXPECT_EQ(test, 1, missing->backing.pin_count);
	panthor_gem_unpin(missing);
}

/* Fails until what the test points to was evicted. */
static int panthor_room_test_map_when_evicted(struct panthor_gem_object *bo)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;

	if (!panthor_kunit_is_evicted(ctx->priv))
		return -ENOMEM;

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo);
}

/*
 * What a VM doesn't need right now makes room for what it does, if nothing else can.
 * It's no reason for taking even more from others.
 */
static void panthor_room_test_own(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_gem_object *missing, *own, *others[2];
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
						    PANTHOR_KUNIT_VA(i));
	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	own = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	ctx->priv = own;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_room_test_map_when_evicted);

	KUNIT_EXPECT_EQ(test, 0, panthor_room_pin_briefly(missing, vm));
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(others[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(others[1]));
	panthor_gem_unpin(missing);
}

static int panthor_room_test_no_memory(struct panthor_gem_object *bo)
{
	return -ENOMEM;
}

/* Who didn't get anything has nothing to make use of, so others don't wait for it. */
static void panthor_room_test_failed_turn(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);

	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_room_test_no_memory);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_room_pin_briefly(bo, vm));
	KUNIT_EXPECT_EQ(test, 0, bo->backing.pin_count);
	KUNIT_EXPECT_NULL(test, ctx->ptdev->reclaim.room.slice_vm);

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	KUNIT_EXPECT_EQ(test, 0, panthor_room_pin_briefly(bo, vm));
	panthor_gem_unpin(bo);
}

struct panthor_room_test_thread {
	struct kunit *test;
	struct panthor_gem_object *bo;
	struct completion done;
	int ret;
};

static int panthor_room_test_populate_thread(void *data)
{
	struct panthor_room_test_thread *thread = data;

	/* Stubs are only called on behalf of the test. */
	current->kunit_test = thread->test;
	thread->ret = panthor_room_populate(thread->bo);
	complete(&thread->done);

	return 0;
}

/* Returns once the thread waits for its turn. */
static struct task_struct *
panthor_room_test_start_thread(struct panthor_room_test_thread *thread)
{
	unsigned long timeout = jiffies + HZ;
	struct kunit *test = thread->test;
	struct task_struct *task;

	init_completion(&thread->done);
	task = kthread_create(panthor_room_test_populate_thread, thread, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	while (task_is_running(task) && time_before(jiffies, timeout))
		schedule();

	KUNIT_EXPECT_EQ(test, TASK_INTERRUPTIBLE, READ_ONCE(task->__state));
	KUNIT_EXPECT_FALSE(test, panthor_gem_is_resident(thread->bo));
	return task;
}

/* Somebody else was faster: there's nothing to make room for any more. */
static void panthor_room_test_populated_meanwhile(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_room_test_thread thread = { .test = test };
	struct panthor_gem_object *missing, *other;
	struct panthor_kunit *ctx = test->priv;
	unsigned long everything = totalram_pages();
	struct task_struct *task;

	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	atomic_long_add(everything, &ctx->ptdev->reclaim.room.claimed);

	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, NULL));
	thread.bo = missing;
	task = panthor_room_test_start_thread(&thread);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(missing));
	panthor_room_leave(ctx->ptdev, NULL);

	/* Being stopped is a signal. */
	wait_for_completion(&thread.done);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, 0, thread.ret);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(other));
	atomic_long_sub(everything, &ctx->ptdev->reclaim.room.claimed);
}

/* Who's woken for no reason goes on waiting. */
static void panthor_room_test_woken_early(struct kunit *test)
{
	struct panthor_vm *vms[] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_room_test_thread thread = { .test = test };
	unsigned long everything = totalram_pages();
	struct panthor_kunit *ctx = test->priv;
	struct task_struct *task;
	ktime_t left;

	thread.bo = panthor_kunit_bo(test, vms[1], PANTHOR_KUNIT_BO_SIZE);
	atomic_long_add(everything, &ctx->ptdev->reclaim.room.claimed);
	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, vms[0]));
	msleep(PANTHOR_ROOM_TEST_SLICE_MS);
	panthor_room_leave(ctx->ptdev, vms[0]);
	left = ktime_get();

	task = panthor_room_test_start_thread(&thread);
	wake_up_process(task);
	wait_for_completion(&thread.done);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, 0, thread.ret);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), left), PANTHOR_ROOM_TEST_SLICE_MS - 1);
	atomic_long_sub(everything, &ctx->ptdev->reclaim.room.claimed);
}

static int panthor_room_test_finish_locked_thread(void *data)
{
	struct panthor_kunit_job *job = data;

	panthor_kunit_job_wait_for_kswapd(job);

	/* Nobody can submit more jobs meanwhile. */
	if (dma_resv_trylock(panthor_vm_resv(job->vm)))
		dma_resv_unlock(panthor_vm_resv(job->vm));
	else
		dma_fence_signal(job->fence);

	return 0;
}

/* Memory comes from a VM that's busy, too, once it's done. */
static void panthor_room_test_busy(struct kunit *test)
{
	struct panthor_kunit_job job = { .fence = panthor_kunit_fence(test) };
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;

	job.vm = panthor_kunit_vm(test);
	bo = panthor_kunit_mapped_bo(test, job.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(job.vm, job.fence));

	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, NULL, 1, 1), 0);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));

	panthor_kunit_job_start(test, &job, panthor_room_test_finish_locked_thread);
	KUNIT_EXPECT_EQ(test, panthor_reclaim_others(ctx->ptdev, NULL, 1, MSEC_PER_SEC),
			PANTHOR_KUNIT_BO_PAGES);
	panthor_kunit_job_stop(&job);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bo));
}

/* Others have to wait until a VM made use of what it got, but it can get more. */
static void panthor_room_test_turns(struct kunit *test)
{
	struct panthor_vm *vms[] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_kunit *ctx = test->priv;
	ktime_t left;

	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, vms[0]));
	msleep(PANTHOR_ROOM_TEST_SLICE_MS);
	panthor_room_leave(ctx->ptdev, vms[0]);
	left = ktime_get();

	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, vms[0]));
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), left), PANTHOR_ROOM_TEST_SLICE_MS - 1);
	msleep(PANTHOR_ROOM_TEST_SLICE_MS * 3 / 4);
	panthor_room_leave(ctx->ptdev, vms[0]);

	KUNIT_ASSERT_EQ(test, 0, panthor_room_enter(ctx->ptdev, vms[1]));
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), left), PANTHOR_ROOM_TEST_SLICE_MS - 1);
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), left),
			PANTHOR_ROOM_TEST_SLICE_MS * 5 / 4);
	panthor_room_leave(ctx->ptdev, vms[1]);
}

static struct kunit_case panthor_room_tests[] = {
	KUNIT_CASE(panthor_room_test_fits),
	KUNIT_CASE(panthor_room_test_does_not_fit),
	KUNIT_CASE(panthor_room_test_no_swap),
	KUNIT_CASE(panthor_room_test_little_swap),
	KUNIT_CASE(panthor_room_test_little_swap_contended),
	KUNIT_CASE(panthor_room_test_claim),
	KUNIT_CASE(panthor_room_test_need),
	KUNIT_CASE(panthor_room_test_order),
	KUNIT_CASE(panthor_room_test_unused_first),
	KUNIT_CASE(panthor_room_test_populate),
	KUNIT_CASE(panthor_room_test_plenty),
	KUNIT_CASE(panthor_room_test_pinned),
	KUNIT_CASE(panthor_room_test_wrong_estimation),
	KUNIT_CASE(panthor_room_test_own),
	KUNIT_CASE(panthor_room_test_failed_turn),
	KUNIT_CASE(panthor_room_test_populated_meanwhile),
	KUNIT_CASE(panthor_room_test_busy),
	KUNIT_CASE(panthor_room_test_turns),
	KUNIT_CASE(panthor_room_test_woken_early),
	{}
};

static struct kunit_suite panthor_room_test_suite = {
	.name = "panthor_room",
	.init = panthor_kunit_init,
	.test_cases = panthor_room_tests,
};

kunit_test_suite(panthor_room_test_suite);
