// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for VMs that take memory from each other. */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/thread_info.h>

#include <drm/drm_file.h>
#include <drm/panthor_drm.h>

#include "../panthor_gem_shrinker.h"
#include "../panthor_overcommit.h"
#include "panthor_kunit_helpers.h"

/* How long it took to get memory, and thus how long the time slice is. */
#define PANTHOR_OVERCOMMIT_TEST_SLICE_MS	200

/* Take from other VMs than the one whose reservation is @resv, without waiting. */
static unsigned long panthor_overcommit_test_take(struct panthor_kunit *ctx, struct dma_resv *resv,
						  unsigned long nr_pages)
{
	bool busy = false;

	return panthor_gem_shrinker_reclaim_others(ctx->ptdev, resv, NULL, nr_pages, &busy);
}

/* What fits, fits. */
static void panthor_overcommit_test_fits(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;

	KUNIT_EXPECT_EQ(test, panthor_overcommit_shortage(ctx->ptdev, 0), 0);
}

/* What's larger than the memory doesn't. */
static void panthor_overcommit_test_does_not_fit(struct kunit *test)
{
	unsigned long nr_pages = totalram_pages();
	struct panthor_kunit *ctx = test->priv;

	KUNIT_EXPECT_GT(test, panthor_overcommit_shortage(ctx->ptdev, nr_pages), 0);
	KUNIT_EXPECT_GE(test, panthor_overcommit_shortage(ctx->ptdev, 2 * nr_pages), nr_pages);
}

/* Without swap, there's nowhere to move things to. */
static void panthor_overcommit_test_no_swap(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;

	ctx->swap_space = 0;
	KUNIT_EXPECT_EQ(test, panthor_overcommit_shortage(ctx->ptdev, totalram_pages()), 0);
}

/* What's evicted together has to fit in swap together. */
static void panthor_overcommit_test_little_swap(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;

	for (u32 i = 0; i < 3; i++)
		panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(i));

	ctx->swap_space = 2 * PANTHOR_KUNIT_BO_PAGES;
	KUNIT_EXPECT_EQ(test, panthor_overcommit_test_take(ctx, NULL, PANTHOR_KUNIT_ALL),
			2 * PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_kunit_skips(test, PANTHOR_RECLAIM_SKIP_NO_SWAP), 1);
}

/* What couldn't be evicted leaves its place in swap to others. */
static void panthor_overcommit_test_little_swap_contended(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_holder *holder;
	struct panthor_gem_object *bos[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(i));

	ctx->swap_space = PANTHOR_KUNIT_BO_PAGES;
	holder = panthor_kunit_hold_mutex(test, &bos[0]->gpuva_list_lock);
	KUNIT_EXPECT_EQ(test, panthor_overcommit_test_take(ctx, NULL, PANTHOR_KUNIT_BO_PAGES),
			PANTHOR_KUNIT_BO_PAGES);
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
}

/* About as many pages as fit. */
static unsigned long panthor_overcommit_test_capacity(struct panthor_kunit *ctx)
{
	unsigned long nr_pages = totalram_pages();

	return nr_pages - panthor_overcommit_shortage(ctx->ptdev, nr_pages);
}

/* What fits only fits once. */
static void panthor_overcommit_test_claim(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	unsigned long most = panthor_overcommit_test_capacity(ctx) / 4 * 3;

	KUNIT_ASSERT_TRUE(test, panthor_overcommit_try_claim(ctx->ptdev, most));
	KUNIT_EXPECT_FALSE(test, panthor_overcommit_try_claim(ctx->ptdev, most));
	KUNIT_EXPECT_TRUE(test, panthor_overcommit_try_claim(ctx->ptdev, 0));

	/* Being refused doesn't take anything away from others. */
	KUNIT_EXPECT_TRUE(test, panthor_overcommit_try_claim(ctx->ptdev, most / 8));
	panthor_overcommit_unclaim(ctx->ptdev, most / 8);

	panthor_overcommit_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_TRUE(test, panthor_overcommit_try_claim(ctx->ptdev, most));
	panthor_overcommit_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->overcommit.claimed));
}

/* What's needed by the one that's admitted isn't there for others, until it ends. */
static void panthor_overcommit_test_need(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	unsigned long most = panthor_overcommit_test_capacity(ctx) / 4 * 3;

	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, NULL));
	KUNIT_EXPECT_GT(test, panthor_overcommit_need(ctx->ptdev, 2 * most), most / 4);
	KUNIT_EXPECT_EQ(test, panthor_overcommit_need(ctx->ptdev, most), 0);
	KUNIT_EXPECT_FALSE(test, panthor_overcommit_try_claim(ctx->ptdev, most));
	panthor_overcommit_leave(ctx->ptdev, NULL);

	KUNIT_EXPECT_TRUE(test, panthor_overcommit_try_claim(ctx->ptdev, most));
	panthor_overcommit_unclaim(ctx->ptdev, most);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->overcommit.claimed));
}

/* Memory comes from other VMs, those that were used a long time ago first. */
static void panthor_overcommit_test_order(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];
	struct panthor_vm *vms[3];

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		vms[i] = panthor_kunit_vm(test);
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(0));
	}

	KUNIT_EXPECT_EQ(test, panthor_overcommit_test_take(ctx, panthor_vm_resv(vms[0]), 1),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));

	KUNIT_EXPECT_EQ(test, PANTHOR_KUNIT_BO_PAGES,
			panthor_overcommit_test_take(ctx, panthor_vm_resv(vms[0]),
						     PANTHOR_KUNIT_ALL));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));
}

/* What no GPU uses comes first. */
static void panthor_overcommit_test_unused_first(struct kunit *test)
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

	panthor_overcommit_test_take(ctx, NULL, 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(unused));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(mmapped));
	panthor_overcommit_test_take(ctx, NULL, 1);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(mmapped));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(used));
	panthor_kunit_mmap_put(mmapped);
}

/* Pages come from others, but only if they are missing, and if it's of any use. */
static void panthor_overcommit_test_populate(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_gem_object *own, *other, *missing, *hopeless;
	struct panthor_kunit *ctx = test->priv;
	unsigned long everything = totalram_pages();

	own = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	hopeless = panthor_kunit_bo(test, vm, everything << PAGE_SHIFT);
	hopeless->base.size += PAGE_SIZE;
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(own));
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_populate(hopeless));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(other));

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(missing));
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(own));

	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->overcommit.claimed));
}

static int panthor_overcommit_test_look_at_claim(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	long *claimed = ctx->priv;

	*claimed = atomic_long_read(&ctx->ptdev->overcommit.claimed);
	return 0;
}

/* Others are told what's about to be allocated, unless it's little, and there's plenty. */
static void panthor_overcommit_test_plenty(struct kunit *test)
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
				   panthor_overcommit_test_look_at_claim);

	ctx->free_pages = enough + 2;
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(bos[0]));
	KUNIT_EXPECT_EQ(test, 0, claimed);

	/* What others are about to allocate isn't free any more. */
	atomic_long_add(2, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(bos[1]));
	KUNIT_EXPECT_EQ(test, 2 + PANTHOR_KUNIT_BO_PAGES, claimed);
	atomic_long_sub(2, &ctx->ptdev->overcommit.claimed);

	ctx->free_pages = enough - 2;
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(bos[2]));
	KUNIT_EXPECT_EQ(test, PANTHOR_KUNIT_BO_PAGES, claimed);

	ctx->free_pages = totalram_pages();
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_populate(bos[3]));
	KUNIT_EXPECT_EQ(test, large, claimed);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->overcommit.claimed));
}

/* Pinned pages, which are in no list, don't count as what can be moved to swap. */
static void panthor_overcommit_test_pinned(struct kunit *test)
{
	unsigned long shortage, nr_pages = 2 * totalram_pages();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo, *swappable;

	swappable = panthor_kunit_bo(test, NULL, SZ_4M);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(swappable));
	atomic_long_sub(SZ_4M >> PAGE_SHIFT, &ctx->ptdev->reclaim.backed);

	bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_EQ(test, PANTHOR_KUNIT_BO_PAGES,
			atomic_long_read(&ctx->ptdev->reclaim.backed));

	/* If all that could be swapped out was ours, there'd be less room. */
	shortage = panthor_overcommit_shortage(ctx->ptdev, nr_pages);
	atomic_long_add(nr_pages, &ctx->ptdev->reclaim.backed);
	KUNIT_EXPECT_GT(test, panthor_overcommit_shortage(ctx->ptdev, nr_pages), shortage);
	atomic_long_sub(nr_pages, &ctx->ptdev->reclaim.backed);

	panthor_gem_unpin(bo);
	atomic_long_add(SZ_4M >> PAGE_SHIFT, &ctx->ptdev->reclaim.backed);
	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->reclaim.backed));
}

/* Fails twice. */
static int panthor_overcommit_test_map_device(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	int *failures = ctx->priv;

	if (++*failures <= 2)
		return -ENOMEM;

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo, gfp);
}

/* If there's less than it looks like, others are asked in the end. */
static void panthor_overcommit_test_wrong_estimation(struct kunit *test)
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
				   panthor_overcommit_test_map_device);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(missing, vm, false));
	KUNIT_EXPECT_EQ(test, 3, failures);
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));

	KUNIT_EXPECT_EQ(test, 1, missing->backing.pin_count);
	panthor_gem_unpin(missing);
}

/* What another device is attached to gets its memory from others, too. */
static void panthor_overcommit_test_attach(struct kunit *test)
{
	struct panthor_vm *other_vm = panthor_kunit_vm(test);
	struct panthor_gem_object *missing, *other;
	struct panthor_kunit *ctx = test->priv;
	struct dma_buf_attachment *attach;
	struct dma_buf *dma_buf;
	int failures = 0;

	missing = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	dma_buf = missing->base.funcs->export(&missing->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	ctx->priv = &failures;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_overcommit_test_map_device);

	attach = dma_buf_attach(dma_buf, ctx->ptdev->base.dev);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, attach);
	KUNIT_EXPECT_EQ(test, 3, failures);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));
	if (!IS_ERR(attach)) {
		KUNIT_EXPECT_EQ(test, 1, missing->backing.pin_count);
		dma_buf_detach(dma_buf, attach);
	}
	KUNIT_EXPECT_EQ(test, 0, missing->backing.pin_count);

	dma_buf_put(dma_buf);
	flush_delayed_fput();
}

/* Fails until what the test points to was evicted. */
static int panthor_overcommit_test_map_when_evicted(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;

	if (!panthor_kunit_is_evicted(ctx->priv))
		return -ENOMEM;

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo, gfp);
}

/*
 * What a VM doesn't need right now makes room for what it does, if nothing else can.
 * It's no reason for taking even more from others.
 */
static void panthor_overcommit_test_own(struct kunit *test)
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
				   panthor_overcommit_test_map_when_evicted);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(missing, vm, false));
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(missing));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(others[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(others[1]));
	panthor_gem_unpin(missing);
}

static int panthor_overcommit_test_no_memory(struct panthor_gem_object *bo, gfp_t gfp)
{
	return -ENOMEM;
}

/* Who didn't get anything has nothing to make use of, so others don't wait for it. */
static void panthor_overcommit_test_failed(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);

	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_overcommit_test_no_memory);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_pin_briefly(bo, vm, false));
	KUNIT_EXPECT_EQ(test, 0, bo->backing.pin_count);
	KUNIT_EXPECT_NULL(test, ctx->ptdev->overcommit.time_slice_vm);

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(bo, vm, false));
	panthor_gem_unpin(bo);
}

struct panthor_overcommit_test_thread {
	struct kunit *test;
	struct panthor_gem_object *bo;
	struct completion done;
	int ret;
};

static int panthor_overcommit_test_populate_thread(void *data)
{
	struct panthor_overcommit_test_thread *thread = data;

	/* Stubs are only called on behalf of the test. */
	current->kunit_test = thread->test;
	thread->ret = panthor_overcommit_populate(thread->bo);
	complete(&thread->done);

	return 0;
}

/* Returns once the thread waits to be admitted. */
static struct task_struct *
panthor_overcommit_test_start_thread(struct panthor_overcommit_test_thread *thread)
{
	unsigned long timeout = jiffies + 60 * HZ;
	struct kunit *test = thread->test;
	struct task_struct *task;

	init_completion(&thread->done);
	task = kthread_create(panthor_overcommit_test_populate_thread, thread, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);
	while (task_is_running(task) && time_before(jiffies, timeout))
		schedule();

	KUNIT_EXPECT_EQ(test, TASK_KILLABLE, READ_ONCE(task->__state));
	KUNIT_EXPECT_FALSE(test, panthor_gem_is_resident(thread->bo));
	return task;
}

/* Somebody else was faster: there's nothing to make room for any more. */
static void panthor_overcommit_test_populated_meanwhile(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other_vm = panthor_kunit_vm(test);
	struct panthor_overcommit_test_thread thread = { .test = test };
	struct panthor_gem_object *missing, *other;
	struct panthor_kunit *ctx = test->priv;
	unsigned long everything = totalram_pages();
	struct task_struct *task;

	missing = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);

	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, NULL));
	thread.bo = missing;
	task = panthor_overcommit_test_start_thread(&thread);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(missing));
	panthor_overcommit_leave(ctx->ptdev, NULL);

	/* Being stopped is a signal. */
	wait_for_completion(&thread.done);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, 0, thread.ret);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(other));
	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
}

/* Who's woken for no reason goes on waiting. */
static void panthor_overcommit_test_woken_early(struct kunit *test)
{
	struct panthor_vm *vms[] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_overcommit_test_thread thread = { .test = test };
	unsigned long everything = totalram_pages();
	struct panthor_kunit *ctx = test->priv;
	struct task_struct *task;
	ktime_t left;

	thread.bo = panthor_kunit_bo(test, vms[1], PANTHOR_KUNIT_BO_SIZE);
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, vms[0]));
	msleep(PANTHOR_OVERCOMMIT_TEST_SLICE_MS);
	panthor_overcommit_leave(ctx->ptdev, vms[0]);
	left = ktime_get();

	task = panthor_overcommit_test_start_thread(&thread);
	wake_up_process(task);
	wait_for_completion(&thread.done);
	kthread_stop_put(task);
	KUNIT_EXPECT_EQ(test, 0, thread.ret);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), left),
			PANTHOR_OVERCOMMIT_TEST_SLICE_MS - 1);
	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
}

/**
 * struct panthor_overcommit_test_wait - What happens while VMs are being waited for
 */
struct panthor_overcommit_test_wait {
	/** @vm: VM that's busy. */
	struct panthor_vm *vm;

	/** @fence: Fence of its job. */
	struct dma_fence *fence;

	/** @waits: Number of times it was waited for. */
	u32 waits;
};

/* Others can use the VM meanwhile, and its job is done the second time. */
static bool panthor_overcommit_test_finish_job(struct panthor_overcommit *overcommit,
					       struct dma_resv *resv)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_test_wait *wait = ctx->priv;

	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(panthor_vm_resv(wait->vm)));
	if (++wait->waits == 2)
		dma_fence_signal(wait->fence);

	return true;
}

/* Memory comes from a VM that's busy, too, once it's done, but only if no other is idle. */
static void panthor_overcommit_test_busy(struct kunit *test)
{
	struct panthor_overcommit_test_wait wait = { .fence = panthor_kunit_fence(test) };
	unsigned long everything = totalram_pages();
	struct panthor_gem_object *busy, *missing[2];
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vm;

	wait.vm = panthor_kunit_vm(test);
	vm = panthor_kunit_vm(test);
	busy = panthor_kunit_mapped_bo(test, wait.vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(wait.vm, wait.fence));
	panthor_kunit_mapped_bo(test, panthor_kunit_vm(test), (everything / 8) << PAGE_SHIFT,
				PANTHOR_KUNIT_VA(0));
	for (u32 i = 0; i < ARRAY_SIZE(missing); i++)
		missing[i] = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);

	ctx->priv = &wait;
	kunit_activate_static_stub(test, panthor_overcommit_wait_for_vms,
				   panthor_overcommit_test_finish_job);
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(missing[0], vm, false));
	KUNIT_EXPECT_EQ(test, 0, wait.waits);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(busy));

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(missing[1], vm, false));
	KUNIT_EXPECT_EQ(test, 2, wait.waits);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(busy));

	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
	for (u32 i = 0; i < ARRAY_SIZE(missing); i++)
		panthor_gem_unpin(missing[i]);
}

/* There's one deadline, however many VMs are busy, and however often they are asked. */
static void panthor_overcommit_test_deadline(struct kunit *test)
{
	struct panthor_overcommit *overcommit =
		&((struct panthor_kunit *)test->priv)->ptdev->overcommit;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	unsigned long everything = totalram_pages();
	struct panthor_gem_object *bo;
	long waits;

	for (u32 i = 0; i < 8; i++) {
		struct panthor_vm *busy = panthor_kunit_vm(test);

		panthor_kunit_mapped_bo(test, busy, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_submit(busy, panthor_kunit_fence(test)));
	}

	bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	waits = atomic_long_read(&ctx->ptdev->reclaim.stats.waits);
	atomic_long_add(everything, &overcommit->claimed);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(bo, vm, false));
	atomic_long_sub(everything, &overcommit->claimed);
	panthor_gem_unpin(bo);

	KUNIT_EXPECT_EQ(test, waits + 1, atomic_long_read(&ctx->ptdev->reclaim.stats.waits));
	KUNIT_EXPECT_EQ(test, 0, overcommit->wait_left);
	KUNIT_EXPECT_FALSE(test, panthor_overcommit_wait_for_vms(overcommit, NULL));
	KUNIT_EXPECT_NULL(test, overcommit->waiting_for);
}

/* Those who use a VM wait while others wait for it, if it has something to give. */
static void panthor_overcommit_test_pause(struct kunit *test)
{
	struct panthor_overcommit *overcommit =
		&((struct panthor_kunit *)test->priv)->ptdev->overcommit;
	struct panthor_vm *vm = panthor_kunit_vm(test), *empty = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	unsigned long start;

	panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));

	/* None of these comes back late, or we'd have waited for nobody in vain. */
	panthor_overcommit_pause(ctx->ptdev, vm);
	overcommit->waiting_for = panthor_vm_resv(vm);
	panthor_overcommit_pause(ctx->ptdev, vm);
	overcommit->waiting_for = (void *)overcommit;
	panthor_overcommit_pause(ctx->ptdev, empty);

	start = jiffies;
	panthor_overcommit_pause(ctx->ptdev, vm);
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(100));

	/* Whoever waits for its own VM is in nobody else's way. */
	overcommit->waiting_own = true;
	panthor_overcommit_pause(ctx->ptdev, vm);
	overcommit->waiting_for = panthor_vm_resv(vm);
	start = jiffies;
	panthor_overcommit_pause(ctx->ptdev, vm);
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(100));
	overcommit->waiting_for = NULL;
}

static ktime_t panthor_overcommit_test_now(void)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	ktime_t *now = ctx->priv;

	return *now;
}

/* Others have to wait until a VM made use of what it got, but it can get more. */
static void panthor_overcommit_test_time_slices(struct kunit *test)
{
	struct panthor_vm *vms[] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	const unsigned long time_slice = msecs_to_jiffies(PANTHOR_OVERCOMMIT_TEST_SLICE_MS);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit *overcommit = &ctx->ptdev->overcommit;
	ktime_t now = ktime_get();

	ctx->priv = &now;
	kunit_activate_static_stub(test, panthor_overcommit_now, panthor_overcommit_test_now);

	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, vms[0]));
	now = ktime_add_ms(now, PANTHOR_OVERCOMMIT_TEST_SLICE_MS);
	panthor_overcommit_leave(ctx->ptdev, vms[0]);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_delay(overcommit, vms[0]));
	KUNIT_EXPECT_EQ(test, time_slice, panthor_overcommit_delay(overcommit, vms[1]));

	/* It doesn't get more time for that. */
	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, vms[0]));
	now = ktime_add_ms(now, PANTHOR_OVERCOMMIT_TEST_SLICE_MS / 4 * 3);
	panthor_overcommit_leave(ctx->ptdev, vms[0]);
	KUNIT_EXPECT_EQ(test, time_slice / 4, panthor_overcommit_delay(overcommit, vms[1]));

	now = ktime_add_ms(now, PANTHOR_OVERCOMMIT_TEST_SLICE_MS / 4);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_delay(overcommit, vms[1]));
	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, vms[1]));
	panthor_overcommit_leave(ctx->ptdev, vms[1]);
}

/**
 * struct panthor_overcommit_bind - VM_BIND request that fails
 */
struct panthor_overcommit_bind {
	/** @calls: Number of operations so far. */
	u32 calls;

	/** @fail_at: The one that fails. */
	u32 fail_at;

	/** @ret: What it returns. */
	int ret;
};

static int panthor_overcommit_test_bind_op(struct drm_file *file, struct panthor_vm *vm,
					   struct drm_panthor_vm_bind_op *op)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_bind *bind = ctx->priv;
	int ret;

	if (bind->calls++ == bind->fail_at)
		return bind->ret;

	kunit_deactivate_static_stub(test, panthor_vm_bind_exec_sync_op);
	ret = panthor_vm_bind_exec_sync_op(file, vm, op);
	kunit_activate_static_stub(test, panthor_vm_bind_exec_sync_op,
				   panthor_overcommit_test_bind_op);

	return ret;
}

struct panthor_overcommit_bind_case {
	const char *desc;

	/* What an operation returns. */
	int ret;

	/* True if the system call is made again after that. */
	bool again;
};

static const struct panthor_overcommit_bind_case panthor_overcommit_bind_cases[] = {
	{ "restarted by the kernel", -ERESTARTSYS, true },
	{ "restarted by libdrm", -EINTR, true },
	{ "failed", -ENOMEM, false },
};

KUNIT_ARRAY_PARAM_DESC(panthor_overcommit_bind, panthor_overcommit_bind_cases, desc);

/*
 * Whatever operation it was in when it was interrupted, all of a request is done when it
 * returns. One that failed tells where.
 */
static void panthor_overcommit_test_bind_interrupted(struct kunit *test)
{
	const struct panthor_overcommit_bind_case *c = test->param_value;
	struct file *file = panthor_kunit_open(test);
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	u32 count, flags = DRM_PANTHOR_VM_BIND_OP_TYPE_MAP;
	struct panthor_gem_object *bos[2];
	struct panthor_overcommit_bind bind = { .ret = c->ret };
	u64 va = PANTHOR_KUNIT_VA(0);
	u32 handles[2];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_bo_with_handle(test, file, NULL, PANTHOR_KUNIT_BO_SIZE,
						      &handles[i]);

	struct drm_panthor_vm_bind_op ops[] = {
		{ flags, handles[0], 0, va, 4 * PAGE_SIZE },
		{ DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP, 0, 0, va + PAGE_SIZE, PAGE_SIZE },
		{ flags, handles[1], 0, va + 2 * PAGE_SIZE, 2 * PAGE_SIZE },
		{ DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP, 0, 0, va + 3 * PAGE_SIZE, PAGE_SIZE },
	};

	ctx->priv = &bind;
	for (bind.fail_at = 0; bind.fail_at < ARRAY_SIZE(ops); bind.fail_at++) {
		KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vm, va, 4 * PAGE_SIZE));
		bind.calls = 0;
		count = ARRAY_SIZE(ops);
		kunit_activate_static_stub(test, panthor_vm_bind_exec_sync_op,
					   panthor_overcommit_test_bind_op);
		KUNIT_EXPECT_EQ(test, c->ret, panthor_vm_bind_exec_sync_ops(file->private_data, vm,
									    ops, &count));
		kunit_deactivate_static_stub(test, panthor_vm_bind_exec_sync_op);
		KUNIT_ASSERT_EQ(test, count, c->again ? ARRAY_SIZE(ops) : bind.fail_at);
		if (!c->again)
			continue;

		KUNIT_EXPECT_EQ(test, 0, panthor_vm_bind_exec_sync_ops(file->private_data, vm,
								       ops, &count));
		KUNIT_EXPECT_EQ(test, count, ARRAY_SIZE(ops));
		KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, va),
				page_to_phys(bos[0]->backing.pages[0]));
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, va + PAGE_SIZE, PAGE_SIZE));
		KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, va + 2 * PAGE_SIZE),
				page_to_phys(bos[1]->backing.pages[0]));
		KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, va + 3 * PAGE_SIZE,
								  PAGE_SIZE));
	}
}

/**
 * struct panthor_overcommit_test_shortage - Memory that isn't there
 */
struct panthor_overcommit_test_shortage {
	/** @most: What there could be, in pages. */
	unsigned long most;

	/** @polls: Number of times somebody looked. */
	u32 polls;

	/** @enough: Number of times after which there's enough, 0 if that's never. */
	u32 enough;

	/** @busy: Number of times the system has something to do. */
	u32 busy;

	/** @gets: Number of attempts to get it. */
	u32 gets;

	/** @insisted: Number of attempts others could have been killed for. */
	u32 insisted;

	/** @unplug: Number of times after which the device goes away, 0 if it stays. */
	u32 unplug;

	/** @signals: True if signals keep coming. */
	bool signals;
};

static unsigned long panthor_overcommit_test_most(struct panthor_device *ptdev, unsigned long own)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_test_shortage *shortage = ctx->priv;

	if (++shortage->polls == shortage->unplug)
		panthor_kunit_unplug_device(test);

	return shortage->enough && shortage->polls >= shortage->enough ? ULONG_MAX / 2 : 0;
}

static unsigned long panthor_overcommit_test_events(void)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_test_shortage *shortage = ctx->priv;

	return min(shortage->polls, shortage->busy);
}

static unsigned long panthor_overcommit_test_missing(struct panthor_overcommit_request *req)
{
	return 1;
}

static int panthor_overcommit_test_never(struct panthor_overcommit_request *req)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_test_shortage *shortage = ctx->priv;

	shortage->gets++;
	shortage->insisted += req->insist;
	if (shortage->signals) {
		set_thread_flag(TIF_SIGPENDING);
		/* Once admitted, the next attempt has to wait for somebody's time slice. */
		if (shortage->gets > 1)
			ctx->ptdev->overcommit.time_slice_end = ktime_add_ms(ktime_get(), 50);
	}

	return -ENOMEM;
}

static int panthor_overcommit_test_get(struct kunit *test,
				       struct panthor_overcommit_test_shortage *shortage)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_overcommit_request req = {
		.ptdev = ctx->ptdev,
		.vm = vm,
		.resv = panthor_vm_resv(vm),
		.missing = panthor_overcommit_test_missing,
		.needed = panthor_overcommit_test_missing,
		.get = panthor_overcommit_test_never,
	};

	ctx->priv = shortage;
	kunit_activate_static_stub(test, panthor_overcommit_most, panthor_overcommit_test_most);
	kunit_activate_static_stub(test, panthor_overcommit_events, panthor_overcommit_test_events);
	return panthor_overcommit_get(&req);
}

/* What can't fit is looked for as long as it takes to be sure, and nobody is killed. */
static void panthor_overcommit_test_cannot_fit(struct kunit *test)
{
	struct panthor_overcommit_test_shortage quiet = {}, busy = { .busy = 60 };

	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_get(test, &quiet));
	KUNIT_EXPECT_EQ(test, 0, quiet.insisted);
	KUNIT_EXPECT_LE(test, quiet.gets, 2);

	/* As long as others are looking for memory, there might be some. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_get(test, &busy));
	KUNIT_EXPECT_EQ(test, 0, busy.insisted);
	KUNIT_EXPECT_GE(test, busy.polls, quiet.polls + busy.busy - 2);
}

/* Whoever unplugs the device doesn't have to wait for those who look for memory. */
static void panthor_overcommit_test_unplugged(struct kunit *test)
{
	struct panthor_overcommit_test_shortage shortage = { .busy = U32_MAX, .unplug = 3 };

	KUNIT_EXPECT_EQ(test, -ENODEV, panthor_overcommit_test_get(test, &shortage));
	KUNIT_EXPECT_LE(test, shortage.polls, shortage.unplug + 1);
}

/* What could fit is tried again, and the last time it's worth what page faults are. */
static void panthor_overcommit_test_could_fit(struct kunit *test)
{
	struct panthor_overcommit_test_shortage shortage = { .enough = 20 };

	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_get(test, &shortage));
	KUNIT_EXPECT_GE(test, shortage.polls, shortage.enough);
	KUNIT_EXPECT_GE(test, shortage.gets, 5);
	KUNIT_EXPECT_GE(test, shortage.insisted, 1);
	KUNIT_EXPECT_LE(test, shortage.insisted, 4);
}

/*
 * Signals are no reason to give up what was taken from others so far, however many there
 * are, and there's no end to it if they are.
 */
static void panthor_overcommit_test_signals(struct kunit *test)
{
	struct panthor_overcommit_test_shortage shortage = { .enough = 1, .signals = true };

	/* One more is there from the beginning, but there's nothing to wait for. */
	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_get(test, &shortage));
	clear_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_GE(test, shortage.insisted, 1);
}

/* Each time somebody looks, it's a while later. */
static ktime_t panthor_overcommit_test_clock(void)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	ktime_t *now = ctx->priv;

	*now = ktime_add_ms(*now, 15);
	return *now;
}

/* Who has to wait is interrupted, except if there'd be something to do again. */
static void panthor_overcommit_test_killable(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_overcommit *overcommit = &ctx->ptdev->overcommit;
	unsigned long everything = totalram_pages();
	ktime_t now = 0;

	ctx->priv = &now;
	kunit_activate_static_stub(test, panthor_overcommit_now, panthor_overcommit_test_clock);
	atomic_long_add(everything, &overcommit->claimed);
	overcommit->time_slice_end = ms_to_ktime(20);

	set_thread_flag(TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, -ERESTARTSYS, panthor_overcommit_pin_briefly(bo, vm, false));
	now = 0;
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(bo, vm, true));
	clear_thread_flag(TIF_SIGPENDING);

	atomic_long_sub(everything, &overcommit->claimed);
	panthor_gem_unpin(bo);
}

/* What's mapped in other VMs, too, has to be there as well. */
static void panthor_overcommit_test_needs_shared(struct kunit *test)
{
	struct panthor_vm *vms[] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_gem_object *bos[3];
	unsigned long nr_pages;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[i], PANTHOR_KUNIT_VA(i)));
		if (!i)
			continue;
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bos[i], PANTHOR_KUNIT_VA(i)));
	}

	dma_resv_lock(panthor_vm_resv(vms[0]), NULL);
	nr_pages = panthor_vm_needed_pages(vms[0]);
	dma_resv_unlock(panthor_vm_resv(vms[0]));
	KUNIT_EXPECT_EQ(test, 3 * PANTHOR_KUNIT_BO_PAGES, nr_pages);

	/* It's the same in any state: here, some of it is evicted. */
	panthor_kunit_scan(test, PANTHOR_KUNIT_BO_PAGES);
	dma_resv_lock(panthor_vm_resv(vms[0]), NULL);
	nr_pages = panthor_vm_needed_pages(vms[0]);
	dma_resv_unlock(panthor_vm_resv(vms[0]));
	KUNIT_EXPECT_EQ(test, 3 * PANTHOR_KUNIT_BO_PAGES, nr_pages);
}

static void panthor_overcommit_test_put_mcu_vm(void *vm)
{
	panthor_vm_put(vm);
}

/* What a group needs is got like everything else. */
static void panthor_overcommit_test_fw_bo(struct kunit *test)
{
	struct panthor_vm *other_vm = panthor_kunit_vm(test), *vm;
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *other;
	struct panthor_kernel_bo *kbo;
	int failures = 0;

	vm = panthor_vm_create(ctx->ptdev, true, 0, SZ_4G, SZ_64M, SZ_64M);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test,
							   panthor_overcommit_test_put_mcu_vm,
							   vm));
	other = panthor_kunit_mapped_bo(test, other_vm, PANTHOR_KUNIT_BO_SIZE,
					PANTHOR_KUNIT_VA(0));
	ctx->priv = &failures;
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_overcommit_test_map_device);

	kbo = panthor_kernel_bo_create(ctx->ptdev, vm, PANTHOR_KUNIT_BO_SIZE,
				       DRM_PANTHOR_BO_NO_MMAP,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
				       PANTHOR_VM_KERNEL_AUTO_VA, "Test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kbo);
	KUNIT_EXPECT_EQ(test, 3, failures);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(other));
	KUNIT_EXPECT_EQ(test, 1, to_panthor_bo(kbo->obj)->backing.pin_count);
	panthor_kernel_bo_destroy(kbo);
}

/* Fails as long as it's allowed to. */
static int panthor_overcommit_test_map_if_insisted(struct panthor_gem_object *bo, gfp_t gfp)
{
	if (gfp & __GFP_RETRY_MAYFAIL)
		return -ENOMEM;

	kunit_deactivate_static_stub(kunit_get_current_test(), panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo, gfp);
}

/* What comes with the pages is as important in the last attempt as the pages are. */
static void panthor_overcommit_test_insist(struct kunit *test)
{
	struct panthor_overcommit_test_shortage shortage = { .enough = 1 };
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);

	ctx->priv = &shortage;
	kunit_activate_static_stub(test, panthor_overcommit_most, panthor_overcommit_test_most);
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_overcommit_test_map_if_insisted);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_pin_briefly(bo, vm, false));
	KUNIT_EXPECT_EQ(test, 1, bo->backing.pin_count);
	panthor_gem_unpin(bo);
}

/**
 * struct panthor_overcommit_test_older - Somebody who only takes memory from older VMs
 */
struct panthor_overcommit_test_older {
	/** @spare: What the system has to spare, in pages. */
	unsigned long spare;

	/** @missing: What's needed, in pages. */
	unsigned long missing;

	/** @gets: Number of times pages were to be allocated. */
	u32 gets;

	/** @ret: What that returns. */
	int ret;

	/** @scans: True to reclaim everything meanwhile, as direct reclaim might do. */
	bool scans;
};

static struct panthor_overcommit_test_older *panthor_overcommit_test_get_older(void)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;

	return ctx->priv;
}

static unsigned long panthor_overcommit_test_spare(void)
{
	return panthor_overcommit_test_get_older()->spare;
}

static unsigned long panthor_overcommit_test_older_missing(struct panthor_overcommit_request *req)
{
	return panthor_overcommit_test_get_older()->missing;
}

static int panthor_overcommit_test_older_get(struct panthor_overcommit_request *req)
{
	struct panthor_overcommit_test_older *older = panthor_overcommit_test_get_older();

	older->gets++;
	if (older->scans)
		panthor_kunit_scan(kunit_get_current_test(), PANTHOR_KUNIT_ALL);

	return older->ret;
}

/* Get @missing pages for a VM, with what the system needs to run, and @more, to spare. */
static int panthor_overcommit_test_from_older(struct kunit *test, struct panthor_vm *vm,
					      struct panthor_overcommit_test_older *older,
					      long more)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit_request req = {
		.ptdev = ctx->ptdev,
		.vm = vm,
		.resv = panthor_vm_resv(vm),
		.missing = panthor_overcommit_test_older_missing,
		.get = panthor_overcommit_test_older_get,
	};
	int ret;

	ctx->priv = older;
	older->spare = totalram_pages() / 16 + more;
	kunit_activate_static_stub(test, panthor_overcommit_spare, panthor_overcommit_test_spare);
	ret = panthor_overcommit_get_from_older(&req, panthor_vm_reclaim(vm)->seq);
	kunit_deactivate_static_stub(test, panthor_overcommit_spare);
	KUNIT_EXPECT_EQ(test, 0, atomic_long_read(&ctx->ptdev->overcommit.claimed));

	return ret;
}

/* Three VMs in a row, with an object each. */
static void panthor_overcommit_test_make_vms(struct kunit *test, struct panthor_vm **vms,
					     struct panthor_gem_object **bos)
{
	for (u32 i = 0; i < 3; i++) {
		vms[i] = panthor_kunit_vm(test);
		bos[i] = panthor_kunit_mapped_bo(test, vms[i], PANTHOR_KUNIT_BO_SIZE,
						 PANTHOR_KUNIT_VA(0));
	}
}

/* What's to spare isn't taken from anybody, what's not is taken from older VMs. */
static void panthor_overcommit_test_older(struct kunit *test)
{
	struct panthor_overcommit_test_older older = { .missing = 10 };
	struct panthor_gem_object *bos[3];
	struct panthor_vm *vms[3];

	panthor_overcommit_test_make_vms(test, vms, bos);

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_test_from_older(test, vms[1], &older, 10));
	KUNIT_EXPECT_EQ(test, 1, older.gets);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));

	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_test_from_older(test, vms[1], &older, 9));
	KUNIT_EXPECT_EQ(test, 2, older.gets);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));

	/* Nobody older is left. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_from_older(test, vms[1], &older, 9));
	KUNIT_EXPECT_EQ(test, 2, older.gets);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));
}

/* If it wouldn't be enough, nobody gives anything. */
static void panthor_overcommit_test_older_in_vain(struct kunit *test)
{
	struct panthor_overcommit_test_older older = { .missing = PANTHOR_KUNIT_BO_PAGES + 1 };
	struct panthor_gem_object *bos[3];
	struct panthor_vm *vms[3];

	panthor_overcommit_test_make_vms(test, vms, bos);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_overcommit_test_from_older(test, vms[1], &older, 0));
	KUNIT_EXPECT_EQ(test, 0, older.gets);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[0]));

	/* Without pages missing, there's nothing to have room for. */
	older.missing = 0;
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_test_from_older(test, vms[1], &older, -1));
	KUNIT_EXPECT_EQ(test, 1, older.gets);
}

/* Direct reclaim doesn't do what we don't, and it's only ours that doesn't. */
static void panthor_overcommit_test_older_direct(struct kunit *test)
{
	struct panthor_overcommit_test_older older = { .ret = -EIO, .scans = true };
	struct panthor_gem_object *bos[3], *shared, *unused;
	struct panthor_vm *vms[3];

	panthor_overcommit_test_make_vms(test, vms, bos);
	shared = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	for (u32 i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[2 * i], shared,
							   PANTHOR_KUNIT_VA(1)));
	unused = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(unused));

	KUNIT_EXPECT_EQ(test, -EIO, panthor_overcommit_test_from_older(test, vms[1], &older, 0));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(unused));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[0]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bos[2]));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(shared));

	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[1]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(bos[2]));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(shared));
}

/* Nobody looks for memory for a device that's gone. */
static void panthor_overcommit_test_older_unplugged(struct kunit *test)
{
	struct panthor_overcommit_test_older older = { .missing = 1 };
	struct panthor_vm *vm = panthor_kunit_vm(test);

	panthor_kunit_unplug_device(test);
	KUNIT_EXPECT_EQ(test, -ENODEV, panthor_overcommit_test_from_older(test, vm, &older, 1));
	KUNIT_EXPECT_EQ(test, 0, older.gets);
}

static struct kunit_case panthor_overcommit_tests[] = {
	KUNIT_CASE(panthor_overcommit_test_fits),
	KUNIT_CASE(panthor_overcommit_test_does_not_fit),
	KUNIT_CASE(panthor_overcommit_test_no_swap),
	KUNIT_CASE(panthor_overcommit_test_little_swap),
	KUNIT_CASE(panthor_overcommit_test_little_swap_contended),
	KUNIT_CASE(panthor_overcommit_test_claim),
	KUNIT_CASE(panthor_overcommit_test_need),
	KUNIT_CASE(panthor_overcommit_test_order),
	KUNIT_CASE(panthor_overcommit_test_unused_first),
	KUNIT_CASE(panthor_overcommit_test_populate),
	KUNIT_CASE(panthor_overcommit_test_plenty),
	KUNIT_CASE(panthor_overcommit_test_pinned),
	KUNIT_CASE(panthor_overcommit_test_wrong_estimation),
	KUNIT_CASE(panthor_overcommit_test_attach),
	KUNIT_CASE(panthor_overcommit_test_own),
	KUNIT_CASE(panthor_overcommit_test_failed),
	KUNIT_CASE(panthor_overcommit_test_populated_meanwhile),
	KUNIT_CASE(panthor_overcommit_test_busy),
	KUNIT_CASE(panthor_overcommit_test_deadline),
	KUNIT_CASE(panthor_overcommit_test_pause),
	KUNIT_CASE(panthor_overcommit_test_time_slices),
	KUNIT_CASE(panthor_overcommit_test_cannot_fit),
	KUNIT_CASE(panthor_overcommit_test_could_fit),
	KUNIT_CASE(panthor_overcommit_test_signals),
	KUNIT_CASE(panthor_overcommit_test_killable),
	KUNIT_CASE(panthor_overcommit_test_needs_shared),
	KUNIT_CASE(panthor_overcommit_test_fw_bo),
	KUNIT_CASE(panthor_overcommit_test_insist),
	KUNIT_CASE(panthor_overcommit_test_unplugged),
	KUNIT_CASE(panthor_overcommit_test_woken_early),
	KUNIT_CASE(panthor_overcommit_test_older),
	KUNIT_CASE(panthor_overcommit_test_older_in_vain),
	KUNIT_CASE(panthor_overcommit_test_older_direct),
	KUNIT_CASE(panthor_overcommit_test_older_unplugged),
	KUNIT_CASE_PARAM(panthor_overcommit_test_bind_interrupted,
			 panthor_overcommit_bind_gen_params),
	{}
};

static struct kunit_suite panthor_overcommit_test_suite = {
	.name = "panthor_overcommit",
	.init = panthor_kunit_init,
	.test_cases = panthor_overcommit_tests,
};

kunit_test_suite(panthor_overcommit_test_suite);
