// SPDX-License-Identifier: GPL-2.0
/*
 * What is never evicted: memory of others, memory that others use, memory of
 * the firmware and of the kernel. Case 9.
 */
#include <sys/mman.h>

#include "evict.h"

#define SIZE	(79 * PAN_PAGE_SIZE)

FIXTURE(evict_never) {
	struct pan_env env;
	struct pan_ctx ctx;
	int vgem;
	__u64 seed;
};

FIXTURE_SETUP(evict_never)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	if (pan_vgem_open(&self->vgem) == -ENODEV)
		pan_module_load("vgem");
	if (self->vgem < 0)
		pan_vgem_open(&self->vgem);
}

FIXTURE_TEARDOWN(evict_never)
{
	if (self->vgem >= 0)
		close(self->vgem);
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(evict_never, imported)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo theirs = { .dev = &vgem, .size = SIZE }, bo;
	struct pan_gem gem;
	int fd;

	if (self->vgem < 0)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	ASSERT_EQ(0, pan_vgem_create(self->vgem, SIZE, &theirs.handle));
	ASSERT_EQ(0, pan_bo_export(&theirs, &fd));
	ASSERT_EQ(0, pan_bo_import(&self->env.dev, fd, SIZE, &bo));
	close(fd);
	bo.va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, bo.va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));

	/* Our own streams go; that shows that the scan did work. */
	EVICT(&self->ctx.streams);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	ASSERT_EQ(0, evict_gem(&bo, &gem));
	EXPECT_EQ(PAN_GEM_IMPORTED, gem.state & (PAN_GEM_IMPORTED | PAN_GEM_EVICTED));
	EXPECT_EQ(0, gem.evictions);
	EXPECT_GPU_SEES(&self->ctx, bo.va, SIZE, self->seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_gem_close(self->vgem, theirs.handle));
}

/* While another device is attached; afterwards it goes like any other. */
TEST_F(evict_never, exported_and_attached)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo bo, theirs;
	struct pan_gem gem;
	int fd;

	if (self->vgem < 0)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&vgem, fd, SIZE, &theirs));
	EVICT(&self->ctx.streams);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_RESIDENT(&bo, 0);
	ASSERT_EQ(0, evict_gem(&bo, &gem));
	EXPECT_EQ(PAN_GEM_EXPORTED, gem.state);

	EXPECT_EQ(0, pan_gem_close(self->vgem, theirs.handle));
	close(fd);
	EVICT(&bo);
	EXPECT_GPU_SEES(&self->ctx, bo.va, SIZE, self->seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Evicted, and attached to another device then: it has to come back for it. */
TEST_F(evict_never, attached_while_evicted)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo bo, theirs;
	void *map;
	int fd;

	if (self->vgem < 0)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));
	EVICT(&bo);
	PUSH_TO_SWAP(SIZE);
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&vgem, fd, SIZE, &theirs));
	EXPECT_RESIDENT(&bo, 1);
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed));
	EXPECT_EQ(0, munmap(map, SIZE));
	EXPECT_GPU_SEES(&self->ctx, bo.va, SIZE, self->seed);
	close(fd);
	EXPECT_EQ(0, pan_gem_close(self->vgem, theirs.handle));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* The dma-buf's own mapping is a CPU mapping like others: evictable. */
TEST_F(evict_never, mapped_dma_buf_comes_back)
{
	struct pan_bo bo;
	void *map;
	int fd;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed));
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed));
	EXPECT_EQ(0, munmap(map, SIZE));
	close(fd);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* The firmware's memory, and what the kernel keeps mapped for itself. */
TEST_F(evict_never, firmware_and_kernel)
{
	struct pan_gems gems;
	int firmware = 0;
	size_t i;

	EVICT(&self->ctx.streams);
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &gems));
	for (i = 0; i < gems.count; i++) {
		const struct pan_gem *gem = &gems.gems[i];

		if (!(gem->usage & PAN_GEM_FW_MAPPED))
			continue;
		EXPECT_EQ(PAN_GEM_KERNEL, gem->usage & PAN_GEM_KERNEL);
		EXPECT_EQ(gem->size, gem->resident);
		EXPECT_EQ(0, gem->evictions);
		firmware++;
	}
	EXPECT_LT(0, firmware);
	pan_gems_free(&gems);
	EXPECT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
}

TEST_HARNESS_MAIN
