// SPDX-License-Identifier: GPL-2.0
/*
 * Knobs and counters of the model that the other tests rely on.
 */
#include "pan_test.h"

FIXTURE(model_knobs) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(model_knobs)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(model_knobs)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* A paused job is resident, and does nothing. */
TEST_F(model_knobs, pause_holds_a_job)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), instructions, starts;
	struct pan_cs cs;

	starts = PAN_COUNTER("csg_start");
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	instructions = PAN_COUNTER("instructions");
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("csg_start", starts + 1, PAN_DEADLINE_MS));
	EXPECT_EQ(-ETIME, pan_ctx_wait(&self->ctx, 50));
	EXPECT_EQ(0, pan_peek(cpu));
	EXPECT_EQ(instructions, PAN_COUNTER("instructions"));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(cpu));
	EXPECT_LT(instructions, PAN_COUNTER("instructions"));
}

/* Each step is one instruction: of N that add 1, as many have been done. */
TEST_F(model_knobs, step_by_step)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), instructions, i;
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_set64(&cs, 0, va);
	pan_cs_set64(&cs, 2, 1);
	for (i = 0; i < 20; i++)
		pan_cs_emit(&cs, csf_sync_add64(0, 2));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	instructions = PAN_COUNTER("instructions");
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));

	/* Somewhere in the driver's prologue or in the stream's first two. */
	ASSERT_EQ(0, pan_model_knob_set("step", "5"));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", instructions + 5, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_peek(cpu));
	while (!pan_peek(cpu)) {
		ASSERT_LT(PAN_COUNTER("instructions"), instructions + 20);
		instructions = PAN_COUNTER("instructions");
		ASSERT_EQ(0, pan_model_knob_set("step", "1"));
		ASSERT_EQ(0, pan_model_wait_counter("instructions", instructions + 1,
						    PAN_DEADLINE_MS));
	}
	EXPECT_EQ(1, pan_peek(cpu));
	instructions = PAN_COUNTER("instructions");
	ASSERT_EQ(0, pan_model_knob_set("step", "7"));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", instructions + 7, PAN_DEADLINE_MS));
	EXPECT_EQ(8, pan_peek(cpu));
	EXPECT_EQ(instructions + 7, PAN_COUNTER("instructions"));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(20, pan_peek(cpu));
}

TEST_F(model_knobs, bytes_are_counted)
{
	__u64 size = 50 * PAN_PAGE_SIZE, read, written, wrong;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &bo));
	written = PAN_COUNTER("bytes_written");
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, size, 1));
	EXPECT_LE(written + size, PAN_COUNTER("bytes_written"));
	EXPECT_GT(written + size + 65536, PAN_COUNTER("bytes_written"));
	read = PAN_COUNTER("bytes_read");
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, size, 1, &wrong));
	EXPECT_LE(read + size, PAN_COUNTER("bytes_read"));
	EXPECT_GT(read + size + 65536, PAN_COUNTER("bytes_read"));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* MMU commands that take their time: the driver polls, and nothing breaks. */
TEST_F(model_knobs, mmu_latency)
{
	__u64 seed = pan_rand(&self->env.rand), wrong, locked;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	locked = PAN_COUNTER("as_lock_ns");
	ASSERT_EQ(0, pan_model_knob_set_u64("as_latency_us", 500));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, PAN_SZ_64K, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, bo.size, seed));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, bo.size, seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_LE(locked + 500000, PAN_COUNTER("as_lock_ns"));
	ASSERT_EQ(0, pan_model_knob_set_u64("as_latency_us", 0));
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(model_knobs, knobs_read_back)
{
	__u64 value = 0;

	ASSERT_EQ(0, pan_model_knob_set_u64("tlb_entries", 128));
	EXPECT_EQ(0, pan_model_knob_get("tlb_entries", &value));
	EXPECT_EQ(128, value);
	ASSERT_EQ(0, pan_model_knob_set_u64("as_hang_nth", 1000000));
	EXPECT_EQ(0, pan_model_knob_get("as_hang_nth", &value));
	EXPECT_LT(0, value);
	EXPECT_GE(1000000, value);
	EXPECT_EQ(-EINVAL, pan_model_knob_set("pause", "many"));
	EXPECT_EQ(-EINVAL, pan_model_knob_set("lose_irq", "coffee"));
}

static const char *const numbers[] = {
	"ack_latency_us", "as_drop_nth", "as_hang_nth", "as_late_us", "as_latency_us",
	"boot_latency_us", "flush_hang_nth", "mcu_hang", "pause", "refuse_power", "reset_hang",
	"retention", "step", "tiler_oom_auto", "tlb_entries",
};

/* Files of the model that can be written and read */
static int count_knobs(void)
{
	FILE *f = popen("find /sys/kernel/debug/mali_csf_model -maxdepth 1 -type f -perm 0600"
			" ! -name warning_log | wc -l", "r");
	int n = -1;

	if (!f || fscanf(f, "%d", &n) != 1)
		n = -1;
	if (f)
		pclose(f);
	return n;
}

/* What one test sets is nothing to the next one: for all knobs that there are. */
TEST_F(model_knobs, reset_puts_all_back)
{
	__u64 before[ARRAY_SIZE(numbers)], after = 0, starts = PAN_COUNTER("csg_start");
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;
	size_t i;

	EXPECT_EQ((int)ARRAY_SIZE(numbers), count_knobs());
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		ASSERT_EQ(0, pan_model_knob_get(numbers[i], &before[i]));
	/* A job that waits keeps the driver from doing anything that would meet these. */
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("csg_start", starts + 1, PAN_DEADLINE_MS));
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		ASSERT_EQ(0, pan_model_knob_set_u64(numbers[i], before[i] ? 64 : 1));
	ASSERT_EQ(0, pan_model_knobs_reset());
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		ASSERT_EQ(0, pan_model_knob_get(numbers[i], &after));
		EXPECT_EQ(before[i], after)
			TH_LOG("%s", numbers[i]);
	}
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
}

TEST_HARNESS_MAIN
