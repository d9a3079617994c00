// SPDX-License-Identifier: GPL-2.0
/*
 * A client that needs more memory than there is, alone: what it doesn't need right
 * now makes room for the rest, also within one VM, whose private buffers share a lock.
 *
 * guest: --mem 256M
 */
#include "evict.h"

#define SMALL	(24ULL << 20)
#define LARGE	(120ULL << 20)
#define COUNT	6
#define MANY	64

FIXTURE(evict_self) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo small[COUNT];
	struct pan_bo large;
};

FIXTURE_VARIANT(evict_self) {
	bool private;
};

FIXTURE_VARIANT_ADD(evict_self, private) {
	.private = true,
};

FIXTURE_VARIANT_ADD(evict_self, shareable) {
	.private = false,
};

FIXTURE_SETUP(evict_self)
{
	EVICT_SETUP(self);
}

FIXTURE_TEARDOWN(evict_self)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* One buffer that fits only if most of the others go. */
TEST_F(evict_self, large_after_small)
{
	int i;

	for (i = 0; i < COUNT; i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SMALL + i * PAN_PAGE_SIZE,
						  PAN_SZ_2M, variant->private, &self->small[i]))
			TH_LOG("buffer %d", i);
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, LARGE, PAN_SZ_2M, variant->private,
					  &self->large));
	EXPECT_EQ(0, pan_bo_close(&self->large));
	for (i = 0; i < COUNT; i++)
		EXPECT_EQ(0, pan_bo_close(&self->small[i]));
}

/* A job needs all of its VM: if that's hopeless, nobody else has to suffer from it. */
TEST_F(evict_self, more_than_there_is)
{
	struct pan_vm *vm = &self->ctx.vm;
	struct pan_bo bos[MANY];
	__u64 total = 0, before;
	int i, count;

	ASSERT_EQ(0, pan_meminfo("MemTotal", &total));
	count = total / SMALL + 1;
	ASSERT_GE(MANY, count);
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, pan_bo_create_mapped(vm, SMALL + i * PAN_PAGE_SIZE, PAN_SZ_2M,
						  variant->private, &bos[i]))
			TH_LOG("buffer %d", i);
	for (i = 0; i < count; i++)
		EVICT(&bos[i]);

	before = EVICTIONS(&self->env.dev);
	EXPECT_EQ(-ENOMEM, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	EXPECT_EQ(before, EVICTIONS(&self->env.dev));

	for (i = count / 4; i < count; i++)
		EXPECT_EQ(0, pan_vm_unmap(vm, bos[i].va, bos[i].size));
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
}

TEST_HARNESS_MAIN
