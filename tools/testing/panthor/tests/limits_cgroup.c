// SPDX-License-Identifier: GPL-2.0
/*
 * A memory cgroup at its limit is no shortage of the system: others aren't evicted for
 * it, and what doesn't fit in it fails. What's idle in it makes room.
 *
 * guest: --kernel plain --mem 512M
 */
#include <signal.h>
#include <sys/stat.h>

#include "limits.h"
#include "pan_child.h"

#define CGROUP		"/sys/fs/cgroup/limits"
#define LIMIT		"67108864"	/* 64 MiB */
#define OTHERS		8
#define BUFFER		(8 * MIB)
#define VMS		4
#define ROUNDS		3

FIXTURE(limits_cgroup) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[OTHERS];
	__u64 evictions;
};

FIXTURE_SETUP(limits_cgroup)
{
	int i;

	EVICT_SETUP(self);
	for (i = 0; i < OTHERS; i++) {
		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, BUFFER, PAN_PAGE_SIZE, true,
						  &self->bos[i]));
		ASSERT_EQ(0, pan_gpu_fill(&self->ctx, self->bos[i].va, BUFFER, i + 1));
	}
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	ASSERT_EQ(0, pan_write_file(CGROUP "/memory.max", LIMIT));
	self->evictions = EVICTIONS(&self->env.dev);
}

static int remove_cgroup(void *arg)
{
	(void)arg;
	if (!rmdir(CGROUP))
		return 1;
	return errno == EBUSY ? 0 : -errno;
}

FIXTURE_TEARDOWN(limits_cgroup)
{
	EXPECT_EQ(0, pan_poll(remove_cgroup, NULL, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

static int enter_cgroup(struct pan_dev *dev)
{
	int ret;

	dev->fd = -1;
	ret = pan_write_file(CGROUP "/cgroup.procs", "0");
	return ret ? ret : pan_open(dev);
}

static int bind_too_much(struct pan_child *self)
{
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo bo;
	__u64 va;
	int ret;

	(void)self;
	ret = enter_cgroup(&dev);
	if (!ret)
		ret = pan_ctx_create(&dev, 1, &ctx);
	if (!ret)
		ret = pan_bo_create(&dev, 160 * MIB, 0, NULL, &bo);
	if (ret)
		return ret;
	va = pan_vm_alloc_va(&ctx.vm, bo.size, PAN_PAGE_SIZE);
	return pan_vm_map(&ctx.vm, &bo, 0, va, bo.size, 0);
}

static void on_sigbus(int sig)
{
	_exit(sig);
}

static int touch_too_much(struct pan_child *self)
{
	struct pan_dev dev;
	struct pan_bo bo;
	int ret;

	(void)self;
	signal(SIGBUS, on_sigbus);
	ret = enter_cgroup(&dev);
	if (!ret)
		ret = pan_bo_create(&dev, 160 * MIB, 0, NULL, &bo);
	if (!ret)
		ret = pan_bo_mmap(&bo);
	if (!ret)
		*(volatile char *)bo.map = 1;
	return ret;
}

/* Several VMs which don't fit in the cgroup together. */
static int take_turns(struct pan_child *self)
{
	struct pan_bo bos[VMS][4];
	struct pan_ctx ctx[VMS];
	struct pan_dev dev;
	__u64 wrong;
	int i, j, k, ret;

	(void)self;
	ret = enter_cgroup(&dev);
	for (i = 0; !ret && i < VMS; i++) {
		ret = pan_ctx_create(&dev, 1, &ctx[i]);
		for (j = 0; !ret && j < 4; j++) {
			ret = pan_bo_create_mapped(&ctx[i].vm, BUFFER, PAN_PAGE_SIZE, true,
						   &bos[i][j]);
			if (!ret)
				ret = pan_gpu_fill(&ctx[i], bos[i][j].va, BUFFER, 4 * i + j);
		}
	}
	for (k = 0; k < ROUNDS; k++) {
		for (i = 0; !ret && i < VMS; i++) {
			for (j = 0; !ret && j < 4; j++) {
				wrong = ~0ULL;
				ret = pan_gpu_verify(&ctx[i], bos[i][j].va, BUFFER, 4 * i + j,
						     &wrong);
				if (!ret && wrong)
					ret = -EBADMSG;
			}
		}
	}
	return ret;
}

#define RESULT_OF(fn) ({							\
	struct pan_child __child;						\
	int __result = -1;							\
										\
	ASSERT_EQ(0, pan_child_start(&__child, fn, NULL));			\
	ASSERT_EQ(0, pan_child_wait(&__child, &__result));			\
	__result;								\
})

#define EXPECT_OTHERS_RESIDENT(self) do {					\
	struct pan_gems __gems = {};						\
	__u64 __resident = 0;							\
	size_t __i;								\
										\
	ASSERT_EQ(0, pan_gems_read(&(self)->env.dev, &__gems));			\
	for (__i = 0; __i < __gems.count; __i++)				\
		if (__gems.gems[__i].tgid == getpid() && __gems.gems[__i].size == BUFFER) \
			__resident += __gems.gems[__i].resident;		\
	pan_gems_free(&__gems);							\
	EXPECT_EQ(OTHERS * BUFFER, __resident);					\
} while (0)

TEST_F_TIMEOUT(limits_cgroup, bind_does_not_fit, 600)
{
	EXPECT_EQ(-ENOMEM, RESULT_OF(bind_too_much));
	EXPECT_OTHERS_RESIDENT(self);
}

TEST_F_TIMEOUT(limits_cgroup, cpu_access_does_not_fit, 600)
{
	EXPECT_EQ(-SIGBUS, RESULT_OF(touch_too_much));
	EXPECT_OTHERS_RESIDENT(self);
}

TEST_F_TIMEOUT(limits_cgroup, take_turns, 600)
{
	EXPECT_EQ(0, RESULT_OF(take_turns));
	EXPECT_NE(self->evictions, EVICTIONS(&self->env.dev));
	EXPECT_OTHERS_RESIDENT(self);
}

TEST_HARNESS_MAIN
