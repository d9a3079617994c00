// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs that go wrong: the fence, the group's state and the model's counter
 * tell, the VM and all other groups go on.
 */
#include "pan_test.h"

#define NOWHERE		0x123456789000ULL
#define STATE_FATAL	DRM_PANTHOR_GROUP_STATE_FATAL_FAULT
#define STATE_TIMEDOUT	DRM_PANTHOR_GROUP_STATE_TIMEDOUT

FIXTURE(faults) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_ctx other;
	__u64 *gate;
	__u64 *passed;
	__u64 faults;
};

/* The other group's job waits in memory until the fault is over. */
FIXTURE_SETUP(faults)
{
	__u64 gate_va, passed_va;
	struct pan_cs cs;

	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 2, &self->ctx));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));
	gate_va = pan_ctx_slot(&self->other, &self->gate);
	passed_va = pan_ctx_slot(&self->other, &self->passed);
	pan_cs_init(&cs);
	/* Polled by a loop, so that the group stays on its slot. */
	pan_cs_load_pair(&cs, 0, gate_va);
	pan_cs_branch(&cs, CSF_COND_EQ, 0, 0);
	pan_cs_store64(&cs, passed_va, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->other, 0, &cs));
	self->faults = PAN_COUNTER("faults");
}

FIXTURE_TEARDOWN(faults)
{
	pan_poke(self->gate, 1);
	EXPECT_EQ(0, pan_ctx_wait(&self->other, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(self->passed));
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* The job fails and takes its group along; the VM is as good as before. */
static void expect_death(struct __test_metadata *_metadata, FIXTURE_DATA(faults) *self,
			 const struct pan_cs *cs, int error, __u32 flag)
{
	__u32 state = 0, fatal = 0, vm_state = ~0U;
	struct pan_cs after;

	EXPECT_EQ(error, pan_ctx_run(&self->ctx, cs));
	EXPECT_EQ(0, pan_group_state(&self->ctx.group, &state, &fatal));
	EXPECT_EQ(flag, state & flag);
	if (flag & STATE_FATAL)
		EXPECT_EQ(1, fatal & 1);

	pan_cs_init(&after);
	pan_cs_emit(&after, csf_nop());
	EXPECT_EQ(-EINVAL, pan_ctx_start(&self->ctx, 0, &after));
	EXPECT_EQ(-EINVAL, pan_ctx_start(&self->ctx, 1, &after));

	EXPECT_EQ(0, pan_vm_state(&self->ctx.vm, &vm_state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, vm_state);
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	EXPECT_EQ(0, pan_ctx_run(&self->ctx, &after));
	EXPECT_EQ(0, pan_peek(self->passed));
}

TEST_F(faults, read_of_unmapped_address)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_poke(cpu, 7);
	pan_cs_init(&cs);
	pan_cs_load_pair(&cs, 0, NOWHERE);
	pan_cs_store_pair(&cs, 0, va);
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);
	EXPECT_LT(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(7, pan_peek(cpu));
}

TEST_F(faults, write_to_unmapped_address)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_store64(&cs, NOWHERE, 1);
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);
	EXPECT_LT(self->faults, PAN_COUNTER("faults"));
}

/* Once the address is mapped the same stream works, in a new group. */
TEST_F(faults, mapping_what_was_missing)
{
	__u64 value = pan_rand(&self->env.rand);
	struct pan_cs cs;
	struct pan_bo bo;

	pan_cs_init(&cs);
	pan_cs_store64(&cs, NOWHERE, value);
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, NOWHERE, PAN_PAGE_SIZE, 0));
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	EXPECT_EQ(value, *(__u64 *)bo.map);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(faults, write_to_read_only_mapping)
{
	__u64 seed = pan_rand(&self->env.rand), va = 0x50000000, wrong;
	struct pan_cs cs;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_SZ_64K, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, bo.size, seed);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, va, bo.size,
				DRM_PANTHOR_VM_BIND_OP_MAP_READONLY));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, va, bo.size, seed, &wrong));
	EXPECT_EQ(0, wrong);

	pan_cs_init(&cs);
	pan_cs_store64(&cs, va + PAN_PAGE_SIZE, 0);
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);
	EXPECT_LT(self->faults, PAN_COUNTER("faults"));
	EXPECT_EQ(0, pan_verify(bo.map, bo.size, seed));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* A stream whose own memory is missing. */
TEST_F(faults, stream_not_mapped)
{
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);

	ASSERT_EQ(0, pan_queue_submit(&self->ctx.group, 0, NOWHERE, 64, &done, 1));
	EXPECT_EQ(-EINVAL, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
}

TEST_F(faults, illegal_instruction)
{
	__u64 *before, *after, before_va, after_va;
	struct pan_cs cs;

	before_va = pan_ctx_slot(&self->ctx, &before);
	after_va = pan_ctx_slot(&self->ctx, &after);
	pan_cs_init(&cs);
	pan_cs_store64(&cs, before_va, 1);
	pan_cs_illegal(&cs);
	pan_cs_store64(&cs, after_va, 1);
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);
	EXPECT_EQ(1, pan_peek(before));
	EXPECT_EQ(0, pan_peek(after));
	EXPECT_EQ(self->faults, PAN_COUNTER("faults"));
}

TEST_F(faults, call_stack_overflow)
{
	struct pan_cs cs;
	__u64 va;

	/* set64, set32, call: three instructions that call themselves */
	va = pan_ctx_upload_va(&self->ctx, 3 * sizeof(__u64));
	pan_cs_init(&cs);
	pan_cs_call(&cs, va, 3 * sizeof(__u64));
	ASSERT_EQ(3 * sizeof(__u64), pan_cs_size(&cs));
	expect_death(_metadata, self, &cs, -EINVAL, STATE_FATAL);
}

/* The jobs behind the one that dies fail as well, on both queues. */
TEST_F(faults, queued_jobs_fail_too)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct drm_panthor_sync_op op;
	__u32 sync, sync_other;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &sync));
	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &sync_other));
	pan_cs_init(&cs);
	pan_cs_illegal(&cs);
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, NULL, 0));
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	op = pan_signal_op(sync);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, &op, 1));
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	op = pan_signal_op(sync_other);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 1, &cs, &op, 1));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));

	EXPECT_GT(0, pan_sync_wait_result(&self->env.dev, sync, PAN_DEADLINE_MS));
	EXPECT_NE(-ETIME, pan_sync_result(&self->env.dev, sync));
	EXPECT_GT(0, pan_sync_wait_result(&self->env.dev, sync_other, PAN_DEADLINE_MS));
	EXPECT_NE(-EBUSY, pan_sync_result(&self->env.dev, sync_other));
	EXPECT_EQ(0, pan_peek(cpu));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, sync));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, sync_other));
}

/* A fault that the model raises by itself, not by an access. */
TEST_F(faults, injected_fault)
{
	__u32 state = 0, fatal = 0;
	struct pan_stream at;
	struct pan_cs cs;
	char knob[64];

	/* The model numbers address spaces: ours shall be the only busy one. */
	pan_poke(self->gate, 1);
	ASSERT_EQ(0, pan_ctx_wait(&self->other, PAN_DEADLINE_MS));
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", PAN_COUNTER("instructions") + 1000,
					    PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_busy_stream(&at));
	snprintf(knob, sizeof(knob), "%u 0x1234000 write", at.as);
	ASSERT_EQ(0, pan_model_knob_set("inject_fault", knob));
	EXPECT_EQ(-EINVAL, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_group_state(&self->ctx.group, &state, &fatal));
	EXPECT_EQ(STATE_FATAL, state & STATE_FATAL);
	EXPECT_LT(self->faults, PAN_COUNTER("faults"));
}

TEST_HARNESS_MAIN
