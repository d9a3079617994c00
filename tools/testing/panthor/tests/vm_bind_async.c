// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous VM_BIND: the order that fences give to binds and jobs.
 */
#include "pan_test.h"

#define SIZE	(11 * PAN_PAGE_SIZE)

FIXTURE(vm_bind_async) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 seed;
	__u64 va;
	__u32 bound;
};

FIXTURE_SETUP(vm_bind_async)
{
	PAN_ENV_SETUP(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &self->bo));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, self->seed);
	self->va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &self->bound));
}

FIXTURE_TEARDOWN(vm_bind_async)
{
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, self->bound));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static void set_syncs(struct drm_panthor_vm_bind_op *op,
		      const struct drm_panthor_sync_op *syncs, __u32 count)
{
	op->syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(count, syncs);
}

/* A job that waits for the bind may be submitted before the bind is done. */
TEST_F(vm_bind_async, job_waits_for_map)
{
	struct drm_panthor_vm_bind_op op = pan_op_map(&self->bo, 0, self->va, SIZE, 0);
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound), syncs[2];
	__u64 *cpu, result_va = pan_ctx_slot(&self->ctx, &cpu);
	struct pan_cs cs;

	pan_poke(cpu, ~0ULL);
	set_syncs(&op, &signal, 1);
	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	pan_cs_init(&cs);
	pan_cs_verify(&cs, self->va, SIZE, self->seed, result_va);
	syncs[0] = pan_wait_op(self->bound);
	syncs[1] = pan_signal_op(self->ctx.sync);
	ASSERT_EQ(0, pan_ctx_submit(&self->ctx, 0, &cs, syncs, 2));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_peek(cpu));
	EXPECT_EQ(0, pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS));
}

/* Unmapping waits for the job that uses the memory. */
TEST_F(vm_bind_async, unmap_waits_for_job)
{
	struct drm_panthor_vm_bind_op op = pan_op_unmap(self->va, SIZE);
	__u64 *cpu, result_va = pan_ctx_slot(&self->ctx, &cpu), wrong;
	struct drm_panthor_sync_op syncs[2];
	struct pan_cs cs;

	pan_poke(cpu, ~0ULL);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->va, SIZE, 0));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_verify(&cs, self->va, SIZE, self->seed, result_va);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	syncs[0] = pan_wait_op(self->ctx.sync);
	syncs[1] = pan_signal_op(self->bound);
	set_syncs(&op, syncs, 2);
	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	EXPECT_EQ(-ETIME, pan_sync_wait(&self->env.dev, self->bound, 0));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));

	EXPECT_EQ(0, pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_peek(cpu));
	EXPECT_EQ(-EINVAL, pan_gpu_verify(&self->ctx, self->va, SIZE, self->seed, &wrong));
}

/*
 * A map whose turn comes when the VM was destroyed must not happen: nothing would
 * ever unmap the buffer again, nor free it and the VM.
 */
TEST_F(vm_bind_async, map_of_destroyed_vm)
{
	struct drm_panthor_vm_bind_op op = pan_op_map(&self->bo, 0, self->va, SIZE, 0);
	struct drm_panthor_sync_op syncs[2];
	struct pan_vm vm;
	struct pan_cs cs;

	PAN_SKIP_UNPATCHED("leaks the VM and what it maps");
	ASSERT_EQ(0, pan_vm_create(&self->env.dev, 0, &vm));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_delay(&cs, 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	syncs[0] = pan_wait_op(self->ctx.sync);
	syncs[1] = pan_signal_op(self->bound);
	set_syncs(&op, syncs, 2);
	ASSERT_EQ(0, pan_vm_bind_async(&vm, &op, 1));
	ASSERT_EQ(0, pan_vm_destroy(&vm));
	EXPECT_EQ(-ETIME, pan_sync_wait(&self->env.dev, self->bound, 0));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	/* The result can't be told: sync_file_info reads a name that went with the VM. */
	EXPECT_EQ(0, pan_sync_wait(&self->env.dev, self->bound, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
}

/* Binds of a VM are done in the order of their submission, without fences. */
TEST_F(vm_bind_async, binds_are_in_order)
{
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound);
	struct drm_panthor_vm_bind_op op;
	__u64 wrong;
	int i;

	for (i = 0; i < 20; i++) {
		op = i & 1 ? pan_op_unmap(self->va, SIZE) :
			     pan_op_map(&self->bo, 0, self->va, SIZE, 0);
		ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	}
	op = pan_op_map(&self->bo, 0, self->va, SIZE, 0);
	set_syncs(&op, &signal, 1);
	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	ASSERT_EQ(0, pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
}

/* A point of a timeline after each operation of one ioctl. */
TEST_F(vm_bind_async, timeline)
{
	struct drm_panthor_sync_op syncs[8][2];
	struct drm_panthor_vm_bind_op ops[8];
	__u64 point = 0, wrong;
	__u32 timeline, i;

	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &timeline));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i] = i & 1 ? pan_op_unmap(self->va, SIZE) :
				 pan_op_map(&self->bo, 0, self->va, SIZE, 0);
		syncs[i][0] = pan_signal_point_op(timeline, i + 1);
		syncs[i][1] = pan_wait_point_op(timeline, i);
		set_syncs(&ops[i], syncs[i], i ? 2 : 1);
	}
	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, ops, ARRAY_SIZE(ops) - 1));
	ASSERT_EQ(0, pan_sync_point_wait(&self->env.dev, timeline, ARRAY_SIZE(ops) - 1,
					 PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_sync_point_query(&self->env.dev, timeline, &point));
	EXPECT_EQ(ARRAY_SIZE(ops) - 1, point);
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, timeline));
}

TEST_F(vm_bind_async, sync_only)
{
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound);
	struct drm_panthor_vm_bind_op ops[2] = {
		pan_op_map(&self->bo, 0, self->va, SIZE, 0),
		pan_op_sync(&signal, 1),
	};
	__u64 wrong;

	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, ops, 2));
	ASSERT_EQ(0, pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
}

/* Splits and remaps on the VM's queue, seen by jobs in between. */
TEST_F(vm_bind_async, partial_changes)
{
	__u64 part = 3 * PAN_PAGE_SIZE, wrong, seen;
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound);
	struct drm_panthor_vm_bind_op ops[3] = {
		pan_op_map(&self->bo, 0, self->va, SIZE, 0),
		pan_op_unmap(self->va + part, part),
		pan_op_map(&self->bo, 0, self->va + 2 * part, part, 0),
	};

	set_syncs(&ops[2], &signal, 1);
	ASSERT_EQ(0, pan_vm_bind_async(&self->ctx.vm, ops, 3));
	ASSERT_EQ(0, pan_sync_wait_result(&self->env.dev, self->bound, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->va, part, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, self->va + 2 * part, part, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, self->va + part, &seen));
}

static int bind_nothing(struct pan_dev *dev, struct pan_vm *vm, const struct pan_bo *bo,
			__u32 bound)
{
	struct drm_panthor_sync_op signal = pan_signal_op(bound);
	struct drm_panthor_vm_bind_op ops[] = {
		pan_op_map(bo, 0, 0, 0, 0),
		pan_op_map(bo, 0, 16 * PAN_PAGE_SIZE, 0, 0),
		pan_op_unmap(0, 0),
	};
	int ret;

	set_syncs(&ops[2], &signal, 1);
	ret = pan_vm_bind_async(vm, ops, 3);
	return ret ? ret : pan_sync_wait_result(dev, bound, PAN_DEADLINE_MS);
}

/* With a size of 0, there's nothing to do, wherever it is. */
TEST_F(vm_bind_async, nothing)
{
	struct pan_vm vm;
	__u64 wrong = ~0ULL;
	__u32 state = ~0U;

	PAN_SKIP_UNPATCHED("leaks the buffer and the VM");
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, self->va, SIZE, 0));
	EXPECT_EQ(0, bind_nothing(&self->env.dev, &self->ctx.vm, &self->bo, self->bound));

	/* What's there is where it was. */
	EXPECT_EQ(0, pan_gpu_verify(&self->ctx, self->va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);

	/* The same in a VM with nothing in it, where it's not in anybody's way. */
	ASSERT_EQ(0, pan_vm_create(&self->env.dev, 0, &vm));
	EXPECT_EQ(0, bind_nothing(&self->env.dev, &vm, &self->bo, self->bound));
	EXPECT_EQ(0, pan_vm_map(&vm, &self->bo, 0, self->va, SIZE, 0));
	EXPECT_EQ(0, pan_vm_state(&vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
	EXPECT_EQ(0, pan_vm_destroy(&vm));
}

TEST_F(vm_bind_async, bad_operations)
{
	struct drm_panthor_sync_op signal = pan_signal_op(self->bound);
	struct drm_panthor_sync_op no_fence = pan_wait_op(self->bound);
	struct drm_panthor_vm_bind_op op;
	__u32 state = ~0U;

	op = pan_op_map(&self->bo, 0, self->va + 1, SIZE, 0);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	op = pan_op_map(&self->bo, PAN_PAGE_SIZE, self->va, SIZE, 0);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	op = pan_op_sync(NULL, 0);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	op = pan_op_map(&self->bo, 0, self->va, SIZE, 0);
	set_syncs(&op, &no_fence, 1);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));
	signal.timeline_value = 1;
	set_syncs(&op, &signal, 1);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));

	/* Nothing of that may have hurt the VM. */
	EXPECT_EQ(0, pan_vm_state(&self->ctx.vm, &state));
	EXPECT_EQ(DRM_PANTHOR_VM_STATE_USABLE, state);
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
}

TEST_HARNESS_MAIN
