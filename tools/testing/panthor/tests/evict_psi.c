// SPDX-License-Identifier: GPL-2.0
/*
 * A job that has to wait for its memory is a memory stall: pressure stall
 * information counts it. Pages are not sent to the swap device here, because
 * reading them from there might be counted without the driver's help.
 */
#include "evict.h"

#define PRESSURE	"/proc/pressure/memory"
#define SIZE		(2048 * PAN_PAGE_SIZE)
#define ROUNDS		20

FIXTURE(evict_psi) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
};

FIXTURE_SETUP(evict_psi)
{
	EVICT_SETUP(self);
	ASSERT_EQ(0, access(PRESSURE, R_OK));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, PAN_PAGE_SIZE, 1));
}

FIXTURE_TEARDOWN(evict_psi)
{
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/*
 * Time for which some task was stalled, in microseconds. What was less than a tick
 * when somebody looks is lost, so look once in a while only.
 */
static __u64 stalled(struct __test_metadata *_metadata)
{
	unsigned long long us = 0;
	FILE *f = fopen(PRESSURE, "r");

	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &us));
	fclose(f);
	return us;
}

TEST_F(evict_psi, restore_is_a_stall)
{
	__u64 before = stalled(_metadata);
	int round;

	for (round = 0; round < ROUNDS; round++) {
		EVICT(&self->bo);
		EXPECT_GPU_SEES(&self->ctx, self->bo.va, PAN_PAGE_SIZE, 1);
	}
	EXPECT_LT(before, stalled(_metadata));
}

/* Nothing has to come back, nothing is stalled. */
TEST_F(evict_psi, resident_is_no_stall)
{
	__u64 before = stalled(_metadata);
	int round;

	for (round = 0; round < ROUNDS; round++)
		EXPECT_GPU_SEES(&self->ctx, self->bo.va, PAN_PAGE_SIZE, 1);
	EXPECT_EQ(before, stalled(_metadata));
}

TEST_HARNESS_MAIN
