// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers shared with vgem and with other files of the GPU itself.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "pan_test.h"

#define SIZE	(13 * PAN_PAGE_SIZE)

FIXTURE(prime) {
	struct pan_env env;
	struct pan_ctx ctx;
	int vgem;
	__u64 seed;
};

FIXTURE_SETUP(prime)
{
	PAN_ENV_SETUP(&self->env);
	if (pan_vgem_open(&self->vgem) == -ENODEV)
		pan_module_load("vgem");
	if (self->vgem < 0 && pan_vgem_open(&self->vgem) == -ENODEV)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	ASSERT_LE(0, self->vgem);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(prime)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	close(self->vgem);
	PAN_ENV_TEARDOWN(&self->env);
}

/* vgem's memory is read and written by the GPU. */
TEST_F(prime, import_from_vgem)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo theirs = { .dev = &vgem, .size = SIZE }, bo;
	__u64 va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE), wrong;
	void *map;
	int fd;

	ASSERT_EQ(0, pan_vgem_create(self->vgem, SIZE, &theirs.handle));
	ASSERT_EQ(0, pan_vgem_mmap(self->vgem, theirs.handle, SIZE, &map));
	pan_fill(map, SIZE, self->seed);
	ASSERT_EQ(0, pan_bo_export(&theirs, &fd));
	ASSERT_EQ(0, pan_bo_import(&self->env.dev, fd, SIZE, &bo));
	close(fd);

	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, va, SIZE, self->seed + 1));
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed + 1));
	ASSERT_EQ(0, pan_bo_mmap(&bo));
	EXPECT_EQ(0, pan_verify(bo.map, SIZE, self->seed + 1));

	/* The exporter lets go first. */
	EXPECT_EQ(0, munmap(map, SIZE));
	EXPECT_EQ(0, pan_gem_close(self->vgem, theirs.handle));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, va, SIZE, self->seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/*
 * A queue waits for a sync object in vgem's memory. It isn't on the GPU when the wait
 * is over, so it's the driver who has to look.
 */
TEST_F(prime, sync_object_in_vgem)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo theirs = { .dev = &vgem, .size = SIZE }, bo;
	__u64 va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE), *seen;
	const __u64 at = SIZE - PAN_PAGE_SIZE + 16;
	struct pan_ctx other;
	struct pan_cs cs;
	void *map;
	int fd;

	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &other));
	ASSERT_EQ(0, pan_vgem_create(self->vgem, SIZE, &theirs.handle));
	ASSERT_EQ(0, pan_vgem_mmap(self->vgem, theirs.handle, SIZE, &map));
	memset(map, 0, SIZE);
	ASSERT_EQ(0, pan_bo_export(&theirs, &fd));
	ASSERT_EQ(0, pan_bo_import(&self->env.dev, fd, SIZE, &bo));
	close(fd);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, va, SIZE, 0));

	pan_cs_init(&cs);
	pan_cs_wait_gt64(&cs, va + at, 5);
	pan_cs_store64(&cs, pan_ctx_slot(&self->ctx, &seen), 1);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	pan_poke((__u64 *)((char *)map + at), 5);
	ASSERT_EQ(0, pan_ctx_run(&other, &cs));
	EXPECT_EQ(0, pan_peek(seen));
	pan_poke((__u64 *)((char *)map + at), 6);
	ASSERT_EQ(0, pan_ctx_run(&other, &cs));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(1, pan_peek(seen));

	EXPECT_EQ(0, munmap(map, SIZE));
	EXPECT_EQ(0, pan_gem_close(self->vgem, theirs.handle));
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&other));
}

/*
 * vgem attaches to the GPU's memory, which stays valid when the exporter's own
 * handle and mapping are gone. (vgem does not let imported buffers be mapped:
 * the CPU looks at them through the dma-buf.)
 */
TEST_F(prime, export_to_vgem)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo bo, theirs;
	__u64 wrong;
	void *map;
	int fd;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&vgem, fd, SIZE, &theirs));
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	close(fd);
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed));
	pan_fill(map, SIZE, self->seed + 1);
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, SIZE, self->seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, munmap(map, SIZE));
	EXPECT_EQ(0, pan_vm_unmap(&self->ctx.vm, bo.va, SIZE));
	EXPECT_EQ(0, pan_bo_close(&bo));

	/* Now vgem's is the last handle: it can give the buffer back. */
	ASSERT_EQ(0, pan_bo_export(&theirs, &fd));
	ASSERT_EQ(0, pan_bo_import(&self->env.dev, fd, SIZE, &bo));
	close(fd);
	bo.va = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &bo, 0, bo.va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_verify(&self->ctx, bo.va, SIZE, self->seed + 1, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&theirs));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* The dma-buf itself can be mapped. */
TEST_F(prime, map_the_dma_buf)
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
	close(fd);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_verify(map, SIZE, self->seed));
	EXPECT_EQ(0, munmap(map, SIZE));
}

/* Importing what the same file has exported gives the handle again. */
TEST_F(prime, import_into_the_same_file)
{
	struct pan_bo bo, again;
	int fd;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&self->env.dev, fd, SIZE, &again));
	EXPECT_EQ(bo.handle, again.handle);
	close(fd);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* Two clients of the GPU share a buffer; each has a VM. */
TEST_F(prime, share_with_another_client)
{
	struct pan_dev other_dev;
	struct pan_ctx other;
	struct pan_bo bo, theirs;
	__u64 va, wrong;
	int fd;

	ASSERT_EQ(0, pan_reopen(&self->env.dev, &other_dev));
	ASSERT_EQ(0, pan_ctx_create(&other_dev, 1, &other));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&other_dev, fd, SIZE, &theirs));
	close(fd);
	va = pan_vm_alloc_va(&other.vm, SIZE, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&other.vm, &theirs, 0, va, SIZE, 0));
	ASSERT_EQ(0, pan_gpu_verify(&other, va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&bo));
	ASSERT_EQ(0, pan_gpu_verify(&other, va, SIZE, self->seed, &wrong));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, pan_bo_close(&theirs));
	EXPECT_EQ(0, pan_ctx_destroy(&other));
	pan_close(&other_dev);
}

TEST_HARNESS_MAIN
