// SPDX-License-Identifier: GPL-2.0
/*
 * GPU reset, for each of the reasons that the model can provide.
 */
#include "pan_test.h"

FIXTURE(reset) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_ctx idle;
	struct pan_bo bo;
	__u64 seed;
	__u64 resets;
};

/* An idle group with registers, and a buffer with contents: both must survive. */
FIXTURE_SETUP(reset)
{
	struct pan_cs cs;

	PAN_ENV_SETUP(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->idle));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->idle.vm, PAN_SZ_64K, PAN_PAGE_SIZE,
					  true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->idle, self->bo.va, self->bo.size, self->seed));
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 12, self->seed);
	ASSERT_EQ(0, pan_ctx_run(&self->idle, &cs));
	/* On the suspend path each group is saved; a reset is not that kind. */
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	self->resets = PAN_COUNTER("resets");
}

FIXTURE_TEARDOWN(reset)
{
	__u64 *cpu, va = pan_ctx_slot(&self->idle, &cpu), wrong;
	struct pan_cs cs;

	EXPECT_EQ(0, pan_gpu_verify(&self->idle, self->bo.va, self->bo.size,
				    self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	pan_cs_init(&cs);
	pan_cs_store_pair(&cs, 12, va);
	EXPECT_EQ(0, pan_ctx_run(&self->idle, &cs));
	EXPECT_EQ(self->seed, pan_peek(cpu));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	EXPECT_EQ(0, pan_ctx_destroy(&self->idle));
	PAN_ENV_TEARDOWN(&self->env);
}

static void start_spinning(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", PAN_COUNTER("instructions") + 1000,
					    PAN_DEADLINE_MS));
}

/* What was running is lost, the VM isn't. */
static void expect_recovery(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	__u32 state = 0, fatal = 0, vm_state = ~0U;
	__u64 seen = 0;

	ASSERT_EQ(0, pan_model_wait_counter("resets", self->resets + 1, PAN_DEADLINE_MS));
	EXPECT_GT(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_NE(-EBUSY, pan_sync_result(&self->env.dev, self->ctx.sync));
	EXPECT_EQ(0, pan_group_state(&self->ctx.group, &state, &fatal));
	EXPECT_NE(0, state);
	EXPECT_EQ(0, pan_vm_state(&self->ctx.vm, &vm_state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, vm_state);

	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va + 1024, 99));
	EXPECT_EQ(0, pan_gpu_load64(&self->ctx, self->ctx.result.va + 1024, &seen));
	EXPECT_EQ(99, seen);
}

/*
 * The firmware stops answering: the next request, to terminate the group that
 * is being destroyed, runs into its time-out. The model's firmware comes back
 * to life with the reset, as real firmware does.
 */
TEST_F(reset, firmware_hang)
{
	struct pan_ctx trigger;

	start_spinning(_metadata, self);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &trigger));
	ASSERT_EQ(0, pan_gpu_store64(&trigger, trigger.result.va, 1));
	ASSERT_EQ(0, pan_model_knob_set("mcu_hang", "1"));
	ASSERT_EQ(0, pan_ctx_destroy(&trigger));
	ASSERT_EQ(0, pan_model_wait_counter("resets", self->resets + 1, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("mcu_hang", "0"));
	expect_recovery(_metadata, self);
}

/* An MMU command never completes. */
TEST_F(reset, mmu_command_hang)
{
	__u64 va;

	start_spinning(_metadata, self);
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	va = pan_vm_alloc_va(&self->ctx.vm, self->bo.size, PAN_PAGE_SIZE);
	/* A mapping that the busy VM has: its table change needs a flush. */
	pan_vm_unmap(&self->ctx.vm, self->ctx.result.va, self->ctx.result.size);
	EXPECT_EQ(0, pan_vm_map(&self->ctx.vm, &self->ctx.result, 0, self->ctx.result.va,
				self->ctx.result.size, 0));
	EXPECT_NE(0, va);
	expect_recovery(_metadata, self);
}

/* The firmware reports a fault that it can't recover from by itself. */
TEST_F(reset, unrecoverable_stream)
{
	start_spinning(_metadata, self);
	ASSERT_EQ(0, pan_model_knob_set("fatal", "0 0 41"));
	expect_recovery(_metadata, self);
}

/* Several in a row. */
TEST_F(reset, again_and_again)
{
	int i;

	for (i = 0; i < 3; i++) {
		start_spinning(_metadata, self);
		self->resets = PAN_COUNTER("resets");
		ASSERT_EQ(0, pan_model_knob_set("fatal", "0 0 41"));
		expect_recovery(_metadata, self);
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	}
}

TEST_HARNESS_MAIN
