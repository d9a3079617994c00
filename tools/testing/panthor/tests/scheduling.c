// SPDX-License-Identifier: GPL-2.0
/*
 * More groups than the firmware has slots, more VMs than the MMU has address
 * spaces: everything takes turns, nothing is lost on the way.
 */
#include <unistd.h>

#include "pan_test.h"

#define MAX_GROUPS	16
#define ROUNDS		200
#define GATES		8	/* seconds */
#define ANSWER(i)	(1000000ULL * (i) + 4 * ROUNDS)

FIXTURE(scheduling) {
	struct pan_env env;
	struct pan_ctx ctx[MAX_GROUPS];
	__u64 *cpu[MAX_GROUPS];
	int count;
};

FIXTURE_SETUP(scheduling)
{
	PAN_ENV_SETUP(&self->env);
}

FIXTURE_TEARDOWN(scheduling)
{
	int i;

	/* Those that borrow a VM of the first one go first. */
	for (i = self->count - 1; i >= 0; i--)
		EXPECT_EQ(0, pan_ctx_destroy(&self->ctx[i]));
	PAN_ENV_TEARDOWN(&self->env);
}

static void create(struct __test_metadata *_metadata, FIXTURE_DATA(scheduling) *self,
		   int count, bool one_vm)
{
	struct pan_vm *vm = &self->ctx[0].vm;

	ASSERT_LE(count, MAX_GROUPS);
	while (self->count < count) {
		struct pan_ctx *ctx = &self->ctx[self->count];

		if (one_vm && self->count) {
			ASSERT_EQ(0, pan_ctx_create_in(vm, 1, ctx));
			vm = &ctx->vm;
		} else {
			ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, ctx));
		}
		self->count++;
	}
}

/*
 * A job whose result depends on registers, memory, the call stack and the
 * program counter at each moment at which it may be suspended: an outer stream
 * that calls an inner one, both of which count in registers and in memory.
 */
static void start_counting(struct __test_metadata *_metadata,
			   FIXTURE_DATA(scheduling) *self, int i)
{
	struct pan_ctx *ctx = &self->ctx[i];
	__u64 va = pan_ctx_slot(ctx, &self->cpu[i]), inner;
	struct pan_cs cs;
	__u32 loop, size;

	pan_cs_init(&cs);
	pan_cs_load_pair(&cs, 2, va);
	pan_cs_emit(&cs, csf_add_imm64(2, 2, 3));
	pan_cs_store_pair(&cs, 2, va);
	pan_cs_delay(&cs, 10);
	size = pan_cs_size(&cs);
	ASSERT_EQ(0, pan_ctx_upload(ctx, &cs, &inner));

	pan_cs_init(&cs);
	pan_cs_set64(&cs, 0, 1000000ULL * i);
	pan_cs_set32(&cs, 4, ROUNDS);
	loop = pan_cs_here(&cs);
	pan_cs_call(&cs, inner, size);
	pan_cs_emit(&cs, csf_add_imm64(0, 0, 1));
	pan_cs_emit(&cs, csf_add_imm32(4, 4, -1));
	pan_cs_branch(&cs, CSF_COND_GT, 4, loop);
	/* r0 has counted the rounds, memory three times as much. */
	pan_cs_load_pair(&cs, 2, va);
	pan_cs_emit(&cs, csf_add_imm64(0, 0, 3 * ROUNDS));
	pan_cs_store_pair(&cs, 0, va);
	pan_cs_store_pair(&cs, 2, va + 8);
	ASSERT_EQ(0, pan_ctx_start(ctx, 0, &cs));
}

static void expect_counted(struct __test_metadata *_metadata,
			   FIXTURE_DATA(scheduling) *self, int i)
{
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx[i], PAN_DEADLINE_MS));
	EXPECT_EQ(ANSWER(i), pan_peek(self->cpu[i]));
	EXPECT_EQ(3 * ROUNDS, pan_peek(self->cpu[i] + 1));
}

/*
 * The model is paused while all groups become ready and the driver moves them
 * on and off the slots; then a while of execution with rotation, then the end.
 */
static void run_all(struct __test_metadata *_metadata, FIXTURE_DATA(scheduling) *self)
{
	__u64 suspends = PAN_COUNTER("csg_suspend");
	int i;

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	for (i = 0; i < self->count; i++)
		start_counting(_metadata, self, i);
	ASSERT_EQ(0, pan_model_wait_counter("csg_suspend", suspends + 2 * self->count,
					    PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("step", "3000"));
	suspends = PAN_COUNTER("csg_suspend");
	ASSERT_EQ(0, pan_model_wait_counter("csg_suspend", suspends + self->count,
					    PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	for (i = 0; i < self->count; i++)
		expect_counted(_metadata, self, i);
}

TEST_F(scheduling, more_groups_than_slots)
{
	create(_metadata, self, self->env.dev.csif.csg_slot_count + 4, true);
	run_all(_metadata, self);
}

TEST_F(scheduling, more_vms_than_address_spaces)
{
	int spaces = __builtin_popcount(self->env.dev.gpu.as_present) - 1;

	create(_metadata, self, spaces + 4, false);
	run_all(_metadata, self);
}

/* One after the other, so that idle VMs lose their address space. */
TEST_F(scheduling, idle_vms_give_way)
{
	int spaces = __builtin_popcount(self->env.dev.gpu.as_present) - 1;
	int round, i;

	create(_metadata, self, spaces + 3, false);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < self->count; i++) {
			start_counting(_metadata, self, i);
			expect_counted(_metadata, self, i);
		}
	}
}

/* All slots are taken by jobs that don't end: the important group gets one. */
TEST_F(scheduling, high_priority_goes_first)
{
	int count = self->env.dev.csif.csg_slot_count + 2, i;
	__u64 *gate, gate_va, seen = 0;
	struct pan_group high;
	struct pan_ctx *last;
	struct pan_cs cs;

	create(_metadata, self, count, true);
	last = &self->ctx[count - 1];
	gate_va = pan_ctx_slot(&self->ctx[0], &gate);
	for (i = 0; i < count - 1; i++) {
		pan_cs_init(&cs);
		pan_cs_load_pair(&cs, 0, gate_va);
		pan_cs_branch(&cs, CSF_COND_EQ, 0, 0);
		ASSERT_EQ(0, pan_ctx_start(&self->ctx[i], 0, &cs));
	}
	ASSERT_EQ(0, pan_group_create(&last->vm, 1, 4096, PANTHOR_GROUP_PRIORITY_HIGH, &high));
	ASSERT_EQ(0, pan_group_destroy(&last->group));
	last->group = high;
	ASSERT_EQ(0, pan_gpu_store64(last, last->result.va + 2048, 5));
	ASSERT_EQ(0, pan_gpu_load64(last, last->result.va + 2048, &seen));
	EXPECT_EQ(5, seen);
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->ctx[0].sync));

	pan_poke(gate, 1);
	for (i = 0; i < count - 1; i++)
		EXPECT_EQ(0, pan_ctx_wait(&self->ctx[i], PAN_DEADLINE_MS));
}

/*
 * One job for each word of @gates, which writes its number, from 1 on, to @started,
 * and ends when the word isn't 0 any more. All but the first set @flag, if there's one.
 */
static void start_gated(struct __test_metadata *_metadata, struct pan_ctx *ctx,
			const __u64 *gates, int count, __u64 started, __u64 flag)
{
	struct drm_panthor_sync_op done = pan_signal_op(ctx->sync);
	struct pan_cs cs;
	int i;

	for (i = 0; i < count; i++) {
		pan_cs_init(&cs);
		pan_cs_store64(&cs, started, i + 1);
		if (flag && i)
			pan_cs_sync_set64(&cs, flag, 1);
		pan_cs_load_pair(&cs, 0, gates[i]);
		pan_cs_branch(&cs, CSF_COND_EQ, 0, 0);
		ASSERT_EQ(0, pan_ctx_submit(ctx, 0, &cs, &done, i == count - 1));
	}
}

/* Job @number of all @count groups runs, or is over. */
static void wait_for_job(struct __test_metadata *_metadata, __u64 *const *started,
			 int count, __u64 number)
{
	__u64 end = pan_now_ms() + PAN_DEADLINE_MS;
	int i;

	for (i = 0; i < count; i++) {
		while (pan_peek(started[i]) < number) {
			ASSERT_GT(end, pan_now_ms());
			usleep(1000);
		}
	}
}

/* Give all groups but the last one a high priority. */
static void make_important(struct __test_metadata *_metadata, FIXTURE_DATA(scheduling) *self)
{
	struct pan_group high;
	int i;

	for (i = 0; i < self->count - 1; i++) {
		ASSERT_EQ(0, pan_group_create(&self->ctx[i].vm, 1, 4096,
					      PANTHOR_GROUP_PRIORITY_HIGH, &high));
		ASSERT_EQ(0, pan_group_destroy(&self->ctx[i].group));
		self->ctx[i].group = high;
	}
}

/*
 * All groups but the last one have all slots for longer than a job may take, each with
 * jobs that end in time.
 */
struct gates {
	__u64 *gate[GATES];
	__u64 *started[MAX_GROUPS];
	int slots;
};

static void take_slots(struct __test_metadata *_metadata, FIXTURE_DATA(scheduling) *self,
		       struct gates *g, __u64 flag)
{
	__u64 gate_va[GATES], started_va;
	int i;

	g->slots = self->count - 1;
	for (i = 0; i < GATES; i++)
		gate_va[i] = pan_ctx_slot(&self->ctx[0], &g->gate[i]);
	for (i = 0; i < g->slots; i++) {
		started_va = pan_ctx_slot(&self->ctx[i], &g->started[i]);
		start_gated(_metadata, &self->ctx[i], gate_va, GATES, started_va, flag);
	}
	wait_for_job(_metadata, g->started, g->slots, 1);
}

/* What the last group submitted is done after that. */
static void expect_done_at_last(struct __test_metadata *_metadata,
				FIXTURE_DATA(scheduling) *self, struct gates *g)
{
	int i;

	for (i = 0; i < GATES; i++) {
		wait_for_job(_metadata, g->started, g->slots, i + 1);
		usleep(1000000);
		EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->ctx[g->slots].sync));
		pan_poke(g->gate[i], 1);
	}
	for (i = g->slots; i >= 0; i--)
		EXPECT_EQ(0, pan_ctx_wait(&self->ctx[i], PAN_DEADLINE_MS));
}

/* A group that waits meanwhile, with several jobs, hasn't used its time. */
TEST_F(scheduling, waiting_is_not_running)
{
	int slots = self->env.dev.csif.csg_slot_count;
	struct pan_ctx *waiting = &self->ctx[slots];
	struct gates g;
	struct pan_cs cs;

	PAN_SKIP_UNPATCHED("it counts the time without a slot");
	create(_metadata, self, slots + 1, true);
	make_important(_metadata, self);
	/* The slots are taken before anybody waits for one. */
	take_slots(_metadata, self, &g, 0);
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_submit(waiting, 0, &cs, NULL, 0));
	ASSERT_EQ(0, pan_ctx_start(waiting, 0, &cs));
	expect_done_at_last(_metadata, self, &g);
}

/*
 * One that was waiting for a value in memory, which counts, and got it when there was no
 * slot for it, hasn't, either.
 */
TEST_F(scheduling, unblocked_is_not_running)
{
	int slots = self->env.dev.csif.csg_slot_count;
	__u64 *flag, flag_va;
	struct gates g;
	struct pan_cs cs;

	PAN_SKIP_UNPATCHED("it counts the time without a slot");
	create(_metadata, self, slots + 1, true);
	make_important(_metadata, self);
	flag_va = pan_ctx_slot(&self->ctx[0], &flag);
	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, flag_va, 0);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx[slots], 0, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	take_slots(_metadata, self, &g, flag_va);
	expect_done_at_last(_metadata, self, &g);
}

/*
 * A group that waits for a value in memory is idle, so that the whole GPU
 * goes to sleep under it. The driver must notice that another group wrote the
 * value, and wake it up.
 */
TEST_F(scheduling, blocked_group_is_woken)
{
	__u64 *flag, flag_va, *passed, passed_va;
	struct pan_cs cs;

	create(_metadata, self, 2, true);
	flag_va = pan_ctx_slot(&self->ctx[0], &flag);
	passed_va = pan_ctx_slot(&self->ctx[0], &passed);
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 30, 42);
	pan_cs_wait_gt64(&cs, flag_va, 0);
	pan_cs_store_pair(&cs, 30, passed_va);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx[0], 0, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->ctx[0].sync));

	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, flag_va, 1);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx[1], &cs));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx[0], PAN_DEADLINE_MS));
	EXPECT_EQ(42, pan_peek(passed));
}

/* The same with 32 bits and the values around the edge. */
TEST_F(scheduling, blocked_group_is_woken_32)
{
	__u64 *flag, flag_va, *passed, passed_va;
	struct pan_cs cs;

	create(_metadata, self, 2, true);
	flag_va = pan_ctx_slot(&self->ctx[0], &flag);
	passed_va = pan_ctx_slot(&self->ctx[0], &passed);
	pan_cs_init(&cs);
	pan_cs_wait_gt32(&cs, flag_va, 0x80000000U);
	pan_cs_store64(&cs, passed_va, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx[0], 0, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));

	pan_cs_init(&cs);
	pan_cs_sync_set32(&cs, flag_va, 0x80000000U);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx[1], &cs));
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->ctx[0].sync));
	pan_cs_init(&cs);
	pan_cs_sync_add32(&cs, flag_va, 1);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx[1], &cs));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx[0], PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(passed));
}

TEST_HARNESS_MAIN
