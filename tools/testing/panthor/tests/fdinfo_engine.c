// SPDX-License-Identifier: GPL-2.0
/*
 * drm-engine-panthor in fdinfo: how long a client made use of the GPU. Case 15.
 */
#include "pan_test.h"

#include <time.h>

#define SIZE	(4 * PAN_PAGE_SIZE)

FIXTURE(fdinfo_engine) {
	struct pan_env env;
	struct pan_dev other;
	struct pan_ctx ctx;
	struct pan_bo bo;
};

FIXTURE_SETUP(fdinfo_engine)
{
	struct pan_fdinfo info;

	PAN_ENV_SETUP(&self->env);
	ASSERT_EQ(0, pan_fdinfo_read(&self->env.dev, &info));
	if (!(info.present & PAN_FDINFO_ENGINE))
		PAN_SKIP_IF(pan_may_be_unpatched() || pan_is_newer(),
			    "this driver has no drm-engine-panthor");
	ASSERT_EQ(0, pan_open(&self->other));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 2, &self->ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo));
}

FIXTURE_TEARDOWN(fdinfo_engine)
{
	if (self->bo.size) {
		EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
		EXPECT_EQ(0, pan_bo_close(&self->bo));
		EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
		pan_close(&self->other);
	}
	PAN_ENV_TEARDOWN(&self->env);
}

/* The clock of the driver. */
static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* A value, and when it was read at the earliest, and at the latest. */
struct reading {
	__u64 engine, before, after;
};

static void read_engine(struct __test_metadata *_metadata, struct pan_dev *dev, struct reading *r)
{
	struct pan_fdinfo info;

	r->before = now();
	ASSERT_EQ(0, pan_fdinfo_read(dev, &info));
	r->after = now();
	ASSERT_EQ(PAN_FDINFO_ENGINE, info.present & PAN_FDINFO_ENGINE);
	r->engine = info.engine;
}

static void start_job(struct __test_metadata *_metadata, FIXTURE_DATA(fdinfo_engine) *self,
		      __u32 queue)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_fill(&cs, self->bo.va, self->bo.size, queue);
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, queue, &cs));
}

static int engine_runs(void *arg)
{
	struct pan_fdinfo infos[2];
	int ret;

	ret = pan_fdinfo_read(arg, &infos[0]);
	if (!ret)
		ret = pan_fdinfo_read(arg, &infos[1]);
	return ret ?: infos[1].engine > infos[0].engine;
}

static int engine_stopped(void *arg)
{
	int ret = engine_runs(arg);

	return ret < 0 ? ret : !ret;
}

static void sleep_a_bit(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

/* Neither memory nor an idle group is time on the GPU. */
TEST_F(fdinfo_engine, idle)
{
	struct reading r;

	sleep_a_bit();
	read_engine(_metadata, &self->env.dev, &r);
	EXPECT_EQ(0, r.engine);
}

/* A job counts from being there to being done: not less and not more than time passes. */
TEST_F(fdinfo_engine, job)
{
	struct pan_dev *dev = &self->env.dev;
	struct reading begin, r[2];

	begin.before = now();
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	start_job(_metadata, self, 0);
	ASSERT_EQ(0, pan_poll(engine_runs, dev, PAN_DEADLINE_MS));

	read_engine(_metadata, dev, &r[0]);
	sleep_a_bit();
	read_engine(_metadata, dev, &r[1]);
	EXPECT_LE(r[0].engine, r[0].after - begin.before);
	EXPECT_GE(r[1].engine - r[0].engine, r[1].before - r[0].after);
	EXPECT_LE(r[1].engine - r[0].engine, r[1].after - r[0].before);

	/* It's not for those who have no job. */
	read_engine(_metadata, &self->other, &begin);
	EXPECT_EQ(0, begin.engine);

	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_poll(engine_stopped, dev, PAN_DEADLINE_MS));
	read_engine(_metadata, dev, &r[0]);
	EXPECT_GE(r[0].engine, r[1].engine);
	sleep_a_bit();
	read_engine(_metadata, dev, &r[1]);
	EXPECT_EQ(r[0].engine, r[1].engine);
}

/* What several groups do at the same time has taken this time once. */
TEST_F(fdinfo_engine, two_groups)
{
	struct pan_dev *dev = &self->env.dev;
	struct reading r[2];
	struct pan_ctx ctx;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_ctx_create_in(&self->ctx.vm, 1, &ctx));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	start_job(_metadata, self, 0);
	start_job(_metadata, self, 1);
	pan_cs_init(&cs);
	pan_cs_fill(&cs, self->bo.va, self->bo.size, 1);
	ASSERT_EQ(0, pan_ctx_start(&ctx, 0, &cs));
	ASSERT_EQ(0, pan_poll(engine_runs, dev, PAN_DEADLINE_MS));

	read_engine(_metadata, dev, &r[0]);
	sleep_a_bit();
	read_engine(_metadata, dev, &r[1]);
	EXPECT_GE(r[1].engine - r[0].engine, r[1].before - r[0].after);
	EXPECT_LE(r[1].engine - r[0].engine, r[1].after - r[0].before);

	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_ctx_wait(&ctx, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_ctx_destroy(&ctx));
}

/* A client whose group is killed isn't using the GPU any more. */
TEST_F(fdinfo_engine, group_killed)
{
	struct pan_dev *dev = &self->env.dev;
	struct reading r[2];

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	start_job(_metadata, self, 0);
	ASSERT_EQ(0, pan_poll(engine_runs, dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_group_destroy(&self->ctx.group));
	ASSERT_EQ(0, pan_poll(engine_stopped, dev, PAN_DEADLINE_MS));
	read_engine(_metadata, dev, &r[0]);
	sleep_a_bit();
	read_engine(_metadata, dev, &r[1]);
	EXPECT_EQ(r[0].engine, r[1].engine);
}

TEST_HARNESS_MAIN
