/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all selftests share: the seed, opening the device, and the checks that
 * end each test.
 */
#ifndef PAN_TEST_H
#define PAN_TEST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "pan.h"
#include "pan_ctx.h"
#include "pan_stat.h"
#include "pan_util.h"

/*
 * Seconds for each test. It's there for tests that hang: half a minute, which is the
 * harness's idea, isn't much on a machine that has other things to do as well.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

/**
 * struct pan_env - Surroundings of a test.
 * @dev: the GPU
 * @rand: state of the test's random numbers
 * @warnings: the model's complaints before the test
 */
struct pan_env {
	struct pan_dev dev;
	__u64 rand;
	__u64 warnings;
};

/* Repeat a failed run with PAN_SEED=<what this printed>. */
static __attribute__((constructor)) void pan_print_seed(void)
{
	printf("# PAN_SEED=%#llx\n", pan_seed());
	fflush(stdout);
}

static inline int pan_env_open(struct pan_env *env)
{
	int ret;

	memset(env, 0, sizeof(*env));
	env->dev.fd = -1;
	env->rand = pan_seed();
	if (!pan_model_present())
		return -ENODEV;
	ret = pan_model_knobs_reset();
	if (!ret)
		ret = pan_model_counter("warnings", &env->warnings);
	if (ret)
		return ret;
	ret = pan_open(&env->dev);
	/* With the model there should be a GPU: that is no reason to skip. */
	return ret == -ENODEV ? -ENXIO : ret;
}

static inline void pan_env_print_warnings(void)
{
	char text[16384];

	if (pan_model_warnings(text, sizeof(text)) > 0)
		printf("# model warnings so far:\n%s\n", text);
}

/* Skips the test if the model is absent, fails it if the device doesn't open. */
#define PAN_ENV_SETUP(env) do {							\
	int __err = pan_env_open(env);						\
										\
	if (__err == -ENODEV)							\
		SKIP(return, "the software GPU is not loaded");			\
	ASSERT_EQ(0, __err);							\
} while (0)

/*
 * The invariants, where nothing is under way; the unpatched driver can't tell.
 * With EXPECT_SOUND_EXACTLY(), all memory belongs to a handle or a VM, see
 * pan_audit(). Nothing can be said while other tests use the same device.
 */
#define __EXPECT_SOUND(dev, exact) do {						\
	struct pan_dev *__dev = (dev);						\
	char __why[256];							\
										\
	if (pan_has_shrink(__dev) && pan_alone())				\
		EXPECT_EQ(0, pan_audit(__dev, exact, __why, sizeof(__why)))	\
			TH_LOG("unsound: %s", __why);				\
} while (0)

#define EXPECT_SOUND(dev)		__EXPECT_SOUND(dev, false)
#define EXPECT_SOUND_EXACTLY(dev)	__EXPECT_SOUND(dev, true)

/* Nobody has a buffer any more. */
#define EXPECT_NOTHING_LEFT(dev) do {						\
	struct pan_dev *__dev = (dev);						\
	char __why[256];							\
										\
	if (pan_has_shrink(__dev) && pan_alone())				\
		EXPECT_EQ(0, pan_audit_empty(__dev, __why, sizeof(__why)))	\
			TH_LOG("buffers leaked: %s", __why);			\
} while (0)

/*
 * Ends a test. Memory must add up, and be freed when the file is closed. The GPU
 * must come to rest: that it does is half of the test of runtime power
 * management, and the model sees accesses that come too late.
 */
#define PAN_ENV_TEARDOWN(env) do {						\
	struct pan_env *__env = (env);						\
	__u64 __warnings = 0;							\
										\
	EXPECT_EQ(0, pan_model_knobs_reset());					\
	EXPECT_SOUND(&__env->dev);						\
	pan_close(&__env->dev);							\
	EXPECT_NOTHING_LEFT(&__env->dev);					\
	if (pan_alone())							\
		EXPECT_EQ(0, pan_wait_suspended(&__env->dev, PAN_DEADLINE_MS));	\
	EXPECT_EQ(0, pan_model_counter("warnings", &__warnings));		\
	EXPECT_EQ(__env->warnings, __warnings)					\
		pan_env_print_warnings();					\
} while (0)

/* Whether this is 7.3 and its driver, not 6.12 */
static inline bool pan_is_newer(void)
{
	const char *version = getenv("PANTHOR_LINUX");

	return version && !strcmp(version, "7.3");
}

/* Not the series' kernel, nor that of a mutant; run by hand, who knows. */
static inline bool pan_may_be_unpatched(void)
{
	const char *tree = getenv("PANTHOR_TREE");

	return !tree || !strcmp(tree, "base");
}

/* Kernels other than the debug one have no fault injection and fewer drivers. */
static inline bool pan_is_debug_kernel(void)
{
	const char *kernel = getenv("PANTHOR_KERNEL");

	return kernel && !strcmp(kernel, "debug");
}

/* A test that is skipped where it should run is one that nobody misses: a failure. */
#define PAN_SKIP_IF(may, ...) do {						\
	ASSERT_TRUE(may)							\
		TH_LOG(__VA_ARGS__);						\
	SKIP(return, __VA_ARGS__);						\
} while (0)

/*
 * For tests that meet a bug which the series mends. Of the unpatched 7.3, these bugs
 * are what one wants to see.
 */
#define PAN_SKIP_UNPATCHED(what) do {						\
	const char *__tree = getenv("PANTHOR_TREE");				\
										\
	if (__tree && !strcmp(__tree, "base") && !pan_is_newer())		\
		SKIP(return, "the unpatched driver: %s", what);			\
} while (0)

/* A counter of the model; fails the test if it can't be read. */
#define PAN_COUNTER(name) ({							\
	__u64 __value = 0;							\
										\
	ASSERT_EQ(0, pan_model_counter(name, &__value));			\
	__value;								\
})

#endif /* PAN_TEST_H */
