// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs reclaim: in which list a buffer is after each step of its life, and
 * what is counted when it is evicted, restored or skipped. Case 16.
 */
#include "evict.h"

#define PAGES	103ULL
#define SIZE	(PAGES * PAN_PAGE_SIZE)

FIXTURE(evict_counters) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
};

FIXTURE_SETUP(evict_counters)
{
	EVICT_SETUP(self);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &self->bo));
	/* The VM of the context has buffers of its own: out of the way. */
	EVICT(&self->ctx.streams);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
}

FIXTURE_TEARDOWN(evict_counters)
{
	EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static __u64 read_counter(struct __test_metadata *_metadata, FIXTURE_DATA(evict_counters) *self,
			  const char *name)
{
	__u64 value = 0;

	EXPECT_EQ(0, pan_reclaim_counter(&self->env.dev, name, &value))
		TH_LOG("counter %s", name);
	return value;
}

static void expect_lists(struct __test_metadata *_metadata, FIXTURE_DATA(evict_counters) *self,
			 __u64 unused, __u64 mmapped, __u64 one_vm, __u64 shared)
{
	EXPECT_EQ(unused, read_counter(_metadata, self, "unused"));
	EXPECT_EQ(mmapped, read_counter(_metadata, self, "mmapped"));
	EXPECT_EQ(one_vm, read_counter(_metadata, self, "gpu-mapped-vm"));
	EXPECT_EQ(shared, read_counter(_metadata, self, "gpu-mapped-shared"));
	EXPECT_EQ(unused + mmapped + one_vm + shared,
		  read_counter(_metadata, self, "reclaimable"));
}

TEST_F(evict_counters, cpu_lists)
{
	expect_lists(_metadata, self, 0, 0, 0, 0);
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, 1);
	expect_lists(_metadata, self, 0, PAGES, 0, 0);
	ASSERT_EQ(0, pan_bo_munmap(&self->bo));
	expect_lists(_metadata, self, PAGES, 0, 0, 0);
	EVICT(&self->bo);
	expect_lists(_metadata, self, 0, 0, 0, 0);
}

/* Mapped in one VM, in two, in one again, in none. */
TEST_F(evict_counters, gpu_lists)
{
	__u64 va = 0x40000000;
	struct pan_vm second;

	ASSERT_EQ(0, pan_vm_create(&self->env.dev, 0, &second));
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, va, SIZE, 0));
	expect_lists(_metadata, self, 0, 0, PAGES, 0);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, 2 * va, SIZE, 0));
	expect_lists(_metadata, self, 0, 0, PAGES, 0);
	ASSERT_EQ(0, pan_vm_map(&second, &self->bo, 0, va, SIZE, 0));
	expect_lists(_metadata, self, 0, 0, 0, PAGES);
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, va, SIZE));
	expect_lists(_metadata, self, 0, 0, 0, PAGES);
	ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, 2 * va, SIZE));
	expect_lists(_metadata, self, 0, 0, PAGES, 0);
	ASSERT_EQ(0, pan_vm_destroy(&second));
	expect_lists(_metadata, self, PAGES, 0, 0, 0);
}

TEST_F(evict_counters, evicted_and_restored)
{
	__u64 evictions = read_counter(_metadata, self, "evictions");
	__u64 evicted = read_counter(_metadata, self, "evicted-pages");
	__u64 restores = read_counter(_metadata, self, "restores");
	__u64 restored = read_counter(_metadata, self, "restored-pages");

	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, 1);
	EXPECT_EQ(restores, read_counter(_metadata, self, "restores"));
	EVICT(&self->bo);
	EXPECT_EQ(evictions + 1, read_counter(_metadata, self, "evictions"));
	EXPECT_EQ(evicted + PAGES, read_counter(_metadata, self, "evicted-pages"));
	EXPECT_CPU_SEES(&self->bo, 1);
	EXPECT_EQ(restores + 1, read_counter(_metadata, self, "restores"));
	EXPECT_EQ(restored + PAGES, read_counter(_metadata, self, "restored-pages"));
}

/* A scan that finds a busy VM says so. */
TEST_F(evict_counters, skipped_active)
{
	__u64 skipped = read_counter(_metadata, self, "skipped-active");
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_LT(skipped, read_counter(_metadata, self, "skipped-active"));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
}

/* What is evicted is written to swap without anybody asking for it. */
TEST_F(evict_counters, written_at_once)
{
	__u64 before = 0;

	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, 1);
	ASSERT_EQ(0, pan_vmstat("pswpout", &before));
	EVICT(&self->bo);
	EXPECT_EQ(0, wait_written(before + PAGES));
}

TEST_HARNESS_MAIN
