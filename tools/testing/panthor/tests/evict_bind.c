// SPDX-License-Identifier: GPL-2.0
/*
 * VM_BIND on evicted mappings: unmap parts, map over them, map elsewhere, in
 * the ioctl and on the VM's queue, and evict again what is left. Case 7.
 */
#include "evict.h"

#define UNITS	8

FIXTURE(evict_bind) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo a;
	struct pan_bo b;
	__u64 seed_a;
	__u64 seed_b;
	__u64 unit;
	__u64 va;
	__u64 faults;
	__u32 bound;
	bool async;
};

FIXTURE_VARIANT(evict_bind) {
	__u64 unit;	/* 0 for three pages */
	bool async;
	bool awake;
};

FIXTURE_VARIANT_ADD(evict_bind, sync_asleep) {
	.async = false,
	.awake = false,
};

FIXTURE_VARIANT_ADD(evict_bind, sync_awake) {
	.async = false,
	.awake = true,
};

FIXTURE_VARIANT_ADD(evict_bind, async_awake) {
	.async = true,
	.awake = true,
};

FIXTURE_VARIANT_ADD(evict_bind, blocks_sync) {
	.unit = PAN_SZ_1M / 2,
	.async = false,
	.awake = true,
};

FIXTURE_VARIANT_ADD(evict_bind, blocks_async) {
	.unit = PAN_SZ_1M / 2,
	.async = true,
	.awake = true,
};

/* Seed of a pattern that begins @offset bytes later than that of @seed. */
static __u64 seed_at(__u64 seed, __u64 offset)
{
	return seed + offset / sizeof(__u64) * 0x9e3779b97f4a7c15ULL;
}

static int bind_now(FIXTURE_DATA(evict_bind) *self, struct drm_panthor_vm_bind_op op)
{
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound);
	int ret;

	if (!self->async)
		return pan_vm_bind(&self->ctx.vm, 0, &op, 1, NULL);
	op.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &signal);
	ret = pan_vm_bind_async(&self->ctx.vm, &op, 1);
	return ret ? ret : pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS);
}

static int map(FIXTURE_DATA(evict_bind) *self, const struct pan_bo *bo,
	       __u64 offset, __u64 at, __u64 size)
{
	return bind_now(self, pan_op_map(bo, offset * self->unit, self->va + at * self->unit,
					 size * self->unit, 0));
}

static int unmap(FIXTURE_DATA(evict_bind) *self, __u64 at, __u64 size)
{
	return bind_now(self, pan_op_unmap(self->va + at * self->unit, size * self->unit));
}

static void expect_shown(struct __test_metadata *_metadata, FIXTURE_DATA(evict_bind) *self,
			 const struct pan_bo *bo, __u64 offset, __u64 at, __u64 size)
{
	__u64 seed = bo == &self->a ? self->seed_a : self->seed_b;

	EXPECT_GPU_SEES(&self->ctx, self->va + at * self->unit, size * self->unit,
			seed_at(seed, offset * self->unit));
}

static void expect_hole(struct __test_metadata *_metadata, FIXTURE_DATA(evict_bind) *self,
			__u64 at, __u64 size)
{
	__u64 first = self->va + at * self->unit, last = first + size * self->unit - 8, seen;

	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, first, &seen));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, last, &seen));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	self->faults = PAN_COUNTER("faults");
}

/* Buffer a is one page larger than b, so that gems tells them apart. */
static void create_filled(struct __test_metadata *_metadata, FIXTURE_DATA(evict_bind) *self,
			  struct pan_bo *bo, __u64 extra, __u64 seed)
{
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, UNITS * self->unit + extra, 0, NULL, bo));
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, bo, 0, self->va, bo->size, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->va, bo->size, seed));
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->va, bo->size));
}

FIXTURE_SETUP(evict_bind)
{
	EVICT_SETUP(self);
	self->unit = variant->unit ? variant->unit : 3 * PAN_PAGE_SIZE;
	self->async = variant->async;
	self->seed_a = pan_rand(&self->env.rand);
	self->seed_b = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, variant->awake));
	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &self->bound));
	self->va = pan_vm_alloc_va(&self->ctx.vm, 16 * self->unit, PAN_SZ_2M);
	create_filled(_metadata, self, &self->a, PAN_PAGE_SIZE, self->seed_a);
	create_filled(_metadata, self, &self->b, 2 * PAN_PAGE_SIZE, self->seed_b);

	/* Buffer a is mapped, has been used, and is evicted. */
	ASSERT_EQ(0, map(self, &self->a, 0, 0, UNITS));
	expect_shown(_metadata, self, &self->a, 0, 0, UNITS);
	if (!variant->awake)
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EVICT(&self->a);
	EXPECT_EVICTED(&self->a, 1);
	self->faults = PAN_COUNTER("faults");
}

FIXTURE_TEARDOWN(evict_bind)
{
	__u32 state = ~0U;

	EXPECT_EQ(0, pan_vm_state(&self->ctx.vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_bo_mmap(&self->a));
	EXPECT_EQ(0, pan_verify_edges(self->a.map, self->a.size, self->seed_a));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, self->bound));
	EXPECT_EQ(0, pan_bo_close(&self->a));
	EXPECT_EQ(0, pan_bo_close(&self->b));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_bind, unmap_the_middle)
{
	ASSERT_EQ(0, unmap(self, 3, 2));
	expect_shown(_metadata, self, &self->a, 0, 0, 3);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
	EVICT(&self->a);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
	expect_shown(_metadata, self, &self->a, 0, 0, 3);
	expect_hole(_metadata, self, 3, 2);
}

TEST_F(evict_bind, unmap_single_pages)
{
	__u64 page = PAN_PAGE_SIZE, size = UNITS * self->unit;

	ASSERT_EQ(0, bind_now(self, pan_op_unmap(self->va, page)));
	ASSERT_EQ(0, bind_now(self, pan_op_unmap(self->va + size / 2, page)));
	ASSERT_EQ(0, bind_now(self, pan_op_unmap(self->va + size - page, page)));
	EXPECT_GPU_SEES(&self->ctx, self->va + page, size / 2 - page,
			seed_at(self->seed_a, page));
	EVICT(&self->a);
	EXPECT_GPU_SEES(&self->ctx, self->va + size / 2 + page, size / 2 - 2 * page,
			seed_at(self->seed_a, size / 2 + page));
}

TEST_F(evict_bind, map_over_the_middle)
{
	ASSERT_EQ(0, map(self, &self->b, 1, 2, 3));
	expect_shown(_metadata, self, &self->b, 1, 2, 3);
	expect_shown(_metadata, self, &self->a, 0, 0, 2);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
	EVICT(&self->a);
	EVICT(&self->b);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
	expect_shown(_metadata, self, &self->b, 1, 2, 3);
	expect_shown(_metadata, self, &self->a, 0, 0, 2);
}

/* A buffer over itself, at another offset. */
TEST_F(evict_bind, map_itself_over_the_middle)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 4, 2));
	expect_shown(_metadata, self, &self->a, 0, 0, 4);
	expect_shown(_metadata, self, &self->a, 0, 4, 2);
	EVICT(&self->a);
	expect_shown(_metadata, self, &self->a, 6, 6, 2);
	expect_shown(_metadata, self, &self->a, 0, 4, 2);
}

TEST_F(evict_bind, map_elsewhere)
{
	ASSERT_EQ(0, map(self, &self->a, 2, UNITS, 4));
	expect_shown(_metadata, self, &self->a, 2, UNITS, 4);
	expect_shown(_metadata, self, &self->a, 0, 0, UNITS);
	EVICT(&self->a);
	expect_shown(_metadata, self, &self->a, 0, 0, UNITS);
	expect_shown(_metadata, self, &self->a, 2, UNITS, 4);
}

TEST_F(evict_bind, unmap_all_and_map_again)
{
	ASSERT_EQ(0, unmap(self, 0, UNITS));
	ASSERT_EQ(0, map(self, &self->a, 0, 0, UNITS));
	expect_shown(_metadata, self, &self->a, 0, 0, UNITS);
	EVICT(&self->a);
	ASSERT_EQ(0, unmap(self, 0, UNITS));
	expect_hole(_metadata, self, 0, UNITS);
	EVICT(&self->a);
}

/* Everything evicted, everything replaced. */
/* What cannot be mapped is refused before anybody has to make room for it. */
TEST_F(evict_bind, refused_brings_nothing_back)
{
	struct drm_panthor_vm_bind_op ops[] = {
		pan_op_map(&self->a, 0, self->va, self->a.size + PAN_PAGE_SIZE, 0),
		pan_op_map(&self->a, self->a.size, self->va, PAN_PAGE_SIZE, 0),
		pan_op_map(&self->a, 0, self->va, PAN_PAGE_SIZE, 0x100),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_EQ(-EINVAL, bind_now(self, ops[i]));
	EXPECT_EVICTED(&self->a, 1);
	expect_shown(_metadata, self, &self->a, 0, 0, UNITS);
}

TEST_F(evict_bind, replace_all)
{
	ASSERT_EQ(0, map(self, &self->b, 0, 0, UNITS));
	expect_shown(_metadata, self, &self->b, 0, 0, UNITS);
	EVICT(&self->a);
	EVICT(&self->b);
	expect_shown(_metadata, self, &self->b, 0, 0, UNITS);
}

/* A random walk with evictions in between, checked against a plain array. */
TEST_F(evict_bind, random_changes)
{
	struct { const struct pan_bo *bo; __u64 offset; } shown[16] = {};
	__u64 at, size, offset, i;
	int step;

	for (i = 0; i < UNITS; i++) {
		shown[i].bo = &self->a;
		shown[i].offset = i;
	}
	for (step = 0; step < 20; step++) {
		const struct pan_bo *bo = pan_rand(&self->env.rand) & 1 ? &self->a : &self->b;
		__u64 action = pan_rand(&self->env.rand) % 6;

		at = pan_rand(&self->env.rand) % 16;
		size = 1 + pan_rand(&self->env.rand) % 6;
		if (at + size > 16)
			size = 16 - at;
		offset = pan_rand(&self->env.rand) % (UNITS + 1 - size);
		if (action == 0) {
			ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
			continue;
		}
		if (action == 1) {
			if (shown[at].bo)
				expect_shown(_metadata, self, shown[at].bo, shown[at].offset,
					     at, 1);
			continue;
		}
		if (action == 2)
			bo = NULL;
		ASSERT_EQ(0, bo ? map(self, bo, offset, at, size) : unmap(self, at, size));
		for (i = 0; i < size; i++) {
			shown[at + i].bo = bo;
			shown[at + i].offset = offset + i;
		}
	}
	EVICT(&self->a);
	for (i = 0; i < 16; i++) {
		if (shown[i].bo)
			expect_shown(_metadata, self, shown[i].bo, shown[i].offset, i, 1);
		else
			expect_hole(_metadata, self, i, 1);
	}
}

TEST_HARNESS_MAIN
