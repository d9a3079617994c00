// SPDX-License-Identifier: GPL-2.0
/*
 * The GPU's MMU stops answering at each command of an eviction, of a restore,
 * of a bind, one after the other. The driver resets the GPU; nothing is lost.
 * Nor does a GPU matter that can't be switched on. Case 12.
 */
#include "evict.h"

#define SIZE		(50 * PAN_PAGE_SIZE)
#define OTHER_VA	0x40000000ULL
#define MAX_COMMANDS	30

FIXTURE(as_errors) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo, shared;
	__u64 seed;
};

FIXTURE_SETUP(as_errors)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE + PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					  false, &self->shared));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->shared.va, self->shared.size, self->seed));
}

FIXTURE_TEARDOWN(as_errors)
{
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_CPU_SEES(&self->bo, self->seed);
	EXPECT_CPU_SEES(&self->shared, self->seed);
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_bo_close(&self->shared));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

struct works_goal {
	FIXTURE_DATA(as_errors) *test;
	int last;
};

/* A job that was cut short by the reset costs its group; the VM is what counts. */
static int works_again(void *arg)
{
	struct works_goal *goal = arg;
	struct pan_ctx *ctx = &goal->test->ctx;
	__u64 wrong = ~0ULL;

	goal->last = pan_gpu_verify(ctx, goal->test->bo.va, SIZE, goal->test->seed, &wrong);
	if (!goal->last)
		goal->last = pan_gpu_verify(ctx, goal->test->shared.va, goal->test->shared.size,
					    goal->test->seed, &wrong);
	if (!goal->last)
		return wrong ? -EILSEQ : 1;
	return pan_ctx_new_group(ctx);
}

static void expect_works_again(struct __test_metadata *_metadata, FIXTURE_DATA(as_errors) *self)
{
	struct works_goal goal = { .test = self };

	EXPECT_EQ(0, pan_poll(works_again, &goal, PAN_DEADLINE_MS))
		TH_LOG("the last job said %d", goal.last);
	EXPECT_SOUND(&self->env.dev);
}

/* Whether the command that was to hang has been given. */
static bool disarm(struct __test_metadata *_metadata)
{
	__u64 left = 0;

	ASSERT_EQ(0, pan_model_knob_get("as_hang_nth", &left));
	ASSERT_EQ(0, pan_model_knob_set("as_hang_nth", "0"));
	return !left;
}

static int evict(FIXTURE_DATA(as_errors) *self)
{
	return pan_shrink(&self->env.dev, EVERYTHING, NULL);
}

static int restore(FIXTURE_DATA(as_errors) *self)
{
	__u64 wrong;

	return pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong);
}

static int bind(FIXTURE_DATA(as_errors) *self)
{
	int ret;

	ret = pan_vm_map(&self->ctx.vm, &self->shared, 0, OTHER_VA, SIZE, 0);
	return ret ? ret : pan_vm_unmap(&self->ctx.vm, OTHER_VA, SIZE);
}

/* Let the n-th command of an operation hang, for all n. Returns how many did. */
static unsigned int sweep(struct __test_metadata *_metadata, FIXTURE_DATA(as_errors) *self,
			  int (*run)(FIXTURE_DATA(as_errors) *self), bool evicted)
{
	unsigned int nth;
	__u64 resets;
	bool hit = true;
	int ret;

	for (nth = 1; hit; nth++) {
		ASSERT_GT(MAX_COMMANDS, nth);
		expect_works_again(_metadata, self);
		if (evicted)
			EVICT(&self->bo);
		resets = PAN_COUNTER("resets");
		ASSERT_EQ(0, pan_model_knob_set_u64("as_hang_nth", nth));
		ret = run(self);
		hit = disarm(_metadata);
		if (hit) {
			EXPECT_EQ(0, pan_model_wait_counter("resets", resets + 1, PAN_DEADLINE_MS));
		} else {
			EXPECT_EQ(0, ret);
		}
		expect_works_again(_metadata, self);
	}
	return nth - 2;
}

TEST_F(as_errors, evict)
{
	__u64 before = 0, skipped = 0;

	if (!pan_has_reclaim(&self->env.dev)) {
		EXPECT_LT(1, sweep(_metadata, self, evict, false));
		return;
	}
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-vm", &before));
	EXPECT_LT(1, sweep(_metadata, self, evict, false));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-vm", &skipped));
	EXPECT_LT(before, skipped);
}

TEST_F(as_errors, restore)
{
	EXPECT_LT(0, sweep(_metadata, self, restore, true));
}

TEST_F(as_errors, bind)
{
	EXPECT_LT(0, sweep(_metadata, self, bind, true));
}

/* Eviction and CPU faults do without power, and so with a GPU that has none. */
TEST_F(as_errors, refused_power)
{
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_model_knob_set("refuse_power", "1"));
	EVICT(&self->bo);
	EVICT(&self->shared);
	EXPECT_CPU_SEES(&self->shared, self->seed);
	EVICT(&self->shared);
	ASSERT_EQ(0, pan_model_knob_set("refuse_power", "0"));
	expect_works_again(_metadata, self);
}

TEST_HARNESS_MAIN
