// SPDX-License-Identifier: GPL-2.0
/*
 * Several queues in a group, and the sync objects in memory by which they wait
 * for each other.
 */
#include "pan_test.h"

#define QUEUES	8

FIXTURE(queues) {
	struct pan_env env;
	struct pan_ctx ctx;
	__u32 syncs[QUEUES];
};

FIXTURE_SETUP(queues)
{
	int i;

	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, QUEUES, &self->ctx));
	for (i = 0; i < QUEUES; i++)
		ASSERT_EQ(0, pan_sync_create(&self->env.dev, &self->syncs[i]));
}

FIXTURE_TEARDOWN(queues)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int submit(FIXTURE_DATA(queues) *self, int queue, const struct pan_cs *cs)
{
	struct drm_panthor_sync_op done = pan_signal_op(self->syncs[queue]);

	return pan_ctx_submit(&self->ctx, queue, cs, &done, 1);
}

static int wait_for(FIXTURE_DATA(queues) *self, int queue)
{
	return pan_sync_wait_result(&self->env.dev, self->syncs[queue], PAN_DEADLINE_MS);
}

TEST_F(queues, each_queue_runs)
{
	__u64 *cpu[QUEUES];
	struct pan_cs cs;
	int i;

	for (i = 0; i < QUEUES; i++) {
		pan_cs_init(&cs);
		pan_cs_store64(&cs, pan_ctx_slot(&self->ctx, &cpu[i]), 100 + i);
		ASSERT_EQ(0, submit(self, i, &cs));
	}
	for (i = 0; i < QUEUES; i++) {
		ASSERT_EQ(0, wait_for(self, i));
		EXPECT_EQ(100 + i, pan_peek(cpu[i]));
	}
}

/* Each queue has registers of its own. */
TEST_F(queues, registers_are_per_queue)
{
	__u64 *cpu[QUEUES];
	struct pan_cs cs;
	int i;

	for (i = 0; i < QUEUES; i++) {
		pan_cs_init(&cs);
		pan_cs_set64(&cs, 20, 1000 + i);
		ASSERT_EQ(0, submit(self, i, &cs));
	}
	for (i = 0; i < QUEUES; i++) {
		pan_cs_init(&cs);
		pan_cs_store_pair(&cs, 20, pan_ctx_slot(&self->ctx, &cpu[i]));
		ASSERT_EQ(0, submit(self, i, &cs));
	}
	for (i = 0; i < QUEUES; i++) {
		ASSERT_EQ(0, wait_for(self, i));
		EXPECT_EQ(1000 + i, pan_peek(cpu[i]));
	}
}

/* Queue 0 waits for queue 1, which is submitted later. */
TEST_F(queues, wait_for_other_queue_64)
{
	__u64 *seen, *cpu, seen_va = pan_ctx_slot(&self->ctx, &seen);
	__u64 va = pan_ctx_slot(&self->ctx, &cpu);
	__u64 value = (1ULL << 40) + 5;
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, va, value - 1);
	pan_cs_copy64(&cs, seen_va, va);
	ASSERT_EQ(0, submit(self, 0, &cs));

	/* Not enough: the wait goes on. */
	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, va, value - 1);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 1));
	EXPECT_EQ(0, pan_peek(seen));
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->syncs[0]));

	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, va, value);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 0));
	EXPECT_EQ(value, pan_peek(seen));
}

/* The same with 32 bits: the upper half of the word is not compared. */
TEST_F(queues, wait_for_other_queue_32)
{
	__u64 *seen, *cpu, seen_va = pan_ctx_slot(&self->ctx, &seen);
	__u64 va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_poke(cpu, 0xffffffffULL << 32);
	pan_cs_init(&cs);
	pan_cs_wait_gt32(&cs, va, 7);
	pan_cs_store64(&cs, seen_va, 1);
	ASSERT_EQ(0, submit(self, 0, &cs));

	pan_cs_init(&cs);
	pan_cs_sync_set32(&cs, va, 7);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 1));
	EXPECT_EQ(0, pan_peek(seen));

	pan_cs_init(&cs);
	pan_cs_sync_add32(&cs, va, 1);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 0));
	EXPECT_EQ(1, pan_peek(seen));
	EXPECT_EQ(8, (__u32)pan_peek(cpu));
}

/* SYNC_WAIT with "less or equal" */
TEST_F(queues, wait_for_le)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_poke(cpu, 10);
	pan_cs_init(&cs);
	pan_cs_set64(&cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set64(&cs, PAN_SCRATCH_VALUE, 3);
	pan_cs_emit(&cs, csf_sync_wait64(CSF_COND_LE, PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE, 0));
	ASSERT_EQ(0, submit(self, 0, &cs));

	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, va, 4);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 1));
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->syncs[0]));
	pan_cs_init(&cs);
	pan_cs_sync_set64(&cs, va, 3);
	ASSERT_EQ(0, submit(self, 1, &cs));
	ASSERT_EQ(0, wait_for(self, 0));
}

/* The CPU writes the value; nobody rings a doorbell. */
TEST_F(queues, wait_for_cpu)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), jobs;
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, va, 0);
	jobs = PAN_COUNTER("jobs");
	ASSERT_EQ(0, submit(self, 0, &cs));
	/* Something to keep the group from going idle and off its slot. */
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, submit(self, 1, &cs));
	EXPECT_EQ(jobs, PAN_COUNTER("jobs"));
	pan_poke(cpu, 1);
	EXPECT_EQ(0, wait_for(self, 0));
}

/* Two queues take turns: odd numbers here, even ones there. */
TEST_F(queues, ping_pong)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	const int rounds = 50;
	struct pan_cs cs;
	int i;

	for (i = 0; i < rounds; i++) {
		pan_cs_init(&cs);
		pan_cs_wait_gt64(&cs, va, 2 * i);
		pan_cs_sync_set64(&cs, va, 2 * i + 2);
		ASSERT_EQ(0, submit(self, 0, &cs));
	}
	for (i = 0; i < rounds; i++) {
		pan_cs_init(&cs);
		if (i)
			pan_cs_wait_gt64(&cs, va, 2 * i - 1);
		pan_cs_sync_set64(&cs, va, 2 * i + 1);
		ASSERT_EQ(0, submit(self, 1, &cs));
	}
	ASSERT_EQ(0, wait_for(self, 0));
	ASSERT_EQ(0, wait_for(self, 1));
	EXPECT_EQ(2 * rounds, pan_peek(cpu));
}

/* SYNC_ADD of all queues to one object loses nothing. */
TEST_F(queues, adds_are_atomic)
{
	__u64 *cpu64, va64 = pan_ctx_slot(&self->ctx, &cpu64);
	__u64 *cpu32, va32 = pan_ctx_slot(&self->ctx, &cpu32);
	const int adds = 40;
	struct pan_cs cs;
	int i, queue;

	for (queue = 0; queue < QUEUES; queue++) {
		pan_cs_init(&cs);
		for (i = 0; i < adds; i++) {
			pan_cs_sync_add64(&cs, va64, 1ULL << 33);
			pan_cs_sync_add32(&cs, va32, 3);
		}
		ASSERT_EQ(0, submit(self, queue, &cs));
	}
	for (queue = 0; queue < QUEUES; queue++)
		ASSERT_EQ(0, wait_for(self, queue));
	EXPECT_EQ((1ULL << 33) * adds * QUEUES, pan_peek(cpu64));
	EXPECT_EQ(3 * adds * QUEUES, (__u32)pan_peek(cpu32));
}

/* A pipeline: each queue copies what the queue before it has finished. */
TEST_F(queues, pipeline)
{
	__u64 seed = pan_rand(&self->env.rand), *flag, wrong;
	const __u64 size = 16 * PAN_PAGE_SIZE;
	__u64 flag_va = pan_ctx_slot(&self->ctx, &flag);
	struct pan_cs cs;
	struct pan_bo bo;
	int i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size * QUEUES, PAN_PAGE_SIZE, true, &bo));
	for (i = QUEUES - 1; i >= 0; i--) {
		pan_cs_init(&cs);
		if (i) {
			pan_cs_wait_gt64(&cs, flag_va, i - 1);
			pan_cs_copy(&cs, bo.va + i * size, bo.va + (i - 1) * size, size);
		} else {
			pan_cs_fill(&cs, bo.va, size, seed);
		}
		pan_cs_sync_set64(&cs, flag_va, i + 1);
		ASSERT_EQ(0, submit(self, i, &cs));
	}
	ASSERT_EQ(0, wait_for(self, QUEUES - 1));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	for (i = 0; i < QUEUES; i++) {
		ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va + i * size, size, seed, &wrong));
		EXPECT_EQ(0, wrong);
		EXPECT_EQ(0, pan_verify_edges((char *)bo.map + i * size, size, seed));
	}
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_HARNESS_MAIN
