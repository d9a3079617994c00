// SPDX-License-Identifier: GPL-2.0
/*
 * What each ioctl refuses, and with which errno.
 */
#include <sys/mman.h>

#include "pan_test.h"

FIXTURE(uapi_errors) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(uapi_errors)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(uapi_errors)
{
	/* After all those errors, work. */
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(uapi_errors, vm)
{
	struct drm_panthor_vm_create create = { .flags = 1 };
	struct drm_panthor_vm_destroy destroy = { .id = self->ctx.vm.id, .pad = 1 };
	struct drm_panthor_vm_get_state state = { .vm_id = 31 };
	int fd = self->env.dev.fd;

	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_CREATE, &create));
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy));
	destroy.pad = 0;
	destroy.id = 0xdeadbeef;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy));
	destroy.id = 0;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_DESTROY, &destroy));
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_GET_STATE, &state));
}

TEST_F(uapi_errors, vm_limit)
{
	struct pan_vm vms[40] = {};
	int count = 0, ret = 0;

	while (count < (int)ARRAY_SIZE(vms)) {
		ret = pan_vm_create(&self->env.dev, 0, &vms[count]);
		if (ret)
			break;
		count++;
	}
	EXPECT_EQ(-EBUSY, ret);
	EXPECT_EQ(31, count);
	while (count--)
		EXPECT_EQ(0, pan_vm_destroy(&vms[count]));
}

static void expect_range_ends(struct __test_metadata *_metadata, struct pan_vm *vm,
			      const struct pan_bo *bo)
{
	const __u64 page = PAN_PAGE_SIZE, end = vm->user_va_range;

	EXPECT_EQ(0, pan_vm_map(vm, bo, 0, end - page, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, bo, 0, end, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_unmap(vm, end - page, 2 * page));
	EXPECT_EQ(-EINVAL, pan_vm_unmap(vm, ~0ULL - page + 1, page));
	EXPECT_EQ(0, pan_vm_unmap(vm, end - page, page));
}

TEST_F(uapi_errors, vm_range)
{
	struct pan_vm vm;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, 0, NULL, &bo));
	/* At least what was asked for; the kernel's part is a power of two. */
	ASSERT_EQ(0, pan_vm_create(&self->env.dev, 3ULL << 46, &vm));
	EXPECT_EQ(3ULL << 46, vm.user_va_range);
	expect_range_ends(_metadata, &vm, &bo);
	EXPECT_EQ(0, pan_vm_destroy(&vm));
	ASSERT_EQ(0, pan_vm_create(&self->env.dev, 1ULL << 32, &vm));
	EXPECT_LE(1ULL << 32, vm.user_va_range);
	expect_range_ends(_metadata, &vm, &bo);
	EXPECT_EQ(0, pan_vm_destroy(&vm));
	/* Nothing would be left for the kernel. */
	EXPECT_EQ(-EINVAL, pan_vm_create(&self->env.dev, 1ULL << 48, &vm));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(uapi_errors, bo)
{
	struct drm_panthor_bo_create create = { .size = PAN_PAGE_SIZE, .pad = 1 };
	struct drm_panthor_bo_mmap_offset offset = { .handle = 0xdeadbeef };
	int fd = self->env.dev.fd;
	struct pan_bo bo;

	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_BO_CREATE, &create));
	EXPECT_EQ(-EINVAL, pan_bo_create(&self->env.dev, 0, 0, NULL, &bo));
	EXPECT_EQ(-EINVAL, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, 0x80, NULL, &bo));
	create.pad = 0;
	create.exclusive_vm_id = 31;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_BO_CREATE, &create));
	EXPECT_EQ(-ENOENT, pan_ioctl(fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset));
	offset.pad = 1;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &offset));

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE + 904, 0, NULL, &bo));
	EXPECT_EQ(2 * PAN_PAGE_SIZE, bo.size);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* New memory is zero, also for the GPU. */
TEST_F(uapi_errors, bo_is_zeroed)
{
	__u64 sum = 1;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, PAN_SZ_64K, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_sum(&self->ctx, bo.va, bo.size, &sum));
	EXPECT_EQ(0, sum);
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	EXPECT_EQ(0, pan_sum(bo.map, bo.size));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(uapi_errors, bo_without_mmap)
{
	__u64 offset = 0;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, PAN_PAGE_SIZE, DRM_PANTHOR_BO_NO_MMAP,
				   NULL, &bo));
	if (!pan_bo_mmap_offset(&bo, &offset))
		EXPECT_EQ(-EINVAL, pan_bo_mmap(&bo));
	EXPECT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, 0x40000000, PAN_PAGE_SIZE, 0));
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, 0x40000000, 1));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(uapi_errors, vm_bind)
{
	const __u64 va = 0x40000000, page = PAN_PAGE_SIZE;
	struct pan_vm *vm = &self->ctx.vm, no_vm = *vm;
	struct drm_panthor_sync_op signal = pan_signal_op(self->ctx.sync);
	struct drm_panthor_vm_bind_op op;
	struct pan_bo bo, no_bo;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 4 * page, 0, NULL, &bo));
	no_bo = bo;
	no_bo.handle = 0xdead;
	no_vm.id = 31;
	EXPECT_EQ(-EINVAL, pan_vm_map(&no_vm, &bo, 0, va, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &no_bo, 0, va, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, va + 8, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 8, va, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, va, page + 8, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, va, 5 * page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 4 * page, va, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, ~0ULL - page + 1, va, 2 * page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, vm->user_va_range, page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, vm->user_va_range - page, 2 * page, 0));
	EXPECT_EQ(-EINVAL, pan_vm_map(vm, &bo, 0, va, page, 0x100));

	op = pan_op_unmap(va, page);
	op.bo_handle = bo.handle;
	EXPECT_EQ(-EINVAL, pan_vm_bind(vm, 0, &op, 1, NULL));
	op = pan_op_unmap(va, page);
	op.flags |= DRM_PANTHOR_VM_BIND_OP_MAP_READONLY;
	EXPECT_EQ(-EINVAL, pan_vm_bind(vm, 0, &op, 1, NULL));
	op = pan_op_map(&bo, 0, va, page, 0);
	op.flags = 0xfU << 28;
	EXPECT_EQ(-EINVAL, pan_vm_bind(vm, 0, &op, 1, NULL));
	/* Fences are for asynchronous binds. */
	op = pan_op_map(&bo, 0, va, page, 0);
	op.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &signal);
	EXPECT_EQ(-EINVAL, pan_vm_bind(vm, 0, &op, 1, NULL));
	/* Nothing to do is not an error. */
	EXPECT_EQ(0, pan_vm_map(vm, &bo, 0, va, 0, 0));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_F(uapi_errors, vm_bind_array)
{
	struct drm_panthor_vm_bind args = { .vm_id = self->ctx.vm.id };
	struct drm_panthor_vm_bind_op op = pan_op_unmap(0x40000000, PAN_PAGE_SIZE);
	int fd = self->env.dev.fd;

	args.ops = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &op);
	args.ops.stride = 8;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));
	args.ops.stride = sizeof(op);
	args.ops.array = 16;
	EXPECT_EQ(-EFAULT, pan_ioctl(fd, DRM_IOCTL_PANTHOR_VM_BIND, &args));
}

static int create_group(FIXTURE_DATA(uapi_errors) *self, struct drm_panthor_group_create *args)
{
	struct pan_group group;
	int ret;

	ret = pan_group_create_raw(&self->env.dev, args, &group);
	return ret ? ret : pan_group_destroy(&group);
}

TEST_F(uapi_errors, group_create)
{
	struct drm_panthor_queue_create queue = { .ringbuf_size = 4096 };
	struct drm_panthor_group_create good = pan_group_args(&self->ctx.vm, &queue, 1), args;

	args = good;
	EXPECT_EQ(0, create_group(self, &args));
	args = good;
	args.pad = 1;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.vm_id = 31;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	/* there's one more in 7.3 */
	args.priority = PANTHOR_GROUP_PRIORITY_HIGH + (pan_is_newer() ? 2 : 1);
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.queues.count = 0;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.queues.count = 33;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.compute_core_mask = 1ULL << 63;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.max_fragment_cores = 2;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	args = good;
	args.tiler_core_mask = 2;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
}

TEST_F(uapi_errors, queue_create)
{
	struct drm_panthor_queue_create queue = {};
	struct drm_panthor_group_create good = pan_group_args(&self->ctx.vm, &queue, 1), args;
	static const __u32 bad_sizes[] = { 0, 2048, 4095, 12288, 131072 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_sizes); i++) {
		queue.ringbuf_size = bad_sizes[i];
		args = good;
		EXPECT_EQ(-EINVAL, create_group(self, &args));
	}
	queue.ringbuf_size = 65536;
	args = good;
	EXPECT_EQ(0, create_group(self, &args));
	queue.priority = 16;
	args = good;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
	queue.priority = 15;
	queue.pad[1] = 1;
	args = good;
	EXPECT_EQ(-EINVAL, create_group(self, &args));
}

TEST_F(uapi_errors, group_handles)
{
	struct drm_panthor_group_destroy destroy = { .group_handle = 0xdead };
	struct drm_panthor_group_get_state state = { .group_handle = 0xdead };
	int fd = self->env.dev.fd;

	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &destroy));
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &state));
	state.group_handle = self->ctx.group.handle;
	state.pad = 1;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &state));
	destroy.group_handle = self->ctx.group.handle;
	destroy.pad = 1;
	EXPECT_EQ(-EINVAL, pan_ioctl(fd, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &destroy));
}

TEST_F(uapi_errors, submit)
{
	struct drm_panthor_sync_op no_fence;
	struct drm_panthor_queue_submit good, sub;
	struct pan_group *group = &self->ctx.group, no_group = *group;
	struct pan_cs cs;
	__u32 sync;
	__u64 va;

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_upload(&self->ctx, &cs, &va));
	good = (struct drm_panthor_queue_submit){ .stream_addr = va, .stream_size = 8 };
	sub = good;
	EXPECT_EQ(0, pan_group_submit(group, &sub, 1));
	no_group.handle = 0xdead;
	EXPECT_EQ(-EINVAL, pan_group_submit(&no_group, &sub, 1));
	sub.queue_index = 1;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.pad = 1;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.stream_addr += 8;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.stream_size = 4;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.stream_size = 0;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.stream_addr = 0;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	sub = good;
	sub.latest_flush = 1U << 24;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));

	sub = good;
	ASSERT_EQ(0, pan_sync_create(&self->env.dev, &sync));
	no_fence = pan_wait_op(sync);
	sub.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &no_fence);
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	no_fence.flags = 7;
	EXPECT_EQ(-EINVAL, pan_group_submit(group, &sub, 1));
	EXPECT_EQ(0, pan_sync_destroy(&self->env.dev, sync));
}

/*
 * To signal a syncobj that doesn't exist. Linux 6.12.117 frees what it has not
 * got, and crashes.
 */
TEST_F(uapi_errors, signal_without_syncobj)
{
	struct drm_panthor_sync_op signal = pan_signal_op(0xdead);
	struct drm_panthor_sync_op point = pan_signal_point_op(0xdead, 1);
	struct drm_panthor_vm_bind_op op = pan_op_unmap(0x40000000, PAN_PAGE_SIZE);
	struct drm_panthor_queue_submit sub = { .stream_size = 0 };

	PAN_SKIP_UNPATCHED("it crashes");
	sub.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &signal);
	EXPECT_EQ(-EINVAL, pan_group_submit(&self->ctx.group, &sub, 1));
	sub.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &point);
	EXPECT_EQ(-EINVAL, pan_group_submit(&self->ctx.group, &sub, 1));
	op.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &signal);
	EXPECT_EQ(-EINVAL, pan_vm_bind_async(&self->ctx.vm, &op, 1));
}

TEST_HARNESS_MAIN
