/* SPDX-License-Identifier: GPL-2.0 or MIT */

#ifndef __PANTHOR_KUNIT_HELPERS_H__
#define __PANTHOR_KUNIT_HELPERS_H__

#include <kunit/test.h>

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/sizes.h>

#include "../panthor_device.h"
#include "../panthor_gem.h"
#include "../panthor_kunit.h"
#include "../panthor_mmu.h"

struct drm_file;
struct file;
struct seq_file;

/* Default size of objects. */
#define PANTHOR_KUNIT_BO_PAGES		4
#define PANTHOR_KUNIT_BO_SIZE		(PANTHOR_KUNIT_BO_PAGES * PAGE_SIZE)

/* Enough to reclaim everything. */
#define PANTHOR_KUNIT_ALL		(ULONG_MAX >> PAGE_SHIFT)

/* n-th GPU address, far enough from the others for any object. */
#define PANTHOR_KUNIT_VA(n)		((u64)((n) + 1) * SZ_1M)

/**
 * struct panthor_kunit - What all suites have in test->priv
 */
struct panthor_kunit {
	/** @ptdev: Device with no hardware behind it. */
	struct panthor_device *ptdev;

	/** @swap_space: What the driver believes to be left in swap, in pages. */
	unsigned long swap_space;

	/** @free_pages: What the driver believes to be free. */
	unsigned long free_pages;

	/** @can_wait: True if scans are made on behalf of kswapd. */
	bool can_wait;

	/** @mmu_op_ret: What MMU operations return. */
	int mmu_op_ret;

	/** @mmu_ops: Number of MMU operations, except those on VMs with no slot. */
	u32 mmu_ops;

	/** @test: The test, for actions. */
	struct kunit *test;

	/** @priv: Whatever the suite needs. */
	void *priv;

	/** @log_start: Where the kernel log was when the test started. */
	u64 log_start;
};

/**
 * struct panthor_kunit_job - Something that happens while kswapd waits for a VM
 */
struct panthor_kunit_job {
	/** @ptdev: Device. */
	struct panthor_device *ptdev;

	/** @vm: VM. */
	struct panthor_vm *vm;

	/** @fence: Fence of the job, if the thread makes it finish. */
	struct dma_fence *fence;

	/** @waits: Number of times kswapd had waited for a VM before. */
	long waits;

	/** @task: Thread. */
	struct task_struct *task;
};

/* A thread that holds a lock. */
struct panthor_kunit_holder;

int panthor_kunit_init(struct kunit *test);
void panthor_kunit_unplug_device(struct kunit *test);

struct panthor_vm *panthor_kunit_vm(struct kunit *test);
void panthor_kunit_vm_destroy(struct kunit *test, struct panthor_vm *vm);
struct panthor_gem_object *panthor_kunit_bo(struct kunit *test, struct panthor_vm *vm,
					    size_t size);
void panthor_kunit_bo_put(struct kunit *test, struct panthor_gem_object *bo);
struct panthor_gem_object *panthor_kunit_mapped_bo(struct kunit *test, struct panthor_vm *vm,
						   size_t size, u64 va);
int panthor_kunit_map(struct panthor_vm *vm, struct panthor_gem_object *bo, u64 va);
int panthor_kunit_unmap_part(struct panthor_vm *vm, u64 va, u64 size);
int panthor_kunit_populate(struct panthor_gem_object *bo);
void panthor_kunit_mmap_get(struct panthor_gem_object *bo);
void panthor_kunit_mmap_put(struct panthor_gem_object *bo);
bool panthor_kunit_is_evicted(struct panthor_gem_object *bo);
void panthor_kunit_fill(struct kunit *test, struct panthor_gem_object *bo, u32 seed);
u32 panthor_kunit_check(struct kunit *test, struct panthor_gem_object *bo, u32 seed);
bool panthor_kunit_is_mapped(struct panthor_vm *vm, struct panthor_gem_object *bo, u64 va);
bool panthor_kunit_is_unmapped(struct panthor_vm *vm, u64 va, u64 size);
void panthor_kunit_break_storage(struct panthor_gem_object *bo);
void panthor_kunit_mend_storage(struct panthor_gem_object *bo);

int panthor_kunit_submit(struct panthor_vm *vm, struct dma_fence *fence);
struct dma_fence *panthor_kunit_fence(struct kunit *test);
void panthor_kunit_add_fence(struct kunit *test, struct dma_resv *resv,
			     struct dma_fence *fence);

unsigned long panthor_kunit_count(struct kunit *test);
unsigned long panthor_kunit_scan(struct kunit *test, unsigned long nr_to_scan);
long panthor_kunit_skips(struct kunit *test, enum panthor_reclaim_skip reason);

struct panthor_kunit_holder *panthor_kunit_hold_mutex(struct kunit *test, struct mutex *mutex);
struct panthor_kunit_holder *panthor_kunit_hold_resv(struct kunit *test, struct dma_resv *resv);
void panthor_kunit_release(struct kunit *test, struct panthor_kunit_holder *holder);

void panthor_kunit_job_start(struct kunit *test, struct panthor_kunit_job *job,
			     int (*fn)(void *job));
void panthor_kunit_job_wait_for_kswapd(struct panthor_kunit_job *job);
void panthor_kunit_job_stop(struct panthor_kunit_job *job);

struct file *panthor_kunit_open(struct kunit *test);
struct panthor_gem_object *panthor_kunit_bo_with_handle(struct kunit *test, struct file *file,
							struct panthor_vm *vm, u64 size,
							u32 *handle);
void panthor_kunit_seq_init(struct kunit *test, struct seq_file *m);
const char *panthor_kunit_seq_text(struct seq_file *m);

#endif
