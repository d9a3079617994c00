// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers whose pages are in large folios, as they are with
 * /sys/kernel/mm/transparent_hugepage/shmem_enabled: all of their pages are written to
 * swap, and freed, and come back.
 */
#include "evict.h"

#define ENABLED		"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define HUGE_SIZE	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

FIXTURE(evict_huge) {
	struct pan_env env;
	struct pan_ctx ctx;
	char enabled[128];
	__u64 huge;
	__u64 seed;
};

FIXTURE_VARIANT(evict_huge) {
	__u64 more_pages;
};

FIXTURE_VARIANT_ADD(evict_huge, whole) {
	.more_pages = 0,
};

/* Where a file ends, its last folio might be larger than what's left. */
FIXTURE_VARIANT_ADD(evict_huge, and_some) {
	.more_pages = 67,
};

/* "always within_size [never] ..." -> "never" */
static int read_choice(char *text, size_t len)
{
	int ret = pan_read_file(ENABLED, text, len);
	char *begin;

	if (ret < 0)
		return ret;
	begin = strchr(text, '[');
	if (!begin || !strchr(begin, ']'))
		return -EPROTO;
	*strchr(begin, ']') = 0;
	memmove(text, begin + 1, strlen(begin));
	return 0;
}

static __u64 meminfo(struct __test_metadata *_metadata, const char *key)
{
	__u64 bytes = 0;

	EXPECT_EQ(0, pan_meminfo(key, &bytes));
	return bytes;
}

FIXTURE_SETUP(evict_huge)
{
	EVICT_SETUP(self);
	if (access(ENABLED, W_OK))
		SKIP(return, "the kernel has no large folios in shared memory");
	ASSERT_EQ(0, pan_read_u64(HUGE_SIZE, &self->huge));
	if (8 * self->huge > meminfo(_metadata, "MemTotal"))
		SKIP(return, "this machine is too small for folios of %llu MiB", self->huge / PAN_SZ_1M);
	ASSERT_EQ(0, read_choice(self->enabled, sizeof(self->enabled)));
	ASSERT_EQ(0, pan_write_file(ENABLED, "always"));
	self->seed = pan_rand(&self->env.rand);
}

FIXTURE_TEARDOWN(evict_huge)
{
	if (self->enabled[0])
		EXPECT_EQ(0, pan_write_file(ENABLED, self->enabled));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* What's written and freed later is waited for. */
struct freed_goal {
	struct pan_dev *dev;
	__u64 bytes;
};

static int freed_step(void *arg)
{
	struct freed_goal *goal = arg;
	__u64 pages, bytes = 0;
	int ret;

	ret = pan_shrink(goal->dev, EVERYTHING, &pages);
	if (!ret)
		ret = pan_meminfo("Shmem", &bytes);
	return ret ? ret : bytes <= goal->bytes;
}

TEST_F(evict_huge, evicted_as_a_whole)
{
	const __u64 slack = pages_in_batches() * PAN_PAGE_SIZE;
	const __u64 size = 2 * self->huge + variant->more_pages * PAN_PAGE_SIZE;
	__u64 huge = meminfo(_metadata, "ShmemHugePages"), written = 0;
	struct freed_goal freed = { .dev = &self->env.dev };
	struct pan_bo bo;
	int i;

	ASSERT_EQ(0, pan_bo_create_mapped(&self->ctx.vm, size, self->huge, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&self->ctx, bo.va, bo.size, self->seed));
	ASSERT_LE(huge + 2 * self->huge, meminfo(_metadata, "ShmemHugePages"));

	for (i = 1; i <= 3; i++) {
		ASSERT_EQ(0, pan_vmstat("pswpout", &written));
		freed.bytes = meminfo(_metadata, "Shmem") - bo.size + slack;
		EVICT(&bo);
		EXPECT_EVICTED(&bo, i);
		EXPECT_EQ(0, wait_written(written + bo.size / PAN_PAGE_SIZE));
		EXPECT_EQ(0, pan_poll(freed_step, &freed, PAN_DEADLINE_MS));
		EXPECT_GPU_SEES(&self->ctx, bo.va, bo.size, self->seed);
		EXPECT_RESIDENT(&bo, i);
	}
	EXPECT_EQ(0, pan_bo_close(&bo));
}

TEST_HARNESS_MAIN
