// SPDX-License-Identifier: GPL-2.0
/*
 * VMs with running jobs are left alone, and of the others the one that has
 * been idle for longest goes first. Case 8.
 */
#include <sys/resource.h>

#include "evict.h"

#define VMS		4

FIXTURE(evict_active) {
	struct pan_env env;
	struct pan_ctx vms[VMS];
	struct pan_bo bos[VMS];
	__u64 seed;
	int count;
};

FIXTURE_SETUP(evict_active)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
	while (self->count < VMS) {
		struct pan_ctx *ctx = &self->vms[self->count];
		struct pan_bo *bo = &self->bos[self->count];

		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, ctx));
		ASSERT_EQ(0, pan_bo_create_mapped(&ctx->vm, (73 + self->count) * PAN_PAGE_SIZE,
						  PAN_PAGE_SIZE, true, bo));
		ASSERT_EQ(0, pan_gpu_fill(ctx, bo->va, bo->size, self->seed + self->count));
		self->count++;
	}
}

FIXTURE_TEARDOWN(evict_active)
{
	int i;

	EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
	for (i = 0; i < self->count; i++) {
		EXPECT_GPU_SEES(&self->vms[i], self->bos[i].va, self->bos[i].size, self->seed + i);
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
		EXPECT_EQ(0, pan_ctx_destroy(&self->vms[i]));
	}
	PAN_ENV_TEARDOWN(&self->env);
}

/* A job in VM @i that stays active until the model is released. */
static void hold_job(struct __test_metadata *_metadata, FIXTURE_DATA(evict_active) *self, int i)
{
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_fill(&cs, self->bos[i].va, self->bos[i].size, self->seed + i);
	ASSERT_EQ(0, pan_ctx_start(&self->vms[i], 0, &cs));
}

TEST_F(evict_active, busy_vm_is_left_alone)
{
	bool counted = pan_has_reclaim(&self->env.dev);
	__u64 waits = 0, waits_after = 0;
	struct pan_gem gem;
	int round;

	hold_job(_metadata, self, 0);
	if (counted)
		ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "waits", &waits));
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
		EXPECT_RESIDENT(&self->bos[0], 0);
	}
	/* Who isn't kswapd doesn't wait at all. */
	if (counted)
		ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "waits", &waits_after));
	EXPECT_EQ(waits, waits_after);
	/* The scans were not idle: the other VMs have nothing left. */
	ASSERT_EQ(0, evict_gem(&self->bos[1], &gem));
	EXPECT_EQ(1, gem.evictions);
	EXPECT_EQ(-EBUSY, pan_sync_result(&self->env.dev, self->vms[0].sync));

	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->vms[0], PAN_DEADLINE_MS));
	EVICT(&self->bos[0]);
	EXPECT_EVICTED(&self->bos[0], 1);
}

static long sleeps_so_far(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? -errno : usage.ru_nvcsw;
}

/* However many buffers a busy VM has, nobody sleeps for each of them. */
TEST_F(evict_active, busy_is_not_waited_for)
{
	struct pan_bo bos[30];
	size_t i;
	long sleeps;

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->vms[0].vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE,
						  i & 1, &bos[i]));
	hold_job(_metadata, self, 0);
	/* the idle ones */
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_EVICTED(&self->bos[1], 1);
	sleeps = sleeps_so_far();
	ASSERT_LE(0, sleeps);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_GT(sleeps + (long)ARRAY_SIZE(bos) / 3, sleeps_so_far());
	EXPECT_RESIDENT(&self->bos[0], 0);
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->vms[0], PAN_DEADLINE_MS));
	for (i = 0; i < ARRAY_SIZE(bos); i++)
		EXPECT_EQ(0, pan_bo_close(&bos[i]));
}

/* A job that waits for a fence keeps its VM as well. */
TEST_F(evict_active, queued_job_keeps_its_vm)
{
	struct drm_panthor_sync_op ops[2];
	struct pan_cs cs;

	hold_job(_metadata, self, 0);
	pan_cs_init(&cs);
	pan_cs_fill(&cs, self->bos[1].va, self->bos[1].size, self->seed + 1);
	ops[0] = pan_wait_op(self->vms[0].sync);
	ops[1] = pan_signal_op(self->vms[1].sync);
	ASSERT_EQ(0, pan_ctx_submit(&self->vms[1], 0, &cs, ops, 2));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_RESIDENT(&self->bos[1], 0);
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->vms[1], PAN_DEADLINE_MS));
	EVICT(&self->bos[1]);
}

/* A buffer shared by a busy and an idle VM stays for the busy one. */
TEST_F(evict_active, shared_with_a_busy_vm)
{
	struct pan_bo shared;
	__u64 va;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->vms[0].vm, 89 * PAN_PAGE_SIZE,
					  PAN_PAGE_SIZE, false, &shared));
	va = pan_vm_alloc_va(&self->vms[1].vm, shared.size, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->vms[1].vm, &shared, 0, va, shared.size, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->vms[1], va, shared.size, self->seed));
	hold_job(_metadata, self, 0);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_RESIDENT(&shared, 0);
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->vms[0], PAN_DEADLINE_MS));
	EVICT(&shared);
	EXPECT_GPU_SEES(&self->vms[0], shared.va, shared.size, self->seed);
	EXPECT_EQ(0, pan_bo_close(&shared));
}

static bool is_evicted(struct __test_metadata *_metadata, const struct pan_bo *bo)
{
	struct pan_gem gem = {};

	ASSERT_EQ(0, evict_gem(bo, &gem));
	return gem_is_evicted(&gem);
}

/*
 * VMs are used in some order, and evicted in the same. What counts is the last
 * job, not when the group left its slot, for which there are other reasons.
 */
static void expect_order_of_use(struct __test_metadata *_metadata,
				FIXTURE_DATA(evict_active) *self, bool asleep)
{
	int order[VMS] = { 2, 0, 3, 1 }, i, j;
	__u64 start, dummy;

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	for (i = 0; i < VMS; i++)
		ASSERT_EQ(0, pan_gpu_load64(&self->vms[order[i]], self->bos[order[i]].va, &dummy));
	if (asleep) {
		ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
		ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	}

	start = pan_now_ms();
	for (i = 0; i < VMS; i++) {
		/* In small steps, so that one step never takes two VMs. */
		while (!is_evicted(_metadata, &self->bos[order[i]])) {
			ASSERT_GT(PAN_DEADLINE_MS, pan_now_ms() - start);
			ASSERT_EQ(0, pan_shrink(&self->env.dev, 16, NULL));
		}
		for (j = i + 1; j < VMS; j++)
			EXPECT_FALSE(is_evicted(_metadata, &self->bos[order[j]]));
	}
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));
}

TEST_F(evict_active, longest_idle_goes_first)
{
	expect_order_of_use(_metadata, self, false);
}

TEST_F(evict_active, longest_idle_goes_first_asleep)
{
	expect_order_of_use(_metadata, self, true);
}

TEST_HARNESS_MAIN
