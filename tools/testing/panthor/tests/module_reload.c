// SPDX-License-Identifier: GPL-2.0
/*
 * The driver goes and comes back: module unload and load, unbind and bind,
 * with and without users. PAN_RELOADS=n sets the number of rounds.
 */
#include <unistd.h>

#include "pan_test.h"

static int rounds(void)
{
	const char *env = getenv("PAN_RELOADS");

	return env && atoi(env) > 0 ? atoi(env) : 5;
}

FIXTURE(module_reload) {
	struct pan_env env;
	char name[256];
};

FIXTURE_SETUP(module_reload)
{
	PAN_ENV_SETUP(&self->env);
	snprintf(self->name, sizeof(self->name), "%s", pan_device_name(&self->env.dev));
}

FIXTURE_TEARDOWN(module_reload)
{
	PAN_ENV_TEARDOWN(&self->env);
}

static void expect_job_works(struct __test_metadata *_metadata, FIXTURE_DATA(module_reload) *self)
{
	__u64 seed = pan_rand(&self->env.rand), wrong;
	struct pan_ctx ctx;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, PAN_SZ_64K, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&ctx, bo.va, bo.size, seed));
	ASSERT_EQ(0, pan_gpu_verify(&ctx, bo.va, bo.size, seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

TEST_F_TIMEOUT(module_reload, unload_and_load, 600)
{
	int i;

	for (i = 0; i < rounds(); i++) {
		expect_job_works(_metadata, self);
		pan_close(&self->env.dev);
		ASSERT_EQ(0, pan_module_unload_wait("panthor", PAN_DEADLINE_MS));
		ASSERT_EQ(-ENODEV, pan_open(&self->env.dev));
		ASSERT_EQ(0, pan_module_load("panthor"));
		ASSERT_EQ(0, pan_open(&self->env.dev));
	}
	expect_job_works(_metadata, self);
}

/* A file that is open keeps the module. */
TEST_F(module_reload, busy_while_open)
{
	EXPECT_EQ(-EAGAIN, pan_module_unload("panthor"));
	expect_job_works(_metadata, self);
}

TEST_F_TIMEOUT(module_reload, unbind_and_bind, 600)
{
	int i;

	for (i = 0; i < rounds(); i++) {
		expect_job_works(_metadata, self);
		pan_close(&self->env.dev);
		ASSERT_EQ(0, pan_driver_unbind(self->name));
		ASSERT_EQ(-ENODEV, pan_open(&self->env.dev));
		ASSERT_EQ(0, pan_driver_bind(self->name));
		ASSERT_EQ(0, pan_open(&self->env.dev));
	}
	expect_job_works(_metadata, self);
}

/*
 * Unbind under a client that has buffers, mappings and an idle group. All it
 * gets from then on is errors; what it has mapped stays readable.
 */
TEST_F(module_reload, unbind_in_use)
{
	__u64 seed = pan_rand(&self->env.rand);
	struct pan_ctx ctx;
	struct pan_bo bo;
	struct pan_bo no;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, PAN_SZ_64K, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&ctx, bo.va, bo.size, seed));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	ASSERT_EQ(0, pan_verify(bo.map, bo.size, seed));

	ASSERT_EQ(0, pan_driver_unbind(self->name));
	EXPECT_EQ(-ENODEV, pan_gpu_store64(&ctx, bo.va, 1));
	EXPECT_EQ(-ENODEV, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, 0, NULL, &no));
	EXPECT_EQ(-ENODEV, pan_bo_close(&bo));
	pan_close(&self->env.dev);

	ASSERT_EQ(0, pan_driver_bind(self->name));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	expect_job_works(_metadata, self);
}

/* Once such a client is gone, too, nothing of it is left: the module tells. */
TEST_F(module_reload, unload_after_unbind_in_use)
{
	struct pan_ctx ctx;

	PAN_SKIP_UNPATCHED("groups on a slot are leaked at unbind");
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_gpu_store64(&ctx, ctx.result.va, 1));
	ASSERT_EQ(0, pan_driver_unbind(self->name));
	pan_bo_munmap(&ctx.streams);
	pan_bo_munmap(&ctx.result);
	pan_close(&self->env.dev);
	ASSERT_EQ(0, pan_module_unload_wait("panthor", PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_module_load("panthor"));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	expect_job_works(_metadata, self);
}

TEST_HARNESS_MAIN
