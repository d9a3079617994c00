// SPDX-License-Identifier: GPL-2.0
/*
 * GPU reset, for each of the reasons that the model can provide. Memory always
 * survives, groups do if the firmware could save them.
 */
#include "pan_test.h"

FIXTURE(reset) {
	struct pan_env env;
	struct pan_ctx busy;
	struct pan_ctx idle;
	struct pan_bo bo;
	__u64 *gate;
	__u64 *passed;
	__u64 seed;
	__u64 resets;
	__u64 boots;
	bool groups_lost;
};

/* The busy group's job polls a word in memory. */
static void start_busy_job(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	__u64 gate_va = pan_ctx_slot(&self->busy, &self->gate);
	__u64 passed_va = pan_ctx_slot(&self->busy, &self->passed);
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_load_pair(&cs, 0, gate_va);
	pan_cs_branch(&cs, CSF_COND_EQ, 0, 0);
	pan_cs_store64(&cs, passed_va, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->busy, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", PAN_COUNTER("instructions") + 1000,
					    PAN_DEADLINE_MS));
	self->resets = PAN_COUNTER("resets");
	self->boots = PAN_COUNTER("boots");
}

/*
 * The idle group has a value in a register, its VM a buffer with contents.
 * Runtime suspend is off because it resets the GPU as well.
 */
FIXTURE_SETUP(reset)
{
	struct pan_cs cs;

	PAN_ENV_SETUP(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->busy));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->idle));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->idle.vm, PAN_SZ_64K, PAN_PAGE_SIZE,
					  true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->idle, self->bo.va, self->bo.size, self->seed));
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 12, self->seed);
	ASSERT_EQ(0, pan_ctx_run(&self->idle, &cs));
	start_busy_job(_metadata, self);
}

FIXTURE_TEARDOWN(reset)
{
	__u64 *cpu, va = pan_ctx_slot(&self->idle, &cpu), wrong;
	struct pan_cs cs;

	if (self->groups_lost)
		EXPECT_EQ(0, pan_ctx_new_group(&self->idle));
	EXPECT_EQ(0, pan_gpu_verify(&self->idle, self->bo.va, self->bo.size,
				    self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	pan_cs_init(&cs);
	pan_cs_store_pair(&cs, 12, va);
	EXPECT_EQ(0, pan_ctx_run(&self->idle, &cs));
	if (!self->groups_lost)
		EXPECT_EQ(self->seed, pan_peek(cpu));
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->busy));
	EXPECT_EQ(0, pan_ctx_destroy(&self->idle));
	PAN_ENV_TEARDOWN(&self->env);
}

static void expect_busy_lost(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	__u32 state = 0, fatal = 0, vm_state = ~0U;
	__u64 seen = 0;

	EXPECT_GT(0, pan_ctx_wait(&self->busy, PAN_DEADLINE_MS));
	EXPECT_NE(-EBUSY, pan_sync_result(&self->env.dev, self->busy.sync));
	EXPECT_EQ(0, pan_group_state(&self->busy.group, &state, &fatal));
	EXPECT_NE(0, state);
	EXPECT_EQ(0, pan_peek(self->passed));
	EXPECT_EQ(0, pan_vm_state(&self->busy.vm, &vm_state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, vm_state);

	ASSERT_EQ(0, pan_ctx_new_group(&self->busy));
	EXPECT_EQ(0, pan_gpu_store64(&self->busy, self->busy.result.va + 2048, 99));
	EXPECT_EQ(0, pan_gpu_load64(&self->busy, self->busy.result.va + 2048, &seen));
	EXPECT_EQ(99, seen);
}

/* The reset is over when the firmware has booted again. */
static void wait_for_reset(struct __test_metadata *_metadata, FIXTURE_DATA(reset) *self)
{
	ASSERT_EQ(0, pan_model_wait_counter("resets", self->resets + 1, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_wait_counter("boots", self->boots + 1, PAN_DEADLINE_MS));
}

/*
 * The firmware stops answering. New work makes the scheduler look at its groups;
 * the request for their status runs into its time-out, and so do those that
 * should save them. The reset brings the firmware back.
 */
TEST_F(reset, firmware_hang)
{
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("mcu_hang", "1"));
	self->groups_lost = true;
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&self->idle, 0, &cs));
	wait_for_reset(_metadata, self);
	EXPECT_GT(0, pan_ctx_wait(&self->idle, PAN_DEADLINE_MS));
	EXPECT_NE(-EBUSY, pan_sync_result(&self->env.dev, self->idle.sync));
	expect_busy_lost(_metadata, self);
}

/*
 * The MMU command that follows a mapping never completes. The driver may say so
 * or rely on the reset, which makes the MMU forget everything: then the mapping
 * is there. The firmware is alive, so all groups are saved and go on.
 */
TEST_F(reset, mmu_command_hang)
{
	__u64 va = pan_vm_alloc_va(&self->busy.vm, PAN_SZ_64K, PAN_PAGE_SIZE);
	__u64 wrong = ~0ULL;
	struct pan_bo bo;
	int ret;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_SZ_64K, 0, NULL, &bo));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	ret = pan_vm_map(&self->busy.vm, &bo, 0, va, bo.size, 0);
	if (ret)
		EXPECT_EQ(-ETIMEDOUT, ret);
	wait_for_reset(_metadata, self);
	EXPECT_EQ(0, pan_peek(self->passed));
	pan_poke(self->gate, 1);
	EXPECT_EQ(0, pan_ctx_wait(&self->busy, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(self->passed));
	if (!ret) {
		EXPECT_EQ(0, pan_gpu_fill(&self->busy, va, bo.size, self->seed));
		EXPECT_EQ(0, pan_gpu_verify(&self->busy, va, bo.size, self->seed, &wrong));
		EXPECT_EQ(0, wrong);
	}
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* A group that waits for a slot while the GPU is reset. */
TEST_F(reset, waiting_group)
{
	struct pan_ctx waiting;
	struct pan_cs cs;

	PAN_SKIP_UNPATCHED("it warns of groups that wait for a slot during a reset");
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &waiting));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&waiting, 0, &cs));
	wait_for_reset(_metadata, self);
	EXPECT_EQ(0, pan_ctx_wait(&waiting, PAN_DEADLINE_MS));
	pan_poke(self->gate, 1);
	EXPECT_EQ(0, pan_ctx_wait(&self->busy, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_destroy(&waiting));
}

static void kill_busy_stream(struct __test_metadata *_metadata)
{
	struct pan_stream at;
	char knob[64];

	ASSERT_EQ(0, pan_model_busy_stream(&at));
	snprintf(knob, sizeof(knob), "%u %u %x", at.csg, at.cs, CSF_EXC_CS_UNRECOVERABLE);
	ASSERT_EQ(0, pan_model_knob_set("fatal", knob));
}

/* The firmware reports a fault that it can't recover from by itself. */
TEST_F(reset, unrecoverable_stream)
{
	kill_busy_stream(_metadata);
	wait_for_reset(_metadata, self);
	expect_busy_lost(_metadata, self);
}

/*
 * The job's fence tells user space before the reset is over. What it does then,
 * here a new group for the same VM, must wait for the GPU.
 */
TEST_F(reset, new_group_during_reset)
{
	PAN_SKIP_UNPATCHED("it sends MMU commands during a reset");
	kill_busy_stream(_metadata);
	expect_busy_lost(_metadata, self);
	wait_for_reset(_metadata, self);
}

/*
 * The firmware has to be loaded again, and takes its time to boot. Groups that are created
 * meanwhile can't ask it for anything.
 */
TEST_F(reset, groups_until_boot)
{
	struct pan_group group;
	struct pan_cs cs;

	PAN_SKIP_UNPATCHED("it asks the firmware during a reset");
	ASSERT_EQ(0, pan_model_knob_set_u64("boot_latency_us", 200000));
	ASSERT_EQ(0, pan_model_knob_set("mcu_hang", "1"));
	self->groups_lost = true;
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&self->idle, 0, &cs));
	do {
		ASSERT_EQ(0, pan_group_create(&self->idle.vm, 1, PAN_SZ_64K,
					      PANTHOR_GROUP_PRIORITY_MEDIUM, &group));
		ASSERT_EQ(0, pan_group_destroy(&group));
	} while (PAN_COUNTER("boots") == self->boots);
	EXPECT_GT(0, pan_ctx_wait(&self->idle, PAN_DEADLINE_MS));
	expect_busy_lost(_metadata, self);
}

/*
 * The driver's handler takes its time between clearing the interrupt and looking at
 * what it was for, longer than the driver waits for the end of a reset, or of a flush.
 */
TEST_F(reset, handled_late)
{
	PAN_SKIP_UNPATCHED("it takes a reset that was handled late for one that failed");
	ASSERT_EQ(0, pan_model_knob_set_u64("ack_latency_us", 150000));
	kill_busy_stream(_metadata);
	wait_for_reset(_metadata, self);
	expect_busy_lost(_metadata, self);
	ASSERT_EQ(0, pan_model_knob_set_u64("ack_latency_us", 0));
}

/* Several in a row. */
TEST_F(reset, again_and_again)
{
	int i;

	for (i = 0; i < 5; i++) {
		kill_busy_stream(_metadata);
		wait_for_reset(_metadata, self);
		expect_busy_lost(_metadata, self);
		start_busy_job(_metadata, self);
	}
	pan_poke(self->gate, 1);
	EXPECT_EQ(0, pan_ctx_wait(&self->busy, PAN_DEADLINE_MS));
}

TEST_HARNESS_MAIN
