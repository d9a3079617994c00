// SPDX-License-Identifier: GPL-2.0
/*
 * The device goes away while a process gets its memory back from a swap device that takes
 * forever: the request ends with what it's about to read, not with the last page.
 */
#include "slow_swap.h"

#define BUFFERS		24
#define BUFFER		PAN_SZ_1M	/* and a page more for each before it */

FIXTURE(mem_claim_unbind) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	struct slow_swap swap;
	char device[256];
	__u64 pages;
	pid_t pid;
};

FIXTURE_SETUP(mem_claim_unbind)
{
	int i;

	EVICT_SETUP(self);
	SLOW_SWAP_SETUP(&self->swap);
	snprintf(self->device, sizeof(self->device), "%s", pan_device_name(&self->env.dev));
	self->pid = getpid();
	for (i = 0; i < BUFFERS; i++) {
		struct pan_bo *bo = &self->bos[i];

		ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, BUFFER + i * PAN_PAGE_SIZE,
						  PAN_PAGE_SIZE, true, bo));
		ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo->va, bo->size, i));
		self->pages += bo->size / PAN_PAGE_SIZE;
	}
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
}

FIXTURE_TEARDOWN(mem_claim_unbind)
{
	EXPECT_EQ(0, slow_swap_stop(&self->swap, false));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, slow_swap_destroy(&self->swap));
	PAN_ENV_TEARDOWN(&self->env);
}

static int claim(struct pan_child *child)
{
	FIXTURE_DATA(mem_claim_unbind) *test = child->arg;
	int ret = pan_child_tell(child, 0);

	return ret ?: pan_mem_claim_write(&test->env.dev, test->pid);
}

static int unbind(struct pan_child *child)
{
	FIXTURE_DATA(mem_claim_unbind) *test = child->arg;
	int ret = pan_child_tell(child, 0);

	return ret ?: pan_driver_unbind(test->device);
}

static int is_gone(void *arg)
{
	FIXTURE_DATA(mem_claim_unbind) *test = arg;
	__u32 state;
	int ret = pan_vm_state(&test->ctx.vm, &state);

	return ret == -ENODEV ? 1 : ret;
}

TEST_F_TIMEOUT(mem_claim_unbind, ends_early, 1200)
{
	struct pan_child claiming, unbinding;
	__u64 restored = ~0ULL;
	const char *event;
	char *text = NULL;
	int i, result = 0;
	__s64 started;

	for (i = 0; i < BUFFERS; i++)
		EVICT(&self->bos[i]);
	PUSH_TO_SWAP(self->pages * PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_trace_start());

	ASSERT_EQ(0, slow_swap_stop(&self->swap, true));
	ASSERT_EQ(0, pan_child_start(&claiming, claim, self));
	ASSERT_EQ(0, pan_child_hear(&claiming, &started));
	EXPECT_EQ(0, pan_poll(is_stuck, &claiming, PAN_DEADLINE_MS));
	usleep(50000);
	EXPECT_EQ(1, is_stuck(&claiming));

	/* It doesn't wait for the request before it says that the device is gone. */
	ASSERT_EQ(0, pan_child_start(&unbinding, unbind, self));
	ASSERT_EQ(0, pan_child_hear(&unbinding, &started));
	EXPECT_EQ(0, pan_poll(is_gone, self, PAN_DEADLINE_MS));
	EXPECT_EQ(1, is_stuck(&claiming));

	ASSERT_EQ(0, slow_swap_stop(&self->swap, false));
	ASSERT_EQ(0, pan_child_wait(&claiming, &result));
	EXPECT_EQ(-ENODEV, result);
	ASSERT_EQ(0, pan_child_wait(&unbinding, &result));
	EXPECT_EQ(0, result);

	ASSERT_EQ(0, pan_trace_stop(&text));
	event = pan_trace_next(text, "gem_claim");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, pan_trace_value(event, "nr_pages", &restored));
	EXPECT_GT(self->pages / 2, restored) TH_LOG("%llu pages are back", restored);
	free(text);

	pan_bo_munmap(&self->ctx.streams);
	pan_bo_munmap(&self->ctx.result);
	pan_close(&self->env.dev);
	ASSERT_EQ(0, pan_driver_bind(self->device));
	ASSERT_EQ(0, pan_open(&self->env.dev));
}

TEST_HARNESS_MAIN
