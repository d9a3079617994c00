// SPDX-License-Identifier: GPL-2.0 or MIT

/*
 * KUnit test suite for the reclaim state of GEM objects: what changes it, which
 * list this puts the object in, and what's counted.
 */

#include <drm/drm_gpuvm.h>

#include "panthor_kunit_helpers.h"

/* What can happen to an object. */
enum panthor_state_event {
	END,
	POPULATE,
	PIN,
	UNPIN,
	MMAP,
	MUNMAP,
	MAP_A,
	MAP_A_AGAIN,
	MAP_B,
	UNMAP_A,
	UNMAP_A_AGAIN,
	UNMAP_A_HALF,
	UNMAP_B,
	/* Keep the vm_bo of VM A after its last mapping is gone, and let it go. */
	HOLD_VM_BO,
	DROP_VM_BO,
	/* Everything can be locked. */
	EVICT,
	/* Somebody is using VM A or B. */
	EVICT_A_LOCKED,
	EVICT_B_LOCKED,
	/* The GPU doesn't respond, with VM A being known to it, and is reset later. */
	EVICT_A_STUCK,
	RESET,
	/* Submit a job, which is done by the time the next event happens. */
	SUBMIT_A,
	SUBMIT_B,
	/* Same as above, but the memory can't be read back. */
	SUBMIT_A_FAIL,
};

#define UNUSED	PANTHOR_GEM_UNUSED
#define MMAPPED	PANTHOR_GEM_MMAPPED
#define IN_VM	PANTHOR_GEM_GPU_MAPPED_VM
#define SHARED	PANTHOR_GEM_GPU_MAPPED_SHARED
#define UNRECL	PANTHOR_GEM_UNRECLAIMABLE

/**
 * struct panthor_state_step - Something that happens, and what results
 */
struct panthor_state_step {
	/** @event: What happens. */
	enum panthor_state_event event;

	/** @state: State after that. */
	enum panthor_gem_reclaim_state state;

	/** @vm: VM the object is listed in, 'A' or 'B', with the IN_VM state. */
	char vm;
};

/**
 * struct panthor_state_case - A sequence of steps
 */
struct panthor_state_case {
	/** @desc: Description. */
	const char *desc;

	/** @steps: Steps, the object being created before the first one. */
	struct panthor_state_step steps[16];
};

static const struct panthor_state_case panthor_state_cases[] = {
	{
		"populate then evict",
		{
			{ POPULATE, UNUSED },
			{ EVICT, UNRECL },
			{ POPULATE, UNUSED },
		},
	}, {
		"populate twice",
		{
			{ POPULATE, UNUSED },
			{ POPULATE, UNUSED },
		},
	}, {
		"evict with nothing to evict",
		{
			{ EVICT, UNRECL },
			{ MMAP, UNRECL },
			{ EVICT, UNRECL },
			{ MUNMAP, UNRECL },
		},
	}, {
		"pins nest",
		{
			{ PIN, UNRECL },
			{ PIN, UNRECL },
			{ UNPIN, UNRECL },
			{ UNPIN, UNUSED },
		},
	}, {
		"pinned objects stay",
		{
			{ PIN, UNRECL },
			{ EVICT, UNRECL },
			{ UNPIN, UNUSED },
			{ EVICT, UNRECL },
			{ PIN, UNRECL },
			{ UNPIN, UNUSED },
		},
	}, {
		"pin while mapped",
		{
			{ POPULATE, UNUSED },
			{ MMAP, MMAPPED },
			{ PIN, UNRECL },
			{ UNPIN, MMAPPED },
			{ MAP_A, IN_VM, 'A' },
			{ PIN, UNRECL },
			{ EVICT, UNRECL },
			{ UNPIN, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ PIN, UNRECL },
			{ UNPIN, SHARED },
		},
	}, {
		"CPU mappings nest",
		{
			{ POPULATE, UNUSED },
			{ MMAP, MMAPPED },
			{ MMAP, MMAPPED },
			{ MUNMAP, MMAPPED },
			{ MUNMAP, UNUSED },
		},
	}, {
		"CPU mappings survive an eviction",
		{
			{ MMAP, UNRECL },
			{ POPULATE, MMAPPED },
			{ EVICT, UNRECL },
			{ POPULATE, MMAPPED },
			{ EVICT, UNRECL },
			{ MUNMAP, UNRECL },
			{ POPULATE, UNUSED },
		},
	}, {
		"GPU mappings win over CPU mappings",
		{
			{ MMAP, UNRECL },
			{ MAP_A, IN_VM, 'A' },
			{ MUNMAP, IN_VM, 'A' },
			{ MMAP, IN_VM, 'A' },
			{ UNMAP_A, MMAPPED },
			{ MUNMAP, UNUSED },
		},
	}, {
		"map and unmap in one VM",
		{
			{ MAP_A, IN_VM, 'A' },
			{ UNMAP_A, UNUSED },
			{ MAP_B, IN_VM, 'B' },
			{ UNMAP_B, UNUSED },
		},
	}, {
		"several mappings in one VM",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_A_AGAIN, IN_VM, 'A' },
			{ UNMAP_A, IN_VM, 'A' },
			{ UNMAP_A_AGAIN, UNUSED },
		},
	}, {
		"partial unmap",
		{
			{ MAP_A, IN_VM, 'A' },
			{ UNMAP_A_HALF, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ UNMAP_A, UNUSED },
		},
	}, {
		"map and unmap in two VMs",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ UNMAP_A, IN_VM, 'B' },
			{ MAP_A, SHARED },
			{ UNMAP_B, IN_VM, 'A' },
			{ UNMAP_A, UNUSED },
		},
	}, {
		"evict and restore in one VM",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ SUBMIT_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_B, UNRECL },
			{ UNMAP_A, UNRECL },
			{ SUBMIT_A, UNRECL },
			{ POPULATE, UNUSED },
		},
	}, {
		"evict and restore in two VMs",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ SUBMIT_B, SHARED },
			{ EVICT, UNRECL },
			{ SUBMIT_B, IN_VM, 'B' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ UNMAP_B, IN_VM, 'A' },
			{ UNMAP_A, UNUSED },
		},
	}, {
		"evicted, then needed by a CPU",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MMAP, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ POPULATE, MMAPPED },
			{ EVICT, UNRECL },
			{ POPULATE, MMAPPED },
			{ MUNMAP, UNUSED },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"evicted, then mapped again",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ MAP_A_AGAIN, IN_VM, 'A' },
			{ UNMAP_A_AGAIN, UNUSED },
			{ EVICT, UNRECL },
			{ MAP_A_AGAIN, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ UNMAP_A, IN_VM, 'A' },
			{ UNMAP_A_AGAIN, UNUSED },
		},
	}, {
		"evicted, then replaced by a new mapping",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ MAP_A, IN_VM, 'A' },
			{ SUBMIT_A, IN_VM, 'A' },
			{ UNMAP_A, UNUSED },
		},
	}, {
		"evicted, then mapped in another VM",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ MAP_B, IN_VM, 'B' },
			{ SUBMIT_A, SHARED },
			{ UNMAP_B, IN_VM, 'A' },
		},
	}, {
		"evicted, pinned, and restored",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ PIN, UNRECL },
			{ SUBMIT_A, UNRECL },
			{ UNPIN, IN_VM, 'A' },
		},
	}, {
		"failed restore",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A_FAIL, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"the VM is in use",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT_A_LOCKED, IN_VM, 'A' },
			{ EVICT_B_LOCKED, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"one of two VMs is in use",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ EVICT_B_LOCKED, IN_VM, 'B' },
			{ EVICT_B_LOCKED, IN_VM, 'B' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
			{ SUBMIT_B, SHARED },
		},
	}, {
		"partially evicted, then restored",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ EVICT_B_LOCKED, IN_VM, 'B' },
			{ SUBMIT_A, SHARED },
			{ EVICT_B_LOCKED, IN_VM, 'B' },
			{ UNMAP_B, UNUSED },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"the GPU doesn't respond",
		{
			{ MAP_A, IN_VM, 'A' },
			{ EVICT_A_STUCK, IN_VM, 'A' },
			{ EVICT, IN_VM, 'A' },
			{ SUBMIT_A, IN_VM, 'A' },
			{ EVICT, IN_VM, 'A' },
			{ RESET, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"the GPU doesn't respond, and is reset",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MMAP, IN_VM, 'A' },
			{ EVICT_A_STUCK, IN_VM, 'A' },
			{ RESET, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, IN_VM, 'A' },
		},
	}, {
		"the GPU doesn't respond, two VMs",
		{
			{ MAP_A, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ EVICT_A_STUCK, SHARED },
			{ UNMAP_B, IN_VM, 'A' },
			{ EVICT, IN_VM, 'A' },
			{ RESET, IN_VM, 'A' },
			{ EVICT, UNRECL },
		},
	}, {
		"vm_bo with no mapping",
		{
			{ MAP_A, IN_VM, 'A' },
			{ HOLD_VM_BO, IN_VM, 'A' },
			{ UNMAP_A, IN_VM, 'A' },
			{ DROP_VM_BO, UNUSED },
		},
	}, {
		"vm_bo with no mapping is evicted",
		{
			{ MAP_A, IN_VM, 'A' },
			{ HOLD_VM_BO, IN_VM, 'A' },
			{ UNMAP_A, IN_VM, 'A' },
			{ EVICT, UNRECL },
			{ SUBMIT_A, UNRECL },
			{ DROP_VM_BO, UNRECL },
		},
	}, {
		"vm_bo with no mapping, next to another VM",
		{
			{ MAP_A, IN_VM, 'A' },
			{ HOLD_VM_BO, IN_VM, 'A' },
			{ MAP_B, SHARED },
			{ UNMAP_A, SHARED },
			{ EVICT, UNRECL },
			{ DROP_VM_BO, UNRECL },
			{ SUBMIT_B, IN_VM, 'B' },
		},
	},
};

static void panthor_state_case_desc(const struct panthor_state_case *c, char *desc)
{
	strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(panthor_state, panthor_state_cases, panthor_state_case_desc);

/**
 * struct panthor_state_test - What things happen to
 */
struct panthor_state_test {
	/** @vms: VMs A and B. */
	struct panthor_vm *vms[2];

	/** @bo: Object, which is not private to any of these VMs. */
	struct panthor_gem_object *bo;

	/** @vm_bo: vm_bo being held. */
	struct drm_gpuvm_bo *vm_bo;
};

/* VM A uses the first two addresses, VM B the third. */
static int panthor_state_unmap(struct panthor_state_test *t, u32 vm, u32 va)
{
	return panthor_vm_unmap_range(t->vms[vm], PANTHOR_KUNIT_VA(va), PANTHOR_KUNIT_BO_SIZE);
}

static void panthor_state_hold_vm_bo(struct panthor_state_test *t)
{
	struct drm_gpuvm_bo *vm_bo;

	mutex_lock(&t->bo->gpuva_list_lock);
	drm_gem_for_each_gpuvm_bo(vm_bo, &t->bo->base) {
		if (panthor_vm_bo_vm(vm_bo) == t->vms[0])
			t->vm_bo = drm_gpuvm_bo_get(vm_bo);
	}
	mutex_unlock(&t->bo->gpuva_list_lock);
}

static void panthor_state_drop_vm_bo(void *data)
{
	struct panthor_state_test *t = data;

	if (t->vm_bo)
		panthor_vm_bo_put(t->vm_bo);

	t->vm_bo = NULL;
}

static int panthor_state_evict_locked(struct kunit *test, struct panthor_vm *vm)
{
	struct panthor_kunit_holder *holder;

	holder = panthor_kunit_hold_mutex(test, panthor_kunit_vm_op_lock(vm));
	panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
	panthor_kunit_release(test, holder);

	return 0;
}

static int panthor_state_evict_stuck(struct kunit *test, struct panthor_vm *vm)
{
	struct panthor_kunit *ctx = test->priv;

	panthor_kunit_vm_set_as(vm, 1);
	ctx->mmu_op_ret = -ETIMEDOUT;
	panthor_kunit_scan(test, PANTHOR_KUNIT_BO_PAGES);
	ctx->mmu_op_ret = 0;
	panthor_kunit_vm_set_as(vm, -1);

	return 0;
}

static int panthor_state_submit_fail(struct kunit *test, struct panthor_state_test *t)
{
	int ret;

	panthor_kunit_break_storage(t->bo);
	ret = panthor_kunit_submit(t->vms[0], NULL);
	panthor_kunit_mend_storage(t->bo);

	return ret < 0 ? 0 : -EINVAL;
}

static int panthor_state_do(struct kunit *test, struct panthor_state_test *t,
			    enum panthor_state_event event)
{
	switch (event) {
	case END:
		return 0;
	case POPULATE:
		return panthor_kunit_populate(t->bo);
	case PIN:
		return panthor_gem_pin(t->bo);
	case UNPIN:
		panthor_gem_unpin(t->bo);
		return 0;
	case MMAP:
		panthor_kunit_mmap_get(t->bo);
		return 0;
	case MUNMAP:
		panthor_kunit_mmap_put(t->bo);
		return 0;
	case MAP_A:
		return panthor_kunit_map(t->vms[0], t->bo, PANTHOR_KUNIT_VA(0));
	case MAP_A_AGAIN:
		return panthor_kunit_map(t->vms[0], t->bo, PANTHOR_KUNIT_VA(1));
	case MAP_B:
		return panthor_kunit_map(t->vms[1], t->bo, PANTHOR_KUNIT_VA(2));
	case UNMAP_A:
		return panthor_state_unmap(t, 0, 0);
	case UNMAP_A_AGAIN:
		return panthor_state_unmap(t, 0, 1);
	case UNMAP_A_HALF:
		return panthor_kunit_unmap_part(t->vms[0], PANTHOR_KUNIT_VA(0),
						PANTHOR_KUNIT_BO_SIZE / 2);
	case UNMAP_B:
		return panthor_state_unmap(t, 1, 2);
	case HOLD_VM_BO:
		panthor_state_hold_vm_bo(t);
		return 0;
	case DROP_VM_BO:
		panthor_state_drop_vm_bo(t);
		return 0;
	case EVICT:
		panthor_kunit_scan(test, PANTHOR_KUNIT_ALL);
		return 0;
	case EVICT_A_LOCKED:
		return panthor_state_evict_locked(test, t->vms[0]);
	case EVICT_B_LOCKED:
		return panthor_state_evict_locked(test, t->vms[1]);
	case EVICT_A_STUCK:
		return panthor_state_evict_stuck(test, t->vms[0]);
	case RESET:
		panthor_kunit_mmu_reset(((struct panthor_kunit *)test->priv)->ptdev);
		return 0;
	case SUBMIT_A:
		return panthor_kunit_submit(t->vms[0], NULL);
	case SUBMIT_B:
		return panthor_kunit_submit(t->vms[1], NULL);
	case SUBMIT_A_FAIL:
		return panthor_state_submit_fail(test, t);
	}

	return -EINVAL;
}

static struct drm_gem_lru *panthor_state_lru(struct kunit *test, struct panthor_state_test *t,
					     const struct panthor_state_step *step)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;

	switch (step->state) {
	case PANTHOR_GEM_UNUSED:
		return &reclaim->root.unused;
	case PANTHOR_GEM_MMAPPED:
		return &reclaim->root.mmapped;
	case PANTHOR_GEM_GPU_MAPPED_VM:
		return &panthor_vm_reclaim(t->vms[step->vm - 'A'])->lru.lru;
	case PANTHOR_GEM_GPU_MAPPED_SHARED:
		return &reclaim->root.shared;
	case PANTHOR_GEM_UNRECLAIMABLE:
		break;
	}

	return NULL;
}

static void panthor_state_check(struct kunit *test, struct panthor_state_test *t,
				const struct panthor_state_step *step)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_reclaim *reclaim = &ctx->ptdev->reclaim;
	struct drm_gem_lru *expected = panthor_state_lru(test, t, step);
	struct drm_gem_lru *lrus[] = {
		&reclaim->root.unused,
		&reclaim->root.mmapped,
		&panthor_vm_reclaim(t->vms[0])->lru.lru,
		&panthor_vm_reclaim(t->vms[1])->lru.lru,
		&reclaim->root.shared,
	};

	KUNIT_EXPECT_PTR_EQ(test, t->bo->base.lru, expected);

	for (u32 i = 0; i < ARRAY_SIZE(lrus); i++) {
		long pages = lrus[i] == expected ? PANTHOR_KUNIT_BO_PAGES : 0;

		KUNIT_EXPECT_EQ_MSG(test, lrus[i]->count, pages, "list %u", i);
		KUNIT_EXPECT_EQ_MSG(test, list_empty(&lrus[i]->list), !pages, "list %u", i);
	}

	KUNIT_EXPECT_EQ(test, reclaim->nr_pages,
			step->state == PANTHOR_GEM_UNRECLAIMABLE ? 0 : PANTHOR_KUNIT_BO_PAGES);

	for (u32 i = 0; i < ARRAY_SIZE(t->vms); i++)
		KUNIT_EXPECT_EQ_MSG(test, list_empty(&panthor_vm_reclaim(t->vms[i])->lru.node),
				    &panthor_vm_reclaim(t->vms[i])->lru.lru != expected,
				    "VM %u", i);
}

/*
 * Let a sequence of things happen to an object. After each of them, it's in the
 * state, and in the list it should be in, all lists and totals have the right
 * number of pages, and only VMs with something to reclaim are in the VM list.
 */
static void panthor_state_test_sequence(struct kunit *test)
{
	const struct panthor_state_case *c = test->param_value;
	struct panthor_state_test *t;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->vms[0] = panthor_kunit_vm(test);
	t->vms[1] = panthor_kunit_vm(test);
	t->bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_state_drop_vm_bo, t));

	for (u32 i = 0; i < ARRAY_SIZE(c->steps) && c->steps[i].event != END; i++) {
		const struct panthor_state_step *step = &c->steps[i];

		kunit_info(test, "step %u\n", i);
		KUNIT_ASSERT_EQ_MSG(test, 0, panthor_state_do(test, t, step->event),
				    "step %u", i);
		KUNIT_EXPECT_EQ_MSG(test, t->bo->reclaim_state, step->state, "step %u", i);
		panthor_state_check(test, t, step);
	}

	while (t->bo->backing.pin_count)
		panthor_gem_unpin(t->bo);
	while (atomic_read(&t->bo->cmap.mmap_count))
		panthor_kunit_mmap_put(t->bo);
}

static struct kunit_case panthor_state_tests[] = {
	KUNIT_CASE_PARAM(panthor_state_test_sequence, panthor_state_gen_params),
	{}
};

static struct kunit_suite panthor_state_test_suite = {
	.name = "panthor_reclaim_state",
	.init = panthor_kunit_init,
	.test_cases = panthor_state_tests,
};

kunit_test_suite(panthor_state_test_suite);
