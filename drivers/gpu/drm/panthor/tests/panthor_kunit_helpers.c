// SPDX-License-Identifier: GPL-2.0 or MIT

/*
 * A panthor_device with no hardware, and what the suites need to deal with it.
 *
 * VMs and GEM objects are the real ones, page tables included. VMs never get an
 * address space, unless a test pretends that they have one, in which case MMU
 * operations are counted instead of being sent to a GPU.
 */

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/vmscan.h>

#include <kunit/resource.h>
#include <kunit/static_stub.h>

#include <drm/drm_exec.h>
#include <drm/drm_file.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/panthor_drm.h>

#include "../panthor_gem_evict.h"
#include "../panthor_gem_shrinker.h"
#include "../panthor_overcommit.h"
#include "panthor_kunit_helpers.h"

#define PANTHOR_KUNIT_VA_BITS		48
#define PANTHOR_KUNIT_PA_BITS		40

/* Nobody holds a lock for longer than that, so that tests fail instead of hanging. */
#define PANTHOR_KUNIT_HOLD_TIMEOUT	(60 * HZ)

static struct panthor_kunit *panthor_kunit_current(void)
{
	return kunit_get_current_test()->priv;
}

static unsigned long panthor_kunit_swap_room(void)
{
	return panthor_kunit_current()->swap_space;
}

static unsigned long panthor_kunit_free_pages(void)
{
	return panthor_kunit_current()->free_pages;
}

static bool panthor_kunit_can_wait(void)
{
	return panthor_kunit_current()->can_wait;
}

static void panthor_kunit_pressure(struct reclaim_pressure *pressure)
{
	*pressure = (struct reclaim_pressure) { .anon = ANON_PRESSURE_MAX };
}

/* Tests don't need a swap device. */
static unsigned long panthor_kunit_write(struct panthor_gem_object *bo, unsigned long *writing)
{
	*writing = 0;
	return bo->base.size >> PAGE_SHIFT;
}

static int panthor_kunit_mmu_op(struct panthor_device *ptdev, int as_nr,
				u64 iova, u64 size, u32 op)
{
	struct panthor_kunit *ctx = panthor_kunit_current();

	if (as_nr < 0)
		return 0;

	ctx->mmu_ops++;
	return ctx->mmu_op_ret;
}

static u64 panthor_kunit_log_end(void)
{
	struct kmsg_dump_iter iter;

	kmsg_dump_rewind(&iter);
	return iter.next_seq;
}

/* Warnings, and reports from lockdep and others, are failures. */
static void panthor_kunit_check_log(void *data)
{
	struct panthor_kunit *ctx = data;
	struct kmsg_dump_iter iter = {
		.cur_seq = ctx->log_start,
		.next_seq = panthor_kunit_log_end(),
	};
	char line[256];
	size_t len;

	while (iter.cur_seq < iter.next_seq &&
	       kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		if (strstr(line, "WARNING: ") || strstr(line, "BUG: "))
			KUNIT_FAIL(ctx->test, "%s", line);
	}
}

static void panthor_kunit_unplug(void *ptdev)
{
	panthor_gem_shrinker_unplug(ptdev);
}

static struct panthor_device *panthor_kunit_alloc_device(struct kunit *test)
{
	struct panthor_device *ptdev;
	struct device *dev;

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)));

	ptdev = drm_kunit_helper_alloc_drm_device_with_driver(test, dev, struct panthor_device,
							      base, &panthor_drm_driver);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptdev);

	ptdev->coherent = true;
	ptdev->gpu_info.mmu_features = PANTHOR_KUNIT_VA_BITS | PANTHOR_KUNIT_PA_BITS << 8;
	ptdev->gpu_info.as_present = GENMASK(7, 0);

	panthor_gem_debugfs_init(ptdev);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_lru_init(ptdev));
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_shrinker_alloc(ptdev));
	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_init(ptdev));
	KUNIT_ASSERT_EQ(test, 0, panthor_mmu_sw_init(ptdev));

	KUNIT_ASSERT_EQ(test, 0, panthor_gem_shrinker_init(ptdev));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_unplug, ptdev));

	return ptdev;
}

/**
 * panthor_kunit_init() - Common .init of the suites
 * @test: Test.
 *
 * Return: 0.
 */
int panthor_kunit_init(struct kunit *test)
{
	struct panthor_kunit *ctx;

	ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);

	ctx->test = test;
	ctx->log_start = panthor_kunit_log_end();
	ctx->swap_space = PANTHOR_KUNIT_ALL;
	ctx->free_pages = totalram_pages();
	test->priv = ctx;

	/* This comes first, so it's run when everything else is gone. */
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_check_log, ctx));

	kunit_activate_static_stub(test, panthor_gem_evict_swap_space, panthor_kunit_swap_room);
	kunit_activate_static_stub(test, panthor_overcommit_free_pages, panthor_kunit_free_pages);
	kunit_activate_static_stub(test, panthor_gem_shrinker_can_wait, panthor_kunit_can_wait);
	kunit_activate_static_stub(test, panthor_gem_shrinker_get_pressure, panthor_kunit_pressure);
	kunit_activate_static_stub(test, panthor_gem_write, panthor_kunit_write);
	kunit_activate_static_stub(test, mmu_hw_do_operation_locked, panthor_kunit_mmu_op);

	ctx->ptdev = panthor_kunit_alloc_device(test);
	return 0;
}

static void panthor_kunit_plug_device(void *ptdev)
{
	((struct panthor_device *)ptdev)->base.unplugged = false;
}

/**
 * panthor_kunit_unplug_device() - Make the device go away
 * @test: Test.
 *
 * That's as far as those are concerned who have to look if it's still there.
 */
void panthor_kunit_unplug_device(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;

	ctx->ptdev->base.unplugged = true;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_plug_device,
							   ctx->ptdev));
}

static void panthor_kunit_destroy_vm(void *data)
{
	struct panthor_vm *vm = data;

	/* Nobody has to wait for a GPU that's not there. */
	panthor_kunit_vm_set_as(vm, -1);
	panthor_kunit_mmu_reset(panthor_kunit_current()->ptdev);
	panthor_vm_unmap_range(vm, 0, 1ull << PANTHOR_KUNIT_VA_BITS);
	panthor_vm_put(vm);
}

/**
 * panthor_kunit_vm() - Create a VM
 * @test: Test.
 *
 * Return: The VM, which is destroyed along with everything that's mapped in there
 * at the end of the test.
 */
struct panthor_vm *panthor_kunit_vm(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	u64 half = 1ull << (PANTHOR_KUNIT_VA_BITS - 1);
	struct panthor_vm *vm;

	vm = panthor_vm_create(ctx->ptdev, false, half, half, half, half);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_destroy_vm, vm));

	return vm;
}

/**
 * panthor_kunit_vm_destroy() - Destroy a VM before the end of the test
 * @test: Test.
 * @vm: VM.
 */
void panthor_kunit_vm_destroy(struct kunit *test, struct panthor_vm *vm)
{
	kunit_release_action(test, panthor_kunit_destroy_vm, vm);
}

static void panthor_kunit_put_bo(void *data)
{
	struct panthor_gem_object *bo = data;

	drm_gem_object_put(&bo->base);
}

/**
 * panthor_kunit_bo() - Create a GEM object
 * @test: Test.
 * @vm: VM the object is private to, NULL if it can be shared.
 * @size: Size in bytes.
 *
 * Return: The object, which is released at the end of the test.
 */
struct panthor_gem_object *panthor_kunit_bo(struct kunit *test, struct panthor_vm *vm,
					    size_t size)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;

	bo = panthor_gem_create(&ctx->ptdev->base, size, 0, vm);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bo);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_put_bo, bo));

	return bo;
}

/**
 * panthor_kunit_bo_put() - Release an object before the end of the test
 * @test: Test.
 * @bo: Object.
 */
void panthor_kunit_bo_put(struct kunit *test, struct panthor_gem_object *bo)
{
	kunit_release_action(test, panthor_kunit_put_bo, bo);
}

/**
 * panthor_kunit_mapped_bo() - Create a GEM object that's private to a VM, and map it
 * @test: Test.
 * @vm: VM.
 * @size: Size in bytes.
 * @va: GPU address.
 *
 * Return: The object.
 */
struct panthor_gem_object *panthor_kunit_mapped_bo(struct kunit *test, struct panthor_vm *vm,
						   size_t size, u64 va)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, size);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, va));
	return bo;
}

/**
 * panthor_kunit_map() - Map an object in a VM
 * @vm: VM.
 * @bo: Object.
 * @va: GPU address.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_kunit_map(struct panthor_vm *vm, struct panthor_gem_object *bo, u64 va)
{
	return panthor_vm_map_bo_range(vm, bo, 0, bo->base.size, va,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP);
}

/**
 * panthor_kunit_unmap_part() - Unmap part of what's mapped in a VM
 * @vm: VM.
 * @va: GPU address.
 * @size: Size in bytes.
 *
 * Unlike panthor_vm_unmap_range(), this can split mappings.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_kunit_unmap_part(struct panthor_vm *vm, u64 va, u64 size)
{
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_UNMAP,
		.va = va,
		.size = size,
	};

	return panthor_vm_bind_exec_sync_op(NULL, vm, &op);
}

/**
 * panthor_kunit_populate() - Populate an object
 * @bo: Object.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_kunit_populate(struct panthor_gem_object *bo)
{
	int ret;

	dma_resv_lock(bo->base.resv, NULL);
	ret = panthor_gem_populate_locked(bo);
	dma_resv_unlock(bo->base.resv);

	return ret;
}

/**
 * panthor_kunit_mmap_get() - Pretend that an object gets mapped by a CPU
 * @bo: Object.
 *
 * This is what happens when a process that mapped the object is forked.
 */
void panthor_kunit_mmap_get(struct panthor_gem_object *bo)
{
	struct vm_area_struct vma = { .vm_private_data = &bo->base };

	bo->base.funcs->vm_ops->open(&vma);
}

/**
 * panthor_kunit_mmap_put() - Undo panthor_kunit_mmap_get()
 * @bo: Object.
 */
void panthor_kunit_mmap_put(struct panthor_gem_object *bo)
{
	struct vm_area_struct vma = { .vm_private_data = &bo->base };

	bo->base.funcs->vm_ops->close(&vma);
}

/**
 * panthor_kunit_is_evicted() - Check if an object is evicted
 * @bo: Object.
 *
 * Return: true if it has no memory because that was reclaimed.
 */
bool panthor_kunit_is_evicted(struct panthor_gem_object *bo)
{
	return !panthor_gem_is_resident(bo) && panthor_gem_was_reclaimed(bo);
}

/**
 * panthor_kunit_fill() - Fill an object with a pattern
 * @test: Test.
 * @bo: Object.
 * @seed: Seed of the pattern.
 */
void panthor_kunit_fill(struct kunit *test, struct panthor_gem_object *bo, u32 seed)
{
	struct iosys_map map;
	u32 *words;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&bo->base, &map));
	words = map.vaddr;
	for (size_t i = 0; i < bo->base.size / sizeof(*words); i++)
		words[i] = seed + i * 0x9e3779b1u;
	drm_gem_vunmap_unlocked(&bo->base, &map);
}

/**
 * panthor_kunit_check() - Compare the content of an object with a pattern
 * @test: Test.
 * @bo: Object.
 * @seed: Seed of the pattern.
 *
 * Return: The number of words that differ.
 */
u32 panthor_kunit_check(struct kunit *test, struct panthor_gem_object *bo, u32 seed)
{
	struct iosys_map map;
	u32 *words, diff = 0;

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&bo->base, &map));
	words = map.vaddr;
	for (size_t i = 0; i < bo->base.size / sizeof(*words); i++)
		diff += words[i] != seed + (u32)i * 0x9e3779b1u;
	drm_gem_vunmap_unlocked(&bo->base, &map);

	return diff;
}

/**
 * panthor_kunit_is_mapped() - Check that the GPU finds the pages of an object
 * @vm: VM.
 * @bo: Object.
 * @va: GPU address the object is mapped at.
 *
 * Return: true if that's the case of all pages.
 */
bool panthor_kunit_is_mapped(struct panthor_vm *vm, struct panthor_gem_object *bo, u64 va)
{
	if (!bo->backing.pages)
		return false;

	for (size_t i = 0; i < bo->base.size >> PAGE_SHIFT; i++) {
		if (panthor_kunit_vm_translate(vm, va + i * PAGE_SIZE) !=
		    page_to_phys(bo->backing.pages[i]))
			return false;
	}

	return true;
}

/**
 * panthor_kunit_is_unmapped() - Check that the GPU finds nothing
 * @vm: VM.
 * @va: GPU address.
 * @size: Size of the range, in bytes.
 *
 * Return: true if there's nothing in the whole range.
 */
bool panthor_kunit_is_unmapped(struct panthor_vm *vm, u64 va, u64 size)
{
	for (u64 offset = 0; offset < size; offset += PAGE_SIZE) {
		if (panthor_kunit_vm_translate(vm, va + offset))
			return false;
	}

	return true;
}

/**
 * panthor_kunit_break_storage() - Let only the first page of an object be read
 * @bo: Object.
 */
void panthor_kunit_break_storage(struct panthor_gem_object *bo)
{
	i_size_write(file_inode(bo->base.filp), PAGE_SIZE);
}

/**
 * panthor_kunit_mend_storage() - Undo panthor_kunit_break_storage()
 * @bo: Object.
 */
void panthor_kunit_mend_storage(struct panthor_gem_object *bo)
{
	i_size_write(file_inode(bo->base.filp), bo->base.size);
}

/**
 * panthor_kunit_submit() - Do what a job submission does to the memory of a VM
 * @vm: VM.
 * @fence: Fence of the job, NULL if it's done already.
 *
 * Return: 0 on success, a negative error code otherwise.
 */
int panthor_kunit_submit(struct panthor_vm *vm, struct dma_fence *fence)
{
	struct drm_exec exec;
	int ret;

	drm_exec_init(&exec, DRM_EXEC_INTERRUPTIBLE_WAIT | DRM_EXEC_IGNORE_DUPLICATES, 0);
	drm_exec_until_all_locked(&exec) {
		ret = panthor_vm_prepare_mapped_bos_resvs(&exec, vm, 1);
		drm_exec_retry_on_contention(&exec);
		if (ret)
			break;
	}

	if (!ret)
		ret = panthor_vm_restore(vm, &exec, false);

	if (!ret && fence)
		panthor_vm_update_resvs(vm, &exec, fence, DMA_RESV_USAGE_BOOKKEEP,
					DMA_RESV_USAGE_BOOKKEEP);
	drm_exec_fini(&exec);

	return ret;
}

struct panthor_kunit_fence {
	/* Inherit from dma_fence. */
	struct dma_fence base;

	/* Protects @base. */
	spinlock_t lock;
};

static const char *panthor_kunit_fence_name(struct dma_fence *fence)
{
	return "panthor-kunit";
}

static const struct dma_fence_ops panthor_kunit_fence_ops = {
	.get_driver_name = panthor_kunit_fence_name,
	.get_timeline_name = panthor_kunit_fence_name,
};

static void panthor_kunit_fence_put(void *data)
{
	struct dma_fence *fence = data;

	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/**
 * panthor_kunit_fence() - Create the fence of a job that's running
 * @test: Test.
 *
 * Return: The fence, which is signaled at the end of the test at the latest.
 */
struct dma_fence *panthor_kunit_fence(struct kunit *test)
{
	struct panthor_kunit_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);

	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &panthor_kunit_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_fence_put,
							   &fence->base));

	return &fence->base;
}

/**
 * panthor_kunit_add_fence() - Attach a fence to a reservation, as jobs do
 * @test: Test.
 * @resv: Reservation.
 * @fence: Fence.
 */
void panthor_kunit_add_fence(struct kunit *test, struct dma_resv *resv,
			     struct dma_fence *fence)
{
	dma_resv_lock(resv, NULL);
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(resv, 1));
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
}

/**
 * panthor_kunit_count() - Ask the shrinker how much could be reclaimed
 * @test: Test.
 *
 * Return: See &shrinker.count_objects.
 */
unsigned long panthor_kunit_count(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct shrinker *shrinker = ctx->ptdev->reclaim.shrinker;
	struct shrink_control sc = { .gfp_mask = GFP_KERNEL };

	return shrinker->count_objects(shrinker, &sc);
}

/**
 * panthor_kunit_scan() - Ask the shrinker to reclaim memory
 * @test: Test.
 * @nr_to_scan: Number of pages.
 *
 * Lockdep reports whatever can't be done in reclaim, and allocations that could
 * recurse there, even though the latter would be fine in real life.
 *
 * Return: See &shrinker.scan_objects.
 */
unsigned long panthor_kunit_scan(struct kunit *test, unsigned long nr_to_scan)
{
	struct panthor_kunit *ctx = test->priv;
	struct shrinker *shrinker = ctx->ptdev->reclaim.shrinker;
	struct shrink_control sc = {
		.gfp_mask = GFP_KERNEL,
		.nr_to_scan = nr_to_scan,
		.nr_scanned = nr_to_scan,
	};
	unsigned long freed;

	fs_reclaim_acquire(GFP_KERNEL);
	freed = shrinker->scan_objects(shrinker, &sc);
	fs_reclaim_release(GFP_KERNEL);

	if (freed != SHRINK_STOP)
		KUNIT_EXPECT_GE(test, sc.nr_scanned, freed);

	return freed;
}

/**
 * panthor_kunit_skips() - Get the number of things that were skipped
 * @test: Test.
 * @reason: Reason.
 *
 * Return: How often something was skipped for that reason.
 */
long panthor_kunit_skips(struct kunit *test, enum panthor_reclaim_skip reason)
{
	struct panthor_kunit *ctx = test->priv;

	return atomic_long_read(&ctx->ptdev->reclaim.stats.skips[reason]);
}

struct panthor_kunit_holder {
	/* Thread holding the lock. */
	struct task_struct *task;

	/* Mutex to hold, NULL if it's a reservation. */
	struct mutex *mutex;

	/* Reservation to hold. */
	struct dma_resv *resv;

	/* Completed once the lock is held. */
	struct completion held;

	/* Completed when it's to be released. */
	struct completion release;

	/* True if that took too long. */
	bool timed_out;
};

static int panthor_kunit_holder_thread(void *data)
{
	struct panthor_kunit_holder *holder = data;

	if (holder->mutex)
		mutex_lock(holder->mutex);
	else
		dma_resv_lock(holder->resv, NULL);

	complete(&holder->held);
	if (!wait_for_completion_timeout(&holder->release, PANTHOR_KUNIT_HOLD_TIMEOUT))
		holder->timed_out = true;

	if (holder->mutex)
		mutex_unlock(holder->mutex);
	else
		dma_resv_unlock(holder->resv);

	return 0;
}

static void panthor_kunit_stop_holder(void *data)
{
	struct panthor_kunit_holder *holder = data;

	complete(&holder->release);
	kthread_stop_put(holder->task);
}

static struct panthor_kunit_holder *
panthor_kunit_hold(struct kunit *test, struct mutex *mutex, struct dma_resv *resv)
{
	struct panthor_kunit_holder *holder;

	holder = kunit_kzalloc(test, sizeof(*holder), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, holder);

	holder->mutex = mutex;
	holder->resv = resv;
	init_completion(&holder->held);
	init_completion(&holder->release);

	holder->task = kthread_create(panthor_kunit_holder_thread, holder, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, holder->task);
	get_task_struct(holder->task);
	wake_up_process(holder->task);
	wait_for_completion(&holder->held);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_stop_holder,
							   holder));

	return holder;
}

/**
 * panthor_kunit_hold_mutex() - Let somebody else hold a mutex
 * @test: Test.
 * @mutex: Mutex.
 *
 * Return: The holder, to be passed to panthor_kunit_release().
 */
struct panthor_kunit_holder *panthor_kunit_hold_mutex(struct kunit *test, struct mutex *mutex)
{
	return panthor_kunit_hold(test, mutex, NULL);
}

/**
 * panthor_kunit_hold_resv() - Let somebody else hold a reservation
 * @test: Test.
 * @resv: Reservation.
 *
 * Return: The holder, to be passed to panthor_kunit_release().
 */
struct panthor_kunit_holder *panthor_kunit_hold_resv(struct kunit *test, struct dma_resv *resv)
{
	return panthor_kunit_hold(test, NULL, resv);
}

/**
 * panthor_kunit_release() - Let the lock be released
 * @test: Test, which fails if it waited for that.
 * @holder: Holder of the lock.
 */
void panthor_kunit_release(struct kunit *test, struct panthor_kunit_holder *holder)
{
	kunit_release_action(test, panthor_kunit_stop_holder, holder);
	KUNIT_EXPECT_FALSE_MSG(test, holder->timed_out, "somebody waited for a lock");
}

/**
 * panthor_kunit_job_start() - Start a thread that runs along with a scan
 * @test: Test.
 * @job: Job. Only the VM and the fence have to be initialized.
 * @fn: Function called by the thread.
 */
void panthor_kunit_job_start(struct kunit *test, struct panthor_kunit_job *job,
			     int (*fn)(void *job))
{
	struct panthor_kunit *ctx = test->priv;

	job->ptdev = ctx->ptdev;
	job->waits = atomic_long_read(&ctx->ptdev->reclaim.stats.waits);
	job->task = kthread_create(fn, job, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, job->task);
	get_task_struct(job->task);
	wake_up_process(job->task);
}

/**
 * panthor_kunit_job_wait_for_kswapd() - Wait until a scan waits for a VM
 * @job: Job.
 *
 * That's a matter of milliseconds, during which things have to happen.
 */
void panthor_kunit_job_wait_for_kswapd(struct panthor_kunit_job *job)
{
	unsigned long timeout = jiffies + 60 * HZ;

	while (atomic_long_read(&job->ptdev->reclaim.stats.waits) == job->waits &&
	       time_before(jiffies, timeout))
		schedule();
}

/**
 * panthor_kunit_job_stop() - Wait for the thread to be done
 * @job: Job.
 */
void panthor_kunit_job_stop(struct panthor_kunit_job *job)
{
	kthread_stop_put(job->task);
}

static void panthor_kunit_close(void *file)
{
	__fput_sync(file);
}

/**
 * panthor_kunit_open() - Open the device
 * @test: Test.
 *
 * Return: The file, which is closed at the end of the test.
 */
struct file *panthor_kunit_open(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct file *file;

	file = mock_drm_getfile(ctx->ptdev->base.render, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_close, file));

	return file;
}

/**
 * panthor_kunit_bo_with_handle() - Create a GEM object with a handle
 * @test: Test.
 * @file: File the handle belongs to.
 * @vm: VM the object is private to, NULL if it can be shared.
 * @size: Size in bytes.
 * @handle: Set to the handle.
 *
 * Return: The object, which is released at the end of the test, provided that the
 * file is closed by then.
 */
struct panthor_gem_object *panthor_kunit_bo_with_handle(struct kunit *test, struct file *file,
							struct panthor_vm *vm, u64 size,
							u32 *handle)
{
	struct panthor_kunit *ctx = test->priv;
	struct drm_file *drm_file = file->private_data;
	struct drm_gem_object *obj;

	KUNIT_ASSERT_EQ(test, 0, panthor_gem_create_with_handle(drm_file, &ctx->ptdev->base, vm,
								&size, 0, handle));

	obj = drm_gem_object_lookup(drm_file, *handle);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_kunit_put_bo,
							   to_panthor_bo(obj)));

	return to_panthor_bo(obj);
}

/**
 * panthor_kunit_seq_init() - Initialize a seq_file that nobody reads
 * @test: Test.
 * @m: seq_file to initialize.
 */
void panthor_kunit_seq_init(struct kunit *test, struct seq_file *m)
{
	memset(m, 0, sizeof(*m));
	m->size = SZ_8K;
	m->buf = kunit_kzalloc(test, m->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->buf);
}

/**
 * panthor_kunit_seq_text() - Get what was printed
 * @m: seq_file.
 *
 * Return: The text, after which the seq_file is empty again.
 */
const char *panthor_kunit_seq_text(struct seq_file *m)
{
	m->buf[min(m->count, m->size - 1)] = '\0';
	m->count = 0;

	return m->buf;
}
