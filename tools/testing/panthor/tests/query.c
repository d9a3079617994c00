// SPDX-License-Identifier: GPL-2.0
/*
 * Probe and DEV_QUERY: the GPU that the driver found is the one of the model.
 */
#include "pan_test.h"

FIXTURE(query) {
	struct pan_env env;
};

FIXTURE_SETUP(query)
{
	PAN_ENV_SETUP(&self->env);
}

FIXTURE_TEARDOWN(query)
{
	PAN_ENV_TEARDOWN(&self->env);
}

TEST_F(query, gpu_info)
{
	const struct drm_panthor_gpu_info *gpu = &self->env.dev.gpu;

	EXPECT_EQ(10, DRM_PANTHOR_ARCH_MAJOR(gpu->gpu_id));
	EXPECT_EQ(48, DRM_PANTHOR_MMU_VA_BITS(gpu->mmu_features));
	EXPECT_EQ(1, gpu->as_present & 1);
	EXPECT_LT(2, __builtin_popcount(gpu->as_present));
	EXPECT_NE(0, gpu->shader_present);
	EXPECT_NE(0, gpu->tiler_present);
	EXPECT_NE(0, gpu->l2_present);
	EXPECT_NE(0, gpu->max_threads);
	EXPECT_EQ(0, gpu->pad);
#ifndef PAN_NEWER_UAPI
	/* on 7.3, it's the coherency in use */
	if (!pan_is_newer())
		EXPECT_EQ(0, gpu->pad0);
#endif
}

TEST_F(query, csif_info)
{
	const struct drm_panthor_csif_info *csif = &self->env.dev.csif;

	EXPECT_LE(3, csif->csg_slot_count);
	EXPECT_GE(31, csif->csg_slot_count);
	EXPECT_LE(8, csif->cs_slot_count);
	EXPECT_EQ(96, csif->cs_reg_count);
	EXPECT_EQ(8, csif->scoreboard_slot_count);
	EXPECT_EQ(4, csif->unpreserved_cs_reg_count);
	EXPECT_EQ(0, csif->pad);
}

TEST_F(query, driver_version)
{
	int major = 0, minor = -1;

	ASSERT_EQ(0, pan_version(&self->env.dev, &major, &minor));
	EXPECT_EQ(1, major);
	EXPECT_EQ(pan_is_newer() ? 9 : 0, minor);
}

TEST_F(query, primary_node_agrees)
{
	struct pan_dev primary;

	ASSERT_EQ(0, pan_open_primary(&primary));
	EXPECT_EQ(0, memcmp(&primary.gpu, &self->env.dev.gpu, sizeof(primary.gpu)));
	EXPECT_EQ(0, memcmp(&primary.csif, &self->env.dev.csif, sizeof(primary.csif)));
	EXPECT_STREQ(self->env.dev.sysfs, primary.sysfs);
	EXPECT_NE(self->env.dev.minor, primary.minor);
	pan_close(&primary);
}

TEST_F(query, size_without_buffer)
{
	__u32 size = 0;

	ASSERT_EQ(0, pan_query(&self->env.dev, DRM_PANTHOR_DEV_QUERY_GPU_INFO, NULL, &size));
	EXPECT_LE(sizeof(struct drm_panthor_gpu_info), size);
	size = 0;
	ASSERT_EQ(0, pan_query(&self->env.dev, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, NULL, &size));
	EXPECT_EQ(sizeof(struct drm_panthor_csif_info), size);
}

/* A program that is newer than the driver finds zeroes behind what it knows. */
TEST_F(query, larger_buffer_is_zeroed)
{
	struct {
		struct drm_panthor_csif_info csif;
		__u64 more[4];
	} buf;
	__u32 size = sizeof(buf);
	size_t i;

	memset(&buf, 0xff, sizeof(buf));
	ASSERT_EQ(0, pan_query(&self->env.dev, DRM_PANTHOR_DEV_QUERY_CSIF_INFO, &buf, &size));
	EXPECT_EQ(0, memcmp(&buf.csif, &self->env.dev.csif, sizeof(buf.csif)));
	for (i = 0; i < ARRAY_SIZE(buf.more); i++)
		EXPECT_EQ(0, buf.more[i]);
}

TEST_F(query, errors)
{
	struct drm_panthor_csif_info csif;
	__u32 size = sizeof(csif) - 4;

	EXPECT_EQ(-EINVAL, pan_query(&self->env.dev, DRM_PANTHOR_DEV_QUERY_CSIF_INFO,
				     &csif, &size));
	size = sizeof(csif);
	EXPECT_EQ(-EFAULT, pan_query(&self->env.dev, DRM_PANTHOR_DEV_QUERY_CSIF_INFO,
				     (void *)16, &size));
	EXPECT_EQ(-EINVAL, pan_query(&self->env.dev, 0x1234, &csif, &size));
	EXPECT_EQ(-EINVAL, pan_query(&self->env.dev, 0x1234, NULL, &size));
}

/* Probe has started the firmware, and the first group makes it work. */
TEST_F(query, firmware_runs)
{
	struct pan_ctx ctx;
	struct pan_cs cs;

	EXPECT_LE(1, PAN_COUNTER("boots"));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	EXPECT_EQ(0, pan_ctx_run(&ctx, &cs));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

TEST_HARNESS_MAIN
