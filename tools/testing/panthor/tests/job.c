// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs of one queue: stores, loads, copies, the ring, what jobs wait for and
 * signal.
 */
#include "pan_test.h"

#define RING_JOBS	32	/* 4 KiB ring, 128 bytes per job */

FIXTURE(job) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(job)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(job)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(job, store_word)
{
	__u64 value = pan_rand(&self->env.rand), jobs = PAN_COUNTER("jobs");
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);

	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, va, value));
	EXPECT_EQ(value, pan_peek(cpu));
	EXPECT_EQ(jobs + 1, PAN_COUNTER("jobs"));
}

TEST_F(job, store_one_of_two_words)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_poke(cpu, ~0ULL);
	pan_cs_init(&cs);
	pan_cs_store32(&cs, va + 4, 0x12345678);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(0x12345678ffffffffULL, pan_peek(cpu));
}

/* Sixteen registers with one instruction, half of them on the next page. */
TEST_F(job, store_across_pages)
{
	__u64 offset = PAN_PAGE_SIZE - 8 * sizeof(__u32);
	struct pan_cs cs;
	struct pan_bo bo;
	__u32 *words;
	int i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, 2 * PAN_PAGE_SIZE,
					  PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_cs_init(&cs);
	for (i = 0; i < 16; i++)
		pan_cs_set32(&cs, i, 0x1000 + i);
	pan_cs_set64(&cs, PAN_SCRATCH_ADDR, bo.va + offset);
	pan_cs_emit(&cs, csf_store_multiple(0, PAN_SCRATCH_ADDR, 0xffff, 0));
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));

	words = (__u32 *)((char *)bo.map + offset);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0x1000 + i, words[i]);
	EXPECT_EQ(0, words[-1]);
	EXPECT_EQ(0, words[16]);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(job, load_and_store_copies)
{
	__u64 value = pan_rand(&self->env.rand), seen = 0;
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);

	pan_poke(cpu, value);
	ASSERT_EQ(0, pan_gpu_load64(&self->ctx, va, &seen));
	EXPECT_EQ(value, seen);
}

/* The GPU writes its page's number to each page of a buffer, in a loop. */
TEST_F(job, loop_over_pages)
{
	const __u32 pages = 2048;
	struct pan_cs cs;
	struct pan_bo bo;
	__u32 loop, i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, pages * PAN_PAGE_SIZE,
					  PAN_PAGE_SIZE, true, &bo));
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 0, bo.va);
	pan_cs_set32(&cs, 2, 0);
	pan_cs_set32(&cs, 3, pages);
	loop = pan_cs_here(&cs);
	pan_cs_emit(&cs, csf_store_multiple(2, 0, 0x1, 0));
	pan_cs_emit(&cs, csf_add_imm64(0, 0, PAN_PAGE_SIZE));
	pan_cs_emit(&cs, csf_add_imm32(2, 2, 1));
	pan_cs_emit(&cs, csf_add_imm32(3, 3, -1));
	pan_cs_branch(&cs, CSF_COND_GT, 3, loop);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));

	ASSERT_EQ(0, pan_bo_mmap(&bo));
	for (i = 0; i < pages; i++)
		ASSERT_EQ(i, *(__u32 *)((char *)bo.map + i * PAN_PAGE_SIZE));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* The range instructions and the CPU's versions of them agree. */
TEST_F(job, ranges_agree_with_cpu)
{
	__u64 size = 37 * PAN_PAGE_SIZE, part = 3 * PAN_PAGE_SIZE + 24;
	__u64 seed = pan_rand(&self->env.rand), wrong, sum;
	struct pan_bo a, b;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &a));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &b));
	ASSERT_EQ(0, pan_bo_mmap(&a));
	ASSERT_EQ(0, pan_bo_mmap(&b));

	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, a.va, size, seed));
	EXPECT_EQ(0, pan_verify(a.map, size, seed));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, a.va, size, seed, &wrong));
	EXPECT_EQ(0, wrong);

	pan_fill(b.map, size, seed + 1);
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, b.va, size, seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_gpu_sum(&self->ctx, b.va, size, &sum));
	EXPECT_EQ(pan_sum(b.map, size), sum);
	EXPECT_EQ(pan_pattern_sum(size, seed + 1), sum);

	/* Not all of it, and neither end on a page. */
	ASSERT_EQ(0, pan_gpu_copy(&self->ctx, b.va + 8, a.va + 16, part));
	EXPECT_EQ(0, memcmp((char *)b.map + 8, (char *)a.map + 16, part));
	EXPECT_EQ(csf_pattern(seed + 1, 0), *(__u64 *)b.map);
	EXPECT_EQ(csf_pattern(seed + 1, (part + 8) / 8), *(__u64 *)((char *)b.map + part + 8));
	EXPECT_EQ(0, pan_bo_close(&a));
	EXPECT_EQ(0, pan_bo_close(&b));
}

/* A check that can't fail is worth nothing. */
TEST_F(job, verify_finds_wrong_words)
{
	__u64 size = 5 * PAN_PAGE_SIZE, seed = pan_rand(&self->env.rand), wrong;
	struct pan_bo bo;
	__u64 *words;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	words = bo.map;
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, size, seed));
	words[0] ^= 1;
	words[512 * 3 + 7] ^= 1ULL << 63;
	words[size / 8 - 1] = 0;
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, size, seed, &wrong));
	EXPECT_EQ(3, wrong);
	EXPECT_EQ(3, pan_verify(bo.map, size, seed));
	EXPECT_EQ(2, pan_verify_edges(bo.map, size, seed));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, size, seed + 1, &wrong));
	EXPECT_EQ(size / 8, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

static void build_increment(struct pan_cs *cs, __u64 va)
{
	pan_cs_init(cs);
	pan_cs_load_pair(cs, 0, va);
	pan_cs_emit(cs, csf_add_imm64(0, 0, 1));
	pan_cs_store_pair(cs, 0, va);
}

/* Many more jobs than the ring has room for, one ioctl each. */
TEST_F(job, ring_wraps)
{
	const __u32 jobs = 7 * RING_JOBS + 5;
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), stream;
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);
	struct pan_cs cs;
	__u32 i;

	build_increment(&cs, va);
	ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &stream));
	for (i = 0; i < jobs; i++)
		ASSERT_EQ(0, pan_queue_submit(&self->ctx.group, 0, stream, pan_cs_size(&cs),
					      &done, i == jobs - 1));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(jobs, pan_peek(cpu));
}

/* The same with all jobs in one ioctl. */
TEST_F(job, ring_wraps_in_one_submit)
{
	struct drm_panthor_queue_submit subs[3 * RING_JOBS + 1];
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), stream;
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);
	const __u32 jobs = ARRAY_SIZE(subs);
	struct pan_cs cs;
	__u32 i;

	build_increment(&cs, va);
	ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &stream));
	memset(subs, 0, sizeof(subs));
	for (i = 0; i < jobs; i++) {
		subs[i].stream_addr = stream;
		subs[i].stream_size = pan_cs_size(&cs);
	}
	subs[jobs - 1].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &done);
	ASSERT_EQ(0, pan_group_submit(&self->ctx.group, subs, jobs));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(jobs, pan_peek(cpu));
}

TEST_F(job, registers_are_kept_between_jobs)
{
	__u64 value = pan_rand(&self->env.rand);
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_set64(&cs, 10, value);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	pan_cs_init(&cs);
	pan_cs_store_pair(&cs, 10, va);
	ASSERT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(value, pan_peek(cpu));
}

/* A submission without a stream signals after all that went before it. */
TEST_F(job, empty_stream_is_a_sync_point)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, NULL, 0));
	ASSERT_EQ(0, pan_queue_submit(&self->ctx.group, 0, 0, 0, &done, 1));
	EXPECT_EQ(-ETIME, pan_ctx_wait(&self->ctx, 0));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(cpu));
}

/*
 * A job waits for a syncobj that the CPU signals. Another group that was
 * submitted later finishes meanwhile, which is the time the first one had to
 * run by mistake.
 */
TEST_F(job, waits_for_syncobj)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu);
	struct drm_panthor_sync_op ops[2];
	struct pan_ctx other;
	struct pan_cs cs;
	__u32 gate;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &gate));
	/* A syncobj needs a fence before it can be waited for: a point that
	 * does not exist is -EINVAL. So let a held job provide it.
	 */
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ops[0] = pan_signal_op(gate);
	ASSERT_EQ(0, pan_ctx_submit(&other, 0, &cs, ops, 1));

	pan_cs_init(&cs);
	pan_cs_store64(&cs, va, 1);
	ops[0] = pan_wait_op(gate);
	ops[1] = pan_signal_op(self->ctx.sync);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, ops, 2));
	EXPECT_EQ(-ETIME, pan_ctx_wait(&self->ctx, 0));
	EXPECT_EQ(0, pan_peek(cpu));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_sync_result(&self->env.dev, gate));
	EXPECT_EQ(1, pan_peek(cpu));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, gate));
	EXPECT_EQ(0, pan_ctx_destroy(&other));
}

/* Jobs of one ioctl may depend on each other, across a timeline. */
TEST_F(job, timeline_points)
{
	__u64 *cpu, va = pan_ctx_slot(&self->ctx, &cpu), point = 0;
	struct drm_panthor_sync_op ops[2];
	const int jobs = 10;
	struct pan_cs cs;
	__u32 timeline;
	int i;

	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &timeline));
	build_increment(&cs, va);
	for (i = 1; i <= jobs; i++) {
		ops[0] = pan_signal_point_op(timeline, i);
		ops[1] = pan_wait_point_op(timeline, i - 1);
		ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, ops, i > 1 ? 2 : 1));
	}
	ASSERT_EQ(0, pan_sync_point_wait(&self->env.dev, timeline, jobs, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_sync_point_query(&self->env.dev, timeline, &point));
	EXPECT_EQ(jobs, point);
	EXPECT_EQ(jobs, pan_peek(cpu));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, timeline));
}

/*
 * Destroying the group of a job that runs ends the job. (How it ended can't be
 * asked for: 6.12 uses the freed scheduler's name in the answer.)
 */
TEST_F(job, group_destroy_cancels)
{
	__u64 terminated = PAN_COUNTER("csg_terminate");
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_model_wait_counter("instructions", PAN_COUNTER("instructions") + 1000,
					    PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_group_destroy(&self->ctx.group));
	EXPECT_EQ(0, pan_sync_wait(&self->env.dev, self->ctx.sync, PAN_DEADLINE_MS));
	EXPECT_LT(terminated, PAN_COUNTER("csg_terminate"));
}

TEST_HARNESS_MAIN
