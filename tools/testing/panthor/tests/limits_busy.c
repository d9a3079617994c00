// SPDX-License-Identifier: GPL-2.0
/*
 * VMs that are never idle, because of jobs that wait for something that doesn't
 * happen. Whoever needs memory gets it from those that are idle first, and waits for
 * all the others once, however many there are.
 *
 * guest: --kernel plain --mem 256M
 */
#include <xf86drm.h>

#include "evict.h"
#include "pan_cs.h"

#define FILES		32
#define VMS_PER_FILE	31
#define BUFFER		(4ULL << 20)
#define MAX_BUFFERS	64
#define PERCENT		60	/* of the memory, for each of two clients */
#define ROUNDS		4

FIXTURE(limits_busy) {
	struct pan_env env;
	struct pan_ctx blocked;
	struct pan_ctx ctx[2];
	struct pan_bo bos[2][MAX_BUFFERS];
	struct pan_dev devs[FILES];
	struct pan_vm vms[FILES * VMS_PER_FILE];
	int buffers;
};

FIXTURE_SETUP(limits_busy)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->blocked));
}

FIXTURE_TEARDOWN(limits_busy)
{
	int i;

	for (i = 0; i < FILES; i++)
		pan_close(&self->devs[i]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, pan_ctx_destroy(&self->ctx[i]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->blocked));
	PAN_ENV_TEARDOWN(&self->env);
}

/* A job that waits for a number nobody writes, and what it would signal. */
static int never_done(struct pan_ctx *ctx, int *fd)
{
	__u64 *cpu, va = pan_ctx_slot(ctx, &cpu), stream;
	struct drm_panthor_sync_op op;
	struct pan_cs cs;
	__u32 sync;
	int ret;

	pan_poke(cpu, 0);
	pan_cs_init(&cs);
	pan_cs_wait_gt32(&cs, va, 0);
	ret = pan_sync_create(ctx->vm.dev, &sync);
	if (!ret)
		ret = pan_ctx_upload(ctx, &cs, &stream);
	op = pan_signal_op(sync);
	if (!ret)
		ret = pan_queue_submit(&ctx->group, 0, stream, pan_cs_size(&cs), &op, 1);
	if (!ret && drmSyncobjHandleToFD(ctx->vm.dev->fd, sync, fd))
		ret = -errno;
	return ret;
}

/* A VM with a page of its own, and a job that waits for @sync. */
static int busy_vm(struct pan_dev *dev, __u32 sync, struct pan_vm *vm)
{
	struct drm_panthor_sync_op wait = {
		.flags = DRM_PANTHOR_SYNC_OP_WAIT | DRM_PANTHOR_SYNC_OP_HANDLE_TYPE_SYNCOBJ,
		.handle = sync,
	};
	struct drm_panthor_vm_bind_op op = {
		.flags = DRM_PANTHOR_VM_BIND_OP_TYPE_SYNC_ONLY,
		.syncs = DRM_PANTHOR_OBJ_ARRAY(1, &wait),
	};
	struct pan_bo bo;
	int ret;

	ret = pan_vm_create(dev, 0, vm);
	if (!ret)
		ret = pan_bo_create_mapped(vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE, true, &bo);
	if (!ret)
		ret = pan_vm_bind_async(vm, &op, 1);
	return ret;
}

static int busy_file(struct pan_env *env, int fd, struct pan_dev *dev, struct pan_vm *vms)
{
	__u32 sync;
	int i, ret;

	ret = pan_reopen(&env->dev, dev);
	if (!ret && drmSyncobjFDToHandle(dev->fd, fd, &sync))
		ret = -errno;
	for (i = 0; !ret && i < VMS_PER_FILE; i++)
		ret = busy_vm(dev, sync, &vms[i]);
	return ret;
}

static int fill(struct pan_ctx *ctx, struct pan_bo *bos, int count)
{
	int i, ret = 0;

	for (i = 0; !ret && i < count; i++) {
		ret = pan_bo_create_mapped(&ctx->vm, BUFFER, PAN_PAGE_SIZE, true, &bos[i]);
		if (!ret)
			ret = pan_gpu_fill(ctx, bos[i].va, BUFFER, i + 1);
	}
	return ret;
}

/* The busy ones were used first, so they're the first ones that could be asked. */
TEST_F_TIMEOUT(limits_busy, jobs_nobody_signals, 1200)
{
	__u64 available = 0, before = 0, after = 0, evictions;
	int i, fd;

	ASSERT_EQ(0, never_done(&self->blocked, &fd));
	for (i = 0; i < FILES; i++)
		ASSERT_EQ(0, busy_file(&self->env, fd, &self->devs[i],
				       &self->vms[i * VMS_PER_FILE]));
	EXPECT_EQ(0, close(fd));

	ASSERT_EQ(0, pan_meminfo("MemAvailable", &available));
	self->buffers = available / 100 * PERCENT / BUFFER;
	ASSERT_GE(MAX_BUFFERS, self->buffers);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx[i]));
		ASSERT_EQ(0, fill(&self->ctx[i], self->bos[i], self->buffers));
	}

	evictions = EVICTIONS(&self->env.dev);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "waits", &before));
	for (i = 0; i < ROUNDS; i++)
		EXPECT_GPU_SEES(&self->ctx[i % 2], self->bos[i % 2][0].va, BUFFER, 1);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "waits", &after));
	EXPECT_LT(evictions, EVICTIONS(&self->env.dev));

	/* Once for each attempt to make room, of which there are no more than three. */
	EXPECT_GE(3 * ROUNDS, after - before);
	TH_LOG("waited %llu times", after - before);
}

TEST_HARNESS_MAIN
