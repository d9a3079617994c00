// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronous VM_BIND that is interrupted by signals while it waits for memory: made
 * again, by the kernel or by the caller, it does all that was asked for.
 *
 * guest: --kernel plain --mem 192M
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "evict.h"

#define OLD		(2ULL << 20)
#define MAX_OLD		256
#define PERCENT		85	/* of the memory, for what was there before */
#define SIZE		(8ULL << 20)
#define BUFFERS		3
#define SIGNALS		2	/* in a request, at most */
#define ROUNDS		200
#define ENOUGH		3	/* requests that were interrupted after their first operation */

static volatile sig_atomic_t signals;

static void on_alarm(int sig)
{
	signals++;
}

FIXTURE(bind_signals) {
	struct pan_env env;
	struct pan_ctx ctx, other;
	struct pan_bo old[MAX_OLD];
	int old_count;
	struct pan_bo bos[BUFFERS];
	__u64 va[2];
	int interrupted;
};

/* Who makes the system call again. */
FIXTURE_VARIANT(bind_signals) {
	int flags;
};

FIXTURE_VARIANT_ADD(bind_signals, by_the_kernel) { .flags = SA_RESTART };
FIXTURE_VARIANT_ADD(bind_signals, by_the_caller) { .flags = 0 };

FIXTURE_SETUP(bind_signals)
{
	const struct sigaction action = { .sa_handler = on_alarm, .sa_flags = variant->flags };
	__u64 available = 0;
	int i;

	EVICT_SETUP(self);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &self->other));
	ASSERT_EQ(0, pan_meminfo("MemAvailable", &available));
	self->old_count = available / 100 * PERCENT / OLD;
	ASSERT_GE(MAX_OLD, self->old_count);
	for (i = 0; i < self->old_count; i++)
		ASSERT_EQ(0, pan_bo_create_mapped(&self->other.vm, OLD, PAN_SZ_2M, true,
						  &self->old[i]));
	for (i = 0; i < 2; i++)
		self->va[i] = pan_vm_alloc_va(&self->ctx.vm, SIZE, PAN_SZ_2M);
}

FIXTURE_TEARDOWN(bind_signals)
{
	int i;

	for (i = 0; i < self->old_count; i++)
		EXPECT_EQ(0, pan_bo_close(&self->old[i]));
	EXPECT_EQ(0, pan_ctx_destroy(&self->other));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Not pan_ioctl(): counts, and there's an end to the signals. */
static int bind(FIXTURE_DATA(bind_signals) *self, struct drm_panthor_vm_bind *args)
{
	const struct itimerval never = {};
	int ret, left = SIGNALS;

	do {
		struct itimerval soon = {
			.it_value = { .tv_usec = 200 + pan_rand(&self->env.rand) % 8000 },
		};

		setitimer(ITIMER_REAL, left-- > 0 ? &soon : &never, NULL);
		ret = ioctl(self->env.dev.fd, DRM_IOCTL_PANTHOR_VM_BIND, args);
		ret = ret ? -errno : 0;
		setitimer(ITIMER_REAL, &never, NULL);
		self->interrupted += ret == -EINTR;
	} while (ret == -EINTR);
	return ret;
}

/*
 * The second half of the first buffer is replaced by the second one, each half has
 * a hole, the third buffer is elsewhere.
 */
static int bind_all(FIXTURE_DATA(bind_signals) *self)
{
	__u64 half = self->va[0] + SIZE / 2;
	struct drm_panthor_vm_bind_op ops[] = {
		pan_op_map(&self->bos[0], 0, self->va[0], SIZE, 0),
		pan_op_unmap(self->va[0] + PAN_PAGE_SIZE, PAN_PAGE_SIZE),
		pan_op_map(&self->bos[1], 0, half, SIZE / 2, 0),
		pan_op_unmap(half + PAN_PAGE_SIZE, PAN_PAGE_SIZE),
		pan_op_map(&self->bos[2], 0, self->va[1], SIZE, 0),
	};
	struct drm_panthor_vm_bind args = {
		.vm_id = self->ctx.vm.id,
		.ops = DRM_PANTHOR_OBJ_ARRAY(ARRAY_SIZE(ops), ops),
	};
	int ret = bind(self, &args);

	return ret ?: args.ops.count == ARRAY_SIZE(ops) ? 0 : -EPROTO;
}

/* What the GPU stores at the address is in the buffer. */
static int reaches(FIXTURE_DATA(bind_signals) *self, __u64 va, struct pan_bo *bo, __u64 offset)
{
	__u64 value = pan_rand(&self->env.rand);
	int ret;

	ret = pan_gpu_store64(&self->ctx, va, value);
	if (!ret)
		ret = pan_bo_mmap(bo);
	return ret ?: pan_peek((__u64 *)((char *)bo->map + offset)) == value ? 0 : -EILSEQ;
}

static void expect_bound(struct __test_metadata *_metadata, FIXTURE_DATA(bind_signals) *self)
{
	__u64 half = self->va[0] + SIZE / 2, nothing;
	int i;

	for (i = 0; i < 3; i += 2) {
		__u64 at = i * PAN_PAGE_SIZE;

		ASSERT_EQ(0, reaches(self, self->va[0] + at, &self->bos[0], at));
		ASSERT_EQ(0, reaches(self, half + at, &self->bos[1], at));
		ASSERT_EQ(0, reaches(self, self->va[1] + at, &self->bos[2], at));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, pan_gpu_load64(&self->ctx, (i ? half : self->va[0]) +
						  PAN_PAGE_SIZE, &nothing));
		ASSERT_EQ(0, pan_ctx_new_group(&self->ctx));
	}
}

/* What the kernel restarts isn't seen from here: then, many signals have to do. */
static bool enough(const FIXTURE_DATA(bind_signals) *self, int flags)
{
	return flags & SA_RESTART ? signals >= 10 * ENOUGH : self->interrupted >= ENOUGH;
}

/* New buffers, which others have to make room for, get their memory when they are bound. */
TEST_F_TIMEOUT(bind_signals, all_is_bound, 1200)
{
	int i, round;

	signals = 0;
	for (round = 0; round < ROUNDS && !enough(self, variant->flags); round++) {
		/* Others have all of the memory. */
		ASSERT_EQ(0, pan_gpu_store64(&self->other, self->old[0].va, round));
		for (i = 0; i < BUFFERS; i++)
			ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0,
						   &self->ctx.vm, &self->bos[i]));
		ASSERT_EQ(0, bind_all(self)) TH_LOG("round %d", round);
		expect_bound(_metadata, self);
		for (i = 0; i < BUFFERS; i++)
			ASSERT_EQ(0, pan_bo_close(&self->bos[i]));
		ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->va[0], SIZE));
		ASSERT_EQ(0, pan_vm_unmap(&self->ctx.vm, self->va[1], SIZE));
	}
	TH_LOG("%d rounds, %d signals, %d times interrupted", round, (int)signals,
	       self->interrupted);
	ASSERT_TRUE(enough(self, variant->flags));
}

TEST_HARNESS_MAIN
