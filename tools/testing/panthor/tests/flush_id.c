// SPDX-License-Identifier: GPL-2.0
/*
 * The page with LATEST_FLUSH_ID that user space may map.
 */
#include <sys/mman.h>

#include "pan_test.h"

FIXTURE(flush_id) {
	struct pan_env env;
	struct pan_ctx ctx;
};

FIXTURE_SETUP(flush_id)
{
	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->ctx));
}

FIXTURE_TEARDOWN(flush_id)
{
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static void *map_page(struct pan_dev *dev, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, dev->fd, DRM_PANTHOR_USER_FLUSH_ID_MMIO_OFFSET);
}

/* Asleep it is a page that holds 1, awake it can be read without harm. */
TEST_F(flush_id, readable_asleep_and_awake)
{
	__u32 *page = map_page(&self->env.dev, PAN_PAGE_SIZE, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_EQ(1, __atomic_load_n(page, __ATOMIC_RELAXED));

	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, pan_gpu_store64(&self->ctx, self->ctx.result.va, 1));
	EXPECT_EQ(0, __atomic_load_n(page, __ATOMIC_RELAXED) & 0x7f000000U);
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, false));

	ASSERT_EQ(0, pan_wait_suspended(&self->env.dev, PAN_DEADLINE_MS));
	EXPECT_EQ(1, __atomic_load_n(page, __ATOMIC_RELAXED));
	EXPECT_EQ(0, munmap(page, PAN_PAGE_SIZE));
}

TEST_F(flush_id, only_one_page_shared_read_only)
{
	struct pan_dev *dev = &self->env.dev;

	EXPECT_EQ(MAP_FAILED, map_page(dev, PAN_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, map_page(dev, PAN_PAGE_SIZE, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, map_page(dev, 2 * PAN_PAGE_SIZE, PROT_READ, MAP_SHARED));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
