// SPDX-License-Identifier: GPL-2.0
/*
 * CPU access to a dma-buf is announced with DMA_BUF_IOCTL_SYNC. There is nothing
 * to be synchronised while the buffer is evicted, and it isn't brought back for it.
 *
 * guest: --dtb noncoherent
 */
#include <linux/dma-buf.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "evict.h"

#define SIZE	(37 * PAN_PAGE_SIZE)
#define ROUNDS	20

FIXTURE(evict_sync) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	void *map;
	int fd;
	__u64 seed;
	/* the other thread's */
	int stop;
	int result;
	__u64 calls;
};

FIXTURE_SETUP(evict_sync)
{
	EVICT_SETUP(self);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, false, &self->bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed));
	ASSERT_EQ(0, pan_bo_export(&self->bo, &self->fd));
	self->map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(evict_sync)
{
	EXPECT_EQ(0, munmap(self->map, SIZE));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int dma_buf_sync(int fd, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

TEST_F(evict_sync, does_not_bring_back)
{
	ASSERT_EQ(0, dma_buf_sync(self->fd, DMA_BUF_SYNC_START));
	ASSERT_EQ(0, dma_buf_sync(self->fd, DMA_BUF_SYNC_END));
	EVICT(&self->bo);
	ASSERT_EQ(0, dma_buf_sync(self->fd, DMA_BUF_SYNC_START));
	EXPECT_EVICTED(&self->bo, 1);
	EXPECT_EQ(0, pan_verify(self->map, SIZE, self->seed));
	EXPECT_RESIDENT(&self->bo, 1);
	EVICT(&self->bo);
	ASSERT_EQ(0, dma_buf_sync(self->fd, DMA_BUF_SYNC_END));
	EXPECT_EVICTED(&self->bo, 2);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

static void *sync_all_the_time(void *arg)
{
	FIXTURE_DATA(evict_sync) *self = arg;

	while (!self->result && !__atomic_load_n(&self->stop, __ATOMIC_RELAXED)) {
		self->result = dma_buf_sync(self->fd, DMA_BUF_SYNC_START);
		if (!self->result)
			self->result = dma_buf_sync(self->fd, DMA_BUF_SYNC_END);
		__atomic_add_fetch(&self->calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int has_synced(void *arg)
{
	FIXTURE_DATA(evict_sync) *self = arg;

	return __atomic_load_n(&self->calls, __ATOMIC_RELAXED) > 0;
}

/* The mapping that is synchronised goes and comes back meanwhile. */
TEST_F(evict_sync, against_eviction)
{
	pthread_t thread;
	int round;

	ASSERT_EQ(0, pthread_create(&thread, NULL, sync_all_the_time, self));
	EXPECT_EQ(0, pan_poll(has_synced, self, PAN_DEADLINE_MS));
	for (round = 0; round < ROUNDS; round++) {
		EVICT(&self->bo);
		EXPECT_EQ(0, pan_verify(self->map, SIZE, self->seed));
	}
	__atomic_store_n(&self->stop, 1, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, self->result);
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
}

TEST_HARNESS_MAIN
