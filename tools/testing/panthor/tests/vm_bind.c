// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronous VM_BIND: after each change of the address space the GPU sees
 * exactly what should be there. Everything twice: with 4 KiB granularity, and
 * with buffers and addresses aligned to 2 MiB, where block mappings are
 * possible if the memory happens to be contiguous.
 */
#include "pan_test.h"

FIXTURE(vm_bind) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo a;
	struct pan_bo b;
	__u64 seed_a;
	__u64 seed_b;
	__u64 unit;
	__u64 va;
};

FIXTURE_VARIANT(vm_bind) {
	__u64 unit;	/* buffers have eight of these; 0 for three pages */
	bool awake;	/* with the VM on an address space, or without */
};

FIXTURE_VARIANT_ADD(vm_bind, pages_asleep) {
	.awake = false,
};

FIXTURE_VARIANT_ADD(vm_bind, pages_awake) {
	.awake = true,
};

FIXTURE_VARIANT_ADD(vm_bind, blocks_awake) {
	.unit = PAN_SZ_1M,
	.awake = true,
};

static void create_filled(struct __test_metadata *_metadata, FIXTURE_DATA(vm_bind) *self,
			  struct pan_bo *bo, __u64 seed)
{
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 8 * self->unit, 0, NULL, bo));
	bo->va = pan_vm_alloc_va(&self->ctx.vm, bo->size, PAN_SZ_2M);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, bo, 0, bo->va, bo->size, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo->va, bo->size, seed));
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, bo->va, bo->size));
}

FIXTURE_SETUP(vm_bind)
{
	PAN_ENV_SETUP(&self->env);
	self->unit = variant->unit ? variant->unit : 3 * PAN_PAGE_SIZE;
	self->seed_a = pan_rand(&self->env.rand);
	self->seed_b = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	create_filled(_metadata, self, &self->a, self->seed_a);
	create_filled(_metadata, self, &self->b, self->seed_b);
	self->va = pan_vm_alloc_va(&self->ctx.vm, 16 * self->unit, PAN_SZ_2M);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, variant->awake));
	if (!variant->awake)
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
}

FIXTURE_TEARDOWN(vm_bind)
{
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->a));
	EXPECT_EQ(0, pan_bo_close(&self->b));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int map(FIXTURE_DATA(vm_bind) *self, const struct pan_bo *bo,
	       __u64 offset, __u64 at, __u64 size)
{
	return pan_vm_map(&self->ctx.vm, bo, offset * self->unit, self->va + at * self->unit,
			  size * self->unit, 0);
}

static int unmap(FIXTURE_DATA(vm_bind) *self, __u64 at, __u64 size)
{
	return pan_vm_unmap(&self->ctx.vm, self->va + at * self->unit, size * self->unit);
}

/* Seed of a pattern that begins @offset bytes later than that of @seed. */
static __u64 seed_at(__u64 seed, __u64 offset)
{
	return seed + offset / sizeof(__u64) * 0x9e3779b97f4a7c15ULL;
}

/* Units [at, at + size) show the buffer's units from @offset on. */
static void expect_shown(struct __test_metadata *_metadata, FIXTURE_DATA(vm_bind) *self,
			 const struct pan_bo *bo, __u64 offset, __u64 at, __u64 size)
{
	__u64 seed = bo == &self->a ? self->seed_a : self->seed_b, wrong = ~0ULL;

	EXPECT_EQ(0, pan_gpu_verify(&self->ctx, self->va + at * self->unit, size * self->unit,
				    seed_at(seed, offset * self->unit), &wrong));
	EXPECT_EQ(0, wrong);
}

/* The first and the last page of a hole fault. Each costs a group. */
static void expect_hole(struct __test_metadata *_metadata, FIXTURE_DATA(vm_bind) *self,
			__u64 at, __u64 size)
{
	__u64 first = self->va + at * self->unit, last = first + size * self->unit - 8;
	__u64 seen;

	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, first, &seen));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, last, &seen));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
}

TEST_F(vm_bind, whole_buffer)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	expect_shown(_metadata, self, &self->a, 0, 0, 8);
	ASSERT_EQ(0, unmap(self, 0, 8));
	expect_hole(_metadata, self, 0, 8);
}

TEST_F(vm_bind, part_of_a_buffer)
{
	ASSERT_EQ(0, map(self, &self->a, 2, 0, 4));
	expect_shown(_metadata, self, &self->a, 2, 0, 4);
	expect_hole(_metadata, self, 4, 1);
	ASSERT_EQ(0, map(self, &self->a, 5, 8, 3));
	expect_shown(_metadata, self, &self->a, 5, 8, 3);
}

TEST_F(vm_bind, unmap_the_middle)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	ASSERT_EQ(0, unmap(self, 3, 2));
	expect_shown(_metadata, self, &self->a, 0, 0, 3);
	expect_hole(_metadata, self, 3, 2);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
}

TEST_F(vm_bind, unmap_both_ends)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	ASSERT_EQ(0, unmap(self, 0, 1));
	ASSERT_EQ(0, unmap(self, 7, 1));
	expect_shown(_metadata, self, &self->a, 1, 1, 6);
	expect_hole(_metadata, self, 0, 1);
	expect_hole(_metadata, self, 7, 1);
}

/* One page at each end and one in the middle: splits any block. */
TEST_F(vm_bind, unmap_single_pages)
{
	__u64 size = 8 * self->unit, page = PAN_PAGE_SIZE, wrong = ~0ULL, seen;
	struct pan_vm *vm = &self->ctx.vm;

	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	ASSERT_EQ(0, pan_vm_unmap(vm, self->va, page));
	ASSERT_EQ(0, pan_vm_unmap(vm, self->va + size - page, page));
	ASSERT_EQ(0, pan_vm_unmap(vm, self->va + size / 2, page));

	EXPECT_EQ(0, pan_gpu_verify(&self->ctx, self->va + page, size / 2 - page,
				    seed_at(self->seed_a, page), &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_gpu_verify(&self->ctx, self->va + size / 2 + page, size / 2 - 2 * page,
				    seed_at(self->seed_a, size / 2 + page), &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, self->va + size / 2, &seen));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
}

TEST_F(vm_bind, map_over_the_middle)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	ASSERT_EQ(0, map(self, &self->b, 1, 2, 3));
	expect_shown(_metadata, self, &self->a, 0, 0, 2);
	expect_shown(_metadata, self, &self->b, 1, 2, 3);
	expect_shown(_metadata, self, &self->a, 5, 5, 3);
}

TEST_F(vm_bind, map_over_two_neighbours)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 0, 8));
	ASSERT_EQ(0, map(self, &self->b, 0, 8, 8));
	ASSERT_EQ(0, map(self, &self->a, 0, 6, 4));
	expect_shown(_metadata, self, &self->a, 0, 0, 6);
	expect_shown(_metadata, self, &self->a, 0, 6, 4);
	expect_shown(_metadata, self, &self->b, 2, 10, 6);
}

TEST_F(vm_bind, map_over_everything)
{
	ASSERT_EQ(0, map(self, &self->a, 1, 1, 2));
	ASSERT_EQ(0, map(self, &self->a, 4, 5, 2));
	ASSERT_EQ(0, map(self, &self->b, 0, 0, 8));
	expect_shown(_metadata, self, &self->b, 0, 0, 8);
}

TEST_F(vm_bind, unmap_more_than_there_is)
{
	ASSERT_EQ(0, map(self, &self->a, 0, 2, 2));
	ASSERT_EQ(0, map(self, &self->b, 0, 6, 2));
	ASSERT_EQ(0, unmap(self, 0, 16));
	expect_hole(_metadata, self, 2, 2);
	expect_hole(_metadata, self, 6, 2);
	ASSERT_EQ(0, unmap(self, 0, 16));
}

/* Several operations of one ioctl are done in order. */
TEST_F(vm_bind, many_operations)
{
	__u64 u = self->unit, va = self->va;
	struct drm_panthor_vm_bind_op ops[] = {
		pan_op_map(&self->a, 0, va, 8 * u, 0),
		pan_op_unmap(va + 2 * u, 4 * u),
		pan_op_map(&self->b, 4 * u, va + 3 * u, 2 * u, 0),
		pan_op_unmap(va + 7 * u, u),
	};
	__u32 done = 0;

	ASSERT_EQ(0, pan_vm_bind(&self->ctx.vm, 0, ops, ARRAY_SIZE(ops), &done));
	EXPECT_EQ(ARRAY_SIZE(ops), done);
	expect_shown(_metadata, self, &self->a, 0, 0, 2);
	expect_shown(_metadata, self, &self->b, 4, 3, 2);
	expect_shown(_metadata, self, &self->a, 6, 6, 1);
	expect_hole(_metadata, self, 2, 1);
	expect_hole(_metadata, self, 7, 1);
}

/* The first operation that fails ends it, what went before it stays. */
TEST_F(vm_bind, operation_fails_half_way)
{
	__u64 u = self->unit, va = self->va;
	struct drm_panthor_vm_bind_op ops[] = {
		pan_op_map(&self->a, 0, va, 2 * u, 0),
		pan_op_map(&self->a, 7 * u, va + 2 * u, 2 * u, 0),
		pan_op_unmap(va, 2 * u),
	};
	__u32 done = 0;

	EXPECT_EQ(-EINVAL, pan_vm_bind(&self->ctx.vm, 0, ops, ARRAY_SIZE(ops), &done));
	EXPECT_EQ(1, done);
	expect_shown(_metadata, self, &self->a, 0, 0, 2);
}

/* A random walk over the address space, checked against a plain array. */
TEST_F(vm_bind, random_changes)
{
	struct { const struct pan_bo *bo; __u64 offset; } shown[16] = {};
	__u64 at, size, offset, i, step;

	for (step = 0; step < 25; step++) {
		const struct pan_bo *bo = pan_rand(&self->env.rand) & 1 ? &self->a : &self->b;

		at = pan_rand(&self->env.rand) % 16;
		size = 1 + pan_rand(&self->env.rand) % 8;
		if (at + size > 16)
			size = 16 - at;
		offset = pan_rand(&self->env.rand) % (9 - size);
		if (pan_rand(&self->env.rand) % 3) {
			ASSERT_EQ(0, map(self, bo, offset, at, size));
		} else {
			ASSERT_EQ(0, unmap(self, at, size));
			bo = NULL;
		}
		for (i = 0; i < size; i++) {
			shown[at + i].bo = bo;
			shown[at + i].offset = offset + i;
		}
	}
	for (i = 0; i < 16; i++) {
		if (shown[i].bo)
			expect_shown(_metadata, self, shown[i].bo, shown[i].offset, i, 1);
		else
			expect_hole(_metadata, self, i, 1);
	}
}

TEST_HARNESS_MAIN
