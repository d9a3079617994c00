// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit test suite for the memory stats of fdinfo
 */

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/idr.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <kunit/resource.h>
#include <kunit/test.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_print.h>

#define TEST_OBJECT_SIZE	SZ_64K
#define TEST_OBJECT_RSS		SZ_16K
#define TEST_OBJECT_COUNT	3

#define TEST_ALL_STATUS \
	(DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE | DRM_GEM_OBJECT_EVICTED)

/**
 * struct fdinfo_test_object - GEM object whose status is up to the test
 * @base: Inherit from drm_gem_object.
 * @status: What &drm_gem_object_funcs.status returns.
 */
struct fdinfo_test_object {
	struct drm_gem_object base;
	enum drm_gem_object_status status;
};

/**
 * struct fdinfo_test - Fixture of the fdinfo tests
 * @file: Just enough of a DRM file to have handles.
 * @objs: Objects with one handle each.
 * @m: Where stats are printed to.
 * @p: Printer to @m.
 */
struct fdinfo_test {
	struct drm_file file;
	struct fdinfo_test_object objs[TEST_OBJECT_COUNT];
	struct seq_file m;
	struct drm_printer p;
};

static enum drm_gem_object_status fdinfo_test_status(struct drm_gem_object *obj)
{
	return container_of(obj, struct fdinfo_test_object, base)->status;
}

static size_t fdinfo_test_rss(struct drm_gem_object *obj)
{
	return TEST_OBJECT_RSS;
}

static const struct drm_gem_object_funcs fdinfo_test_funcs = {
	.status = fdinfo_test_status,
};

static const struct drm_gem_object_funcs fdinfo_test_funcs_rss = {
	.status = fdinfo_test_status,
	.rss = fdinfo_test_rss,
};

static const struct drm_gem_object_funcs fdinfo_test_funcs_none = {
};

/* What was printed since the last time. */
static const char *fdinfo_test_text(struct fdinfo_test *t)
{
	t->m.buf[t->m.count] = '\0';
	t->m.count = 0;

	return t->m.buf;
}

/* Keys of optional stats are printed if, and only if, they are supported. */
static void drm_fdinfo_memory_test_print_supported(struct kunit *test)
{
	struct drm_memory_stats stats = {
		.shared = SZ_1K,
		.private = SZ_2K,
		.resident = SZ_4K,
		.purgeable = SZ_8K,
		.active = SZ_16K,
		.evicted = SZ_32K,
	};
	struct fdinfo_test *t = test->priv;

	drm_print_memory_stats(&t->p, &stats, 0, "memory");
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t3 KiB\n"
			   "drm-shared-memory:\t1 KiB\n"
			   "drm-active-memory:\t16 KiB\n");

	drm_print_memory_stats(&t->p, &stats, DRM_GEM_OBJECT_EVICTED, "vram0");
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-vram0:\t3 KiB\n"
			   "drm-shared-vram0:\t1 KiB\n"
			   "drm-active-vram0:\t16 KiB\n"
			   "drm-evicted-vram0:\t32 KiB\n");

	drm_print_memory_stats(&t->p, &stats, TEST_ALL_STATUS, "memory");
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t3 KiB\n"
			   "drm-shared-memory:\t1 KiB\n"
			   "drm-active-memory:\t16 KiB\n"
			   "drm-resident-memory:\t4 KiB\n"
			   "drm-purgeable-memory:\t8 KiB\n"
			   "drm-evicted-memory:\t32 KiB\n");
}

/* Stats that are supported are printed even if they are zero. */
static void drm_fdinfo_memory_test_print_zero(struct kunit *test)
{
	struct drm_memory_stats stats = {};
	struct fdinfo_test *t = test->priv;

	drm_print_memory_stats(&t->p, &stats, TEST_ALL_STATUS, "memory");
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t0\n"
			   "drm-shared-memory:\t0\n"
			   "drm-active-memory:\t0\n"
			   "drm-resident-memory:\t0\n"
			   "drm-purgeable-memory:\t0\n"
			   "drm-evicted-memory:\t0\n");
}

/* The unit is the largest one that represents the size exactly. */
static void drm_fdinfo_memory_test_print_units(struct kunit *test)
{
	struct drm_memory_stats stats = {
		.shared = 1023,
		.private = SZ_1M - 1023,
		.resident = SZ_1M + SZ_1K,
		.purgeable = (u64)SZ_1G << 10,
		.evicted = U64_MAX,
	};
	struct fdinfo_test *t = test->priv;

	drm_print_memory_stats(&t->p, &stats, TEST_ALL_STATUS, "memory");
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t1 MiB\n"
			   "drm-shared-memory:\t1023\n"
			   "drm-active-memory:\t0\n"
			   "drm-resident-memory:\t1025 KiB\n"
			   "drm-purgeable-memory:\t1048576 MiB\n"
			   "drm-evicted-memory:\t18446744073709551615\n");
}

/* Each and every stat makes the stats non-zero. */
static void drm_fdinfo_memory_test_is_zero(struct kunit *test)
{
	static const size_t offsets[] = {
		offsetof(struct drm_memory_stats, shared),
		offsetof(struct drm_memory_stats, private),
		offsetof(struct drm_memory_stats, resident),
		offsetof(struct drm_memory_stats, purgeable),
		offsetof(struct drm_memory_stats, active),
		offsetof(struct drm_memory_stats, evicted),
	};
	struct drm_memory_stats stats = {};

	KUNIT_EXPECT_EQ(test, sizeof(stats), ARRAY_SIZE(offsets) * sizeof(u64));
	KUNIT_EXPECT_TRUE(test, drm_memory_stats_is_zero(&stats));
	for (u32 i = 0; i < ARRAY_SIZE(offsets); i++) {
		stats = (struct drm_memory_stats){};
		*(u64 *)((void *)&stats + offsets[i]) = 1;
		KUNIT_EXPECT_FALSE_MSG(test, drm_memory_stats_is_zero(&stats), "stat %u", i);
	}
}

/**
 * struct fdinfo_test_case - How the status of an object is accounted
 * @desc: Description.
 * @status: Status of the first object. That of the others is zero.
 * @rss: True if the object tells how much memory it has.
 * @text: What's printed after the total.
 */
struct fdinfo_test_case {
	const char *desc;
	enum drm_gem_object_status status;
	bool rss;
	const char *text;
};

static const struct fdinfo_test_case fdinfo_test_cases[] = {
	{ "never backed", 0, false,
	  "drm-resident-memory:\t0\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t0\n" },
	{ "resident", DRM_GEM_OBJECT_RESIDENT, false,
	  "drm-resident-memory:\t64 KiB\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t0\n" },
	{ "partially resident", DRM_GEM_OBJECT_RESIDENT, true,
	  "drm-resident-memory:\t16 KiB\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t0\n" },
	{ "evicted", DRM_GEM_OBJECT_EVICTED, false,
	  "drm-resident-memory:\t0\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t64 KiB\n" },
	{ "evicted size is not rss", DRM_GEM_OBJECT_EVICTED, true,
	  "drm-resident-memory:\t0\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t64 KiB\n" },
	{ "resident wins over evicted", DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_EVICTED, false,
	  "drm-resident-memory:\t64 KiB\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t0\n" },
	{ "purgeable", DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE, false,
	  "drm-resident-memory:\t64 KiB\ndrm-purgeable-memory:\t64 KiB\ndrm-evicted-memory:\t0\n" },
	{ "purged", DRM_GEM_OBJECT_PURGEABLE, false,
	  "drm-resident-memory:\t0\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t0\n" },
	{ "evicted is not purgeable", DRM_GEM_OBJECT_PURGEABLE | DRM_GEM_OBJECT_EVICTED, false,
	  "drm-resident-memory:\t0\ndrm-purgeable-memory:\t0\ndrm-evicted-memory:\t64 KiB\n" },
};

static void fdinfo_test_case_desc(const struct fdinfo_test_case *c, char *desc)
{
	strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fdinfo_test, fdinfo_test_cases, fdinfo_test_case_desc);

/* Accounting depends on the status. The total doesn't. */
static void drm_fdinfo_memory_test_status(struct kunit *test)
{
	const struct fdinfo_test_case *c = test->param_value;
	struct fdinfo_test *t = test->priv;
	const char *text;

	t->objs[0].status = c->status;
	if (c->rss)
		t->objs[0].base.funcs = &fdinfo_test_funcs_rss;

	drm_show_supported_memory_stats(&t->p, &t->file, TEST_ALL_STATUS);
	text = fdinfo_test_text(t);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "drm-total-memory:\t192 KiB\n"));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, c->text), "%s", text);
}

static const char *fdinfo_test_fence_name(struct dma_fence *fence)
{
	return "fdinfo";
}

static const struct dma_fence_ops fdinfo_test_fence_ops = {
	.get_driver_name = fdinfo_test_fence_name,
	.get_timeline_name = fdinfo_test_fence_name,
};

static DEFINE_SPINLOCK(fdinfo_test_fence_lock);

/* The object is being written to until the fence is signaled. */
static struct dma_fence *fdinfo_test_write(struct kunit *test, struct drm_gem_object *obj)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &fdinfo_test_fence_ops, &fdinfo_test_fence_lock,
		       dma_fence_context_alloc(1), 1);

	KUNIT_ASSERT_EQ(test, 0, dma_resv_lock(obj->resv, NULL));
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(obj->resv, 1));
	dma_resv_add_fence(obj->resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(obj->resv);

	return fence;
}

/* What's in use is active, with as much as is resident, and can't be purged. */
static void drm_fdinfo_memory_test_active(struct kunit *test)
{
	struct fdinfo_test *t = test->priv;
	struct dma_fence *fence;
	const char *text;

	t->objs[0].status = DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_PURGEABLE;
	t->objs[0].base.funcs = &fdinfo_test_funcs_rss;
	fence = fdinfo_test_write(test, &t->objs[0].base);

	drm_show_supported_memory_stats(&t->p, &t->file, TEST_ALL_STATUS);
	text = fdinfo_test_text(t);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "drm-active-memory:\t16 KiB\n"), "%s", text);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "drm-purgeable-memory:\t0\n"), "%s", text);

	dma_fence_signal(fence);
	dma_fence_put(fence);
	drm_show_supported_memory_stats(&t->p, &t->file, TEST_ALL_STATUS);
	text = fdinfo_test_text(t);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "drm-active-memory:\t0\n"), "%s", text);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "drm-purgeable-memory:\t16 KiB\n"),
				  "%s", text);
}

/* The size of several objects adds up. */
static void drm_fdinfo_memory_test_sum(struct kunit *test)
{
	struct fdinfo_test *t = test->priv;

	t->objs[0].status = DRM_GEM_OBJECT_EVICTED;
	t->objs[1].status = DRM_GEM_OBJECT_RESIDENT;
	t->objs[2].status = DRM_GEM_OBJECT_EVICTED;
	t->objs[2].base.handle_count = 2;

	drm_show_supported_memory_stats(&t->p, &t->file,
					DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_EVICTED);
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t192 KiB\n"
			   "drm-shared-memory:\t64 KiB\n"
			   "drm-active-memory:\t0\n"
			   "drm-resident-memory:\t64 KiB\n"
			   "drm-evicted-memory:\t128 KiB\n");
}

/* Keys are the same with no handle at all. */
static void drm_fdinfo_memory_test_no_handle(struct kunit *test)
{
	struct fdinfo_test *t = test->priv;
	struct drm_gem_object *obj;
	int id;

	idr_for_each_entry(&t->file.object_idr, obj, id)
		idr_remove(&t->file.object_idr, id);

	drm_show_supported_memory_stats(&t->p, &t->file,
					DRM_GEM_OBJECT_RESIDENT | DRM_GEM_OBJECT_EVICTED);
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t0\n"
			   "drm-shared-memory:\t0\n"
			   "drm-active-memory:\t0\n"
			   "drm-resident-memory:\t0\n"
			   "drm-evicted-memory:\t0\n");
}

/* Drivers that know nothing about evicted memory don't get the key. */
static void drm_fdinfo_memory_test_unaware(struct kunit *test)
{
	struct fdinfo_test *t = test->priv;

	t->objs[0].status = DRM_GEM_OBJECT_RESIDENT;
	drm_show_memory_stats(&t->p, &t->file);
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t192 KiB\n"
			   "drm-shared-memory:\t0\n"
			   "drm-active-memory:\t0\n"
			   "drm-resident-memory:\t64 KiB\n"
			   "drm-purgeable-memory:\t0\n");

	for (u32 i = 0; i < TEST_OBJECT_COUNT; i++)
		t->objs[i].base.funcs = &fdinfo_test_funcs_none;
	drm_show_memory_stats(&t->p, &t->file);
	KUNIT_EXPECT_STREQ(test, fdinfo_test_text(t),
			   "drm-total-memory:\t192 KiB\n"
			   "drm-shared-memory:\t0\n"
			   "drm-active-memory:\t0\n");
}

static int drm_fdinfo_memory_test_init(struct kunit *test)
{
	struct drm_device *drm;
	struct fdinfo_test *t;
	struct device *dev;

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->m.size = SZ_4K;
	t->m.buf = kunit_kzalloc(test, t->m.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->m.buf);
	t->p = drm_seq_file_printer(&t->m);

	dev = drm_kunit_helper_alloc_device(test);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	drm = __drm_kunit_helper_alloc_drm_device(test, dev, sizeof(*drm), 0, DRIVER_GEM);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);

	idr_init(&t->file.object_idr);
	spin_lock_init(&t->file.table_lock);
	test->priv = t;

	for (u32 i = 0; i < TEST_OBJECT_COUNT; i++) {
		struct drm_gem_object *obj = &t->objs[i].base;

		drm_gem_private_object_init(drm, obj, TEST_OBJECT_SIZE);
		obj->funcs = &fdinfo_test_funcs;
		obj->handle_count = 1;
		KUNIT_ASSERT_GT(test, idr_alloc(&t->file.object_idr, obj, 1, 0, GFP_KERNEL), 0);
	}

	return 0;
}

static void drm_fdinfo_memory_test_exit(struct kunit *test)
{
	struct fdinfo_test *t = test->priv;

	if (!t)
		return;

	idr_destroy(&t->file.object_idr);
	for (u32 i = 0; i < TEST_OBJECT_COUNT; i++) {
		if (t->objs[i].base.dev)
			drm_gem_private_object_fini(&t->objs[i].base);
	}
}

static struct kunit_case drm_fdinfo_memory_tests[] = {
	KUNIT_CASE(drm_fdinfo_memory_test_print_supported),
	KUNIT_CASE(drm_fdinfo_memory_test_print_zero),
	KUNIT_CASE(drm_fdinfo_memory_test_print_units),
	KUNIT_CASE(drm_fdinfo_memory_test_is_zero),
	KUNIT_CASE_PARAM(drm_fdinfo_memory_test_status, fdinfo_test_gen_params),
	KUNIT_CASE(drm_fdinfo_memory_test_active),
	KUNIT_CASE(drm_fdinfo_memory_test_sum),
	KUNIT_CASE(drm_fdinfo_memory_test_no_handle),
	KUNIT_CASE(drm_fdinfo_memory_test_unaware),
	{}
};

static struct kunit_suite drm_fdinfo_memory_test_suite = {
	.name = "drm_fdinfo_memory",
	.init = drm_fdinfo_memory_test_init,
	.exit = drm_fdinfo_memory_test_exit,
	.test_cases = drm_fdinfo_memory_tests,
};

kunit_test_suite(drm_fdinfo_memory_test_suite);

MODULE_DESCRIPTION("KUnit test suite for the memory stats of fdinfo");
MODULE_LICENSE("GPL");
