// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit test suite for the GEM LRU helpers
 */

#include <linux/completion.h>
#include <linux/iopoll.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>

#define TEST_OBJECT_COUNT	4
#define TEST_OBJECT_PAGES	2
#define TEST_TIMEOUT		(10 * HZ)
#define TEST_TIMEOUT_US		(10 * USEC_PER_SEC)

/**
 * struct lru_test - Fixture of the GEM LRU tests
 */
struct lru_test {
	/** @lock: Lock shared by all LRUs. */
	struct mutex lock;

	/** @lru: The LRU all objects are initially in. */
	struct drm_gem_lru lru;

	/** @other: Another LRU to move objects to. */
	struct drm_gem_lru other;

	/** @objs: Objects. */
	struct drm_gem_object objs[TEST_OBJECT_COUNT];

	/** @visits: Number of times each object was passed to the shrink callback. */
	unsigned int visits[TEST_OBJECT_COUNT];

	/** @parked: Set if an object was seen in another LRU than the one being scanned. */
	bool parked;

	/** @removing: Completed by the thread which is about to remove an object. */
	struct completion removing;
};

static const struct drm_gem_object_funcs lru_test_funcs = {
};

/* The shrink callback has no private pointer. Suites never run in parallel. */
static struct lru_test *current_test;

static bool lru_test_keep(struct drm_gem_object *obj)
{
	struct lru_test *t = current_test;

	t->visits[obj - t->objs]++;
	if (READ_ONCE(obj->lru) != &t->lru)
		t->parked = true;

	return false;
}

static bool lru_test_shrink(struct drm_gem_object *obj)
{
	struct lru_test *t = current_test;

	t->visits[obj - t->objs]++;
	drm_gem_lru_move_tail(&t->other, obj);

	return true;
}

/* Start a second scan when the first one gets to the last object. */
static bool lru_test_scan_again(struct drm_gem_object *obj)
{
	struct lru_test *t = current_test;
	unsigned long remaining = 0;

	t->visits[obj - t->objs]++;

	/* This one is locked by the first scan, so everything else is shrunk. */
	if (obj == &t->objs[TEST_OBJECT_COUNT - 1])
		drm_gem_lru_scan(&t->lru, UINT_MAX, &remaining, lru_test_shrink);

	return false;
}

/*
 * All objects are visited once, none leaves the LRU, and all pages are reported
 * as remaining when nothing can be shrunk. They stay reachable through their
 * LRU, not through some temporary one, for whoever looks at them meanwhile.
 */
static void drm_gem_lru_test_scan_keep(struct kunit *test)
{
	struct lru_test *t = test->priv;
	unsigned long remaining = 0;

	KUNIT_EXPECT_EQ(test, 0, drm_gem_lru_scan(&t->lru, UINT_MAX, &remaining, lru_test_keep));
	KUNIT_EXPECT_EQ(test, remaining, TEST_OBJECT_COUNT * TEST_OBJECT_PAGES);
	KUNIT_EXPECT_EQ(test, t->lru.count, TEST_OBJECT_COUNT * TEST_OBJECT_PAGES);
	KUNIT_EXPECT_FALSE(test, t->parked);
	for (u32 i = 0; i < TEST_OBJECT_COUNT; i++) {
		KUNIT_EXPECT_EQ(test, t->visits[i], 1);
		KUNIT_EXPECT_PTR_EQ(test, t->objs[i].lru, &t->lru);
	}

	/* The order is unchanged. */
	KUNIT_EXPECT_PTR_EQ(test, &t->objs[0],
			    list_first_entry(&t->lru.list, struct drm_gem_object, lru_node));
}

/* The scan stops when enough pages were reclaimed, starting with the oldest. */
static void drm_gem_lru_test_scan_stop(struct kunit *test)
{
	struct lru_test *t = test->priv;
	unsigned long remaining = 0;

	KUNIT_EXPECT_EQ(test, TEST_OBJECT_PAGES,
			drm_gem_lru_scan(&t->lru, 1, &remaining, lru_test_shrink));
	KUNIT_EXPECT_EQ(test, remaining, 0);
	KUNIT_EXPECT_EQ(test, t->visits[0], 1);
	KUNIT_EXPECT_EQ(test, t->visits[1], 0);
	KUNIT_EXPECT_EQ(test, t->lru.count, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES);
	KUNIT_EXPECT_EQ(test, t->other.count, TEST_OBJECT_PAGES);
}

/* An object whose reservation is locked is skipped, and counted as remaining. */
static void drm_gem_lru_test_scan_locked(struct kunit *test)
{
	struct lru_test *t = test->priv;
	unsigned long remaining = 0;

	dma_resv_lock(t->objs[1].resv, NULL);
	KUNIT_EXPECT_EQ(test, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES,
			drm_gem_lru_scan(&t->lru, UINT_MAX, &remaining, lru_test_shrink));
	dma_resv_unlock(t->objs[1].resv);
	KUNIT_EXPECT_EQ(test, remaining, TEST_OBJECT_PAGES);
	KUNIT_EXPECT_EQ(test, t->visits[1], 0);
}

/* An object whose last reference is gone is neither visited nor remaining. */
static void drm_gem_lru_test_scan_dying(struct kunit *test)
{
	struct lru_test *t = test->priv;
	unsigned long remaining = 0;

	refcount_set(&t->objs[2].refcount.refcount, 0);
	KUNIT_EXPECT_EQ(test, 0, drm_gem_lru_scan(&t->lru, UINT_MAX, &remaining, lru_test_keep));
	kref_init(&t->objs[2].refcount);
	KUNIT_EXPECT_EQ(test, remaining, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES);
	KUNIT_EXPECT_EQ(test, t->visits[2], 0);
}

/* Objects that were visited by a scan are not hidden from another one. */
static void drm_gem_lru_test_scan_side_by_side(struct kunit *test)
{
	struct lru_test *t = test->priv;
	unsigned long remaining = 0;

	drm_gem_lru_scan(&t->lru, UINT_MAX, &remaining, lru_test_scan_again);
	KUNIT_EXPECT_EQ(test, t->other.count, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES);
}

/* What was removed can be inserted again, and doesn't count meanwhile. */
static void drm_gem_lru_test_remove_locked(struct kunit *test)
{
	struct lru_test *t = test->priv;

	mutex_lock(&t->lock);
	drm_gem_lru_remove_locked(&t->objs[0]);
	KUNIT_EXPECT_NULL(test, t->objs[0].lru);
	KUNIT_EXPECT_EQ(test, t->lru.count, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES);

	drm_gem_lru_move_tail_locked(&t->lru, &t->objs[0]);
	KUNIT_EXPECT_EQ(test, t->lru.count, TEST_OBJECT_COUNT * TEST_OBJECT_PAGES);
	mutex_unlock(&t->lock);
}

static int lru_test_remove_thread(void *arg)
{
	struct lru_test *t = arg;

	complete(&t->removing);
	drm_gem_lru_remove(&t->objs[0]);

	return 0;
}

/*
 * Remove an object while it's being moved from a LRU which doesn't live longer
 * than that. The removal must not touch that LRU.
 */
static void drm_gem_lru_test_remove_vs_free(struct kunit *test)
{
	struct lru_test *t = test->priv;
	struct task_struct *thread;
	struct drm_gem_lru *dying;
	unsigned int state;

	dying = kzalloc(sizeof(*dying), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dying);
	drm_gem_lru_init(dying, &t->lock);
	drm_gem_lru_move_tail(dying, &t->objs[0]);

	mutex_lock(&t->lock);
	thread = kthread_create(lru_test_remove_thread, t, "drm-gem-lru-test");
	if (IS_ERR(thread)) {
		mutex_unlock(&t->lock);
		drm_gem_lru_move_tail(&t->lru, &t->objs[0]);
		kfree(dying);
		KUNIT_FAIL_AND_ABORT(test, "no thread");
	}

	/* The only thing the thread can be blocked on after that is the lock. */
	get_task_struct(thread);
	wake_up_process(thread);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&t->removing, TEST_TIMEOUT));
	KUNIT_EXPECT_EQ(test, 0, read_poll_timeout(READ_ONCE, state, state == TASK_UNINTERRUPTIBLE,
						   USEC_PER_MSEC, TEST_TIMEOUT_US, false,
						   thread->__state));

	drm_gem_lru_move_tail_locked(&t->other, &t->objs[0]);
	memset(dying, 0, sizeof(*dying));
	kfree(dying);
	mutex_unlock(&t->lock);

	kthread_stop_put(thread);

	KUNIT_EXPECT_NULL(test, t->objs[0].lru);
	KUNIT_EXPECT_EQ(test, t->other.count, 0);
}

static int lru_test_walk_thread(void *arg)
{
	struct drm_gem_lru_walk walk;
	struct drm_gem_object *obj;
	struct lru_test *t = arg;

	complete(&t->removing);
	drm_gem_lru_walk_init(&walk, &t->lru);
	obj = drm_gem_lru_walk_next(&walk);
	if (obj)
		drm_gem_object_put(obj);

	return 0;
}

/* A walk doesn't look at a LRU that someone else is changing. */
static void drm_gem_lru_test_walk_locked(struct kunit *test)
{
	struct lru_test *t = test->priv;
	struct task_struct *thread;
	unsigned int state;

	thread = kthread_create(lru_test_walk_thread, t, "drm-gem-lru-test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, thread);

	mutex_lock(&t->lock);
	get_task_struct(thread);
	wake_up_process(thread);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&t->removing, TEST_TIMEOUT));
	KUNIT_EXPECT_EQ(test, 0, read_poll_timeout(READ_ONCE, state, state == TASK_UNINTERRUPTIBLE,
						   USEC_PER_MSEC, TEST_TIMEOUT_US, false,
						   thread->__state));
	mutex_unlock(&t->lock);

	kthread_stop_put(thread);
}

/* Removing an object which never was, or is no longer, in a LRU is a no-op. */
static void drm_gem_lru_test_remove_twice(struct kunit *test)
{
	struct lru_test *t = test->priv;

	drm_gem_lru_remove(&t->objs[0]);
	drm_gem_lru_remove(&t->objs[0]);
	KUNIT_EXPECT_NULL(test, t->objs[0].lru);
	KUNIT_EXPECT_EQ(test, t->lru.count, (TEST_OBJECT_COUNT - 1) * TEST_OBJECT_PAGES);
}

static int drm_gem_lru_test_init(struct kunit *test)
{
	struct drm_device *drm;
	struct device *dev;
	struct lru_test *t;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*drm), 0, DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);

	mutex_init(&t->lock);
	init_completion(&t->removing);
	drm_gem_lru_init(&t->lru, &t->lock);
	drm_gem_lru_init(&t->other, &t->lock);

	for (u32 i = 0; i < TEST_OBJECT_COUNT; i++) {
		t->objs[i].funcs = &lru_test_funcs;
		drm_gem_private_object_init(drm, &t->objs[i], TEST_OBJECT_PAGES * PAGE_SIZE);
		drm_gem_lru_move_tail(&t->lru, &t->objs[i]);
	}

	current_test = t;
	test->priv = t;
	return 0;
}

static void drm_gem_lru_test_exit(struct kunit *test)
{
	struct lru_test *t = test->priv;

	for (u32 i = 0; t && i < TEST_OBJECT_COUNT; i++) {
		drm_gem_lru_remove(&t->objs[i]);
		drm_gem_private_object_fini(&t->objs[i]);
	}
	current_test = NULL;
}

static struct kunit_case drm_gem_lru_tests[] = {
	KUNIT_CASE(drm_gem_lru_test_scan_keep),
	KUNIT_CASE(drm_gem_lru_test_scan_stop),
	KUNIT_CASE(drm_gem_lru_test_scan_locked),
	KUNIT_CASE(drm_gem_lru_test_scan_dying),
	KUNIT_CASE(drm_gem_lru_test_scan_side_by_side),
	KUNIT_CASE(drm_gem_lru_test_remove_vs_free),
	KUNIT_CASE(drm_gem_lru_test_walk_locked),
	KUNIT_CASE(drm_gem_lru_test_remove_twice),
	KUNIT_CASE(drm_gem_lru_test_remove_locked),
	{}
};

static struct kunit_suite drm_gem_lru_test_suite = {
	.name = "drm_gem_lru",
	.init = drm_gem_lru_test_init,
	.exit = drm_gem_lru_test_exit,
	.test_cases = drm_gem_lru_tests,
};

kunit_test_suite(drm_gem_lru_test_suite);

MODULE_DESCRIPTION("KUnit test suite for the GEM LRU helpers");
MODULE_LICENSE("GPL");
