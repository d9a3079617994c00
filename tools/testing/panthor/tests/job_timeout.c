// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs that never end. The driver gives each five seconds; all cases here run
 * at the same time because of that.
 */
#include "pan_test.h"

#define QUEUES		2
#define STATE_TIMEDOUT	DRM_PANTHOR_GROUP_STATE_TIMEDOUT

FIXTURE(job_timeout) {
	struct pan_env env;
	struct pan_ctx spin;
	struct pan_ctx blocked;
	struct pan_ctx well;
};

FIXTURE_SETUP(job_timeout)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, QUEUES, &self->spin));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->blocked));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->well));
}

FIXTURE_TEARDOWN(job_timeout)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->spin));
	EXPECT_EQ(0, pan_ctx_destroy(&self->blocked));
	EXPECT_EQ(0, pan_ctx_destroy(&self->well));
	PAN_ENV_TEARDOWN(&self->env);
}

static void expect_timeout(struct __test_metadata *_metadata, struct pan_ctx *ctx)
{
	__u32 state = 0, fatal = 0, vm_state = ~0U;
	struct pan_cs cs;

	EXPECT_EQ(-ETIMEDOUT, pan_ctx_wait(ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_group_state(&ctx->group, &state, &fatal));
	EXPECT_EQ(STATE_TIMEDOUT, state & STATE_TIMEDOUT);
	EXPECT_EQ(0, pan_vm_state(&ctx->vm, &vm_state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, vm_state);

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	EXPECT_EQ(-EINVAL, pan_ctx_start(ctx, 0, &cs));
	ASSERT_EQ(0, pan_ctx_new_group(ctx));
	EXPECT_EQ(0, pan_ctx_run(ctx, &cs));
}

/* One spins, one waits for a value that never comes, a third works meanwhile. */
TEST_F(job_timeout, endless_jobs_are_killed)
{
	__u64 *cpu, va = pan_ctx_slot(&self->blocked, &cpu);
	__u64 start = pan_now_ms(), seen, jobs = 0;
	struct pan_cs cs;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->well.vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					  true, &bo));
	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(&self->spin, 0, &cs));
	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, va, 0);
	ASSERT_EQ(0, pan_ctx_start(&self->blocked, 0, &cs));

	while (pan_sync_result(&self->env.dev, self->spin.sync) == -EBUSY &&
	       pan_now_ms() - start < PAN_DEADLINE_MS) {
		jobs++;
		ASSERT_EQ(0, pan_gpu_store64(&self->well, bo.va, jobs));
		ASSERT_EQ(0, pan_gpu_load64(&self->well, bo.va, &seen));
		ASSERT_EQ(jobs, seen);
		pan_relax();
	}
	EXPECT_LT(1, jobs);
	expect_timeout(_metadata, &self->spin);
	expect_timeout(_metadata, &self->blocked);
	EXPECT_LE(4000, pan_now_ms() - start);
	EXPECT_EQ(0, pan_gpu_store64(&self->well, bo.va, 1));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

static void expect_spinning_is_killed(struct __test_metadata *_metadata, struct pan_ctx *ctx,
				      int queue)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_spin(&cs);
	ASSERT_EQ(0, pan_ctx_start(ctx, queue, &cs));
	expect_timeout(_metadata, ctx);
}

/* The GPU sleeps, and wakes up because of a job, which gives an empty queue its slot again. */
static void wake_up_empty(struct __test_metadata *_metadata, FIXTURE_DATA(job_timeout) *self,
			  struct pan_ctx *working)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_run(&self->spin, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_ctx_run(working, &cs));
}

/* What's submitted to a queue after that has its five seconds, as ever. */
TEST_F(job_timeout, endless_after_idle)
{
	wake_up_empty(_metadata, self, &self->well);
	expect_spinning_is_killed(_metadata, &self->spin, 0);
}

/* The same if it's another queue of its group that has the job. */
TEST_F(job_timeout, endless_beside_another_queue)
{
	wake_up_empty(_metadata, self, &self->spin);
	expect_spinning_is_killed(_metadata, &self->spin, 1);
}

TEST_HARNESS_MAIN
