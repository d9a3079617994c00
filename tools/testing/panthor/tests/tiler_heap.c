// SPDX-License-Identifier: GPL-2.0
/*
 * Tiler heaps: creation, limits, and growth when the tiler runs out of memory.
 */
#include "pan_test.h"

#define CHUNK	(256U << 10)

FIXTURE(tiler_heap) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(tiler_heap)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(tiler_heap)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(tiler_heap, create_and_destroy)
{
	struct drm_panthor_tiler_heap_create a, b;

	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 2, CHUNK, 8, 1, &a));
	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 1, CHUNK, 8, 1, &b));
	EXPECT_NE(a.handle, b.handle);
	EXPECT_NE(a.tiler_heap_ctx_gpu_va, b.tiler_heap_ctx_gpu_va);
	EXPECT_NE(0, a.tiler_heap_ctx_gpu_va);
	EXPECT_NE(0, a.first_heap_chunk_gpu_va);
	EXPECT_NE(a.first_heap_chunk_gpu_va, b.first_heap_chunk_gpu_va);
	/* Memory of the kernel's: above what user space may bind. */
	EXPECT_LE(self->ctx.vm.user_va_range, a.first_heap_chunk_gpu_va);
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, a.handle));
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, b.handle));
	EXPECT_EQ(-EINVAL, pan_heap_destroy(&self->env.dev, a.handle));
}

/* The chunks are a list: each begins with the address and size of the next. */
TEST_F(tiler_heap, chunks_are_linked)
{
	const __u64 page_mask = PAN_GPU_PAGE_SIZE - 1;
	struct drm_panthor_tiler_heap_create heap;
	__u64 chunk, next, expected_size = CHUNK >> 12;
	int count = 0;

	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 4, CHUNK, 8, 1, &heap));
	chunk = heap.first_heap_chunk_gpu_va;
	for (;;) {
		count++;
		ASSERT_EQ(0, pan_gpu_load64(&self->ctx, chunk, &next));
		if (!next || count > 4)
			break;
		EXPECT_EQ(expected_size, next & page_mask);
		chunk = next & ~page_mask;
	}
	EXPECT_EQ(4, count);
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, heap.handle));
}

static void build_tiling(struct pan_cs *cs, __u64 heap_va, int count)
{
	pan_cs_init(cs);
	pan_cs_set64(cs, 0, heap_va);
	pan_cs_emit(cs, csf_heap_set(0));
	pan_cs_emit(cs, csf_heap_operation(CSF_HEAP_VT_START));
	while (count--)
		pan_cs_emit(cs, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	pan_cs_emit(cs, csf_heap_operation(CSF_HEAP_VT_END));
	pan_cs_emit(cs, csf_heap_operation(CSF_HEAP_FRAG_END));
}

/* Each tiling instruction needs a chunk more; the driver provides them. */
TEST_F(tiler_heap, grows_when_out_of_memory)
{
	__u64 granted = PAN_COUNTER("tiler_oom_granted");
	__u64 refused = PAN_COUNTER("tiler_oom_refused");
	struct drm_panthor_tiler_heap_create heap;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 1, CHUNK, 6, 0xffff, &heap));
	build_tiling(&cs, heap.tiler_heap_ctx_gpu_va, 5);
	EXPECT_EQ(0, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(granted + 5, PAN_COUNTER("tiler_oom_granted"));
	EXPECT_EQ(refused, PAN_COUNTER("tiler_oom_refused"));
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, heap.handle));
}

/* At the limit the driver says no, and the GPU survives that. */
TEST_F(tiler_heap, growth_ends_at_the_limit)
{
	__u64 granted = PAN_COUNTER("tiler_oom_granted");
	__u64 refused = PAN_COUNTER("tiler_oom_refused");
	struct drm_panthor_tiler_heap_create heap;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 1, CHUNK, 3, 0xffff, &heap));
	build_tiling(&cs, heap.tiler_heap_ctx_gpu_va, 3);
	EXPECT_NE(-ETIME, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(granted + 2, PAN_COUNTER("tiler_oom_granted"));
	EXPECT_EQ(refused + 1, PAN_COUNTER("tiler_oom_refused"));
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, heap.handle));
}

/* More passes in flight than agreed: wait for them rather than grow. */
TEST_F(tiler_heap, too_many_passes_in_flight)
{
	__u64 granted = PAN_COUNTER("tiler_oom_granted");
	__u64 refused = PAN_COUNTER("tiler_oom_refused");
	struct drm_panthor_tiler_heap_create heap;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, pan_heap_create(&self->ctx.vm, 1, CHUNK, 100, 0, &heap));
	build_tiling(&cs, heap.tiler_heap_ctx_gpu_va, 1);
	EXPECT_NE(-ETIME, pan_ctx_run(&self->ctx, &cs));
	EXPECT_EQ(granted, PAN_COUNTER("tiler_oom_granted"));
	EXPECT_EQ(refused + 1, PAN_COUNTER("tiler_oom_refused"));
	EXPECT_EQ(0, pan_heap_destroy(&self->env.dev, heap.handle));
}

TEST_F(tiler_heap, bad_arguments)
{
	struct drm_panthor_tiler_heap_create heap;
	struct pan_vm no_vm = self->ctx.vm;

	EXPECT_EQ(-EINVAL, pan_heap_create(&self->ctx.vm, 0, CHUNK, 8, 1, &heap));
	EXPECT_EQ(-EINVAL, pan_heap_create(&self->ctx.vm, 9, CHUNK, 8, 1, &heap));
	EXPECT_EQ(-EINVAL, pan_heap_create(&self->ctx.vm, 1, CHUNK + 1, 8, 1, &heap));
	EXPECT_EQ(-EINVAL, pan_heap_create(&self->ctx.vm, 1, 64 << 10, 8, 1, &heap));
	EXPECT_EQ(-EINVAL, pan_heap_create(&self->ctx.vm, 1, 16 << 20, 8, 1, &heap));
	no_vm.id = 31;
	EXPECT_EQ(-EINVAL, pan_heap_create(&no_vm, 1, CHUNK, 8, 1, &heap));
	EXPECT_EQ(-EINVAL, pan_heap_destroy(&self->env.dev, 0xdead0000));
}

/* The VM goes with heaps in it. */
TEST_F(tiler_heap, vm_destroyed_with_heaps)
{
	struct drm_panthor_tiler_heap_create heap;
	struct pan_ctx ctx;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_heap_create(&ctx.vm, 3, CHUNK, 10, 0xffff, &heap));
	build_tiling(&cs, heap.tiler_heap_ctx_gpu_va, 2);
	EXPECT_EQ(0, pan_ctx_run(&ctx, &cs));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
	EXPECT_EQ(-EINVAL, pan_heap_destroy(&self->env.dev, heap.handle));
}

TEST_HARNESS_MAIN
