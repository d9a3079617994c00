// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that compute and that change the flow: branches, calls, jumps,
 * arithmetic, state.
 */
#include "pan_test.h"

FIXTURE(control_flow) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(control_flow)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(control_flow)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

struct branch_case {
	__u8 cond;
	bool taken[3];	/* for -1, 0, 1 */
};

static const struct branch_case branch_cases[] = {
	{ CSF_COND_LE, { true, true, false } },
	{ CSF_COND_GT, { false, false, true } },
	{ CSF_COND_EQ, { false, true, false } },
	{ CSF_COND_NE, { true, false, true } },
	{ CSF_COND_LT, { true, false, false } },
	{ CSF_COND_GE, { false, true, true } },
	{ CSF_COND_ALWAYS, { true, true, true } },
};

/* A bit is set for each branch that is not taken. */
TEST_F(control_flow, branch_conditions)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	__u32 i, bit = 0, expected = 0, over;
	struct pan_cs cs;
	int value;

	pan_cs_init(&cs);
	pan_cs_set32(&cs, 1, 0);
	for (i = 0; i < ARRAY_SIZE(branch_cases); i++) {
		for (value = -1; value <= 1; value++, bit++) {
			pan_cs_set32(&cs, 0, value);
			over = pan_cs_branch_forward(&cs, branch_cases[i].cond, 0);
			pan_cs_emit(&cs, csf_add_imm32(1, 1, 1 << bit));
			pan_cs_land(&cs, over);
			if (!branch_cases[i].taken[value + 1])
				expected |= 1 << bit;
		}
	}
	pan_cs_store_reg(&cs, 1, va);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(expected, (__u32)pan_peek(cpu));
}

TEST_F(control_flow, arithmetic)
{
	__u64 *cpu[4], va[4];
	struct pan_cs cs;
	int i;

	for (i = 0; i < 4; i++)
		va[i] = pan_ctx_slot(&self->ctx, &cpu[i]);
	pan_cs_init(&cs);
	pan_cs_set32(&cs, 0, 0xffffffff);
	pan_cs_emit(&cs, csf_add_imm32(0, 0, 2));
	pan_cs_store_reg(&cs, 0, va[0]);
	pan_cs_set64(&cs, 2, 0xffffffff);
	pan_cs_emit(&cs, csf_add_imm64(4, 2, 1));
	pan_cs_store_pair(&cs, 4, va[1]);
	pan_cs_emit(&cs, csf_add_imm64(4, 4, -2));
	pan_cs_store_pair(&cs, 4, va[2]);
	pan_cs_set32(&cs, 6, 0x80000000);
	pan_cs_set32(&cs, 7, 3);
	pan_cs_emit(&cs, csf_umin32(8, 6, 7));
	pan_cs_store_reg(&cs, 8, va[3]);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(1, pan_peek(cpu[0]));
	EXPECT_EQ(0x100000000ULL, pan_peek(cpu[1]));
	EXPECT_EQ(0xfffffffeULL, pan_peek(cpu[2]));
	EXPECT_EQ(3, pan_peek(cpu[3]));
}

/* Sixteen words in, sixteen words out, in another order of registers. */
TEST_F(control_flow, load_many_registers)
{
	struct pan_bo bo;
	struct pan_cs cs;
	__u32 *words;
	int i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, PAN_PAGE_SIZE,
					  PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	words = bo.map;
	for (i = 0; i < 16; i++)
		words[i] = 0xabc000 + i;
	pan_cs_init(&cs);
	pan_cs_set64(&cs, PAN_SCRATCH_ADDR, bo.va + 128);
	pan_cs_emit(&cs, csf_load_multiple(30, PAN_SCRATCH_ADDR, 0xffff, -128));
	pan_cs_emit(&cs, csf_wait(0xff));
	pan_cs_emit(&cs, csf_store_multiple(38, PAN_SCRATCH_ADDR, 0x00ff, 0));
	pan_cs_emit(&cs, csf_store_multiple(30, PAN_SCRATCH_ADDR, 0x00ff, 32));
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(0xabc008 + i, words[32 + i]);
		EXPECT_EQ(0xabc000 + i, words[40 + i]);
	}
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Four streams, each of which calls the next and adds a digit afterwards. */
TEST_F(control_flow, nested_calls)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), inner = 0;
	struct pan_cs cs;
	__u32 size = 0;
	int level;

	for (level = 4; level >= 1; level--) {
		pan_cs_init(&cs);
		pan_cs_load_pair(&cs, 0, va);
		pan_cs_emit(&cs, csf_add_imm64(0, 0, level));
		pan_cs_store_pair(&cs, 0, va);
		if (size)
			pan_cs_call(&cs, inner, size);
		pan_cs_load_pair(&cs, 0, va);
		pan_cs_emit(&cs, csf_add_imm64(0, 0, level * 100));
		pan_cs_store_pair(&cs, 0, va);
		size = pan_cs_size(&cs);
		ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &inner));
	}
	pan_cs_init(&cs);
	pan_cs_call(&cs, inner, size);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(10 + 1000, pan_peek(cpu));
}

/* What follows a jump is not executed; the end of its target returns. */
TEST_F(control_flow, jump_replaces_the_stream)
{
	__u64 *a, *b, *c, va_a, va_b, va_c, target;
	struct pan_cs cs;
	__u32 size;

	va_a = pan_ctx_slot(&self->ctx, &a);
	va_b = pan_ctx_slot(&self->ctx, &b);
	va_c = pan_ctx_slot(&self->ctx, &c);
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va_b, 2);
	size = pan_cs_size(&cs);
	ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &target));

	pan_cs_init(&cs);
	pan_cs_store64(&cs, va_a, 1);
	pan_cs_jump(&cs, target, size);
	pan_cs_store64(&cs, va_c, 3);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(1, pan_peek(a));
	EXPECT_EQ(2, pan_peek(b));
	EXPECT_EQ(0, pan_peek(c));
}

/* Each jump goes one further, more often than there are call levels. */
TEST_F(control_flow, jumps_do_not_nest)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), next = 0;
	struct pan_cs cs;
	__u32 size = 0;
	int i;

	for (i = 0; i < 20; i++) {
		pan_cs_init(&cs);
		pan_cs_load_pair(&cs, 0, va);
		pan_cs_emit(&cs, csf_add_imm64(0, 0, 1));
		pan_cs_store_pair(&cs, 0, va);
		if (size)
			pan_cs_jump(&cs, next, size);
		size = pan_cs_size(&cs);
		ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &next));
	}
	pan_cs_init(&cs);
	pan_cs_call(&cs, next, size);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(20, pan_peek(cpu));
}

TEST_F(control_flow, store_state)
{
	__u64 *t0, *t1, *c0, *c1, *err, va_t0, va_t1, va_c0, va_c1, va_err;
	struct pan_cs cs;

	va_t0 = pan_ctx_slot(&self->ctx, &t0);
	va_t1 = pan_ctx_slot(&self->ctx, &t1);
	va_c0 = pan_ctx_slot(&self->ctx, &c0);
	va_c1 = pan_ctx_slot(&self->ctx, &c1);
	va_err = pan_ctx_slot(&self->ctx, &err);
	pan_poke(err, ~0ULL);

	pan_cs_init(&cs);
	pan_cs_set64(&cs, PAN_SCRATCH_DST, va_t0);
	pan_cs_emit(&cs, csf_store_state(PAN_SCRATCH_DST, CSF_STATE_TIMESTAMP, 0));
	pan_cs_set64(&cs, PAN_SCRATCH_DST, va_c0 - 8);
	pan_cs_emit(&cs, csf_store_state(PAN_SCRATCH_DST, CSF_STATE_CYCLE_COUNT, 8));
	pan_cs_delay(&cs, 1000);
	pan_cs_set64(&cs, PAN_SCRATCH_DST, va_t1);
	pan_cs_emit(&cs, csf_store_state(PAN_SCRATCH_DST, CSF_STATE_TIMESTAMP, 0));
	pan_cs_set64(&cs, PAN_SCRATCH_DST, va_c1);
	pan_cs_emit(&cs, csf_store_state(PAN_SCRATCH_DST, CSF_STATE_CYCLE_COUNT, 0));
	pan_cs_set64(&cs, PAN_SCRATCH_DST, va_err);
	pan_cs_emit(&cs, csf_store_state(PAN_SCRATCH_DST, CSF_STATE_ERROR_STATUS, 0));
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_NE(0, pan_peek(t0));
	EXPECT_LT(pan_peek(t0), pan_peek(t1));
	EXPECT_LT(pan_peek(c0), pan_peek(c1));
	EXPECT_EQ(0, pan_peek(err));
}

/* Instructions that the model has no work for are executed all the same. */
TEST_F(control_flow, instructions_without_effect)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	pan_cs_emit(&cs, csf_wait(0xff));
	pan_cs_emit(&cs, csf_set_sb_entry(0, 1));
	pan_cs_emit(&cs, csf_req_resource(CSF_RES_COMPUTE | CSF_RES_TILER));
	pan_cs_emit(&cs, csf_error_barrier());
	pan_cs_emit(&cs, csf_req_resource(0));
	pan_cs_flush(&cs);
	pan_cs_store64(&cs, va, 1);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(1, pan_peek(cpu));
}

TEST_HARNESS_MAIN
