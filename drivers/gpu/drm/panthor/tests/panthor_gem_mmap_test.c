// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for the CPU mappings of GEM objects. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>

#include <kunit/static_stub.h>

#include <drm/drm_file.h>
#include <drm/drm_vma_manager.h>
#include <drm/panthor_drm.h>

#include "../panthor_overcommit.h"
#include "panthor_kunit_helpers.h"

/**
 * struct panthor_mmap_test - An object with a handle
 */
struct panthor_mmap_test {
	/** @file: File. */
	struct file *file;

	/** @bo: Object. */
	struct panthor_gem_object *bo;

	/** @file_count: Number of references to the file while looking for memory. */
	long file_count;

	/** @now: What time it is. */
	ktime_t now;
};

static unsigned long panthor_mmap_test_map(struct kunit *test, struct panthor_gem_object *bo,
					   unsigned long prot, unsigned long flags)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;

	return kunit_vm_mmap(test, t->file, 0, bo->base.size, prot, flags,
			     drm_vma_node_offset_addr(&bo->base.vma_node));
}

/* Map the object of the test. */
static unsigned long panthor_mmap_test_map_shared(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	addr = panthor_mmap_test_map(test, t->bo, PROT_READ | PROT_WRITE, MAP_SHARED);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));

	return addr;
}

/* A fault to be retried comes back without the mmap lock, if it may sleep. */
static vm_fault_t panthor_mmap_test_fault(unsigned long addr, unsigned int flags)
{
	struct vm_area_struct *vma;
	vm_fault_t ret;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	ret = handle_mm_fault(vma, addr, FAULT_FLAG_WRITE | FAULT_FLAG_USER | flags, NULL);
	if (!(ret & VM_FAULT_RETRY) || flags & FAULT_FLAG_RETRY_NOWAIT)
		mmap_read_unlock(current->mm);

	return ret;
}

/* Returns 0 if nothing is mapped. */
static unsigned long panthor_mmap_test_pfn(unsigned long addr)
{
	struct follow_pfnmap_args args = { .address = addr };
	unsigned long pfn = 0;

	mmap_read_lock(current->mm);
	args.vma = find_vma(current->mm, addr);
	if (args.vma && !follow_pfnmap_start(&args)) {
		pfn = args.pfn;
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(current->mm);

	return pfn;
}

/* Map an object, then look at it. It gets its memory in the second step. */
static void panthor_mmap_test_lazy(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 1);
	KUNIT_EXPECT_NULL(test, t->bo->backing.pages);
	KUNIT_EXPECT_EQ(test, t->bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);

	KUNIT_EXPECT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr + PAGE_SIZE, 0));
	KUNIT_ASSERT_NOT_NULL(test, t->bo->backing.pages);
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr + PAGE_SIZE),
			page_to_pfn(t->bo->backing.pages[1]));
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr), 0);
	KUNIT_EXPECT_EQ(test, t->bo->reclaim_state, PANTHOR_GEM_MMAPPED);
	KUNIT_EXPECT_EQ(test, t->bo->backing.pin_count, 0);
}

static int panthor_mmap_test_look_at_file(struct panthor_gem_object *bo, gfp_t gfp)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;

	t->file_count = file_count(t->file);

	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	return panthor_gem_map_device_locked(bo, gfp);
}

static vm_fault_t panthor_mmap_test_nowait_fault(unsigned long addr)
{
	return panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT);
}

/*
 * One fault is enough if the object is small, there's plenty of memory, and nothing is
 * to be read from swap.
 */
static void panthor_mmap_test_right_away(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long everything = totalram_pages();
	struct panthor_gem_object *large;
	unsigned long addr;
	u32 handle;

	addr = panthor_mmap_test_map_shared(test);
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY, panthor_mmap_test_nowait_fault(addr));
	KUNIT_EXPECT_NULL(test, t->bo->backing.pages);

	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_nowait_fault(addr));
	KUNIT_ASSERT_NOT_NULL(test, t->bo->backing.pages);
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr), page_to_pfn(t->bo->backing.pages[0]));

	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	KUNIT_ASSERT_TRUE(test, panthor_kunit_is_evicted(t->bo));
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY, panthor_mmap_test_nowait_fault(addr));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_evicted(t->bo));

	large = panthor_kunit_bo_with_handle(test, t->file, NULL, SZ_64K + PAGE_SIZE, &handle);
	addr = panthor_mmap_test_map(test, large, PROT_READ | PROT_WRITE, MAP_SHARED);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY, panthor_mmap_test_nowait_fault(addr));
	KUNIT_EXPECT_NULL(test, large->backing.pages);
}

/*
 * A fault that looks for memory has released the mmap lock, so others can unmap the
 * object, and close the file meanwhile. The device must not go away with that.
 */
static void panthor_mmap_test_keeps_file(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long everything = totalram_pages();
	unsigned long addr;
	long count;

	addr = panthor_mmap_test_map_shared(test);
	count = file_count(t->file);
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_mmap_test_look_at_file);
	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY,
			panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY));
	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, t->file_count, count + 1);
	KUNIT_EXPECT_EQ(test, file_count(t->file), count);
}

/* Private mappings that can be written to, and NO_MMAP objects, are refused. */
static void panthor_mmap_test_refused(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	addr = panthor_mmap_test_map(test, t->bo, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)-EINVAL);

	t->bo->flags |= DRM_PANTHOR_BO_NO_MMAP;
	addr = panthor_mmap_test_map(test, t->bo, PROT_READ | PROT_WRITE, MAP_SHARED);
	KUNIT_EXPECT_EQ(test, addr, (unsigned long)-EINVAL);

	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 0);
}

/* Unmap the first page. The others still are what they were. */
static void panthor_mmap_test_split(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 1);

	for (u32 i = 1; i < PANTHOR_KUNIT_BO_PAGES; i++) {
		KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE,
				panthor_mmap_test_fault(addr + i * PAGE_SIZE, 0));
		KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr + i * PAGE_SIZE),
				page_to_pfn(t->bo->backing.pages[i]));
	}
}

/* Unmap a page in the middle, then one of the two parts, then the other one. */
static void panthor_mmap_test_count(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(t->bo));
	addr = panthor_mmap_test_map_shared(test);

	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 2);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 1);
	KUNIT_EXPECT_EQ(test, t->bo->reclaim_state, PANTHOR_GEM_MMAPPED);
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(addr, PANTHOR_KUNIT_BO_SIZE));
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 0);
	KUNIT_EXPECT_EQ(test, t->bo->reclaim_state, PANTHOR_GEM_UNUSED);
}

/* Evict an object. CPUs don't see its pages anymore, until they look for them. */
static void panthor_mmap_test_evict(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	panthor_kunit_fill(test, t->bo, 1);
	addr = panthor_mmap_test_map_shared(test);
	KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, 0));
	KUNIT_EXPECT_NE(test, panthor_mmap_test_pfn(addr), 0);

	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t->bo->cmap.mmap_count), 1);

	KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, 0));
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr), page_to_pfn(t->bo->backing.pages[0]));
	KUNIT_EXPECT_EQ(test, t->bo->reclaim_state, PANTHOR_GEM_MMAPPED);
	KUNIT_EXPECT_EQ(test, panthor_kunit_check(test, t->bo, 1), 0);
}

/* Nobody takes useless faults because of an eviction that didn't happen. */
static void panthor_mmap_test_evict_fails(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	struct panthor_kunit_holder *holder;
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, 0));

	holder = panthor_kunit_hold_resv(test, t->bo->base.resv);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_NE(test, panthor_mmap_test_pfn(addr), 0);

	holder = panthor_kunit_hold_mutex(test, &t->bo->gpuva_list_lock);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_NE(test, panthor_mmap_test_pfn(addr), 0);
}

/*
 * Take a fault that's not supposed to wait while somebody else holds the
 * reservation. It gives up right away.
 */
static void panthor_mmap_test_nowait(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	struct panthor_kunit_holder *holder;
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(t->bo));

	holder = panthor_kunit_hold_resv(test, t->bo->base.resv);
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY,
			panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY |
						FAULT_FLAG_RETRY_NOWAIT));
	panthor_kunit_release(test, holder);
	KUNIT_EXPECT_EQ(test, panthor_mmap_test_pfn(addr), 0);
}

/* Fail to read the page. The fault fails, and the next one works. */
static void panthor_mmap_test_fault_fails(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	panthor_kunit_break_storage(t->bo);
	KUNIT_EXPECT_EQ(test, VM_FAULT_SIGBUS, panthor_mmap_test_fault(addr, 0));
	KUNIT_EXPECT_NULL(test, t->bo->backing.pages);
	panthor_kunit_mend_storage(t->bo);
	KUNIT_EXPECT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, 0));
	KUNIT_EXPECT_NE(test, panthor_mmap_test_pfn(addr), 0);
}

static int panthor_mmap_test_no_memory_stub(struct panthor_gem_object *bo, gfp_t gfp)
{
	return -ENOMEM;
}

/*
 * There's no memory. The access fails once that's known, which is when the fault is
 * retried, and the next one is a new attempt.
 */
static void panthor_mmap_test_no_memory(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long everything = totalram_pages();
	unsigned long addr;

	addr = panthor_mmap_test_map_shared(test);
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_mmap_test_no_memory_stub);
	KUNIT_EXPECT_EQ(test, VM_FAULT_SIGBUS, panthor_mmap_test_fault(addr, 0));

	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);
	KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY,
			panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY));
	KUNIT_EXPECT_EQ(test, VM_FAULT_SIGBUS,
			panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_TRIED));
	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);

	/* What it had got was worth nothing. */
	KUNIT_EXPECT_NULL(test, t->bo->backing.pages);
	KUNIT_EXPECT_EQ(test, 0, t->bo->base.filp->f_mapping->nrpages);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(t->bo->base.filp->f_mapping));
	KUNIT_EXPECT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, FAULT_FLAG_TRIED));
}

/* What has the protection of the VMA is read-only, so the difference can be seen. */
static void panthor_mmap_test_mark_vma(unsigned long addr)
{
	mmap_write_lock(current->mm);
	find_vma(current->mm, addr)->vm_page_prot = vm_get_page_prot(VM_READ | VM_SHARED);
	mmap_write_unlock(current->mm);
}

static bool panthor_mmap_test_is_cached(unsigned long addr)
{
	struct follow_pfnmap_args args = { .address = addr };
	bool writable = false;

	mmap_read_lock(current->mm);
	args.vma = find_vma(current->mm, addr);
	if (args.vma && !follow_pfnmap_start(&args)) {
		writable = args.writable;
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(current->mm);

	return writable;
}

static int panthor_mmap_test_mprotect(unsigned long addr)
{
	struct vm_area_struct *vma;
	int ret;

	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	ret = vma->vm_ops->mprotect(vma, vma->vm_start, vma->vm_end, VM_READ | VM_SHARED);
	mmap_write_unlock(current->mm);

	return ret;
}

/*
 * Take faults before and after the device went away, if the GPU doesn't snoop the CPU
 * caches. Pages that were written out of them are mapped write-combine, and stay that
 * way. Those that couldn't be are cached, and can't be made anything else.
 */
static void panthor_mmap_test_unplugged(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	unsigned long addr;

	ctx->ptdev->coherent = false;
	panthor_kunit_fill(test, t->bo, 1);
	addr = panthor_mmap_test_map_shared(test);
	panthor_mmap_test_mark_vma(addr);
	KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr, 0));
	KUNIT_EXPECT_FALSE(test, panthor_mmap_test_is_cached(addr));
	KUNIT_EXPECT_EQ(test, 0, panthor_mmap_test_mprotect(addr));

	panthor_kunit_unplug_device(test);
	KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE, panthor_mmap_test_fault(addr + PAGE_SIZE, 0));
	KUNIT_EXPECT_FALSE(test, panthor_mmap_test_is_cached(addr + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, panthor_mmap_test_mprotect(addr));

	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, VM_FAULT_NOPAGE,
				panthor_mmap_test_fault(addr + i * PAGE_SIZE, 0));
		KUNIT_EXPECT_TRUE(test, panthor_mmap_test_is_cached(addr + i * PAGE_SIZE));
	}
	KUNIT_EXPECT_EQ(test, -ENODEV, panthor_mmap_test_mprotect(addr));
	KUNIT_EXPECT_EQ(test, panthor_kunit_check(test, t->bo, 1), 0);
}

/*
 * Take a fault on an object that doesn't fit in memory, unless a VM gives back some. One
 * that doesn't fit anyway isn't worth that.
 */
static void panthor_mmap_test_room(struct kunit *test)
{
	unsigned long everything = totalram_pages();
	const unsigned long sizes[] = { everything, everything / 8 };
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;
	struct panthor_gem_object *bo, *large;
	unsigned long addr;
	u32 handle;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	addr = panthor_mmap_test_map_shared(test);
	KUNIT_EXPECT_EQ(test, VM_FAULT_NOPAGE,
			panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY));
	KUNIT_EXPECT_NOT_NULL(test, t->bo->backing.pages);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));

	atomic_long_add(everything, &ctx->ptdev->overcommit.claimed);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		large = panthor_kunit_bo_with_handle(test, t->file, NULL, sizes[i] << PAGE_SHIFT,
						     &handle);
		addr = panthor_mmap_test_map(test, large, PROT_READ | PROT_WRITE, MAP_SHARED);
		KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
		panthor_kunit_break_storage(large);
		KUNIT_EXPECT_EQ(test, VM_FAULT_RETRY,
				panthor_mmap_test_fault(addr, FAULT_FLAG_ALLOW_RETRY));
		KUNIT_EXPECT_EQ(test, i == 1, panthor_kunit_is_evicted(bo));
		panthor_kunit_mend_storage(large);
	}
	atomic_long_sub(everything, &ctx->ptdev->overcommit.claimed);
}

static ktime_t panthor_mmap_test_now(void)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	struct panthor_mmap_test *t = ctx->priv;

	return t->now;
}

/*
 * A process whose VM got its memory doesn't wait for the end of its own time slice when it takes
 * a fault. Others do.
 */
static void panthor_mmap_test_own_time_slice(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_overcommit *overcommit = &ctx->ptdev->overcommit;
	struct panthor_mmap_test *t = ctx->priv;

	panthor_mmap_test_map_shared(test);
	t->now = ktime_get();
	kunit_activate_static_stub(test, panthor_overcommit_now, panthor_mmap_test_now);

	KUNIT_ASSERT_EQ(test, 0, panthor_overcommit_enter(ctx->ptdev, vm));
	t->now = ktime_add_ms(t->now, MSEC_PER_SEC);
	panthor_overcommit_leave(ctx->ptdev, vm);
	KUNIT_EXPECT_EQ(test, 0, panthor_overcommit_delay(overcommit, NULL));
	overcommit->time_slice_mm = NULL;
	KUNIT_EXPECT_NE(test, 0, panthor_overcommit_delay(overcommit, NULL));
}

static int panthor_mmap_test_init(struct kunit *test)
{
	struct panthor_mmap_test *t;
	struct panthor_kunit *ctx;
	u32 handle;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_init(test));
	ctx = test->priv;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	ctx->priv = t;

	t->file = panthor_kunit_open(test);
	t->bo = panthor_kunit_bo_with_handle(test, t->file, NULL, PANTHOR_KUNIT_BO_SIZE,
					     &handle);
	return 0;
}

static struct kunit_case panthor_mmap_tests[] = {
	KUNIT_CASE(panthor_mmap_test_lazy),
	KUNIT_CASE(panthor_mmap_test_right_away),
	KUNIT_CASE(panthor_mmap_test_keeps_file),
	KUNIT_CASE(panthor_mmap_test_refused),
	KUNIT_CASE(panthor_mmap_test_split),
	KUNIT_CASE(panthor_mmap_test_count),
	KUNIT_CASE(panthor_mmap_test_evict),
	KUNIT_CASE(panthor_mmap_test_evict_fails),
	KUNIT_CASE(panthor_mmap_test_nowait),
	KUNIT_CASE(panthor_mmap_test_fault_fails),
	KUNIT_CASE(panthor_mmap_test_no_memory),
	KUNIT_CASE(panthor_mmap_test_unplugged),
	KUNIT_CASE(panthor_mmap_test_room),
	KUNIT_CASE(panthor_mmap_test_own_time_slice),
	{}
};

static struct kunit_suite panthor_mmap_test_suite = {
	.name = "panthor_gem_mmap",
	.init = panthor_mmap_test_init,
	.test_cases = panthor_mmap_tests,
};

kunit_test_suite(panthor_mmap_test_suite);
