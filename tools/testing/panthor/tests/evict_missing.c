// SPDX-License-Identifier: GPL-2.0
/*
 * When there's little else to be had than GPU memory, it's what's missing that's evicted.
 *
 * guest: --kernel plain --mem 512M
 *
 * Zeroes don't have to be written anywhere, so what's evicted is free at once, and neither
 * the disk nor the compression of zram has a say in how much it comes to.
 */
#include "evict.h"

#define TOTAL		(128 * PAN_SZ_1M)
#define TAKEN		(32ULL * PAN_SZ_1M)

FIXTURE(evict_missing) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo *bos;
	__u64 count;
};

FIXTURE_VARIANT(evict_missing) {
	__u64 size;
};

FIXTURE_VARIANT_ADD(evict_missing, size_64k) { PAN_SZ_64K };
FIXTURE_VARIANT_ADD(evict_missing, size_4m) { 4 * PAN_SZ_1M };

FIXTURE_SETUP(evict_missing)
{
	__u64 i;

	EVICT_SETUP(self);
	self->count = TOTAL / variant->size;
	self->bos = calloc(self->count, sizeof(*self->bos));
	ASSERT_NE(NULL, self->bos);
	for (i = 0; i < self->count; i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, variant->size, PAN_PAGE_SIZE,
						  true, &self->bos[i]));
}

FIXTURE_TEARDOWN(evict_missing)
{
	__u64 i;

	for (i = 0; self->bos && i < self->count; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
	free(self->bos);
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Somebody takes more than there is. Nobody is killed, and not all of it goes. */
TEST_F(evict_missing, more_than_is_free)
{
	__u64 kills = 0, kills_after = 0, before = 0, after = 0, free_bytes = 0, last;
	pid_t pid;

	ASSERT_EQ(0, pan_write_file("/proc/sys/vm/drop_caches", "1"));
	ASSERT_EQ(0, pan_vmstat("oom_kill", &kills));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &before));
	ASSERT_EQ(0, pan_really_free(&free_bytes));
	ASSERT_EQ(0, pan_pressure_start(free_bytes + TAKEN, &pid));
	do {
		/* kswapd goes on for a while. */
		last = after;
		usleep(200000);
		ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &after));
	} while (after != last);
	EXPECT_EQ(0, pan_pressure_stop(pid));
	EXPECT_EQ(0, pan_vmstat("oom_kill", &kills_after));
	TH_LOG("took %llu KiB more, evicted %llu", TAKEN >> 10,
	       (after - before) * PAN_PAGE_SIZE >> 10);

	EXPECT_EQ(kills, kills_after);
	EXPECT_LT(before, after);
	EXPECT_GE(2 * TAKEN + variant->size, (after - before) * PAN_PAGE_SIZE);
}

TEST_HARNESS_MAIN
