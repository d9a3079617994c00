// SPDX-License-Identifier: GPL-2.0
/*
 * fdinfo after each step in the life of a buffer. Case 15.
 */
#include "evict.h"

#define SIZE	(97 * PAN_PAGE_SIZE)
#define KEYS	(PAN_FDINFO_DRIVER | PAN_FDINFO_CLIENT | PAN_FDINFO_TOTAL | PAN_FDINFO_SHARED | \
		 PAN_FDINFO_RESIDENT | PAN_FDINFO_EVICTED)

FIXTURE(evict_fdinfo) {
	struct pan_env env;
	__u64 seed;
};

FIXTURE_SETUP(evict_fdinfo)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
}

FIXTURE_TEARDOWN(evict_fdinfo)
{
	PAN_ENV_TEARDOWN(&self->env);
}

/* All keys are there, zero or not, and don't contradict each other. */
static void read_info(struct __test_metadata *_metadata, struct pan_dev *dev,
		      struct pan_fdinfo *info)
{
	ASSERT_EQ(0, pan_fdinfo_read(dev, info));
	EXPECT_EQ(KEYS, info->present & KEYS);
	EXPECT_STREQ("panthor", info->driver);
	EXPECT_LE(info->resident + info->evicted, info->total);
	EXPECT_LE(info->shared, info->total);
}

#define EXPECT_INFO(dev, _total, _shared, _resident, _evicted) do {		\
	struct pan_fdinfo __info;						\
										\
	read_info(_metadata, dev, &__info);					\
	EXPECT_EQ(_total, __info.total);					\
	EXPECT_EQ(_shared, __info.shared);					\
	EXPECT_EQ(_resident, __info.resident);					\
	EXPECT_EQ(_evicted, __info.evicted);					\
} while (0)

TEST_F(evict_fdinfo, zero_keys)
{
	EXPECT_INFO(&self->env.dev, 0, 0, 0, 0);
}

TEST_F(evict_fdinfo, life_of_a_buffer)
{
	struct pan_dev *dev = &self->env.dev;
	struct pan_bo bo;

	ASSERT_EQ(0, pan_bo_create(dev, SIZE, 0, NULL, &bo));
	EXPECT_INFO(dev, SIZE, 0, 0, 0);
	ASSERT_EQ(0, pan_shrink(dev, EVERYTHING, NULL));
	EXPECT_INFO(dev, SIZE, 0, 0, 0);
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, SIZE, self->seed);
	EXPECT_INFO(dev, SIZE, 0, SIZE, 0);
	EVICT(&bo);
	EXPECT_INFO(dev, SIZE, 0, 0, SIZE);
	PUSH_TO_SWAP(SIZE);
	EXPECT_INFO(dev, SIZE, 0, 0, SIZE);
	EXPECT_CPU_SEES(&bo, self->seed);
	EXPECT_INFO(dev, SIZE, 0, SIZE, 0);
	EVICT(&bo);
	EXPECT_INFO(dev, SIZE, 0, 0, SIZE);
	ASSERT_EQ(0, pan_bo_close(&bo));
	EXPECT_INFO(dev, 0, 0, 0, 0);
}

/* Several buffers in different states add up. */
TEST_F(evict_fdinfo, sums)
{
	struct pan_dev *dev = &self->env.dev;
	struct pan_bo evicted, resident, empty;

	ASSERT_EQ(0, pan_bo_create(dev, SIZE, 0, NULL, &evicted));
	ASSERT_EQ(0, pan_bo_mmap(&evicted));
	pan_fill(evicted.map, SIZE, self->seed);
	EVICT(&evicted);
	ASSERT_EQ(0, pan_bo_create(dev, SIZE + PAN_PAGE_SIZE, 0, NULL, &resident));
	ASSERT_EQ(0, pan_bo_mmap(&resident));
	pan_fill(resident.map, resident.size, self->seed);
	ASSERT_EQ(0, pan_bo_create(dev, SIZE + 2 * PAN_PAGE_SIZE, 0, NULL, &empty));
	EXPECT_INFO(dev, 3 * SIZE + 3 * PAN_PAGE_SIZE, 0, SIZE + PAN_PAGE_SIZE, SIZE);
	EXPECT_EQ(0, pan_bo_close(&resident));
	EXPECT_INFO(dev, 2 * SIZE + 2 * PAN_PAGE_SIZE, 0, 0, SIZE);
	EXPECT_EQ(0, pan_bo_close(&evicted));
	EXPECT_EQ(0, pan_bo_close(&empty));
}

/* Both clients of a shared buffer see it in the same state. */
TEST_F(evict_fdinfo, shared)
{
	struct pan_dev *dev = &self->env.dev, other;
	struct pan_bo bo, theirs;
	int fd;

	ASSERT_EQ(0, pan_reopen(dev, &other));
	ASSERT_EQ(0, pan_bo_create(dev, SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	pan_fill(bo.map, SIZE, self->seed);
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&other, fd, SIZE, &theirs));
	close(fd);
	EXPECT_INFO(dev, SIZE, SIZE, SIZE, 0);
	EXPECT_INFO(&other, SIZE, SIZE, SIZE, 0);
	EVICT(&bo);
	EXPECT_INFO(dev, SIZE, SIZE, 0, SIZE);
	EXPECT_INFO(&other, SIZE, SIZE, 0, SIZE);
	EXPECT_CPU_SEES(&bo, self->seed);
	EXPECT_INFO(&other, SIZE, SIZE, SIZE, 0);
	/* What was exported counts as shared as long as there is a dma-buf. */
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_INFO(&other, SIZE, SIZE, SIZE, 0);
	EXPECT_EQ(0, pan_bo_close(&theirs));
	pan_close(&other);
}

/* Foreign memory is shared and resident, and never evicted. */
TEST_F(evict_fdinfo, imported)
{
	struct pan_dev *dev = &self->env.dev, vgem = { .fd = -1 };
	struct pan_bo theirs = { .dev = &vgem, .size = SIZE }, bo;
	int fd;

	if (pan_vgem_open(&vgem.fd))
		pan_module_load("vgem");
	if (vgem.fd < 0 && pan_vgem_open(&vgem.fd))
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	ASSERT_EQ(0, pan_vgem_create(vgem.fd, SIZE, &theirs.handle));
	ASSERT_EQ(0, pan_bo_export(&theirs, &fd));
	ASSERT_EQ(0, pan_bo_import(dev, fd, SIZE, &bo));
	close(fd);
	EXPECT_INFO(dev, SIZE, SIZE, SIZE, 0);
	ASSERT_EQ(0, pan_shrink(dev, EVERYTHING, NULL));
	EXPECT_INFO(dev, SIZE, SIZE, SIZE, 0);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_gem_close(vgem.fd, theirs.handle));
	close(vgem.fd);
}

/*
 * A buffer whose handle is closed leaves drm-total. While a VM maps it, it is
 * in the driver's own keys, with the kernel's buffers of that client.
 */
TEST_F(evict_fdinfo, closed_handle)
{
	const __u32 drv_keys = PAN_FDINFO_DRV_RESIDENT | PAN_FDINFO_DRV_EVICTED;
	struct pan_dev *dev = &self->env.dev;
	struct pan_fdinfo with, without, gone;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 va;

	ASSERT_EQ(0, pan_ctx_create(dev, 1, &ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	va = bo.va;
	ASSERT_EQ(0, pan_gpu_fill(&ctx, va, SIZE, self->seed));
	read_info(_metadata, dev, &with);
	ASSERT_EQ(drv_keys, with.present & drv_keys);
	ASSERT_EQ(0, pan_bo_close(&bo));
	read_info(_metadata, dev, &without);
	EXPECT_EQ(with.total - SIZE, without.total);
	EXPECT_EQ(with.resident - SIZE, without.resident);
	EXPECT_EQ(with.drv_resident + SIZE, without.drv_resident);
	EXPECT_EQ(with.drv_evicted, without.drv_evicted);

	EVICT(&ctx.streams);
	ASSERT_EQ(0, pan_shrink(dev, EVERYTHING, NULL));
	read_info(_metadata, dev, &gone);
	EXPECT_EQ(without.total, gone.total);
	EXPECT_LE(without.drv_evicted + SIZE, gone.drv_evicted);
	EXPECT_GPU_SEES(&ctx, va, SIZE, self->seed);
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

TEST_HARNESS_MAIN
