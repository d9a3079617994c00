// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for the time clients spend on the GPU. */

#include <kunit/static_stub.h>
#include <kunit/test.h>

#include "../panthor_busy.h"
#include "../panthor_kunit.h"

/**
 * struct panthor_busy_test - A client with two groups
 */
struct panthor_busy_test {
	/** @busy: Client. */
	struct panthor_busy *busy;

	/** @groups: Its groups. */
	struct panthor_busy_group groups[2];

	/** @now: Time, in nanoseconds. */
	s64 now;
};

static ktime_t panthor_busy_test_now(void)
{
	struct panthor_busy_test *ctx = kunit_get_current_test()->priv;

	return ns_to_ktime(ctx->now);
}

/* A second later, the client should have @seconds. */
static void panthor_busy_test_expect(struct kunit *test, u64 seconds)
{
	struct panthor_busy_test *ctx = test->priv;

	ctx->now += NSEC_PER_SEC;
	KUNIT_EXPECT_EQ(test, panthor_busy_ns(ctx->busy), seconds * NSEC_PER_SEC);
}

/* It takes both a slot and a job, in any order. */
static void panthor_busy_test_slot_and_job(struct kunit *test)
{
	struct panthor_busy_test *ctx = test->priv;
	struct panthor_busy_group *group = &ctx->groups[0];

	panthor_busy_test_expect(test, 0);
	panthor_busy_group_add_jobs(group, 2);
	panthor_busy_test_expect(test, 0);
	panthor_busy_group_on_slot(group, true);
	panthor_busy_test_expect(test, 1);
	panthor_busy_group_add_jobs(group, -1);
	panthor_busy_test_expect(test, 2);
	panthor_busy_group_on_slot(group, false);
	panthor_busy_test_expect(test, 2);
	panthor_busy_group_on_slot(group, true);
	panthor_busy_test_expect(test, 3);
	panthor_busy_group_add_jobs(group, -1);
	panthor_busy_test_expect(test, 3);
	panthor_busy_group_add_jobs(group, 1);
	panthor_busy_test_expect(test, 4);
}

/* Time that several groups use at once has passed once. */
static void panthor_busy_test_overlap(struct kunit *test)
{
	struct panthor_busy_test *ctx = test->priv;

	for (u32 i = 0; i < ARRAY_SIZE(ctx->groups); i++)
		panthor_busy_group_add_jobs(&ctx->groups[i], 1);

	panthor_busy_group_on_slot(&ctx->groups[0], true);
	panthor_busy_test_expect(test, 1);
	panthor_busy_group_on_slot(&ctx->groups[1], true);
	panthor_busy_test_expect(test, 2);
	panthor_busy_group_on_slot(&ctx->groups[0], false);
	panthor_busy_test_expect(test, 3);
	panthor_busy_group_on_slot(&ctx->groups[1], false);
	panthor_busy_test_expect(test, 3);
}

/* Being told twice makes no difference. */
static void panthor_busy_test_twice(struct kunit *test)
{
	struct panthor_busy_test *ctx = test->priv;
	struct panthor_busy_group *group = &ctx->groups[0];

	panthor_busy_group_add_jobs(group, 1);
	panthor_busy_group_on_slot(group, true);
	panthor_busy_group_on_slot(group, true);
	panthor_busy_test_expect(test, 1);
	panthor_busy_group_on_slot(group, false);
	panthor_busy_group_on_slot(group, false);
	panthor_busy_test_expect(test, 1);
}

/* A group that goes away on its slot doesn't count any more, one with no client is fine. */
static void panthor_busy_test_group_gone(struct kunit *test)
{
	struct panthor_busy_test *ctx = test->priv;
	struct panthor_busy_group none = {};

	panthor_busy_group_add_jobs(&ctx->groups[0], 1);
	panthor_busy_group_on_slot(&ctx->groups[0], true);
	panthor_busy_test_expect(test, 1);
	panthor_busy_group_fini(&ctx->groups[0]);
	panthor_busy_test_expect(test, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->busy->refcount), 2);

	panthor_busy_group_fini(&none);
}

static int panthor_busy_test_init(struct kunit *test)
{
	struct panthor_busy_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->now = NSEC_PER_SEC;
	test->priv = ctx;
	kunit_activate_static_stub(test, panthor_busy_now, panthor_busy_test_now);

	ctx->busy = panthor_busy_create();
	KUNIT_ASSERT_NOT_NULL(test, ctx->busy);
	for (u32 i = 0; i < ARRAY_SIZE(ctx->groups); i++)
		panthor_busy_group_init(&ctx->groups[i], ctx->busy);

	return 0;
}

static void panthor_busy_test_exit(struct kunit *test)
{
	struct panthor_busy_test *ctx = test->priv;

	if (!ctx || !ctx->busy)
		return;

	for (u32 i = 0; i < ARRAY_SIZE(ctx->groups); i++)
		panthor_busy_group_fini(&ctx->groups[i]);
	panthor_busy_put(ctx->busy);
}

static struct kunit_case panthor_busy_tests[] = {
	KUNIT_CASE(panthor_busy_test_slot_and_job),
	KUNIT_CASE(panthor_busy_test_overlap),
	KUNIT_CASE(panthor_busy_test_twice),
	KUNIT_CASE(panthor_busy_test_group_gone),
	{}
};

static struct kunit_suite panthor_busy_test_suite = {
	.name = "panthor_busy",
	.init = panthor_busy_test_init,
	.exit = panthor_busy_test_exit,
	.test_cases = panthor_busy_tests,
};

kunit_test_suite(panthor_busy_test_suite);
