// SPDX-License-Identifier: GPL-2.0
/*
 * The model's TLB: it is used, it forgets what the driver tells it to forget,
 * and it can be switched off. Case 18.
 */
#include "pan_test.h"

#define PAGES	64
#define SIZE	(PAGES * PAN_PAGE_SIZE)

FIXTURE(tlb) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
	__u64 stale;
};

FIXTURE_SETUP(tlb)
{
	PAN_ENV_SETUP(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
	/* The VM stays on its address space, so its TLB entries live on. */
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	self->stale = PAN_COUNTER("stale_hits");
}

FIXTURE_TEARDOWN(tlb)
{
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static void verify(struct __test_metadata *_metadata, FIXTURE_DATA(tlb) *self)
{
	__u64 wrong = ~0ULL;

	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong));
	ASSERT_EQ(0, wrong);
}

/* The second look at each page finds its translation. */
TEST_F(tlb, hits_are_counted)
{
	__u64 hits, walks;

	verify(_metadata, self);
	hits = PAN_COUNTER("tlb_hits");
	walks = PAN_COUNTER("walks");
	verify(_metadata, self);
	EXPECT_LE(hits + PAGES, PAN_COUNTER("tlb_hits"));
	EXPECT_GT(walks + PAGES, PAN_COUNTER("walks"));
	EXPECT_EQ(self->stale, PAN_COUNTER("stale_hits"));
}

/* Without a TLB each access walks the tables, and everything works as well. */
TEST_F(tlb, can_be_switched_off)
{
	__u64 hits, walks;

	ASSERT_EQ(0, pan_model_knob_set_u64("tlb_entries", 0));
	hits = PAN_COUNTER("tlb_hits");
	walks = PAN_COUNTER("walks");
	verify(_metadata, self);
	verify(_metadata, self);
	EXPECT_EQ(hits, PAN_COUNTER("tlb_hits"));
	EXPECT_LE(walks + 2 * PAGES, PAN_COUNTER("walks"));
}

/* A TLB of one entry is a nuisance, but not an error. */
TEST_F(tlb, can_be_tiny)
{
	ASSERT_EQ(0, pan_model_knob_set_u64("tlb_entries", 1));
	verify(_metadata, self);
	ASSERT_EQ(0, pan_model_knob_set_u64("tlb_entries", 16));
	verify(_metadata, self);
}

/* Unmapped on an address space in use: the driver must flush the entries. */
TEST_F(tlb, unmap_is_seen_at_once)
{
	__u64 faults, wrong, flushes;
	char audit[8192];

	verify(_metadata, self);
	faults = PAN_COUNTER("faults");
	flushes = PAN_COUNTER("as_flush_pt");
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->bo.va, SIZE));
	EXPECT_LT(flushes, PAN_COUNTER("as_flush_pt"));
	EXPECT_EQ(0, pan_model_tlb_audit(audit, sizeof(audit)))
		TH_LOG("stale:\n%s", audit);
	EXPECT_EQ(-EINVAL, pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong));
	EXPECT_LT(faults, PAN_COUNTER("faults"));
	EXPECT_EQ(self->stale, PAN_COUNTER("stale_hits"));
}

/* Another buffer at the same address, again and again. */
TEST_F(tlb, remap_is_seen_at_once)
{
	__u64 wrong, round;
	struct pan_bo other;

	for (round = 1; round <= 5; round++) {
		ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, &self->ctx.vm, &other));
		ASSERT_EQ(0, pan_bo_mmap(&other));
		pan_fill(other.map, SIZE, self->seed + round);
		verify(_metadata, self);
		ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &other, 0, self->bo.va, SIZE, 0));
		ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->bo.va, SIZE,
					    self->seed + round, &wrong));
		ASSERT_EQ(0, wrong);
		ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->bo.va, SIZE, 0));
		ASSERT_EQ(0, pan_bo_close(&other));
	}
	EXPECT_EQ(self->stale, PAN_COUNTER("stale_hits"));
}

/*
 * The check of the checks: when the MMU drops the flush, the model must be
 * seen to use the translation that the driver took away, and its audit must
 * list it.
 */
TEST_F(tlb, lost_flush_is_noticed)
{
	__u64 wrong = ~0ULL;
	char audit[8192];

	verify(_metadata, self);
	EXPECT_EQ(0, pan_model_tlb_audit(audit, sizeof(audit)));
	/* LOCK and FLUSH_PT of the unmap: the second one counts. */
	ASSERT_EQ(0, pan_model_knob_set("as_drop_nth", "2"));
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->bo.va, SIZE));
	EXPECT_LT(0, pan_model_tlb_audit(audit, sizeof(audit)));
	/* The page is still there (the buffer lives), so no harm is done. */
	EXPECT_EQ(0, pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_LE(self->stale + PAGES, PAN_COUNTER("stale_hits"));
}

TEST_HARNESS_MAIN
