// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit test suite for the GPU scheduler's job timeout
 */

#include <linux/bottom_half.h>
#include <linux/jiffies.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_kunit_helpers.h>
#include <drm/gpu_scheduler.h>

/* Nothing here takes as long. */
#define TEST_JOB_TIMEOUT	(600 * HZ)

/* Number of ticks by which timers are served late. */
#define TEST_LATE_TICKS		3

/**
 * struct sched_test - Fixture of the scheduler tests
 */
struct sched_test {
	/** @sched: Scheduler. */
	struct drm_gpu_scheduler sched;

	/** @job: Job which the hardware is supposed to be executing. */
	struct drm_sched_job job;

	/** @wq: Workqueue of the timeout handler. */
	struct workqueue_struct *wq;

	/** @tick: A timer of somebody else. */
	struct timer_list tick;

	/** @timedout: Number of times the job was said to have timed out. */
	unsigned int timedout;
};

static enum drm_gpu_sched_stat sched_test_timedout_job(struct drm_sched_job *job)
{
	struct sched_test *t = container_of(job, struct sched_test, job);

	t->timedout++;
	return DRM_GPU_SCHED_STAT_NOMINAL;
}

static const struct drm_sched_backend_ops sched_test_ops = {
	.timedout_job = sched_test_timedout_job,
};

static void sched_test_tick(struct timer_list *timer)
{
}

KUNIT_DEFINE_ACTION_WRAPPER(sched_test_destroy_wq, destroy_workqueue, struct workqueue_struct *);

static void sched_test_fini(void *data)
{
	struct sched_test *t = data;

	timer_delete_sync(&t->tick);
	drm_sched_fini(&t->sched);
}

static int drm_sched_test_init(struct kunit *test)
{
	struct sched_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct drm_sched_init_args args = {
		.ops = &sched_test_ops,
		.num_rqs = 1,
		.credit_limit = 1,
		.timeout = TEST_JOB_TIMEOUT,
		.name = "drm-sched-test",
	};

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	timer_setup(&t->tick, sched_test_tick, 0);
	t->wq = alloc_workqueue("drm-sched-test", 0, 0);
	KUNIT_ASSERT_NOT_NULL(test, t->wq);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sched_test_destroy_wq, t->wq));

	args.timeout_wq = t->wq;
	args.submit_wq = t->wq;
	args.dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, args.dev);
	KUNIT_ASSERT_EQ(test, 0, drm_sched_init(&t->sched, &args));
	t->job.sched = &t->sched;
	list_add(&t->job.list, &t->sched.pending_list);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, sched_test_fini, t));
	return 0;
}

/* Start the job's timeout, as at submission or when the job gets on again. */
static void sched_test_start_timeout(struct sched_test *t)
{
	drm_sched_resume_timeout(&t->sched, t->sched.timeout);
}

/*
 * Suspend the timeout at a time where this CPU should have served a timer long ago. In
 * real life, softirqs are late because of interrupts, other softirqs, or ksoftirqd having
 * to wait for a CPU.
 */
static unsigned long sched_test_suspend_late(struct sched_test *t)
{
	unsigned long remaining, begin;

	local_bh_disable();
	begin = jiffies;
	mod_timer(&t->tick, begin + 1);
	while (time_before(jiffies, begin + 1 + TEST_LATE_TICKS))
		cpu_relax();
	remaining = drm_sched_suspend_timeout(&t->sched);
	local_bh_enable();
	return remaining;
}

/* A job whose timeout is suspended doesn't time out. */
static void drm_sched_test_suspend(struct kunit *test)
{
	struct sched_test *t = test->priv;
	unsigned long remaining;

	sched_test_start_timeout(t);
	remaining = sched_test_suspend_late(t);
	KUNIT_EXPECT_GT(test, remaining, 0);
	KUNIT_EXPECT_LE(test, remaining, t->sched.timeout);

	/* If the timer fired, it did so when softirqs were enabled. */
	flush_workqueue(t->wq);
	KUNIT_EXPECT_EQ(test, t->timedout, 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->sched.work_tdr));
}

/* The time that remained is what the job has when the timeout is resumed. */
static void drm_sched_test_resume(struct kunit *test)
{
	struct sched_test *t = test->priv;
	unsigned long remaining;

	sched_test_start_timeout(t);
	remaining = drm_sched_suspend_timeout(&t->sched);
	KUNIT_EXPECT_LE(test, remaining, t->sched.timeout);
	drm_sched_resume_timeout(&t->sched, remaining);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&t->sched.work_tdr));
	KUNIT_EXPECT_EQ(test, t->timedout, 0);

	/* The job ran out of time while the timeout was suspended. */
	KUNIT_EXPECT_GT(test, drm_sched_suspend_timeout(&t->sched), 0);
	drm_sched_resume_timeout(&t->sched, 0);
	flush_delayed_work(&t->sched.work_tdr);
	KUNIT_EXPECT_EQ(test, t->timedout, 1);
}

/* Suspending what isn't running leaves a whole timeout. */
static void drm_sched_test_suspend_idle(struct kunit *test)
{
	struct sched_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, drm_sched_suspend_timeout(&t->sched), t->sched.timeout);

	/* Nor is a timeout started for a queue that is empty. */
	list_del_init(&t->job.list);
	drm_sched_resume_timeout(&t->sched, 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&t->sched.work_tdr));
}

static struct kunit_case drm_sched_tests[] = {
	KUNIT_CASE(drm_sched_test_suspend),
	KUNIT_CASE(drm_sched_test_resume),
	KUNIT_CASE(drm_sched_test_suspend_idle),
	{ }
};

static struct kunit_suite drm_sched_test_suite = {
	.name = "drm_sched",
	.init = drm_sched_test_init,
	.test_cases = drm_sched_tests,
};

kunit_test_suite(drm_sched_test_suite);

MODULE_DESCRIPTION("KUnit test suite for the GPU scheduler's job timeout");
MODULE_LICENSE("GPL");
