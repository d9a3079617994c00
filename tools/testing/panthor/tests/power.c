// SPDX-License-Identifier: GPL-2.0
/*
 * Runtime power management: what has to survive the GPU being switched off,
 * and what must not switch it on.
 */
#include "pan_test.h"

FIXTURE(power) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(power)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 2, &self->ctx));
}

FIXTURE_TEARDOWN(power)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Memory and registers, over and over. */
TEST_F(power, contents_survive_cycles)
{
	__u64 seed = pan_rand(&self->env.rand), size = 64 * PAN_PAGE_SIZE;
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), wrong, boots;
	const int cycles = 10;
	struct pan_cs cs;
	struct pan_bo bo;
	int i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, size, seed));
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 10, seed);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	boots = PAN_COUNTER("boots");

	for (i = 1; i <= cycles; i++) {
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
		ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, size, seed, &wrong));
		ASSERT_EQ(0, wrong);
		pan_cs_init(&cs);
		pan_cs_store_pair(&cs, 10, va);
		pan_cs_emit(&cs, csf_add_imm64(10, 10, 1));
		ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
		ASSERT_EQ(seed + i - 1, pan_peek(cpu));
	}
	EXPECT_LE(boots + cycles, PAN_COUNTER("boots"));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* A group that was suspended in the middle of two jobs goes on with both. */
TEST_F(power, blocked_queue_survives)
{
	__u64 *flag, *passed, flag_va, passed_va;
	struct pan_cs cs;

	flag_va = pan_ctx_slot(&self->ctx, &flag);
	passed_va = pan_ctx_slot(&self->ctx, &passed);
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 40, 77);
	pan_cs_wait_gt64(&cs, flag_va, 0);
	pan_cs_store_pair(&cs, 40, passed_va);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_peek(passed));

	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, flag_va, 1);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 1, &cs, NULL, 0));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(77, pan_peek(passed));
}

static __u64 register_accesses(struct __test_metadata *_metadata)
{
	return PAN_COUNTER("reg_reads") + PAN_COUNTER("reg_writes");
}

/* Binding and unbinding is a matter of page tables as long as the GPU sleeps. */
TEST_F(power, bind_does_not_wake)
{
	__u64 seed = pan_rand(&self->env.rand), wrong, accesses;
	__u64 size = 100 * PAN_PAGE_SIZE, va, clock_on;
	struct pan_bo bo;

	/* Use the VM first, so that it has been on an address space. */
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	accesses = register_accesses(_metadata);
	clock_on = PAN_COUNTER("clock_on");

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, size, seed);
	va = pan_vm_alloc_va(&self->ctx.vm, size, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, va, size, 0));
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, bo.va, size));
	EXPECT_EQ(accesses, register_accesses(_metadata));
	EXPECT_EQ(clock_on, PAN_COUNTER("clock_on"));

	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, va, size, seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_LT(accesses, register_accesses(_metadata));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* "on" in power/control keeps it awake, which other tests rely on. */
TEST_F(power, control_keeps_awake)
{
	char status[32];

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	EXPECT_EQ(-ETIME, pan_wait_suspended(&self->env.dev, 300));
	EXPECT_EQ(0, pan_runtime_status(&self->env.dev, status, sizeof(status)));
	EXPECT_STREQ("active", status);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
}

/* Creating and destroying things on a sleeping GPU. */
TEST_F(power, groups_come_and_go_asleep)
{
	struct pan_ctx ctx;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 3, &ctx));
		if (i & 1)
			ASSERT_EQ(0, pan_gpu_store64(&ctx, ctx.result.va, i));
		ASSERT_EQ(0, pan_ctx_destroy(&ctx));
	}
}

/* A GPU that can't be switched on is no GPU. When it can, it is one again. */
TEST_F(power, refused_at_probe)
{
	char name[256];

	snprintf(name, sizeof(name), "%s", pan_device_name(&self->env.dev));
	ASSERT_EQ(0, pan_ctx_destroy(&self->ctx));
	pan_close(&self->env.dev);
	ASSERT_EQ(0, pan_driver_unbind(name));
	ASSERT_EQ(0, pan_model_knob_set("refuse_power", "1"));
	EXPECT_GT(0, pan_driver_bind(name));
	EXPECT_EQ(-ENODEV, pan_open(&self->env.dev));
	ASSERT_EQ(0, pan_model_knob_set("refuse_power", "0"));
	ASSERT_EQ(0, pan_driver_bind(name));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
}

TEST_HARNESS_MAIN
