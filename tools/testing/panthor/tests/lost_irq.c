// SPDX-License-Identifier: GPL-2.0
/*
 * An interrupt that never arrives delays things, and breaks none.
 */
#include "pan_test.h"

FIXTURE(lost_irq) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(lost_irq)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(lost_irq)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/*
 * The driver waits 100 ms for the answer to its first request, then looks for
 * itself.
 */
TEST_F(lost_irq, job_start)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_model_knob_set("lose_irq", "job"));
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	EXPECT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(1, pan_peek(cpu));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
}

/* The end of a job on a group that has its slot already. */
TEST_F(lost_irq, job_end)
{
	__u64 seen = 0;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	ASSERT_EQ(0, pan_model_knob_set("lose_irq", "job"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	/* The next job's interrupt, if no other one, tells of both. */
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, NULL, 0));
	EXPECT_EQ(0, pan_gpu_load64(&self->ctx, self->ctx.result.va, &seen));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
}

/* Flush and soft reset on the way to sleep are waited for 100 ms each. */
TEST_F(lost_irq, gpu_at_suspend)
{
	__u64 seed = pan_rand(&self->env.rand), seen = 0;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va + 64, seed));
	ASSERT_EQ(0, pan_model_knob_set("lose_irq", "gpu"));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_gpu_load64(&self->ctx, self->ctx.result.va + 64, &seen));
	EXPECT_EQ(seed, seen);
}

/* A page fault that nobody hears of: the job's own time-out ends it. */
TEST_F(lost_irq, page_fault)
{
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("lose_irq", "mmu"));
	pan_cs_init(&cs);
	pan_cs_store64(&cs, 0x123456789000ULL, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	EXPECT_GT(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_NE(-EBUSY, pan_sync_result(&self->env.dev, self->ctx.sync));
	ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
}

TEST_HARNESS_MAIN
