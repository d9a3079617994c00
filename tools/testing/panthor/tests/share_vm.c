// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in several VMs, and VMs that have nothing to do with each other.
 */
#include "pan_test.h"

#define SIZE	(19 * PAN_PAGE_SIZE)

FIXTURE(share_vm) {
	struct pan_env env;
	struct pan_ctx a;
	struct pan_ctx b;
};

FIXTURE_SETUP(share_vm)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->a));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->b));
}

FIXTURE_TEARDOWN(share_vm)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->a));
	EXPECT_EQ(0, pan_ctx_destroy(&self->b));
	PAN_ENV_TEARDOWN(&self->env);
}

/* One VM writes, the other reads at another address and copies it out. */
TEST_F(share_vm, copy_from_one_vm_to_the_other)
{
	__u64 seed = pan_rand(&self->env.rand), wrong, va_b;
	struct pan_bo shared, private;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->a.vm, SIZE, PAN_PAGE_SIZE, false, &shared));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->b.vm, SIZE, PAN_PAGE_SIZE, true, &private));
	va_b = pan_vm_alloc_va(&self->b.vm, SIZE, PAN_SZ_2M);
	ASSERT_NE(va_b, shared.va);
	ASSERT_EQ(0, pan_vm_map(&self->b.vm, &shared, 0, va_b, SIZE, 0));

	ASSERT_EQ(0, pan_gpu_fill(&self->a, shared.va, SIZE, seed));
	ASSERT_EQ(0, pan_gpu_copy(&self->b, private.va, va_b, SIZE));
	ASSERT_EQ(0, pan_gpu_verify(&self->b, private.va, SIZE, seed, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_bo_mmap(&private));
	EXPECT_EQ(0, pan_verify(private.map, SIZE, seed));
	EXPECT_EQ(0, pan_bo_close(&shared));
	EXPECT_EQ(0, pan_bo_close(&private));
}

/* The same address in two VMs is two pieces of memory. */
TEST_F(share_vm, same_address_other_memory)
{
	__u64 va = 0x40000000, seed = pan_rand(&self->env.rand), wrong;
	struct pan_bo bo_a, bo_b;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &bo_a));
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &bo_b));
	ASSERT_EQ(0, pan_vm_map(&self->a.vm, &bo_a, 0, va, SIZE, 0));
	ASSERT_EQ(0, pan_vm_map(&self->b.vm, &bo_b, 0, va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->a, va, SIZE, seed));
	ASSERT_EQ(0, pan_gpu_fill(&self->b, va, SIZE, seed + 1));
	ASSERT_EQ(0, pan_gpu_verify(&self->a, va, SIZE, seed, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_gpu_verify(&self->b, va, SIZE, seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo_a));
	EXPECT_EQ(0, pan_bo_close(&bo_b));
}

/* Two addresses of one VM are the same memory. */
TEST_F(share_vm, one_buffer_at_two_addresses)
{
	__u64 seed = pan_rand(&self->env.rand), wrong, second;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->a.vm, SIZE, PAN_PAGE_SIZE, true, &bo));
	second = pan_vm_alloc_va(&self->a.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->a.vm, &bo, 0, second, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->a, bo.va, SIZE, seed));
	ASSERT_EQ(0, pan_gpu_verify(&self->a, second, SIZE, seed, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_gpu_fill(&self->a, second, SIZE, seed + 1));
	ASSERT_EQ(0, pan_gpu_verify(&self->a, bo.va, SIZE, seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(share_vm, private_buffer_stays_in_its_vm)
{
	struct pan_bo bo;
	int fd;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, &self->a.vm, &bo));
	EXPECT_EQ(-EINVAL, pan_vm_map(&self->b.vm, &bo, 0, 0x40000000, SIZE, 0));
	EXPECT_EQ(0, pan_vm_map(&self->a.vm, &bo, 0, 0x40000000, SIZE, 0));
	EXPECT_EQ(-EINVAL, pan_bo_export(&bo, &fd));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* A buffer whose handle is gone lives on while a VM maps it. */
TEST_F(share_vm, mapping_outlives_the_handle)
{
	__u64 seed = pan_rand(&self->env.rand), wrong, va;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->a.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	va = bo.va;
	ASSERT_EQ(0, pan_gpu_fill(&self->a, va, SIZE, seed));
	ASSERT_EQ(0, pan_bo_close(&bo));
	ASSERT_EQ(0, pan_gpu_verify(&self->a, va, SIZE, seed, &wrong));
	EXPECT_EQ(0, wrong);
}

TEST_F(share_vm, vm_destroyed_before_its_group)
{
	ASSERT_EQ(0, pan_gpu_fill(&self->a, self->a.result.va, 64, 1));
	EXPECT_EQ(0, pan_vm_destroy(&self->a.vm));
	/* The group can only fail now, and must not harm the other VM. */
	EXPECT_NE(0, pan_gpu_fill(&self->a, self->a.result.va, 64, 2));
	EXPECT_EQ(0, pan_gpu_fill(&self->b, self->b.result.va, 64, 3));
	EXPECT_EQ(0, pan_verify(self->b.result.map, 64, 3));
}

TEST_HARNESS_MAIN
