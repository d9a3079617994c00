// SPDX-License-Identifier: GPL-2.0
/*
 * Who asks for memory gets it, and not much more than that is evicted: what goes
 * to compressed RAM is free at once, and what goes to a disk is waited for.
 *
 * guest: --kernel plain --mem 512M
 */
#include "evict.h"

#define VMS		4
#define TOTAL		(128 * PAN_SZ_1M)
#define ZRAM		(512 * PAN_SZ_1M)
#define PARTS		(256 * 1024)	/* it's asked for in parts, each a bit too large */

FIXTURE(evict_precision) {
	struct pan_env env;
	struct pan_ctx ctx[VMS];
	struct pan_bo *bos;
	__u64 count;
	__u64 seed;
	bool zram;
};

FIXTURE_VARIANT(evict_precision) {
	bool zram;
	__u64 size;
	unsigned int percent;	/* of what was asked for, at most, and one buffer */
};

FIXTURE_VARIANT_ADD(evict_precision, zram_64k) { true, PAN_SZ_64K, 110 };
FIXTURE_VARIANT_ADD(evict_precision, zram_4m) { true, 4 * PAN_SZ_1M, 110 };
FIXTURE_VARIANT_ADD(evict_precision, disk_64k) { false, PAN_SZ_64K, 150 };
FIXTURE_VARIANT_ADD(evict_precision, disk_4m) { false, 4 * PAN_SZ_1M, 150 };

static struct pan_ctx *ctx_of(FIXTURE_DATA(evict_precision) *self, __u64 i)
{
	return &self->ctx[i % VMS];
}

FIXTURE_SETUP(evict_precision)
{
	__u64 i;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	if (variant->zram) {
		ASSERT_EQ(0, pan_zram_start(ZRAM));
		self->zram = true;
	}
	self->seed = pan_rand(&self->env.rand);
	self->count = TOTAL / variant->size;
	self->bos = calloc(self->count, sizeof(*self->bos));
	ASSERT_NE(NULL, self->bos);
	for (i = 0; i < VMS; i++)
		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx[i]));
	for (i = 0; i < self->count; i++) {
		ASSERT_EQ(0, pan_bo_create_mapped(&ctx_of(self, i)->vm, variant->size,
						  PAN_PAGE_SIZE, true, &self->bos[i]));
		ASSERT_EQ(0, pan_gpu_fill(ctx_of(self, i), self->bos[i].va, variant->size,
					  self->seed + i));
	}
}

FIXTURE_TEARDOWN(evict_precision)
{
	__u64 i;

	for (i = 0; self->bos && i < self->count; i++)
		EXPECT_EQ(0, pan_bo_close(&self->bos[i]));
	free(self->bos);
	for (i = 0; i < VMS; i++)
		EXPECT_EQ(0, pan_ctx_destroy(&self->ctx[i]));
	if (self->zram)
		EXPECT_EQ(0, pan_zram_stop());
	PAN_ENV_TEARDOWN(&self->env);
}

struct state {
	__u64 evicted;
	__u64 written;
	__u64 free;
	__u64 zram;
};

static void look(struct __test_metadata *_metadata, FIXTURE_DATA(evict_precision) *self,
		 struct state *s)
{
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &s->evicted));
	s->evicted *= PAN_PAGE_SIZE;
	ASSERT_EQ(0, pan_vmstat("pswpout", &s->written));
	s->written *= PAN_PAGE_SIZE;
	ASSERT_EQ(0, pan_really_free(&s->free));
	s->zram = 0;
	if (self->zram)
		ASSERT_EQ(0, pan_zram_used(&s->zram));
}

static void ask_for(struct __test_metadata *_metadata, FIXTURE_DATA(evict_precision) *self,
		    const FIXTURE_VARIANT(evict_precision) *variant, __u64 bytes)
{
	__u64 limit = bytes / 100 * variant->percent + variant->size + PARTS;
	struct state before, after;
	__u64 evicted, written;
	int ret;

	/* The page cache would be taken first. */
	ASSERT_EQ(0, pan_write_file("/proc/sys/vm/drop_caches", "1"));
	look(_metadata, self, &before);
	ret = pan_memory_reclaim(bytes);
	look(_metadata, self, &after);
	evicted = after.evicted - before.evicted;
	written = after.written - before.written;
	TH_LOG("asked for %llu KiB: %d, evicted %llu, written %llu, free %lld, zram %lld",
	       bytes >> 10, ret, evicted >> 10, written >> 10,
	       (long long)(after.free - before.free) >> 10,
	       (long long)(after.zram - before.zram) >> 10);

	EXPECT_EQ(0, ret);
	EXPECT_LE(bytes > 8 * PAN_SZ_1M ? bytes / 2 : 1, evicted);
	EXPECT_GE(limit, evicted);
	EXPECT_GE(limit, written);
	if (self->zram)
		EXPECT_LE(evicted / 10 * 9, after.free + after.zram - before.free - before.zram);
}

TEST_F(evict_precision, memory_reclaim)
{
	static const __u64 sizes[] = { 4, 16, 32, 64 };
	__u64 s, i;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		ask_for(_metadata, self, variant, sizes[s] * PAN_SZ_1M);
		/* Everything comes back. */
		for (i = 0; i < self->count; i++)
			EXPECT_GPU_SEES(ctx_of(self, i), self->bos[i].va, variant->size,
					self->seed + i);
	}
}

TEST_HARNESS_MAIN
